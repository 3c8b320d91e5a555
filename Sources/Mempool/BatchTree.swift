package import Primitives

/// The tree over a batch's transactions.
///
/// Leaf = H(batchTree, 0 ‖ bytes), node = H(batchTree, 1 ‖ left ‖ right), a single node moves up,
/// root = H(batchTree, 2 ‖ count ‖ top). Transactions whose first index is a multiple of a power of
/// two and that are as many, or all to the end, form a subtree: a chunk is proven by the nodes
/// beside its way to the top.
package struct BatchTree: Sendable {
    /// The leaves, then each level above them, up to the top alone.
    private let levels: [[Digest]]

    /// The tree over leaves, of which there is at least one where a root is wanted.
    package init(_ leaves: [Digest]) {
        var levels = [leaves]
        while let level = levels.last, level.count > 1 { levels.append(BatchTree.above(level)) }
        self.levels = levels
    }

    package var root: Digest {
        BatchTree.root(top: levels.last?.first ?? .zero, count: levels[0].count)
    }

    /// The hash of one transaction's canonical bytes.
    package static func leaf(_ bytes: some Swift.Sequence<UInt8>) -> Digest {
        var hasher = Hasher256(.batchTree)
        hasher.update([0])
        hasher.update(bytes)
        return hasher.finalize()
    }

    /// The nodes beside the way of chunk `index` to the top, lowest first, where chunks have
    /// `size` transactions, a power of two, or there is only one chunk.
    package func path(ofChunk index: Int, size: Int) -> [Digest] {
        guard size < levels[0].count else { return [] }
        var place = index
        var path: [Digest] = []
        for level in levels.dropFirst(size.trailingZeroBitCount) where level.count > 1 {
            let sibling = place ^ 1
            if sibling < level.count { path.append(level[sibling]) }
            place /= 2
        }
        return path
    }

    /// The root that a chunk's leaves and its path lead to, or nil for a path that doesn't fit.
    package static func root(
        ofChunk index: Int, size: Int, leaves: [Digest], count: Int, path: [Digest]
    ) -> Digest? {
        guard size > 0, index >= 0, count > 0, !leaves.isEmpty,
            size >= count || size.nonzeroBitCount == 1, index <= (count - 1) / size,
            leaves.count == min(size, count - index * size)
        else { return nil }
        var top = BatchTree(leaves).levels.last?.first ?? .zero
        var place = index
        var width = (count - 1) / size + 1
        var left = path[...]
        while width > 1 {
            if place ^ 1 < width {
                guard let sibling = left.popFirst() else { return nil }
                top = place & 1 == 0 ? node(top, sibling) : node(sibling, top)
            }
            place /= 2
            width = (width + 1) / 2
        }
        return left.isEmpty ? root(top: top, count: count) : nil
    }

    private static func root(top: Digest, count: Int) -> Digest {
        var hasher = Hasher256(.batchTree)
        hasher.update([2])
        hasher.update(UInt64(count).bcsLittleEndian)
        hasher.update(top.bytes32)
        return hasher.finalize()
    }

    private static func above(_ level: [Digest]) -> [Digest] {
        var above: [Digest] = []
        above.reserveCapacity((level.count + 1) / 2)
        for index in stride(from: 0, to: level.count - 1, by: 2) {
            above.append(node(level[index], level[index + 1]))
        }
        if !level.count.isMultiple(of: 2), let last = level.last { above.append(last) }
        return above
    }

    private static func node(_ left: Digest, _ right: Digest) -> Digest {
        var hasher = Hasher256(.batchTree)
        hasher.update([1])
        hasher.update(left.bytes32)
        hasher.update(right.bytes32)
        return hasher.finalize()
    }
}
