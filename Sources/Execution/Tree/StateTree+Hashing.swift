internal import Primitives

/// From the lowest nodes that an update has changed up: a few nodes at a time, one of their binary
/// levels after the other, so that the hashes of a level are made together.
extension StateTree {
    /// Nodes that are worked on at a time: few enough to stay near, enough to fill vectors.
    private static let nodesMax = 32
    /// Hashes of one binary level of so many nodes.
    private static let hashesMax = 8 * nodesMax

    /// Memory of one step.
    private struct Workspace {
        /// Binary hashes of narrow nodes.
        let scratch: UnsafeMutableRawBufferPointer
        let pairs: UnsafeMutableRawBufferPointer
        let hashes: UnsafeMutableRawBufferPointer

        static let bytes =
            nodesMax * NodeCell.binaryBytes + hashesMax * 64 + hashesMax * 32

        init(_ buffer: UnsafeMutableRawBufferPointer) {
            let pairsStart = nodesMax * NodeCell.binaryBytes
            let hashesStart = pairsStart + hashesMax * 64
            scratch = UnsafeMutableRawBufferPointer(rebasing: buffer[..<pairsStart])
            pairs = UnsafeMutableRawBufferPointer(rebasing: buffer[pairsStart..<hashesStart])
            hashes = UnsafeMutableRawBufferPointer(rebasing: buffer[hashesStart...])
        }

        func scratch(of index: Int) -> UnsafeMutableRawPointer {
            address(scratch, index * NodeCell.binaryBytes)
        }

        func pair(_ index: Int) -> UnsafeMutableRawPointer { address(pairs, index * 64) }

        func hash(_ index: Int) -> UnsafeMutableRawPointer { address(hashes, index * 32) }

        private func address(
            _ buffer: UnsafeMutableRawBufferPointer, _ offset: Int
        ) -> UnsafeMutableRawPointer {
            guard let base = buffer.baseAddress, offset < buffer.count else {
                preconditionFailure("offset \(offset) of \(buffer.count)")
            }
            return base + offset
        }
    }

    /// Makes the hashes of all changed nodes at a depth and below, and hands the nodes out; those
    /// at that depth are for the caller to put into the node above.
    /// - Parameter changes: All of the update.
    /// - Returns: The last one's at that depth.
    @discardableResult
    mutating func makeHashes(
        from top: Int, _ changes: UnsafeBufferPointer<Change>, into writes: inout WriteSet
    ) -> Bytes32 {
        withUnsafeTemporaryAllocation(byteCount: Workspace.bytes, alignment: 64) { buffer in
            let workspace = Workspace(buffer)
            var hash = Bytes32.zero
            for depth in (top..<changed.count).reversed() {
                let level = changed[depth]
                changed[depth] = []
                for start in stride(from: 0, to: level.count, by: StateTree.nodesMax) {
                    let some = level[start..<min(start + StateTree.nodesMax, level.count)]
                    makeHashes(of: some, changes, workspace)
                    for (index, node) in some.enumerated() where !node.isGone {
                        hash = handOut(node, workspace.scratch(of: index), &writes)
                        guard depth > top else { continue }
                        let parent = changed[depth - 1][node.parent].slot
                        setHash(hash, of: node.nibble, in: parent)
                    }
                }
                changed[depth] = level
                changed[depth].removeAll(keepingCapacity: true)
            }
            return hash
        }
    }

    private mutating func makeHashes(
        of some: ArraySlice<ChangedNode>, _ changes: UnsafeBufferPointer<Change>,
        _ workspace: Workspace
    ) {
        // The binary places of each level, the lowest first.
        for level in [0xFF00, 0x00F0, 0x000C, 0x0002] as [UInt16] {
            var count = 0
            for (index, node) in some.enumerated() where node.places & level != 0 {
                nodes[node.slot].copyPairs(
                    node.places & level, workspace.scratch(of: index), to: workspace.pair(count))
                count += (node.places & level).nonzeroBitCount
            }
            for start in stride(from: 0, to: count, by: PairHasher.groupCount) {
                let end = min(start + PairHasher.groupCount, count)
                hasher.hash(
                    UnsafeRawBufferPointer(rebasing: workspace.pairs[64 * start..<64 * end]),
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: workspace.hashes[(32 * start)...]))
                foreseeNext(changes)
            }
            count = 0
            for (index, node) in some.enumerated() where node.places & level != 0 {
                nodes[node.slot].setHashes(
                    node.places & level, workspace.scratch(of: index),
                    from: workspace.hash(count))
                count += (node.places & level).nonzeroBitCount
            }
        }
    }

    /// Replaces the hash of a node's child.
    mutating func setHash(_ hash: Bytes32, of nibble: Int, in slot: Int) {
        nodes[slot].setHash(hash, of: nibble)
    }

    /// Puts the node into the store.
    /// - Returns: Its hash.
    private mutating func handOut(
        _ node: ChangedNode, _ scratch: UnsafeMutableRawPointer, _ writes: inout WriteSet
    ) -> Bytes32 {
        let cell = nodes[node.slot]
        let hash = cell.finish(scratch)
        writes.put(cell.row, in: .nodes) { cell.place.appendStoreKey(to: &$0) }
        return hash
    }
}
