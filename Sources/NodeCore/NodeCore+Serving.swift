internal import Consensus
internal import Execution
internal import Mempool
internal import Primitives

/// What this node gives to peers that are behind.
extension NodeCore {
    /// Finalized blocks from a height on, up to one that has a finalization, within limits.
    mutating func serve(_ request: SyncRequest, to peer: PeerID) throws(StorageFault) {
        let count = UInt64(ConsensusLimits.syncBlocksMax)
        guard request.from > 0, request.from <= mempool.height,
            let last = try store.lastFinalization(from: request.from, count: count)
        else { return }
        var blocks: [Block] = []
        var bytes = 0
        var certified = (count: 0, certificate: last.1)
        var height = request.from
        while height <= last.0, let block = try store.block(at: height) {
            bytes += block.payload.count + 256
            guard bytes <= ConsensusLimits.syncBytesMax || certified.count == 0 else { break }
            blocks.append(block)
            if let certificate = try store.finalization(at: height) {
                certified = (blocks.count, certificate)
            }
            guard let next = height.next else { break }
            height = next
        }
        guard certified.count > 0 else { return }
        let response = SyncResponse(
            blocks: Array(blocks.prefix(certified.count)), certificate: certified.certificate)
        effects.append(.send(peer, .consensus(.syncResponse(response))))
    }

    mutating func serve(block digest: Digest, to peer: PeerID) throws(StorageFault) {
        guard let height = try store.height(of: digest), let block = try store.block(at: height)
        else { return }
        effects.append(.send(peer, .consensus(.block(block))))
    }

    mutating func serve(_ digests: [Digest], to peer: PeerID) throws(StorageFault) {
        for digest in digests {
            var batch = mempool.body(digest)
            if batch == nil { batch = try store.batch(digest) }
            if let batch {
                effects.append(.send(peer, .mempool(.body(batch))))
            } else {
                effects.append(.send(peer, .mempool(.bodyMissing(digest))))
            }
        }
    }
}
