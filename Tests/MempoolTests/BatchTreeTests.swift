import Primitives
import TestSupport
import Testing

@testable import Mempool

@Suite struct BatchTreeTests {
    private func leaves(_ count: Int) -> [Digest] {
        (0..<count).map { BatchTree.leaf([UInt8(truncatingIfNeeded: $0), 7]) }
    }

    /// The tree as its comment says it, from the definition alone.
    private func naiveRoot(_ leaves: [Digest]) -> Digest {
        var level = leaves
        while level.count > 1 {
            level = stride(from: 0, to: level.count, by: 2).map { place in
                guard place + 1 < level.count else { return level[place] }
                return Digest.hash(
                    .batchTree, [1] + level[place].bytes + level[place + 1].bytes)
            }
        }
        return Digest.hash(
            .batchTree, [2] + UInt64(leaves.count).bcsLittleEndian + level[0].bytes)
    }

    @Test func `every chunk of every size is proven, by the root of the definition`() {
        for count in 1...130 {
            let leaves = leaves(count)
            let tree = BatchTree(leaves)
            #expect(tree.root == naiveRoot(leaves), "\(count) leaves")
            for size in [1, 2, 4, 8, 16, 32, 64, 128, count] where size <= count || size == 128 {
                guard size == count || size.nonzeroBitCount == 1 else { continue }
                for chunk in 0..<(count + size - 1) / size {
                    let part = Array(leaves[chunk * size..<min(count, (chunk + 1) * size)])
                    let root = BatchTree.root(
                        ofChunk: chunk, size: size, leaves: part, count: count,
                        path: tree.path(ofChunk: chunk, size: size))
                    #expect(root == tree.root, "\(count) leaves, chunk \(chunk) of \(size)")
                }
            }
        }
    }

    @Test func `no altered leaf, path, place, size or count leads to the same root`() {
        var generator = SeededGenerator(seed: 9)
        var tried = 0
        for count in 1...130 {
            let leaves = leaves(count)
            let tree = BatchTree(leaves)
            let size = [1, 2, 4, 8, 16, 32][Int(generator.next() % 6)]
            let chunk = Int(generator.next() % UInt64((count + size - 1) / size))
            let part = Array(leaves[chunk * size..<min(count, (chunk + 1) * size)])
            let path = tree.path(ofChunk: chunk, size: size)
            func root(
                _ chunk: Int, _ size: Int, _ part: [Digest], _ count: Int, _ path: [Digest]
            ) -> Digest? {
                tried += 1
                return BatchTree.root(
                    ofChunk: chunk, size: size, leaves: part, count: count, path: path)
            }
            for place in part.indices {
                var altered = part
                altered[place] = .zero
                #expect(root(chunk, size, altered, count, path) != tree.root)
            }
            for place in path.indices {
                var altered = path
                altered[place] = .zero
                #expect(root(chunk, size, part, count, altered) != tree.root)
                altered.remove(at: place)
                #expect(root(chunk, size, part, count, altered) != tree.root)
                altered = path
                altered.insert(.zero, at: place)
                #expect(root(chunk, size, part, count, altered) != tree.root)
                if place + 1 < path.count {
                    altered = path
                    altered.swapAt(place, place + 1)
                    #expect(root(chunk, size, part, count, altered) != tree.root)
                }
            }
            for other in 0...(count / size + 2) where other != chunk {
                #expect(root(other, size, part, count, path) != tree.root)
            }
            for other in [count - 1, count + 1, count + 64] {
                #expect(root(chunk, size, part, other, path) != tree.root)
            }
            #expect(root(chunk, size, Array(part.dropLast()), count, path) != tree.root)
            #expect(root(chunk, size, part + [.zero], count, path) != tree.root)
            if size < count { #expect(root(chunk, size * 2, part, count, path) != tree.root) }
        }
        #expect(tried > 5_000)
    }

    @Test func `sizes and places that can't be give no root and don't trap`() {
        let part = leaves(3)
        for size in [0, -1, 3, .max, .min] {
            for chunk in [0, -1, 1, .max / 4, .min] {
                for count in [0, 4, -1, 1 << 32] {
                    _ = BatchTree.root(
                        ofChunk: chunk, size: size, leaves: part, count: count, path: part)
                }
            }
        }
        #expect(
            BatchTree.root(ofChunk: 0, size: 3, leaves: part, count: 9, path: part) == nil)
    }
}
