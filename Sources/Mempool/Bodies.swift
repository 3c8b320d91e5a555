internal import Primitives

/// Batch bodies between their ack and their execution, and those that are missing.
struct Bodies: Sendable {
    private var kept: [Digest: Batch] = [:]
    private var byteCount = 0
    private var requests = BodyRequests()

    /// Bodies that execution waits for.
    var wantedCount: Int { requests.count }

    func held(_ digest: Digest) -> Batch? { kept[digest] }

    /// Keeps a body that the store has too, as long as there is room.
    mutating func keep(_ batch: Batch) {
        guard byteCount + batch.body.count <= BatchLimits.bodyBytesMax else { return }
        keepAnyway(batch)
    }

    /// Keeps a body that the store will have only after the current event.
    mutating func keepAnyway(_ batch: Batch) {
        guard kept.updateValue(batch, forKey: batch.digest) == nil else { return }
        byteCount += batch.body.count
    }

    /// Forgets a body that was executed: the store has it.
    mutating func release(_ digest: Digest) {
        guard let batch = kept.removeValue(forKey: digest) else { return }
        byteCount -= batch.body.count
    }

    func isWanted(_ digest: Digest) -> Bool { requests.isWanted(digest) }

    mutating func want(_ digest: Digest, bytes: Int, from holders: [PeerID]) {
        requests.want(digest, bytes: bytes, from: holders)
    }

    /// Ends the wait for a body, which came or isn't needed any more; false if nobody waited.
    mutating func take(wanted digest: Digest) -> Bool { requests.take(digest) }

    /// `peer` hasn't got it.
    mutating func markMissing(_ digest: Digest, at peer: PeerID) {
        requests.markMissing(digest, at: peer)
    }

    mutating func hear(_ peer: PeerID, at now: Instant) { requests.hear(peer, at: now) }

    /// What to ask now, each digest of one connected holder, by peer in order.
    mutating func takeRequests(
        at now: Instant, connected: Set<PeerID>
    ) -> [(PeerID, [Digest])] {
        requests.take(at: now, connected: connected)
    }
}
