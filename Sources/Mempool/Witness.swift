internal import Primitives

/// This node's acks of batches, its own included: at most one batch for each position of a lane.
///
/// Invariant: a validator's entry is on disk before it leaves the node, and an entry for another
/// batch at the same position is never made.
struct Witness: Sendable {
    /// What is being checked of a batch, in pieces.
    struct Checking: Sendable {
        let header: BatchHeader
        /// Nil for an edge verifier, which has chunks only.
        let batch: Batch?
        /// The owner, as a peer: it gets the ack.
        let from: PeerID
        let since: Instant
        let chunks: UInt32
        let purpose: Purpose
        var piecesLeft: Int
        /// Signatures of the chunks of an edge verifier's task.
        var signatures = 0
        var invalid: [UInt32] = []
        var isRefused = false
        var isDeclined = false
    }

    /// Why signatures of a batch are checked here.
    enum Purpose: Sendable { case assigned, rescue }

    /// An ack that this node gave, with what it needs to say more.
    struct Given: Sendable {
        var ack: Ack
        let from: PeerID
        let at: Instant
        /// Whether its certificate was seen.
        var isCertified = false
        /// Whether the batch expired: only its position is still taken.
        var isVoid = false
    }

    private var acked: [Lane: [UInt64: Given]] = [:]
    /// Bytes of the bodies of acked batches that no block has included, by owner.
    private var owedBytes: [ValidatorIndex: UInt64] = [:]
    private var checking: [Digest: Checking] = [:]
    /// Acks that no certificate was seen of, by the time they were given: for the rescue.
    private var uncertified: [Digest: (lane: Lane, position: UInt64)] = [:]

    /// The ack for a batch, if there is one.
    func ack(of header: BatchHeader) -> Ack? {
        guard let given = acked[header.content.lane]?[header.content.position],
            given.ack.header.digest == header.digest
        else { return nil }
        return given.ack
    }

    /// Whether a batch's position isn't taken by another batch.
    func isFree(_ header: BatchHeader) -> Bool {
        let given = acked[header.content.lane]?[header.content.position]
        return given == nil || given?.ack.header.digest == header.digest
    }

    /// The header that took a position, if it isn't `header`.
    func rival(of header: BatchHeader) -> BatchHeader? {
        guard let given = acked[header.content.lane]?[header.content.position],
            given.ack.header.digest != header.digest
        else { return nil }
        return given.ack.header
    }

    /// Acked positions of a lane that no block has included.
    func count(_ lane: Lane) -> Int { acked[lane]?.count ?? 0 }

    /// Bytes of bodies that are kept here for an owner until a block includes them.
    func owedBytes(of owner: ValidatorIndex) -> UInt64 { owedBytes[owner] ?? 0 }

    /// The lanes with acks, in order.
    var lanes: [Lane] { acked.keys.sorted() }

    func isChecking(_ digest: Digest) -> Bool { checking[digest] != nil }

    /// The chunks of a batch under check.
    func checkingChunks(_ digest: Digest) -> UInt32 { checking[digest]?.chunks ?? 0 }

    /// Batches under check, of all lanes.
    var checkingCount: Int { checking.count }

    /// Batches under check of one owner.
    func checkingCount(of owner: ValidatorIndex) -> Int {
        checking.values.reduce(0) { $0 + ($1.header.content.owner == owner ? 1 : 0) }
    }

    /// Batches whose check of a lane isn't done.
    func checkingCount(_ lane: Lane) -> Int {
        checking.values.reduce(0) { $0 + ($1.header.content.lane == lane ? 1 : 0) }
    }

    mutating func startChecking(_ work: Checking) { checking[work.header.digest] = work }

    /// Counts a checked piece; returns the whole when it was the last.
    mutating func finishPiece(
        of digest: Digest, _ note: (inout Checking) -> Void
    ) -> Checking? {
        guard var current = checking[digest] else { return nil }
        current.piecesLeft -= 1
        note(&current)
        guard current.piecesLeft <= 0 else {
            checking[digest] = current
            return nil
        }
        checking[digest] = nil
        current.invalid.sort()
        return current
    }

