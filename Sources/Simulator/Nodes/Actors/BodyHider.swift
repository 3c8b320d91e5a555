internal import Mempool
internal import NodeCore
internal import Primitives

/// Gives its batches to some only, and bodies to nobody.
struct BodyHider: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        switch message {
        case .mempool(.batch(let batch, _)):
            let word = batch.digest.bytes32.leadingWord >> UInt64(node % 60)
            return word & 1 == 0 ? [message] : []
        case .mempool(.body): return []
        default: return [message]
        }
    }
}
