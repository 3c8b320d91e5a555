internal import CMemory

/// Memory in cells of one or several lines of the processor's caches, for what changes its size
/// rarely and is found by a number.
///
/// Cells lie in blocks of a large page each; a cell that was given back serves the next one of its
/// size. A copy of the arena shares the blocks until one side is about to write.
// SAFETY: a block that several arenas hold is never written to, whatever thread they are on: who
// writes calls `makeUnique` first, which asks the count of references, as arrays do; blocks that it
// makes are its own.
struct CellArena: @unchecked Sendable {
    /// One line.
    static let unitBytes = 64
    private static let blockBytes = 2 << 20
    private static let blockUnits = blockBytes / unitBytes
    /// What the first block begins with; most arenas stay small.
    private static let firstBytes = 4 << 10

    /// Owned by the arenas that hold it; written to only by one that holds it alone.
    private final class Block {
        let base: UnsafeMutableRawPointer
        let bytes: Int

        init(bytes: Int) {
            self.bytes = bytes
            let isFull = bytes == blockBytes
            base = .allocate(byteCount: bytes, alignment: isFull ? blockBytes : unitBytes)
            if isFull { offpeak_prefer_large_pages(base, bytes) }
        }

        convenience init(copying other: Block, bytes: Int) {
            self.init(bytes: bytes)
            base.copyMemory(from: other.base, byteCount: other.bytes)
        }

        deinit { base.deallocate() }
    }

    private var blocks: [Block] = []
    /// Where each block begins.
    private var bases: [UnsafeMutableRawPointer] = []
    /// The first unit of the last block that no cell ever had.
    private var end = 0
    /// Cells that were given back, by their units.
    private var free: [[Int]] = []

    /// A cell with undefined contents. The arena must be its blocks' only owner.
    /// - Parameter units: 1 to the units of a block.
    /// - Returns: Its number, below 2^32 up to 256 GiB.
    mutating func allocate(units: Int) -> Int {
        if units < free.count, let cell = free[units].popLast() { return cell }
        reserve(units)
        defer { end += units }
        return (blocks.count - 1) * CellArena.blockUnits + end
    }

    /// Gives a cell back.
    mutating func release(_ cell: Int, units: Int) {
        while free.count <= units { free.append([]) }
        free[units].append(cell)
    }

    /// Where a cell lies, until the next allocation.
    @inline(__always)
    func address(of cell: Int) -> UnsafeMutableRawPointer {
        bases[cell / CellArena.blockUnits]
            + (cell % CellArena.blockUnits) &* CellArena.unitBytes
    }

    /// Memory that was ever used, in bytes.
    var usedBytes: Int {
        blocks.isEmpty
            ? 0
            : ((blocks.count - 1) * CellArena.blockUnits + end) * CellArena.unitBytes
    }

    /// Takes copies of blocks that another arena holds too: what writing needs.
    mutating func makeUnique() {
        for place in blocks.indices where !isKnownUniquelyReferenced(&blocks[place]) {
            set(Block(copying: blocks[place], bytes: blocks[place].bytes), at: place)
        }
    }

    private mutating func set(_ block: Block, at place: Int) {
        blocks[place] = block
        bases[place] = block.base
    }

    /// Makes room behind the end of the last block.
    private mutating func reserve(_ units: Int) {
        precondition((1...CellArena.blockUnits).contains(units), "a cell of \(units) units")
        let needed = (end + units) * CellArena.unitBytes
        if let last = blocks.last, needed <= last.bytes { return }
        if let last = blocks.last, needed <= CellArena.blockBytes {
            var bytes = last.bytes
            while bytes < needed { bytes *= 2 }
            return set(Block(copying: last, bytes: bytes), at: blocks.count - 1)
        }
        if let last = blocks.last {
            let rest = last.bytes / CellArena.unitBytes - end
            if rest > 0 { release((blocks.count - 1) * CellArena.blockUnits + end, units: rest) }
        }
        let isFirst = blocks.isEmpty
        var bytes = isFirst ? CellArena.firstBytes : CellArena.blockBytes
        while bytes < units * CellArena.unitBytes { bytes *= 2 }
        let block = Block(bytes: bytes)
        blocks.append(block)
        bases.append(block.base)
        end = 0
    }
}
