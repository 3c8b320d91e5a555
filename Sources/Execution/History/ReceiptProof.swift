package import Primitives

/// What proves to somebody who knows only a state root that a transaction was executed, in which
/// block, and what came of it.
///
/// Wire: receipt, count, path, entry, log path, head.
package struct ReceiptProof: Hashable, Sendable, BCSCodable {
    package let receipt: Receipt
    /// The block's receipts.
    package let count: UInt64
    /// From the receipt to the block's receipts root: see `ReceiptTree`.
    package let path: [Bytes32]
    package let entry: HistoryEntry
    /// From the entry to the history's root: see `MerkleLog`.
    package let logPath: [Bytes32]
    /// From the history's head to the state root.
    package let head: StateProof

    package init(
        receipt: Receipt, count: UInt64, path: [Bytes32], entry: HistoryEntry,
        logPath: [Bytes32], head: StateProof
    ) {
        self.receipt = receipt
        self.count = count
        self.path = path
        self.entry = entry
        self.logPath = logPath
        self.head = head
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(receipt)
        writer.append(count)
        writer.append(list: path)
        writer.append(entry)
        writer.append(list: logPath)
        writer.append(head)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        receipt = try reader.read()
        count = try reader.readUInt64()
        path = try reader.readList(maximum: ReceiptTree.pathMax, elementBytes: 32)
        entry = try reader.read()
        logPath = try reader.readList(maximum: MerkleLog.pathMax, elementBytes: 32)
        head = try reader.read()
    }

    /// The only state root that the proof holds for; nil if it proves nothing under any.
    package var root: Digest? {
        guard head.key == HistoryHead.key, let value = head.value,
            let history = try? HistoryHead(bcs: value), entry.height > 0,
            entry.height == receipt.height,
            ReceiptTree.root(of: receipt, count: count, path: path) == entry.receiptsRoot
        else { return nil }
        let root = MerkleLog.root(
            of: MerkleLog.leaf(entry.bcsBytes), at: entry.height.rawValue - 1,
            count: history.count, path: logPath)
        return root == history.root ? head.root : nil
    }
}

extension LedgerReader {
    /// What the history keeps of an executed block; nil for others.
    package func history(at height: Height) throws(StorageFault) -> HistoryEntry? {
        height > 0 ? try HistoryLog.entry(height.rawValue - 1, in: source) : nil
    }

    /// How many receipts the history commits to at a height.
    package func receiptCount(at height: Height) throws(StorageFault) -> UInt32 {
        try StoredReceiptTree.summary(height, in: source)?.count ?? 0
    }

    /// What proves the value under `key`, or that there is none, for the root in the store's head.
    package func proof(of key: StateKey) throws(StorageFault) -> StateProof {
        try StateTree.proof(of: key, in: source)
    }

    /// What proves a receipt for the root in the store's head; nil for a transaction that wasn't
    /// executed by then.
    package func receiptProof(
        of transaction: TransactionID
    ) throws(StorageFault) -> ReceiptProof? {
        guard let receipt = try receipt(transaction) else { return nil }
        guard receipt.height > 0,
            let entry = try HistoryLog.entry(receipt.height.rawValue - 1, in: source),
            let head = try HistoryLog.head(in: source), entry.height.rawValue <= head.count
        else {
            throw StorageFault("the history lacks block \(receipt.height) of \(transaction)")
        }
        let (count, path) = try StoredReceiptTree.path(of: receipt, in: source)
        let logPath = try HistoryLog.path(
            of: entry.height.rawValue - 1, count: head.count, in: source)
        return ReceiptProof(
            receipt: receipt, count: count, path: path, entry: entry, logPath: logPath,
            head: try proof(of: HistoryHead.key))
    }
}
