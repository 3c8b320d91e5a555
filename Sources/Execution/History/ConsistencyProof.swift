package import Primitives

/// What proves to somebody who knows only a state root that the history at one height began with
/// the history at an earlier one: that nothing of it was rewritten since.
///
/// Wire: from, root, path, to, root, path, head.
package struct ConsistencyProof: Hashable, Sendable, BCSCodable {
    /// The history as it was after a height. Wire: height, root.
    package struct Point: Hashable, Sendable, BCSCodable {
        /// At least 1.
        package let height: Height
        /// Of the log of the first `height` blocks: see `MerkleLog`.
        package let root: Bytes32

        package init(height: Height, root: Bytes32) {
            self.height = height
            self.root = root
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(height)
            writer.append(root)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            height = try reader.read()
            root = try reader.readBytes32()
        }
    }

    package let from: Point
    /// That `to` begins with `from`.
    package let path: [Bytes32]
    package let to: Point
    /// That the history in `head` begins with `to`.
    package let headPath: [Bytes32]
    /// From the history's head to the state root.
    package let head: StateProof

    package init(
        from: Point, path: [Bytes32], to: Point, headPath: [Bytes32], head: StateProof
    ) {
        self.from = from
        self.path = path
        self.to = to
        self.headPath = headPath
        self.head = head
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(from)
        writer.append(list: path)
        writer.append(to)
        writer.append(list: headPath)
        writer.append(head)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        from = try reader.read()
        path = try reader.readList(maximum: MerkleLog.consistencyMax, elementBytes: 32)
        to = try reader.read()
        headPath = try reader.readList(maximum: MerkleLog.consistencyMax, elementBytes: 32)
        head = try reader.read()
    }

    /// The only state root that the proof holds for; nil if it proves nothing under any.
    package var root: Digest? {
        guard head.key == HistoryHead.key, let value = head.value,
            let history = try? HistoryHead(bcs: value),
            MerkleLog.isConsistent(
                first: from.height.rawValue, from.root, second: to.height.rawValue, to.root,
                path: path),
            MerkleLog.isConsistent(
                first: to.height.rawValue, to.root, second: history.count, history.root,
                path: headPath)
        else { return nil }
        return head.root
    }
}

extension LedgerReader {
    /// How many blocks the history has.
    package func historyCount() throws(StorageFault) -> UInt64 {
        try HistoryLog.head(in: source)?.count ?? 0
    }

    /// What proves, for the root in the store's head, that the history after `to` began with that
    /// after `from`.
    /// - Returns: nil unless `1 <= from <= to <=` the newest height.
    package func consistencyProof(
        from: Height, to: Height
    ) throws(StorageFault) -> ConsistencyProof? {
        let (first, second) = (from.rawValue, to.rawValue)
        let count = try historyCount()
        guard first > 0, first <= second, second <= count else { return nil }
        return ConsistencyProof(
            from: .init(height: from, root: try HistoryLog.root(at: first, in: source)),
            path: try HistoryLog.consistency(first: first, second: second, in: source),
            to: .init(height: to, root: try HistoryLog.root(at: second, in: source)),
            headPath: try HistoryLog.consistency(first: second, second: count, in: source),
            head: try proof(of: HistoryHead.key))
    }
}
