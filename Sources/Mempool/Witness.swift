internal import Primitives

/// This node's acks of batches, its own included: at most one batch for each position of a lane.
///
/// Invariant: an entry is on disk before it leaves the node, and an entry for another batch at the
/// same position is never made.
struct Witness: Sendable {
    /// A batch whose signatures are being checked in pieces.
    struct Checking: Sendable {
        let batch: Batch
        let from: PeerID
        var piecesLeft: Int
        var invalid: [UInt32] = []
        var isRefused = false
    }

    private var acked: [Lane: [UInt64: Ack]] = [:]
    private var checking: [Digest: Checking] = [:]

    /// The ack for a batch, if there is one.
    func ack(of header: BatchHeader) -> Ack? {
        guard let ack = acked[header.content.lane]?[header.content.position],
            ack.header.digest == header.digest
        else { return nil }
        return ack
    }

    /// Whether a batch's position isn't taken by another batch.
    func isFree(_ header: BatchHeader) -> Bool {
        let ack = acked[header.content.lane]?[header.content.position]
        return ack == nil || ack?.header.digest == header.digest
    }

    /// Acked positions of a lane that no block has included.
    func count(_ lane: Lane) -> Int { acked[lane]?.count ?? 0 }

    func isChecking(_ digest: Digest) -> Bool { checking[digest] != nil }

    /// Batches whose check of a lane isn't done.
    func checkingCount(_ lane: Lane) -> Int {
        checking.values.reduce(0) { $0 + ($1.batch.lane == lane ? 1 : 0) }
    }

    mutating func startChecking(_ batch: Batch, from peer: PeerID, pieces: Int) {
        checking[batch.digest] = Checking(batch: batch, from: peer, piecesLeft: pieces)
    }

    /// Counts a checked piece; returns the whole when it was the last.
    mutating func finishPiece(
        of digest: Digest, headerValid: Bool, invalid: [UInt32]
    ) -> Checking? {
        guard var current = checking[digest] else { return nil }
        current.piecesLeft -= 1
        current.invalid += invalid
        current.isRefused = current.isRefused || !headerValid
        guard current.piecesLeft == 0 else {
            checking[digest] = current
            return nil
        }
        checking[digest] = nil
        current.invalid.sort()
        return current
    }

    mutating func record(_ ack: Ack) {
        acked[ack.header.content.lane, default: [:]][ack.header.content.position] = ack
    }

    /// Forgets positions that the chain has passed; returns them in order.
    mutating func settle(_ lane: Lane, head: LaneTable.Head) -> [Ack] {
        guard let positions = acked[lane] else { return [] }
        let passed = positions.keys.filter { $0 <= head.position }.sorted()
        for position in passed { acked[lane]?[position] = nil }
        return passed.compactMap { positions[$0] }
    }
}

/// An ack on disk. Key: 'a' ‖ shard ‖ rank ‖ position (big-endian). Value: the ack.
enum LaneRecord {
    static func key(_ lane: Lane, _ position: UInt64) -> [UInt8] {
        [UInt8(ascii: "a"), UInt8(lane.shard >> 8), UInt8(lane.shard & 0xFF)]
            + [UInt8(lane.rank >> 8), UInt8(lane.rank & 0xFF)] + position.bigEndianBytes
    }

    /// The ack of a batch with its body.
    static func writes(_ ack: Ack, _ batch: Batch) -> WriteSet {
        var writes = WriteSet()
        writes.put(batch.bcsBytes, in: .batches, for: batch.digest.bytes)
        writes.put(
            ack.bcsBytes, in: .lanes,
            for: key(ack.header.content.lane, ack.header.content.position))
        return writes
    }
}
