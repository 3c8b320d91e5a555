package import Primitives

/// What the history keeps of an executed block: its leaf in the log. Block h is leaf h - 1.
///
/// Wire: height, block digest, receipts root.
package struct HistoryEntry: Hashable, Sendable, BCSCodable {
    package let height: Height
    package let block: Digest
    /// See `ReceiptTree`.
    package let receiptsRoot: Digest

    package init(height: Height, block: Digest, receiptsRoot: Digest) {
        self.height = height
        self.block = block
        self.receiptsRoot = receiptsRoot
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(height)
        writer.append(block)
        writer.append(receiptsRoot)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        height = try reader.read()
        block = try reader.read()
        receiptsRoot = try reader.read()
    }
}

/// The commitment to all executed blocks, a value of the state: every state root proves the whole
/// history before it.
///
/// Wire: count, root.
package struct HistoryHead: Hashable, Sendable, BCSCodable {
    /// The value's name in the state.
    static let name = "history"
    package static let key = StateKey.system(name)

    /// Entries in the log: the height of the newest.
    package let count: UInt64
    package let root: Bytes32

    package init(count: UInt64, root: Bytes32) {
        self.count = count
        self.root = root
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(count)
        writer.append(root)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        count = try reader.readUInt64()
        root = try reader.readBytes32()
    }
}
