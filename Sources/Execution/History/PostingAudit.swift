package import Primitives

/// Checks the history of accounts as a whole: of each account and asset every posting begins with
/// the balance that the one before it left, and the last one leaves what the account holds.
///
/// O(postings). Any difference is a `StorageFault` that says which.
package struct PostingAudit {
    /// Rows that were checked.
    package private(set) var postings: UInt64 = 0
    private let start: PostingStart?
    private let head: StoredState.Head
    private let source: any KeyValueSource
    private var address: Address?
    private var balances: [AssetID: Amount] = [:]
    private var last: Posting?
    /// Accounts that hold something at their last posting.
    private var holders: UInt64 = 0

    private static let pageRows = 1024

    /// Audits the column of `source`, to which every write must have been applied.
    package init(of source: any KeyValueSource) throws(StorageFault) {
        guard let head = try StoredState.head(in: source) else {
            throw StorageFault("the store holds no ledger")
        }
        self.source = source
        self.head = head
        start = try PostingIndex.start(in: source)
        try PostingAudit.walk(.postings, source) { (row) throws(StorageFault) in
            try add(try Posting(row))
        }
        try endAccount()
        try checkHolders()
    }

    private static func walk(
        _ column: Column, _ source: any KeyValueSource,
        _ body: (KeyValue) throws(StorageFault) -> Void
    ) throws(StorageFault) {
        var start: [UInt8] = []
        while true {
            let page = try source.pairs(in: column, from: start, before: nil, limit: pageRows)
            for row in page { try body(row) }
            guard let last = page.last else { return }
            start = last.key + [0]
        }
    }

    private mutating func add(_ posting: Posting) throws(StorageFault) {
        if posting.address != address {
            try endAccount()
            address = posting.address
        }
        try PostingAudit.check(posting, start, head)
        if let last, last.place.height < posting.place.height, posting.time < last.time {
            throw fault(posting, "is older than the one before it")
        }
        let held = balances[posting.asset] ?? (start?.isWhole == true ? 0 : posting.balanceBefore)
        guard let held, posting.balanceBefore == held else {
            throw fault(posting, "doesn't begin with what the one before it left")
        }
        balances[posting.asset] = posting.balance
        last = posting
        postings += 1
    }

    /// What holds for a posting by itself.
    static func check(
        _ posting: Posting, _ start: PostingStart?, _ head: StoredState.Head
    ) throws(StorageFault) {
        guard let start else {
            throw PostingAudit.fault(posting, "lies in a store that keeps none")
        }
        let height = posting.place.height
        let isGenesis = posting.cause.kind == .genesis
        let isInside = isGenesis ? start.isWhole && height == 0 : height > start.height
        guard isInside, height <= head.height, posting.time <= head.time, posting.amount > 0,
            posting.balanceBefore != nil
        else { throw PostingAudit.fault(posting, "is of no block, or doesn't add up") }
    }

    private mutating func endAccount() throws(StorageFault) {
        defer {
            balances = [:]
            last = nil
        }
        guard let address else { return }
        let account = try LedgerReader(source).account(address) ?? Account()
        for (asset, balance) in balances where account.balance(of: asset) != balance {
            throw StorageFault(
                "the postings of \(address) leave \(balance) of \(asset), the account holds"
                    + " \(account.balance(of: asset))")
        }
        guard start?.isWhole == true else { return }
        for (asset, amount) in account.amounts where balances[asset] != amount {
            throw StorageFault("\(address) holds \(amount) of \(asset), no posting says so")
        }
        holders += account.amounts.isEmpty ? 0 : 1
    }

    /// No account that holds something is without postings.
    private func checkHolders() throws(StorageFault) {
        guard start?.isWhole == true else { return }
        var found: UInt64 = 0
        try PostingAudit.walk(.state, source) { (row) throws(StorageFault) in
            let path = Bytes32(row.key) ?? .zero
            guard let row = try StoredState.row(at: path, in: source), row.key.kind == .account
            else { return }
            let account: Account = try StoredState.decode(row.value, "the value of \(row.key)")
            found += account.amounts.isEmpty ? 0 : 1
        }
        guard found == holders else {
            throw StorageFault(
                "\(found) accounts hold something, those with postings are \(holders)")
        }
    }

    private func fault(_ posting: Posting, _ text: String) -> StorageFault {
        PostingAudit.fault(posting, text)
    }

    static func fault(_ posting: Posting, _ text: String) -> StorageFault {
        StorageFault("the posting \(posting.place) of \(posting.address) \(text)")
    }
}

extension Account {
    /// What it holds of which assets, without those of which it holds nothing.
    fileprivate var amounts: [(AssetID, Amount)] {
        ([(.native, native)] + holdings.map { ($0.asset, $0.amount) }).filter { $0.1 > 0 }
    }
}

/// Rows of postings one by one: each with the next one of its account, the last with the account.
extension RowAudit {
    /// Rows that are looked through for the next posting of the same asset.
    private static let reach = 32

    func checkPosting(_ row: KeyValue) throws(StorageFault) {
        let posting = try Posting(row)
        try PostingAudit.check(posting, try PostingIndex.start(in: source), head)
        if let id = posting.transaction { try checkReceipt(of: posting, id) }
        let next = try source.pairs(
            in: .postings, from: row.key + [0],
            before: posting.address.bytes + [UInt8](repeating: 0xFF, count: 13),
            limit: RowAudit.reach)
        for row in next {
            let other = try Posting(row)
            guard other.asset == posting.asset else { continue }
            guard other.balanceBefore == posting.balance else {
                throw PostingAudit.fault(other, "doesn't begin with what the one before it left")
            }
            return
        }
        guard next.count < RowAudit.reach else { return }
        let account = try LedgerReader(source).account(posting.address)
        guard account?.balance(of: posting.asset) ?? 0 == posting.balance else {
            throw PostingAudit.fault(posting, "is the last, and the account holds something else")
        }
    }

    private func checkReceipt(
        of posting: Posting, _ id: TransactionID
    ) throws(StorageFault) {
        guard let receipt = try LedgerReader(source).receipt(id),
            receipt.height == posting.place.height,
            posting.cause.kind != .fee || receipt.fee == posting.amount
        else { throw PostingAudit.fault(posting, "isn't what the receipt of \(id) says") }
    }

    /// Checks that the newest posting of an account leaves what it holds.
    func checkNewestPosting(
        of account: Account, _ address: Address, _ what: String
    ) throws(StorageFault) {
        guard let start = try PostingIndex.start(in: source) else { return }
        let newest = try source.lastPairs(
            in: .postings, from: address.bytes,
            before: address.bytes + [UInt8](repeating: 0xFF, count: 13), limit: 1)
        guard let row = newest.first else {
            guard account.amounts.isEmpty || !start.isWhole else {
                throw StorageFault("\(what) holds something, no posting says so")
            }
            return
        }
        let posting = try Posting(row)
        guard account.balance(of: posting.asset) == posting.balance else {
            throw PostingAudit.fault(posting, "is the last, and the account holds something else")
        }
    }
}
