internal import Execution
internal import Primitives

/// What the blocks of a measurement changed in the state, to be committed once more to a tree of
/// its own: so the root's share of the cost is known without a clock in the ledger.
struct RootReplay {
    private var blocks: [[StateTree.Leaf]] = []

    /// Notes a block's changes of the state.
    mutating func note(_ writes: WriteSet) {
        var values: [StateTree.Leaf] = []
        for change in writes.changes where change.column == .state {
            guard let path = Bytes32(change.key) else { continue }
            let row = change.value.flatMap { try? StateRow(bytes: $0) }
            values.append(StateTree.Leaf(path: path, valueHash: row?.valueHash))
        }
        blocks.append(values.sorted { $0.path < $1.path })
    }

    /// What the tree costs for all blocks.
    ///
    /// The tree begins as the store has it after the last block: a change of a value costs what it
    /// cost the first time. A first pass fills the cache, as it was filled in the ledger.
    /// - Returns: Nanoseconds of this thread.
    func measure(
        in source: any KeyValueSource, expecting root: Digest
    ) throws(StorageFault) -> Double {
        let store = try RootReplay.copyOfNodes(in: source)
        var tree = StateTree()
        _ = try commit(to: &tree, store)
        return try commit(to: &tree, store, expecting: root)
    }

    private func commit(
        to tree: inout StateTree, _ store: MemoryStore, expecting root: Digest? = nil
    ) throws(StorageFault) -> Double {
        var nanoseconds = 0.0
        var last = Digest.zero
        var writes = WriteSet()
        for block in blocks {
            writes.removeAll()
            let start = ProcessorTime.nanoseconds
            last = try tree.update(StateTree.changes(of: block), source: store, into: &writes)
            nanoseconds += ProcessorTime.nanoseconds - start
            store.apply(writes)
            tree.writesApplied()
        }
        guard last == root ?? last else {
            throw StorageFault("the tree that was measured alone has another root")
        }
        return nanoseconds
    }

    /// The tree's nodes alone, in memory.
    private static func copyOfNodes(
        in source: any KeyValueSource
    ) throws(StorageFault) -> MemoryStore {
        let copy = MemoryStore()
        var start: [UInt8] = []
        while true {
            let page = try source.pairs(in: .nodes, from: start, before: nil, limit: 100_000)
            guard let last = page.last else { return copy }
            var writes = WriteSet()
            for pair in page { writes.put(pair.value, in: .nodes, for: pair.key) }
            copy.apply(writes)
            start = last.key + [0]
        }
    }
}
