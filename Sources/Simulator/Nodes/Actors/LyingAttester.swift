internal import Mempool
internal import NodeCore
internal import Primitives

/// Calls every signature right.
struct LyingAttester: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        guard case .mempool(.ack(let ack)) = message else { return [message] }
        let entry = ack.entry
        let blank = AckEntry(
            signer: entry.signer, stored: true, chunks: entry.chunks, verdicts: [],
            signature: entry.signature)
        let lie = AckEntry(
            signer: entry.signer, stored: true, chunks: entry.chunks, verdicts: [],
            signature: actor.signer.signature(over: blank.digest(of: ack.header)))
        return [.mempool(.ack(Ack(header: ack.header, entry: lie)))]
    }
}
