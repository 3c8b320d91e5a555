internal import Primitives

/// Which verifiers have how much bonded, over the bonds column: key (the bond with each bit turned,
/// big-endian ‖ the verifier's key), so that the highest bonds come first, and of equal ones the
/// lower key.
struct BondIndex: Sendable {
    /// In the order of the column.
    struct Entry: Hashable, Comparable, Sendable {
        let bonded: Amount
        let key: PublicKey

        static func < (left: Entry, right: Entry) -> Bool {
            (right.bonded, left.key) < (left.bonded, right.key)
        }
    }

    /// Changes that the store doesn't have yet: whether the entry is there.
    private var pending: [Entry: Bool] = [:]

    /// The first `limit` entries.
    func first(
        _ limit: Int, _ source: any KeyValueSource
    ) throws(StorageFault) -> [Entry] {
        // Each pending removal may hide one stored entry.
        let stored = try BondIndex.stored(limit + pending.count, source)
        let entries = stored.filter { pending[$0] == nil } + pending.filter(\.value).keys
        return Array(entries.sorted().prefix(limit))
    }

    /// The first `limit` entries of a store.
    static func stored(
        _ limit: Int, _ source: any KeyValueSource
    ) throws(StorageFault) -> [Entry] {
        let pairs = try source.pairs(in: .bonds, from: [], before: nil, limit: limit)
        var entries: [Entry] = []
        for pair in pairs { entries.append(try entry(pair.key)) }
        return entries
    }

    static func entry(_ key: [UInt8]) throws(StorageFault) -> Entry {
        guard key.count == 40, let verifier = PublicKey(bytes: key.dropFirst(8)) else {
            throw StorageFault("\(Hex.encode(key)) isn't a key of the bonds column")
        }
        let turned = key.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Entry(bonded: Amount(~turned), key: verifier)
    }

    /// Notes that what a verifier has bonded changed. Nothing bonded has no entry.
    mutating func move(
        _ key: PublicKey, from old: Amount, to new: Amount, _ writes: inout WriteSet
    ) {
        guard old != new else { return }
        if old > 0 {
            pending[Entry(bonded: old, key: key)] = false
            writes.delete(StoredState.bondKey(old, key), in: .bonds)
        }
        if new > 0 {
            pending[Entry(bonded: new, key: key)] = true
            writes.put([], in: .bonds, for: StoredState.bondKey(new, key))
        }
    }

    /// The store has every write that was handed out.
    mutating func writesApplied() { pending.removeAll(keepingCapacity: true) }
}
