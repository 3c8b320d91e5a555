internal import Consensus
internal import NodeCore
internal import Primitives

/// Votes in every way for whatever it votes for.
struct Equivocator: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        guard case .consensus(.vote(let vote)) = message else { return [message] }
        let more = [VoteKind.notarize, .nullify, .finalize].filter { _ in actor.random.chance(500) }
        return [message]
            + more.map {
                .consensus(.vote(actor.vote($0, in: vote.view, for: vote.digest)))
            }
    }
}
