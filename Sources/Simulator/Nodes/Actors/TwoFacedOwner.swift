internal import Mempool
internal import NodeCore
internal import Primitives

/// Seals two batches at one position: some get the batch of its core, others one with fewer
/// transactions.
struct TwoFacedOwner: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        guard case .mempool(.batch(let batch, let assignment)) = message,
            batch.transactions.count > 1, !node.isMultiple(of: 2),
            let rival = Batch.sealed(
                Array(batch.transactions.dropLast()), like: batch.header.content,
                by: actor.signer)
        else { return [message] }
        return [.mempool(.batch(rival, assignment))]
    }
}
