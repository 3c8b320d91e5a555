internal import CMemory
internal import Primitives

/// Keys and values of one column in memory, in large blocks of bytes: a row costs no allocation,
/// and a copy shares all blocks that neither side changes.
///
/// A value that is replaced stays where it is if the new one fits there, else the row moves; when
/// half of the bytes are of no use any more, all rows are laid out anew.
struct FlatRows: Sendable {
    private struct Row: Sendable {
        let block: Int32
        let start: Int32
        let keyCount: Int32
        var valueCount: Int32
        /// Bytes that the value has room in.
        let room: Int32

        var bytes: Int { Int(keyCount + room) }
    }

    /// Bytes of a block, but of one for a single row that is larger.
    private let blockBytes: Int
    private let pages: PageSize

    private var blocks: [[UInt8]] = []
    private var rows: [Row] = []
    private var index = SlotIndex()
    /// Of the rows, and of all that was ever laid out in the blocks.
    private var usedBytes = 0
    private var laidBytes = 0

    init(pages: PageSize) {
        self.pages = pages
        blockBytes = pages == .large ? 16 << 20 : 1 << 20
    }

    var count: Int { rows.count }

    /// The key and value of the row at a place below `count`, in no order; they change places with
    /// each deletion. Valid during the call.
    func withRow<Result>(
        _ place: Int, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let row = rows[place]
        return blocks[Int(row.block)].withUnsafeBytes { block in
            let keyEnd = Int(row.start + row.keyCount)
            return body(
                UnsafeRawBufferPointer(rebasing: block[Int(row.start)..<keyEnd]),
                UnsafeRawBufferPointer(
                    rebasing: block[keyEnd..<keyEnd + Int(row.valueCount)]))
        }
    }

