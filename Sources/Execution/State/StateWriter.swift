internal import Primitives

/// Puts a value into the state: its row, and what the tree must learn of it.
enum StateWriter {
    /// - Parameter path: The key's own; the caller has it at hand.
    static func write(
        _ value: (some BCSEncodable)?, _ key: StateKey, at path: Bytes32,
        into writes: inout WriteSet
    ) -> StateTree.Change {
        guard let value else { return write(raw: nil, key, at: path, into: &writes) }
        var writer = BCSWriter(capacity: 256)
        writer.append(key)
        let start = writer.bytes.count
        writer.append(value)
        return write(writer.bytes, valueAt: start, path, &writes)
    }

    /// As `write`, of bytes as they are.
    static func write(
        raw value: [UInt8]?, _ key: StateKey, at path: Bytes32, into writes: inout WriteSet
    ) -> StateTree.Change {
        guard let value else {
            writes.delete(path.bytes, in: .state)
            return StateTree.Change(path: path, valueHash: nil)
        }
        let row = StateRow(key: key, value: value).bytes
        return write(row, valueAt: row.count - value.count, path, &writes)
    }

    private static func write(
        _ row: [UInt8], valueAt start: Int, _ path: Bytes32, _ writes: inout WriteSet
    ) -> StateTree.Change {
        writes.put(row, in: .state, for: path.bytes)
        return StateTree.Change(
            path: path, valueHash: Digest.hash(.stateValue, row[start...]).bytes32)
    }
}
