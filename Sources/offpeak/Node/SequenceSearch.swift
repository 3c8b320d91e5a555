internal import Execution
internal import NodeCore
internal import Primitives

/// Finds which transaction used a sequence of stream 0, of which the ledger keeps no row.
///
/// The fees that an account paid lie in the order of its transactions, and on stream 0 each has the
/// sequence after the one before. So from the one with sequence n at least n - s fees lead back to
/// that with s; those of other streams lie between.
struct SequenceSearch {
    /// Pages of postings that one search reads; what lies further back isn't found.
    private static let pagesMax = 40
    private static let pageRows = 500
    /// Blocks that one search reads.
    private static let blocksMax = 32

    private let source: any KeyValueSource
    private let sender: Address
    /// The newest first.
    private var fees: [Posting] = []
    private var query: PostingQuery
    private var pages = 0

    /// - Returns: nil for a store that keeps no histories of accounts.
    init?(of sender: Address, in source: any KeyValueSource) throws(StorageFault) {
        guard try LedgerReader(source).postingStart() != nil else { return nil }
        self.source = source
        self.sender = sender
        query = PostingQuery(of: sender)
        query.asset = .native
    }

    /// - Returns: nil where it isn't found, or the blocks on the way aren't there any more.
    mutating func transaction(
        with sequence: SequenceNumber
    ) throws(StorageFault) -> TransactionID? {
        var place = 0
        for _ in 0..<SequenceSearch.blocksMax {
            guard let fee = try fee(at: place), let id = fee.transaction else { return nil }
            let signed = try ChainStore(source).transaction(id, at: fee.place.height)
            guard let body = signed?.transaction else { return nil }
            guard body.sender == sender, body.stream == 0 else {
                place += 1
                continue
            }
            guard body.sequence != sequence else { return id }
            guard body.sequence > sequence else { return nil }
            place += Int(clamping: body.sequence.rawValue - sequence.rawValue)
        }
        return nil
    }

    /// The fee with this number, counted back from the newest.
    private mutating func fee(at place: Int) throws(StorageFault) -> Posting? {
        while fees.count <= place {
            guard pages < SequenceSearch.pagesMax else { return nil }
            let page = try LedgerReader(source).postings(query, limit: SequenceSearch.pageRows)
            pages += 1
            fees += page.postings.filter { $0.cause.kind == .fee && !$0.isCredit }
            guard let next = page.next else { pages = SequenceSearch.pagesMax; continue }
            query.after = next
        }
        return fees[place]
    }
}
