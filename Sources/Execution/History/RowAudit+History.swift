internal import Primitives

/// Rows of the history: each hash of the log is made of the two below it, up to the root that the
/// state names; each block's receipts make the root that its entry names.
extension RowAudit {
    /// Checks that the log in the store has the root and the length that the state says.
    func checkHistoryHead() throws(StorageFault) {
        let log = try HistoryLog(opening: source)
        guard log.count == head.height.rawValue else {
            throw StorageFault(
                "the history has \(log.count) blocks, the ledger stands at \(head.height)")
        }
    }

    func checkHistory(_ row: KeyValue) throws(StorageFault) {
        let what = "the row \(Hex.encode(row.key)) of the history"
        if let place = LogPlace(storeKey: row.key) { return try checkLog(place, what) }
        switch StoredReceiptTree.Row(storeKey: row.key) {
        case .chunk(let height, let chunk): try checkChunk(chunk, of: height, what)
        case .summary(let height): try checkSummary(of: height, what)
        case nil: throw StorageFault("\(what) lies where nothing can lie")
        }
    }

    private func checkLog(_ place: LogPlace, _ what: String) throws(StorageFault) {
        let count = head.height.rawValue
        guard place.level.isBelow(count), place.index < count >> place.level else {
            throw StorageFault("\(what) is of blocks that aren't executed")
        }
        let hash = try HistoryLog.hash(at: place, in: source)
        if place.level == 0 {
            try checkEntry(place.index, what)
        } else {
            let left = try HistoryLog.hash(at: place.left, in: source)
            let right = try HistoryLog.hash(at: place.left.neighbour, in: source)
            guard MerkleLog.node(left, right) == hash else {
                throw StorageFault("\(what) isn't made of the two rows below it")
            }
        }
        let parent = place.parent
        if parent.level.isBelow(count), parent.index < count >> parent.level {
            let other = try HistoryLog.hash(at: place.neighbour, in: source)
            let isLeft = place.index & 1 == 0
            let made = isLeft ? MerkleLog.node(hash, other) : MerkleLog.node(other, hash)
            guard try HistoryLog.hash(at: parent, in: source) == made else {
                throw StorageFault("\(what) isn't the one that the row above it is made of")
            }
        } else {
            try checkHistoryHead()
        }
    }

    private func checkEntry(_ index: UInt64, _ what: String) throws(StorageFault) {
        guard let entry = try HistoryLog.entry(index, in: source),
            entry.height.rawValue == index + 1
        else { throw StorageFault("\(what) is of another height") }
        let root = try StoredReceiptTree.summary(entry.height, in: source)?.root
        guard (root ?? ReceiptTree.emptyRoot) == entry.receiptsRoot else {
            throw StorageFault(
                "block \(entry.height): the tree of its receipts isn't what the history names")
        }
    }

    private func checkSummary(of height: Height, _ what: String) throws(StorageFault) {
        guard height > 0, let entry = try HistoryLog.entry(height.rawValue - 1, in: source),
            let summary = try StoredReceiptTree.summary(height, in: source),
            summary.count > 0, summary.root == entry.receiptsRoot
        else { throw StorageFault("\(what) isn't what the history names") }
        for (place, top) in summary.tops.enumerated() {
            let chunk = try StoredReceiptTree.chunk(UInt32(place), of: height, in: source)
            let isFull = chunk.count == StoredReceiptTree.chunkSize
            let isLast = place == summary.tops.count - 1
            guard isFull || isLast, ReceiptTree.top(chunk) == top else {
                throw StorageFault("\(what): chunk \(place) isn't the one that it was made of")
            }
        }
    }

    private func checkChunk(
        _ chunk: UInt32, of height: Height, _ what: String
    ) throws(StorageFault) {
        let tops = try StoredReceiptTree.summary(height, in: source)?.tops ?? []
        let leaves = try StoredReceiptTree.chunk(chunk, of: height, in: source)
        guard tops.indices.contains(Int(chunk)), tops[Int(chunk)] == ReceiptTree.top(leaves) else {
            throw StorageFault("\(what) isn't the one that the block's receipts are made of")
        }
    }

    /// Checks that the history commits to a receipt.
    func checkCommitment(of receipt: Receipt, _ what: String) throws(StorageFault) {
        let chunk = Int(receipt.index) / StoredReceiptTree.chunkSize
        let place = Int(receipt.index) % StoredReceiptTree.chunkSize
        let leaves = try StoredReceiptTree.chunk(UInt32(chunk), of: receipt.height, in: source)
        guard leaves.indices.contains(place), leaves[place] == ReceiptTree.leaf(receipt) else {
            throw StorageFault("\(what) isn't the one that the history commits to")
        }
    }
}

extension UInt8 {
    /// Whether a full subtree of this level fits into `count` leaves at all.
    fileprivate func isBelow(_ count: UInt64) -> Bool { self < 64 && count >> self > 0 }
}
