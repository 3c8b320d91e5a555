internal import Consensus
internal import NodeCore
internal import Primitives

/// Sends votes in the names of others, which it can only sign with its own key.
struct Impersonator: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        guard case .consensus(.vote(let vote)) = message else { return [message] }
        let other = UInt16(actor.random.next() % UInt64(actor.committee.count))
        let forged = Vote(
            subject: vote.subject, signer: ValidatorIndex(other), signature: vote.signature)
        return [message, .consensus(.vote(forged))]
    }
}
