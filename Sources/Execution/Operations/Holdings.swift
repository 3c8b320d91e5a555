internal import Primitives

// Accounts have an entry for each issued asset that they hold or that an escrow may pay them.
// Whoever makes one pays a deposit that stays with the account and comes free with the entry.
// Native asset needs no entry: nobody can be kept from receiving it.

extension Executor {
    /// Makes the account's entry for an asset where it has none.
    mutating func openHolding(
        of asset: AssetID, for address: Address, by opener: Address?
    ) throws(Stop) {
        let held = try account(address)
        if held?.holding(of: asset) != nil { return }
        guard let opener else { throw Executor.lacks(asset, address) }
        guard held?.holdings.count ?? 0 < Account.holdingsMax else {
            throw .failed(.tooManyAssets)
        }
        let deposit = rules.fees.holdingDeposit
        try payDeposit(deposit, from: opener)
        var account = try account(address) ?? Account()
        account.setHolding(Holding(asset: asset, deposit: deposit))
        account.deposits = try sum(account.deposits, deposit)
        accounts.write(account, for: address)
    }

    /// Changes an account's entry for an asset. One of which nothing is left goes, and its deposit
    /// comes free.
    /// - Parameter cause: Of a change of the amount.
    /// - Throws: `missing` where there is none.
    mutating func changeHolding(
        of asset: AssetID, for address: Address, _ cause: PostingCause, missing: Stop,
        _ change: (inout Holding) throws(Stop) -> Void
    ) throws(Stop) {
        guard var account = try account(address), var holding = account.holding(of: asset) else {
            throw missing
        }
        try change(&holding)
        if holding.isGone {
            account.removeHolding(of: asset)
            account.deposits = account.deposits.clampedRetreat(by: holding.deposit.rawValue)
            account.native = try sum(account.native, holding.deposit)
            try shift(holding.deposit, from: .deposits, to: .balances)
        } else {
            account.setHolding(holding)
        }
        accounts.write(account, for: address, cause, of: asset)
    }

    /// Notes that an escrow may pay the account in this asset.
    mutating func claim(_ asset: AssetID, for address: Address) throws(Stop) {
        guard asset != .native else { return }
        let missing = Executor.lacks(asset, address)
        try changeHolding(
            of: asset, for: address, .deposit, missing: missing
        ) { holding throws(Stop) in
            let (claims, overflow) = holding.claims.addingReportingOverflow(1)
            guard !overflow else { throw .failed(.tooManyAssets) }
            holding.claims = claims
        }
    }

    /// Takes a claim back.
    mutating func unclaim(_ asset: AssetID, for address: Address) throws(Stop) {
        guard asset != .native else { return }
        let missing = Executor.lacks(asset, address)
        try changeHolding(
            of: asset, for: address, .deposit, missing: missing
        ) { holding throws(Stop) in
            guard holding.claims > 0 else { throw missing }
            holding.claims -= 1
        }
    }

    private static func lacks(_ asset: AssetID, _ address: Address) -> Stop {
        .fault(StorageFault("\(address) lacks its entry for the asset \(asset), or a claim in it"))
    }
}

// Deposits are native asset that is kept back for what stands in the state.
extension Executor {
    /// Takes a deposit out of an account; what it is for must remember it.
    mutating func payDeposit(_ deposit: Amount, from address: Address) throws(Stop) {
        guard deposit > 0 else { return }
        guard var account = try account(address), account.native >= deposit else {
            throw .failed(.depositUnpaid)
        }
        account.native = account.native.clampedRetreat(by: deposit.rawValue)
        try countSpending(deposit, of: .native, of: &account, address)
        accounts.write(account, for: address)
        try shift(deposit, from: .balances, to: .deposits)
    }

    /// Gives a deposit to an account when what it was for has gone.
    mutating func returnDeposit(_ deposit: Amount, to address: Address) throws(Stop) {
        guard deposit > 0 else { return }
        try credit(deposit, to: address, .deposit)
        try shift(deposit, from: .deposits, to: .balances)
    }
}
