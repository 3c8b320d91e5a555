package import Primitives

/// What `account_history` asks.
package struct HistoryQuery: Hashable, Sendable {
    /// Nil for all.
    package var asset: AssetID?
    /// The first and the last height.
    package var fromHeight: Height = 0
    package var toHeight = Height(.max)
    /// Of the blocks: `since <= time < before`.
    package var since: Timestamp = 0
    package var before: Timestamp?
    package var order = HistoryOrder.newest
    /// What the last page said is next.
    package var after: PostingPlace?
    /// 1...500.
    package var limit = RPCLimits.historyPageDefault

    package init() {}
}

/// Which postings come first.
package enum HistoryOrder: String, Codable, Hashable, Sendable, CaseIterable {
    case newest
    case oldest
}

/// What `account_history` answers: a page of what changed in an account's balances.
package struct AccountHistory: Codable, Hashable, Sendable {
    /// `acc` text.
    package let address: String
    /// In the order that was asked for. There can be fewer than the limit although more are left.
    package let postings: [PostingInfo]
    /// `after` of the next page; absent on the last one.
    package let next: String?
    /// The newest executed block.
    package let height: Height
    /// Its time.
    package let time: Timestamp
    /// Everything that happened above this height is there; 0 for all since genesis.
    package let completeAbove: Height
    /// The time of that height's block.
    package let completeSince: Timestamp
    /// Where one asset was asked for: what the account holds of it after the newest block.
    package let balance: Amount?

    package init(
        address: String, postings: [PostingInfo], next: String? = nil, height: Height,
        time: Timestamp, completeAbove: Height, completeSince: Timestamp, balance: Amount? = nil
    ) {
        self.address = address
        self.postings = postings
        self.next = next
        self.height = height
        self.time = time
        self.completeAbove = completeAbove
        self.completeSince = completeSince
        self.balance = balance
    }
}

/// A change of what an account holds.
package struct PostingInfo: Codable, Hashable, Sendable {
    /// Its place in the chain: the block's height and a number in the block, as `12-3`.
    package let place: String
    package let height: Height
    /// Of the block.
    package let time: Timestamp
    /// `fee`, `transfer`, `escrowRelease` and others.
    package let kind: String
    /// `native`, or `ast` text.
    package let asset: String
    package let direction: PostingDirection
    /// Above 0.
    package let amount: Amount
    /// What the account holds of the asset afterwards.
    package let balance: Amount
    /// The other account, the escrow or the verifier's key: `acc`, `esc` or `pub` text.
    package let party: String?
    /// `txn` text; absent for what the block did by itself.
    package let transaction: String?

    package init(
        place: String, height: Height, time: Timestamp, kind: String, asset: String,
        direction: PostingDirection, amount: Amount, balance: Amount, party: String? = nil,
        transaction: String? = nil
    ) {
        self.place = place
        self.height = height
        self.time = time
        self.kind = kind
        self.asset = asset
        self.direction = direction
        self.amount = amount
        self.balance = balance
        self.party = party
        self.transaction = transaction
    }
}

/// Whether an account has more or less afterwards.
package enum PostingDirection: String, Codable, Hashable, Sendable {
    case credit
    case debit
}
