import TestSupport
import Testing

@testable import Execution

@Suite struct CellArenaTests {
    /// Cells as the test knows them: what was written, in units of one byte value.
    private struct Cells {
        var arena = CellArena()
        var written: [Int: (units: Int, byte: UInt8)] = [:]

        func holds(_ cell: Int) -> Bool {
            guard let (units, byte) = written[cell] else { return false }
            let bytes = UnsafeRawBufferPointer(
                start: arena.address(of: cell), count: units * CellArena.unitBytes)
            return bytes.allSatisfy { $0 == byte }
        }

        mutating func write(_ byte: UInt8, units: Int, to cell: Int) {
            let bytes = UnsafeMutableRawBufferPointer(
                start: arena.address(of: cell), count: units * CellArena.unitBytes)
            bytes.initializeMemory(as: UInt8.self, repeating: byte)
            written[cell] = (units, byte)
        }
    }

    /// Adds, changes and takes away; the cells reach over several blocks.
    private func change(_ cells: inout Cells, steps: Int, _ generator: inout SeededGenerator) {
        cells.arena.makeUnique()
        for _ in 0..<steps {
            let byte = UInt8(truncatingIfNeeded: generator.next())
            if generator.next() % 3 > 0 {
                let units = Int(generator.next() % 24) + 1
                let cell = cells.arena.allocate(units: units)
                #expect(cells.written[cell] == nil)
                cells.write(byte, units: units, to: cell)
            } else if let (cell, (units, _)) = cells.written.first {
                if byte.isMultiple(of: 2) { cells.write(byte, units: units, to: cell) }
                guard byte.isMultiple(of: 3) else { continue }
                cells.arena.release(cell, units: units)
                cells.written[cell] = nil
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `cells keep what was written, and copies don't see each other`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var cells = Cells()
        change(&cells, steps: 60, &generator)
        var copy = cells
        change(&cells, steps: 9_000, &generator)
        change(&copy, steps: 500, &generator)
        var later = cells
        change(&cells, steps: 300, &generator)
        change(&later, steps: 300, &generator)
        for cells in [cells, copy, later] {
            let all = cells.written.keys.allSatisfy { cells.holds($0) }
            #expect(all, "seed \(seed)")
        }
        let last = cells.written.map { $0.key + $0.value.units }.max() ?? 0
        #expect(last * CellArena.unitBytes > 3 << 20)
    }

    @Test func `cells don't overlap, and one that was given back serves again`() {
        var arena = CellArena()
        let cells = (1...24).map { arena.allocate(units: $0) }
        for (place, cell) in cells.enumerated().dropLast() {
            #expect(cell + place + 1 <= cells[place + 1])
        }
        arena.release(cells[4], units: 5)
        #expect(arena.allocate(units: 6) != cells[4])
        #expect(arena.allocate(units: 5) == cells[4])
    }
}
