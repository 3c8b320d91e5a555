internal import CMemory
internal import Primitives

/// Where things lie that are found by a hash of their key: open addressing with linear probing,
/// eight bytes a cell, so that a search costs about one miss of the processor's caches.
///
/// Each cell has the low half of the hash and the slot; the owner compares keys. Grows at three
/// quarters and never shrinks: 11 to 22 bytes for each slot.
struct SlotIndex: Sendable {
    /// `low half of the hash << 32 | slot + 1`; 0 for a free cell.
    private var cells: [UInt64] = []
    private(set) var count = 0

    /// The slots of a cell are below this.
    static let slotsMax = Int(UInt32.max) - 1

    /// Keys that others choose must not be able to crowd into a few cells.
    private static let seed = UInt64(truncatingIfNeeded: "SlotIndex".hashValue) | 1

    /// The hash of one word of a key; `more` is what else makes it differ.
    static func hash(_ word: UInt64, _ more: UInt64) -> UInt64 {
        let (high, low) = (word ^ seed).multipliedFullWidth(
            by: (more &+ 0x9E37_79B9_7F4A_7C15) ^ (seed &* 0xD6E8_FEB8_6659_FD93))
        return high ^ low
    }

    /// The hash of a key that others choose: all of it counts, for who knows a part that doesn't
    /// could make as many keys with one hash as he likes.
    static func hash(_ key: Bytes32) -> UInt64 {
        let words = key.words
        return hash(words.3, hash(words.2, hash(words.1, hash(words.0, 0))))
    }

    private var mask: Int { cells.count &- 1 }

    private static func tag(_ hash: UInt64) -> UInt64 { hash << 32 }

    /// The slot of the key with this hash for which `isKey` holds.
    @inline(__always)
    func find(_ hash: UInt64, where isKey: (Int) -> Bool) -> Int? {
        guard !cells.isEmpty else { return nil }
        return cells.withUnsafeBufferPointer { cells in
            let mask = cells.count &- 1
            var place = Int(truncatingIfNeeded: hash & 0xFFFF_FFFF) & mask
            while cells[place] != 0 {
                let cell = cells[place]
                if (cell ^ SlotIndex.tag(hash)) >> 32 == 0 {
                    let slot = Int(truncatingIfNeeded: cell & 0xFFFF_FFFF) &- 1
                    if isKey(slot) { return slot }
                }
                place = (place &+ 1) & mask
            }
            return nil
        }
    }

    /// Says that a key will be looked for soon.
    func foresee(_ hash: UInt64) {
        cells.withUnsafeBufferPointer { cells in
            guard let base = cells.baseAddress, !cells.isEmpty else { return }
            let place = Int(truncatingIfNeeded: hash & 0xFFFF_FFFF) & (cells.count &- 1)
            offpeak_prefetch(base + place, 8)
        }
    }

    /// The slot that a key has most likely: that of the first cell with its hash.
    func candidate(_ hash: UInt64) -> Int? { find(hash) { _ in true } }

    /// Adds a key that isn't there.
    mutating func insert(_ hash: UInt64, _ slot: Int) {
        precondition(slot < SlotIndex.slotsMax, "slot \(slot)")
        if 4 * (count + 1) > 3 * cells.count { grow() }
        put(SlotIndex.tag(hash) | UInt64(slot + 1))
        count += 1
    }

    private mutating func put(_ cell: UInt64) {
        var place = home(cell)
        while cells[place] != 0 { place = (place &+ 1) & mask }
        cells[place] = cell
    }

    private func home(_ cell: UInt64) -> Int { Int(truncatingIfNeeded: cell >> 32) & mask }

    private mutating func grow() {
        let old = cells
        cells = SlotIndex.free(max(16, 2 * old.count))
        for cell in old where cell != 0 { put(cell) }
    }

    private static func free(_ count: Int) -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: count) { cells, initialized in
            PageSize.large.ask(for: UnsafeMutableRawBufferPointer(cells))
            cells.initialize(repeating: 0)
            initialized = count
        }
    }

    /// Takes the key at a slot away.
    mutating func remove(_ hash: UInt64, _ slot: Int) {
        var hole = place(hash, slot)
        count -= 1
        // Cells behind the hole move up where that brings them nearer to their home.
        var next = (hole &+ 1) & mask
        while cells[next] != 0 {
            let distance = (next &- home(cells[next])) & mask
            if distance >= (next &- hole) & mask {
                cells[hole] = cells[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        cells[hole] = 0
    }

    /// What lay at a slot lies at another now.
    mutating func move(_ hash: UInt64, from slot: Int, to other: Int) {
        cells[place(hash, slot)] = SlotIndex.tag(hash) | UInt64(other + 1)
    }

    private func place(_ hash: UInt64, _ slot: Int) -> Int {
        let cell = SlotIndex.tag(hash) | UInt64(slot + 1)
        precondition(!cells.isEmpty, "slot \(slot) isn't in an empty index")
        var place = home(cell)
        while cells[place] != cell {
            precondition(cells[place] != 0, "slot \(slot) isn't in the index")
            place = (place &+ 1) & mask
        }
        return place
    }
}
