import Primitives
import TestSupport
import Testing

@testable import Execution

@Suite struct NodeTableTests {
    private func node(children: Int, _ generator: inout SeededGenerator) -> TreeNode {
        var node = TreeNode()
        for nibble in 0..<children {
            node[nibble] = .inner(
                hash: Digest.hash(.random, generator.next().bcsLittleEndian).bytes32)
        }
        return node
    }

    private func place(_ number: Int) -> TreePlace {
        TreePlace(above: Digest.hash(.random, UInt64(number).bcsLittleEndian).bytes32, depth: 16)
    }

    @Test func `cells of no use are given back, and every node is still found`() throws {
        var generator = SeededGenerator(seed: 5)
        var table = NodeTable(bytesMax: 64 << 20)
        var known: [TreeNode] = []
        for number in 0..<4_000 {
            known.append(node(children: 16, &generator))
            _ = table.insert(known[number], at: place(number))
        }
        let before = table
        let wide = known
        table.makeUnique()
        for number in known.indices {
            known[number] = node(children: 2, &generator)
            let slot = try #require(table.slot(of: place(number)))
            _ = table.replace(slot, with: known[number])
        }
        #expect(table.arena.usedBytes > 4 << 20)
        table.trim()
        #expect(table.arena.usedBytes < 1 << 20)
        for (table, nodes) in [(table, known), (before, wide)] {
            #expect(table.count == nodes.count)
            for (number, node) in nodes.enumerated() {
                let slot = try #require(table.slot(of: place(number)))
                #expect(try table[slot].unpacked() == node)
            }
        }
    }

    @Test func `rows that aren't nodes are refused`() throws {
        var generator = SeededGenerator(seed: 6)
        var table = NodeTable(bytesMax: 1 << 20)
        let row = node(children: 7, &generator).bcsBytes
        for count in 0..<row.count {
            #expect(throws: BCSError.self) {
                try table.insert(row: Array(row[..<count]), at: place(1))
            }
        }
        // A leaf that isn't present.
        #expect(throws: BCSError.self) { try table.insert(row: [1, 0, 2, 0], at: place(1)) }
        #expect(table.count == 0)
    }
}
