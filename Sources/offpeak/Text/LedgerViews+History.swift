internal import Execution
internal import Primitives
internal import RPC

extension LedgerViews {
    /// A page of an account's history.
    /// - Returns: nil for a store that keeps no history of accounts.
    func history(
        of address: Address, _ query: HistoryQuery, in source: any KeyValueSource
    ) throws(StorageFault) -> AccountHistory? {
        let reader = LedgerReader(source)
        guard let start = try reader.postingStart(), let summary = try reader.summary() else {
            return nil
        }
        let page = try reader.postings(PostingQuery(query, of: address), limit: query.limit)
        let balance = try query.asset.map { (asset) throws(StorageFault) in
            try reader.account(address)?.balance(of: asset) ?? 0
        }
        return AccountHistory(
            address: address.text(in: prefix), postings: page.postings.map(posting),
            next: page.next?.description, height: summary.height, time: summary.time,
            completeAbove: start.height, completeSince: start.time, balance: balance)
    }

    private func posting(_ posting: Posting) -> PostingInfo {
        PostingInfo(
            place: posting.place.description, height: posting.place.height, time: posting.time,
            kind: "\(posting.cause.kind)", asset: asset(posting.asset),
            direction: posting.isCredit ? .credit : .debit, amount: posting.amount,
            balance: posting.balance, party: posting.cause.party.map(party),
            transaction: posting.transaction?.text(in: prefix))
    }

    private func party(_ party: PostingParty) -> String {
        switch party {
        case .account(let address): address.text(in: prefix)
        case .escrow(let id): id.text(in: prefix)
        case .verifier(let key): key.text(in: prefix)
        }
    }
}

extension PostingQuery {
    /// What RPC asks, as the ledger reads it.
    init(_ query: HistoryQuery, of address: Address) {
        self.init(of: address)
        asset = query.asset
        from = query.fromHeight
        through = query.toHeight
        since = query.since
        before = query.before
        order = query.order == .newest ? .newest : .oldest
        after = query.after
    }
}
