internal import Primitives

/// Which escrows are due when, over the deadlines column: key (due time, big-endian ‖ escrow id).
struct DeadlineIndex: Sendable {
    /// In the order in which defaults are carried out.
    struct Entry: Hashable, Comparable, Sendable {
        let due: Timestamp
        let escrow: EscrowID

        static func < (left: Entry, right: Entry) -> Bool {
            (left.due, left.escrow) < (right.due, right.escrow)
        }
    }

    /// Changes that the store doesn't have yet: whether the entry is there.
    private var pending: [Entry: Bool] = [:]
    /// Nothing is due before this time; 0 until the store was looked at.
    private var quietBefore: Timestamp = 0

    /// At most `limit` entries that are due at `time`, in order.
    mutating func due(
        at time: Timestamp, limit: Int, _ source: any KeyValueSource
    ) throws(StorageFault) -> [Entry] {
        guard time >= quietBefore else { return [] }
        let first = try firstEntries(limit + 1, source)
        let due = Array(first.prefix(limit).prefix { $0.due <= time })
        quietBefore = due.count < first.count ? first[due.count].due : Timestamp(.max)
        return due
    }

    private func firstEntries(
        _ limit: Int, _ source: any KeyValueSource
    ) throws(StorageFault) -> [Entry] {
        // Each pending removal may hide one stored entry.
        let pairs = try source.pairs(
            in: .deadlines, from: [], before: nil, limit: limit + pending.count)
        var entries: [Entry] = []
        for pair in pairs {
            let entry = try DeadlineIndex.entry(pair.key)
            if pending[entry] == nil { entries.append(entry) }
        }
        entries += pending.filter(\.value).keys
        return Array(entries.sorted().prefix(limit))
    }

    static func entry(_ key: [UInt8]) throws(StorageFault) -> Entry {
        guard key.count == 40, let escrow = EscrowID(bytes: key.dropFirst(8)) else {
            throw StorageFault("\(Hex.encode(key)) isn't a key of the deadlines column")
        }
        let due = key.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Entry(due: Timestamp(due), escrow: escrow)
    }

    /// Notes that an escrow's due time changed; nil where it has none.
    mutating func move(
        _ escrow: EscrowID, from old: Timestamp?, to new: Timestamp?, _ writes: inout WriteSet
    ) {
        guard old != new else { return }
        if let old {
            pending[Entry(due: old, escrow: escrow)] = false
            writes.delete(StoredState.deadlineKey(old, escrow), in: .deadlines)
        }
        if let new {
            pending[Entry(due: new, escrow: escrow)] = true
            writes.put([], in: .deadlines, for: StoredState.deadlineKey(new, escrow))
            quietBefore = min(quietBefore, new)
        }
    }

    /// The store has every write that was handed out.
    mutating func writesApplied() { pending.removeAll(keepingCapacity: true) }
}