    mutating func record(_ ack: Ack, from peer: PeerID, at now: Instant) {
        let content = ack.header.content
        let given = Given(ack: ack, from: peer, at: now)
        if acked[content.lane, default: [:]].updateValue(given, forKey: content.position) == nil {
            owedBytes[content.owner, default: 0] += UInt64(content.byteLength)
        }
        uncertified[ack.header.digest] = (content.lane, content.position)
    }

    /// A certificate of the batch was seen: nobody needs to rescue it. Returns how long that took
    /// since the ack.
    mutating func markCertified(_ header: BatchHeader, at now: Instant) -> UInt64? {
        guard let place = uncertified.removeValue(forKey: header.digest),
            let given = acked[place.lane]?[place.position]
        else { return nil }
        acked[place.lane]?[place.position]?.isCertified = true
        return now.millisecondsSince(given.at)
    }

    /// Acks given at least `wait` milliseconds ago whose batches have no certificate and that don't
    /// cover every chunk, in order of lane and position.
    func overdue(at now: Instant, wait: UInt64) -> [Given] {
        uncertified.values.compactMap { acked[$0.lane]?[$0.position] }
            .filter {
                now.millisecondsSince($0.at) >= wait
                    && $0.ack.entry.chunks != $0.ack.header.allChunks
                    && !isChecking($0.ack.header.digest)
            }
            .sorted {
                ($0.ack.header.content.lane, $0.ack.header.content.position)
                    < ($1.ack.header.content.lane, $1.ack.header.content.position)
            }
    }

    /// Frees what expired below `height` takes but its position; returns the batches.
    mutating func releaseExpired(at height: Height) -> [Digest] {
        var expired: [Digest] = []
        for (lane, positions) in acked {
            for (position, given) in positions
            where !given.isVoid && given.ack.header.content.expiryHeight <= height {
                acked[lane]?[position]?.isVoid = true
                uncertified[given.ack.header.digest] = nil
                release(given.ack.header)
                expired.append(given.ack.header.digest)
            }
        }
        return expired
    }

    private mutating func release(_ header: BatchHeader) {
        let content = header.content
        let left = owedBytes(of: content.owner) - UInt64(content.byteLength)
        owedBytes[content.owner] = left == 0 ? nil : left
    }

    /// Forgets positions that the chain has passed; returns them in order.
    mutating func settle(_ lane: Lane, through last: UInt64) -> [Ack] {
        guard let positions = acked[lane] else { return [] }
        let passed = positions.keys.filter { $0 <= last }.sorted()
        for position in passed {
            if let given = acked[lane]?.removeValue(forKey: position) {
                uncertified[given.ack.header.digest] = nil
                if !given.isVoid { release(given.ack.header) }
            }
        }
        if acked[lane]?.isEmpty ?? false { acked[lane] = nil }
        return passed.compactMap { positions[$0]?.ack }
    }
}

/// An ack on disk. Key: 'a' ‖ shard ‖ term ‖ rank ‖ position (big-endian). Value: the ack.
enum LaneRecord {
    static func key(_ lane: Lane, _ position: UInt64) -> [UInt8] {
        [UInt8(ascii: "a")] + bigEndian(lane.shard) + bigEndian(lane.term)
            + bigEndian(lane.rank) + position.bigEndianBytes
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    /// The ack of a batch, with its body unless that is on disk already.
    static func writes(_ ack: Ack, _ batch: Batch, withBody: Bool) -> WriteSet {
        var writes = WriteSet()
        if withBody { writes.put(batch.bcsBytes, in: .batches, for: batch.digest.bytes) }
        writes.put(
            ack.bcsBytes, in: .lanes,
            for: key(ack.header.content.lane, ack.header.content.position))
        return writes
    }
}
