internal import CMemory

/// A key of a `ResidentTable`.
protocol ResidentKey: Equatable, Sendable {
    /// Of `SlotIndex`.
    var indexHash: UInt64 { get }
}

/// What a `ResidentTable` holds.
protocol ResidentValue: Sendable {
    /// Memory beside the value's own size that it takes, in bytes; about.
    var heapBytes: Int { get }
}

/// Values in memory in front of the store: every one that was changed since the store was last up
/// to date, which must not be lost, and others up to a bound in bytes.
///
/// Values lie one behind the other in one array, the index apart: what is found is found with few
/// misses of the processor's caches, and nothing is allocated for it. Nothing is forgotten but
/// when the store is up to date: then a hand goes round and takes away what wasn't asked for since
/// it last came by, until the bound is kept (the clock algorithm: Corbató, 1968).
/// Memory: at most `bytesMax`, what is read and changed between two such moments, and as much
/// again for the arrays' room to grow.
struct ResidentTable<Key: ResidentKey, Value: ResidentValue>: Sendable {
    private struct Entry: Sendable {
        let key: Key
        var value: Value
        /// Since the hand came by.
        var isUsed = true
    }

    let bytesMax: Int
    /// What the values take, about.
    private(set) var bytes = 0
    private var entries: [Entry] = []
    private var index = SlotIndex()
    private var hand = 0

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// The number of keys about which something is known.
    var count: Int { entries.count }

    /// An entry's own size and its share of the index.
    static var entryBytes: Int { MemoryLayout<Entry>.stride + 16 }

    /// Where `key` lies. Slots hold until the next `trim`.
    func slot(of key: Key) -> Int? {
        entries.withUnsafeBufferPointer { entries in
            index.find(key.indexHash) { entries[$0].key == key }
        }
    }

    /// Says that what is known of a key will be asked for soon. Each step brings what the next one
    /// reads: first the index, then the value.
    func foresee(_ hash: UInt64, _ step: Foresight) {
        guard step != .index else { return index.foresee(hash) }
        guard let slot = index.candidate(hash) else { return }
        foresee(slot: slot)
    }

    /// The same where the slot is known.
    func foresee(slot: Int) {
        entries.withUnsafeBufferPointer { entries in
            guard let base = entries.baseAddress else { return }
            offpeak_prefetch(base + slot, MemoryLayout<Entry>.size)
        }
    }

    func key(at slot: Int) -> Key { entries[slot].key }

    /// The value at a slot.
    subscript(slot: Int) -> Value {
        _read { yield entries[slot].value }
    }

    /// What lies at a slot stays for the next round of the hand.
    mutating func touch(_ slot: Int) { entries[slot].isUsed = true }

    /// Changes a value where it lies; what memory it takes more is for the caller to tell.
    @inline(__always)
    mutating func patch<Result>(_ slot: Int, _ body: (inout Value) -> Result) -> Result {
        body(&entries[slot].value)
    }

    /// Values that were changed take so much more memory; below 0 for less.
    mutating func note(moreBytes: Int) { bytes += moreBytes }

    /// Adds a key that isn't there.
    mutating func insert(_ value: Value, for key: Key) -> Int {
        let slot = entries.count
        bytes += ResidentTable.entryBytes + value.heapBytes
        entries.appendLarge(Entry(key: key, value: value))
        index.insert(key.indexHash, slot)
        return slot
    }

    /// Takes away what goes beyond the bound; the store must have every change.
    mutating func trim() {
        while bytes > bytesMax, !entries.isEmpty {
            if hand >= entries.count { hand = 0 }
            if entries[hand].isUsed {
                entries[hand].isUsed = false
                hand += 1
            } else {
                remove(hand)
            }
        }
    }

    /// The last entry takes the place of the one that goes.
    private mutating func remove(_ slot: Int) {
        bytes -= ResidentTable.entryBytes + entries[slot].value.heapBytes
        index.remove(entries[slot].key.indexHash, slot)
        let last = entries.removeLast()
        guard slot < entries.count else { return }
        index.move(last.key.indexHash, from: entries.count, to: slot)
        entries[slot] = last
    }
}
