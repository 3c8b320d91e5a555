package import Primitives

/// Since when a store keeps every change of every balance. Wire: height, time.
///
/// What a store says of itself in its meta column, and the switch: a ledger that finds it there
/// notes postings. It isn't part of the state, for a node may do without.
package struct PostingStart: Hashable, Sendable, BCSCodable {
    /// Postings of every later block are there; 0 for all that ever was, genesis too.
    package let height: Height
    /// Of the block at that height.
    package let time: Timestamp

    package init(height: Height, time: Timestamp) {
        self.height = height
        self.time = time
    }

    /// Whether everything since genesis is there.
    package var isWhole: Bool { height == 0 }

    package func encode(to writer: inout BCSWriter) {
        writer.append(height)
        writer.append(time)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        height = try reader.read()
        time = try reader.read()
    }
}

/// The column of postings as a whole.
package enum PostingIndex {
    private static let startKey = Array("postings".utf8)

    /// Since when the store keeps postings; nil if it doesn't.
    package static func start(
        in source: any KeyValueSource
    ) throws(StorageFault) -> PostingStart? {
        guard let bytes = try source.value(in: .meta, for: startKey) else { return nil }
        return try StoredState.decode(bytes, "the beginning of the history of accounts")
    }

    /// What makes a store keep postings from its present height on; the column must be empty.
    /// - Throws: `StorageFault` for a store without a ledger.
    package static func begin(
        in source: any KeyValueSource, _ genesis: Genesis
    ) throws(StorageFault) -> WriteSet {
        guard let head = try StoredState.head(in: source) else {
            throw StorageFault("the store holds no ledger")
        }
        // Before the first block nothing is missed.
        guard head.height > 0 else { return genesisWrites(genesis) }
        return writes(PostingStart(height: head.height, time: head.time))
    }

    /// What makes a store keep none any more; the column is to be emptied with it.
    package static var end: WriteSet {
        var writes = WriteSet()
        writes.delete(startKey, in: .meta)
        return writes
    }

    /// The beginning of an index with nothing missing: what genesis gave.
    package static func genesisWrites(_ genesis: Genesis) -> WriteSet {
        var writes = writes(PostingStart(height: 0, time: genesis.time))
        for (place, entry) in genesis.accounts.enumerated() where entry.balance > 0 {
            let posting = Posting(
                address: entry.address,
                place: PostingPlace(height: 0, index: UInt32(truncatingIfNeeded: place)),
                asset: .native, isCredit: true, amount: entry.balance, balance: entry.balance,
                time: genesis.time, cause: PostingCause(.genesis), transaction: nil)
            posting.write(into: &writes)
        }
        return writes
    }

    private static func writes(_ start: PostingStart) -> WriteSet {
        var writes = WriteSet()
        writes.put(start.bcsBytes, in: .meta, for: startKey)
        return writes
    }
}

/// The postings of the block that is being executed.
struct PostingJournal: Sendable {
    private struct Entry: Sendable {
        let address: Address
        let asset: AssetID
        let before: Amount
        let after: Amount
        let cause: PostingCause
        let transaction: TransactionID?
    }

    let isKept: Bool
    /// The one that is being executed.
    var transaction: TransactionID?
    private var entries: [Entry] = []
    /// Where those of the operations that are being carried out begin.
    private var mark = 0

    init(isKept: Bool) { self.isKept = isKept }

    /// Notes a change; one that changes nothing is none.
    mutating func note(
        _ address: Address, _ asset: AssetID, from before: Amount, to after: Amount,
        _ cause: PostingCause
    ) {
        guard isKept, before != after else { return }
        entries.append(
            Entry(
                address: address, asset: asset, before: before, after: after, cause: cause,
                transaction: transaction))
    }

    /// What follows can be taken back.
    mutating func beginOperations() { mark = entries.count }

    /// Takes back what was noted since `beginOperations`.
    mutating func revertOperations() { entries.removeSubrange(mark...) }

    /// Ends the block: hands its postings out, in their order.
    mutating func write(at height: Height, time: Timestamp, into writes: inout WriteSet) {
        for (place, entry) in entries.enumerated() {
            let isCredit = entry.after > entry.before
            let (more, less) =
                isCredit ? (entry.after, entry.before) : (entry.before, entry.after)
            let posting = Posting(
                address: entry.address,
                place: PostingPlace(height: height, index: UInt32(truncatingIfNeeded: place)),
                asset: entry.asset, isCredit: isCredit,
                amount: more.clampedRetreat(by: less.rawValue), balance: entry.after, time: time,
                cause: entry.cause, transaction: entry.transaction)
            posting.write(into: &writes)
        }
        entries.removeAll(keepingCapacity: true)
        mark = 0
    }
}
