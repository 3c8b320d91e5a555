internal import Consensus
internal import NodeCore
internal import Primitives

/// Gives proposals and certificates to some only, others in each view.
struct Withholder: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        guard case .consensus(let consensus) = message else { return [message] }
        switch consensus {
        case .proposal(let proposal):
            let word = proposal.block.digest.bytes32.leadingWord >> UInt64(node % 60)
            return word & 1 == 0 ? [message] : []
        case .certificate, .block, .syncResponse: return actor.random.chance(300) ? [message] : []
        default: return [message]
        }
    }
}