    func value(for key: [UInt8]) -> [UInt8]? {
        key.withUnsafeBytes { key in
            place(of: key, FlatRows.hash(key)).map { withRow($0) { Array($1) } }
        }
    }

    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(key.count)
        var offset = 0
        while offset + 8 <= key.count {
            let word = key.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            hash = SlotIndex.hash(word, hash)
            offset += 8
        }
        guard offset < key.count else { return hash }
        var rest: UInt64 = 0
        for byte in key[offset...] { rest = rest << 8 | UInt64(byte) }
        return SlotIndex.hash(rest, hash)
    }

    private func place(of key: UnsafeRawBufferPointer, _ hash: UInt64) -> Int? {
        index.find(hash) { place in
            withRow(place) { other, _ in FlatRows.areEqual(key, other) }
        }
    }

    private static func areEqual(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Bool {
        guard left.count == right.count else { return false }
        var offset = 0
        while offset + 8 <= left.count {
            let isEqual =
                left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                == right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard isEqual else { return false }
            offset += 8
        }
        return left[offset...].elementsEqual(right[offset...])
    }

    /// How many changes ahead each step of the search is.
    private static let stepChanges = 4

    /// Carries out some of the changes, all of this column.
    /// - Returns: Whether a row was added or taken away.
    mutating func apply(_ writes: WriteSet, _ range: Range<Int>) -> Bool {
        var isOther = false
        writes.withBytes { bytes in
            let step = FlatRows.stepChanges
            // What is known of the keys ahead, each at its place modulo the ring's length.
            var ring = [Search](repeating: Search(), count: 4 * step)
            let mask = ring.count - 1
            for ahead in range.lowerBound - 3 * step..<range.upperBound {
                let (hashed, near, next) = (ahead + 3 * step, ahead + 2 * step, ahead + step)
                if hashed < range.upperBound {
                    let key = UnsafeRawBufferPointer(rebasing: bytes[writes.extent(hashed).key])
                    ring[hashed & mask] = foreseeIndex(key)
                }
                if range.contains(near) { foreseeRow(&ring[near & mask]) }
                if range.contains(next) { foreseeBytes(ring[next & mask]) }
                guard ahead >= range.lowerBound else { continue }
                let isNew = apply(writes.extent(ahead), of: bytes, ring[ahead & mask].hash)
                isOther = isNew || isOther
            }
        }
        return isOther
    }

    /// A key that will be looked for.
    private struct Search {
        var hash: UInt64 = 0
        /// Where its row lies most likely.
        var candidate: Int?
    }

    private mutating func apply(
        _ change: WriteSet.Extent, of bytes: UnsafeRawBufferPointer, _ hash: UInt64
    ) -> Bool {
        let key = UnsafeRawBufferPointer(rebasing: bytes[change.key])
        guard let value = change.value else { return remove(key) }
        return put(UnsafeRawBufferPointer(rebasing: bytes[value]), for: key, hash)
    }

    /// Brings near where a key is looked for.
    private mutating func foreseeIndex(_ key: UnsafeRawBufferPointer) -> Search {
        let hash = FlatRows.hash(key)
        index.foresee(hash)
        return Search(hash: hash)
    }

    /// Brings near what is known of a row.
    private mutating func foreseeRow(_ search: inout Search) {
        search.candidate = index.candidate(search.hash)
        guard let candidate = search.candidate else { return }
        rows.withUnsafeBufferPointer { rows in
            guard let base = rows.baseAddress else { return }
            offpeak_prefetch(base + candidate, MemoryLayout<Row>.size)
        }
    }

    /// Brings near the bytes of a row.
    private mutating func foreseeBytes(_ search: Search) {
        // Rows may have gone since.
        guard let candidate = search.candidate, candidate < rows.count else { return }
        let row = rows[candidate]
        blocks[Int(row.block)].withUnsafeBytes { block in
            guard let base = block.baseAddress else { return }
            offpeak_prefetch(base + Int(row.start), row.bytes)
        }
    }

    /// - Returns: Whether the key is new.
    mutating func put(_ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer) -> Bool {
        put(value, for: key, FlatRows.hash(key))
    }

    private mutating func put(
        _ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, _ hash: UInt64
    ) -> Bool {
        guard let place = place(of: key, hash) else {
            index.insert(hash, rows.count)
            let row = lay(key, value)
            if pages == .large { rows.appendLarge(row) } else { rows.append(row) }
            return true
        }
        let row = rows[place]
        if value.count <= row.room {
            let start = Int(row.start + row.keyCount)
            blocks[Int(row.block)].withUnsafeMutableBytes { block in
                let target = UnsafeMutableRawBufferPointer(rebasing: block[start...])
                target.copyMemory(from: value)
            }
            rows[place].valueCount = Int32(value.count)
        } else {
            usedBytes -= row.bytes
            rows[place] = lay(key, value)
            tidy()
        }
        return false
    }

    /// - Returns: Whether there was such a row.
    mutating func remove(_ key: UnsafeRawBufferPointer) -> Bool {
        let hash = FlatRows.hash(key)
        guard let place = place(of: key, hash) else { return false }
        usedBytes -= rows[place].bytes
        index.remove(hash, place)
        let last = rows.count - 1
        if place < last {
            index.move(withRow(last) { key, _ in FlatRows.hash(key) }, from: last, to: place)
            rows[place] = rows[last]
        }
        rows.removeLast()
        tidy()
        return true
    }

    private mutating func lay(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) -> Row {
        let bytes = key.count + value.count
        if (blocks.last?.count ?? 0) + bytes > blockBytes || blocks.isEmpty {
            // The first grows as it must: most columns are small.
            let isFirst = blocks.isEmpty
            blocks.append(isFirst ? [] : emptyBlock())
        }
        let last = blocks.count - 1
        let start = blocks[last].count
        blocks[last].append(contentsOf: key)
        blocks[last].append(contentsOf: value)
        usedBytes += bytes
        laidBytes += bytes
        return Row(
            block: Int32(last), start: Int32(start), keyCount: Int32(key.count),
            valueCount: Int32(value.count), room: Int32(value.count))
    }

    private func emptyBlock() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: blockBytes) { bytes, _ in
            pages.ask(for: UnsafeMutableRawBufferPointer(bytes))
        }
    }

    /// Lays all rows out anew when that frees more than half of the bytes.
    private mutating func tidy() {
        guard laidBytes > 2 * usedBytes + blockBytes else { return }
        let old = self
        blocks = []
        (usedBytes, laidBytes) = (0, 0)
        for place in rows.indices {
            old.withRow(place) { key, value in rows[place] = lay(key, value) }
        }
    }
}
