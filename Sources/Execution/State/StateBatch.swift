internal import Primitives

/// Puts many values into the state, as `StateWriter` does with one, and makes their hashes
/// together.
struct StateBatch {
    /// Which of the paths have a value; the others lose theirs.
    private var paths: [(path: Bytes32, hasValue: Bool)] = []
    private var values = HashQueue(.stateValue)
    private var leaves = HashQueue(.stateLeaf)

    /// - Parameter path: The key's own; the caller has it at hand.
    mutating func write<Record: LedgerRecord>(
        _ record: Record?, _ key: Record.Key, at path: Bytes32, into writes: inout WriteSet
    ) {
        paths.append((path, record != nil))
        guard let record else { return writes.delete(path.bytes, in: .state) }
        var rowStart = 0
        var valueStart = 0
        writes.put(in: .state) {
            path.encode(to: &$0)
            rowStart = $0.count
        } value: {
            StateKey.append(Record.kind, key, to: &$0)
            valueStart = $0.count
            $0.append(record)
        }
        writes.withLastValue { row in
            values.append(UnsafeRawBufferPointer(rebasing: row[(valueStart - rowStart)...]))
        }
    }

    /// Appends what the tree must learn of all that was written, in the same order. The batch is
    /// empty then, and keeps its memory.
    mutating func takeChanges(into changes: inout [StateTree.Change]) {
        var hashes = values.takeHashes()[...]
        for (path, hasValue) in paths where hasValue {
            if let hash = hashes.popFirst() { leaves.append(path, hash) }
        }
        hashes = leaves.takeHashes()[...]
        for (path, hasValue) in paths {
            let hash = hasValue ? hashes.popFirst() : nil
            changes.append(StateTree.Change(path: path, leafHash: hash))
        }
        paths.removeAll(keepingCapacity: true)
    }
}
