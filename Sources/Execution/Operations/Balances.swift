internal import Primitives

extension Executor {
    /// Moves an amount between two accounts; one to oneself changes nothing.
    mutating func transfer(_ transfer: Transfer, from sender: Address) throws(Stop) {
        try debit(
            transfer.amount, of: transfer.asset, from: sender, .transfer(with: transfer.to))
        try credit(
            transfer.amount, of: transfer.asset, to: transfer.to, openedBy: sender,
            .transfer(with: sender))
    }

    /// Replaces the policy; that the admin threshold was reached was checked before. Who can do so
    /// has no need of a recovery: one that is pending is void.
    mutating func setPolicy(_ policy: Policy, of sender: Address) throws(Stop) {
        guard var account = try account(sender), account.policy != policy else {
            throw .failed(.samePolicy)
        }
        guard policy.unusableKey == nil else { throw .failed(.keyUnusable) }
        account.policy = policy
        account.safeguards?.recovery = nil
        accounts.write(account, for: sender)
    }

    /// Takes an amount out of an account; where it goes is up to the caller, and to the totals too.
    /// What the sender loses counts against its spending limit.
    mutating func debit(
        _ amount: Amount, of asset: AssetID, from address: Address, _ cause: PostingCause,
        alsoFrozen: Bool = false
    ) throws(Stop) {
        guard amount > 0 else { throw .failed(.zeroAmount) }
        guard asset == .native else {
            return try debitHolding(amount, of: asset, from: address, cause, alsoFrozen)
        }
        guard var account = try account(address) else { throw .failed(.insufficientFunds) }
        account.native = try Executor.rest(of: account.native, without: amount)
        try countSpending(amount, of: asset, of: &account, address)
        accounts.write(account, for: address, cause)
    }

    /// What the sender loses counts against its limit, unless the signatures weigh enough to lift
    /// it. There is room for what could be foreseen.
    func countSpending(
        _ amount: Amount, of asset: AssetID, of account: inout Account, _ address: Address
    ) throws(Stop) {
        guard let spender, spender.address == address, !spender.isAdmin else { return }
        guard account.spend(amount, of: asset, at: time) else { throw .failed(.limitExceeded) }
    }

    private mutating func debitHolding(
        _ amount: Amount, of asset: AssetID, from address: Address, _ cause: PostingCause,
        _ alsoFrozen: Bool
    ) throws(Stop) {
        _ = try self.asset(asset)
        try changeHolding(
            of: asset, for: address, cause, missing: .failed(.insufficientFunds)
        ) { holding throws(Stop) in
            guard alsoFrozen || !holding.isFrozen else { throw .failed(.assetFrozen) }
            holding.amount = try Executor.rest(of: holding.amount, without: amount)
        }
        guard var account = try account(address) else { return }
        try countSpending(amount, of: asset, of: &account, address)
        accounts.write(account, for: address)
    }

    static func rest(of held: Amount, without amount: Amount) throws(Stop) -> Amount {
        do throws(ArithmeticOverflow) {
            return try held.subtracting(amount)
        } catch {
            throw .failed(.insufficientFunds)
        }
    }

    /// Puts an amount into an account, which is made if need be.
    /// - Parameter opener: Pays the deposit where the account gets an entry for the asset by it;
    ///   nil where an escrow's claim has kept the entry.
    mutating func credit(
        _ amount: Amount, of asset: AssetID, to address: Address, openedBy opener: Address?,
        _ cause: PostingCause
    ) throws(Stop) {
        if asset == .native { return try credit(amount, to: address, cause) }
        try openHolding(of: asset, for: address, by: opener)
        try changeHolding(
            of: asset, for: address, cause, missing: .failed(.unknownAsset)
        ) { holding throws(Stop) in
            holding.amount = try Executor.sum(held: holding.amount, amount)
        }
    }

    /// Puts native asset into an account, which is made if need be.
    mutating func credit(
        _ amount: Amount, to address: Address, _ cause: PostingCause
    ) throws(Stop) {
        var account = try account(address) ?? Account()
        account.native = try Executor.sum(held: account.native, amount)
        accounts.write(account, for: address, cause)
    }

    static func sum(held: Amount, _ amount: Amount) throws(Stop) -> Amount {
        do throws(ArithmeticOverflow) {
            return try held.adding(amount)
        } catch {
            throw .failed(.balanceOverflow)
        }
    }

    mutating func account(_ address: Address) throws(Stop) -> Account? {
        do throws(StorageFault) {
            return try accounts.read(address, source)
        } catch {
            throw .fault(error)
        }
    }

    /// Moves an amount between parts of the totals, within an operation.
    mutating func shift(
        _ amount: Amount, from source: Totals.Part, to target: Totals.Part
    ) throws(Stop) {
        do throws(StorageFault) {
            try move(amount, from: source, to: target)
        } catch {
            throw .fault(error)
        }
    }
}
