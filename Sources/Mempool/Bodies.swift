internal import Primitives

/// Batch bodies between their ack and their execution, and those that are missing.
struct Bodies: Sendable {
    private struct Wanted {
        let holders: [PeerID]
        var next = 0
        var askedAt: Instant?
    }

    private var kept: [Digest: Batch] = [:]
    private var byteCount = 0
    private var wanted: [Digest: Wanted] = [:]

    /// Bodies that execution waits for.
    var wantedCount: Int { wanted.count }

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

    func isWanted(_ digest: Digest) -> Bool { wanted[digest] != nil }

    mutating func want(_ digest: Digest, from holders: [PeerID], at now: Instant) {
        guard wanted[digest] == nil else { return }
        // The digest itself spreads the load over the holders.
        let offset =
            holders.isEmpty ? 0 : Int(digest.bytes32.remainder(dividingBy: UInt64(holders.count)))
        wanted[digest] = Wanted(holders: Array(holders[offset...] + holders[..<offset]))
    }

    /// Ends the wait for a body; false if nobody waited.
    mutating func take(wanted digest: Digest) -> Bool {
        wanted.removeValue(forKey: digest) != nil
    }

    /// The next holder is asked at once.
    mutating func markMissing(_ digest: Digest, at peer: PeerID) {
        wanted[digest]?.askedAt = nil
    }

    /// What to ask now, each digest of one connected holder, by peer in order.
    mutating func takeRequests(
        at now: Instant, connected: Set<PeerID>
    ) -> [(PeerID, [Digest])] {
        var requests: [PeerID: [Digest]] = [:]
        for digest in wanted.keys.sorted() {
            guard var entry = wanted[digest] else { continue }
            if let asked = entry.askedAt,
                now.millisecondsSince(asked) < MempoolTimes.bodyRetry
            {
                continue
            }
            for _ in entry.holders.indices {
                let peer = entry.holders[entry.next % entry.holders.count]
                entry.next += 1
                guard connected.contains(peer) else { continue }
                requests[peer, default: []].append(digest)
                entry.askedAt = now
                break
            }
            wanted[digest] = entry
        }
        return requests.keys.sorted().map { ($0, requests[$0] ?? []) }
    }
}
