internal import Primitives

/// The log of executed blocks as the ledger appends to it.
///
/// In the store every full subtree has a row that never changes: at level 0 the entry itself, above
/// the subtree's hash.
struct HistoryLog: Sendable {
    private(set) var count: UInt64
    /// The hashes of the full subtrees that make up the log, the largest first.
    private var peaks: [Bytes32]

    /// The log of the ledger in `source`.
    /// - Throws: `StorageFault` when a row is missing, or doesn't belong to the head in the state.
    init(opening source: any KeyValueSource) throws(StorageFault) {
        guard let head = try HistoryLog.head(in: source) else {
            count = 0
            peaks = []
            return
        }
        count = head.count
        peaks = []
        for place in LogPlace.peaks(of: head.count) {
            peaks.append(try HistoryLog.hash(at: place, in: source))
        }
        guard root == head.root else {
            throw StorageFault(
                "the history of \(count) blocks doesn't have the root that the state names: the"
                    + " store is damaged; move it away and let the node fetch the chain again")
        }
    }

    var root: Bytes32 { HistoryLog.root(of: peaks) }

    /// Appends an entry.
    mutating func append(_ entry: HistoryEntry, into writes: inout WriteSet) {
        let bytes = entry.bcsBytes
        var place = LogPlace(level: 0, index: count)
        writes.put(bytes, in: .history, for: place.storeKey)
        var hash = MerkleLog.leaf(bytes)
        while place.index & 1 == 1, let left = peaks.popLast() {
            hash = MerkleLog.node(left, hash)
            place = place.parent
            writes.put(hash.bytes, in: .history, for: place.storeKey)
        }
        peaks.append(hash)
        count += 1
    }

    // MARK: Reading

    static func head(in source: any KeyValueSource) throws(StorageFault) -> HistoryHead? {
        try StoredState.record(at: HistoryHead.key.path, in: source)
    }

    static func entry(
        _ index: UInt64, in source: any KeyValueSource
    ) throws(StorageFault) -> HistoryEntry? {
        let key = LogPlace(level: 0, index: index).storeKey
        guard let bytes = try source.value(in: .history, for: key) else { return nil }
        return try StoredState.decode(bytes, "entry \(index) of the history")
    }

    /// The hash of a full subtree.
    static func hash(
        at place: LogPlace, in source: any KeyValueSource
    ) throws(StorageFault) -> Bytes32 {
        let bytes = try source.value(in: .history, for: place.storeKey)
        let hash =
            place.level == 0 ? bytes.map { MerkleLog.leaf($0) } : bytes.flatMap { Bytes32($0) }
        guard let hash else {
            throw StorageFault(
                "row \(Hex.encode(place.storeKey)) of the history is missing or damaged: move the"
                    + " store away and let the node fetch the chain again")
        }
        return hash
    }

    /// The hashes beside the way of leaf `index` to the root of the first `count` entries, the
    /// leaf's neighbour first.
    /// - Precondition: `index` is below `count`, and the log has `count` entries.
    static func path(
        of index: UInt64, count: UInt64, in source: any KeyValueSource
    ) throws(StorageFault) -> [Bytes32] {
        precondition(index < count, "leaf \(index) of a log of \(count)")
        let peaks = LogPlace.peaks(of: count)
        guard let own = peaks.firstIndex(where: { index >> $0.level == $0.index }) else {
            preconditionFailure("leaf \(index) in no full subtree of \(count)")
        }
        var path: [Bytes32] = []
        var place = LogPlace(level: 0, index: index)
        while place.level < peaks[own].level {
            path.append(try hash(at: place.neighbour, in: source))
            place = place.parent
        }
        var right: [Bytes32] = []
        for peak in peaks[(own + 1)...] { right.append(try hash(at: peak, in: source)) }
        if !right.isEmpty { path.append(root(of: right)) }
        for peak in peaks[..<own].reversed() { path.append(try hash(at: peak, in: source)) }
        return path
    }

    /// The root that the log had when it had `count` entries.
    /// - Precondition: The log has at least as many.
    static func root(
        at count: UInt64, in source: any KeyValueSource
    ) throws(StorageFault) -> Bytes32 {
        try root(from: 0, count: count, in: source)
    }

    /// The root of `count` entries from `start` on, a multiple of the largest power of two in
    /// `count`.
    private static func root(
        from start: UInt64, count: UInt64, in source: any KeyValueSource
    ) throws(StorageFault) -> Bytes32 {
        var hashes: [Bytes32] = []
        for place in LogPlace.peaks(of: count) {
            let index = place.index + start >> place.level
            hashes.append(try hash(at: LogPlace(level: place.level, index: index), in: source))
        }
        return root(of: hashes)
    }

    /// What proves that the log of `second` entries begins with that of `first` (RFC 9162, section
    /// 2.1.4.1).
    /// - Precondition: `1 <= first <= second`, and the log has `second` entries.
    static func consistency(
        first: UInt64, second: UInt64, in source: any KeyValueSource
    ) throws(StorageFault) -> [Bytes32] {
        precondition(0 < first && first <= second, "a log of \(first) in one of \(second)")
        var path: [Bytes32] = []
        // SUBPROOF(old, entries[start ..< start + count], isKnown), from the top down.
        var (old, start, count, isKnown) = (first, UInt64(0), second, true)
        while old < count {
            let half = UInt64(1) << (63 - (count - 1).leadingZeroBitCount)
            if old <= half {
                path.append(try root(from: start + half, count: count - half, in: source))
                count = half
            } else {
                path.append(try root(from: start, count: half, in: source))
                (old, start, count) = (old - half, start + half, count - half)
                isKnown = false
            }
        }
        if !isKnown { path.append(try root(from: start, count: count, in: source)) }
        return path.reversed()
    }

    /// The root over full subtrees, the largest first.
    static func root(of peaks: [Bytes32]) -> Bytes32 {
        guard var root = peaks.last else { return MerkleLog.emptyRoot }
        for left in peaks.dropLast().reversed() { root = MerkleLog.node(left, root) }
        return root
    }
}
