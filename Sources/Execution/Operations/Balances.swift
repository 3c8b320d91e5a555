internal import Primitives

extension Executor {
    /// Moves an amount between two accounts; one to oneself changes nothing.
    mutating func transfer(_ transfer: Transfer, from sender: Address) throws(Stop) {
        try debit(transfer.amount, of: transfer.asset, from: sender)
        try credit(transfer.amount, of: transfer.asset, to: transfer.to)
    }

    /// Replaces the policy; that the admin threshold was reached was checked before.
    mutating func setPolicy(_ policy: Policy, of sender: Address) throws(Stop) {
        guard var account = try account(sender), account.policy != policy else {
            throw .failed(.samePolicy)
        }
        account.policy = policy
        accounts.write(account, for: sender)
    }

    /// Takes an amount out of an account; where it goes is up to the caller, and to the totals too.
    mutating func debit(
        _ amount: Amount, of asset: AssetID, from address: Address
    ) throws(Stop) {
        guard amount > 0 else { throw .failed(.zeroAmount) }
        guard totals[asset] != nil else { throw .failed(.unknownAsset) }
        guard var account = try account(address) else { throw .failed(.insufficientFunds) }
        do throws(ArithmeticOverflow) {
            let left = try account.balance(of: asset).subtracting(amount)
            account.setBalance(left, of: asset)
        } catch {
            throw .failed(.insufficientFunds)
        }
        accounts.write(account, for: address)
    }

    /// Puts an amount into an account, which is made if need be.
    mutating func credit(
        _ amount: Amount, of asset: AssetID, to address: Address
    ) throws(Stop) {
        var account = try account(address) ?? Account()
        let held = account.balance(of: asset)
        guard held > 0 || account.balances.count < Account.balancesMax else {
            throw .failed(.tooManyAssets)
        }
        do throws(ArithmeticOverflow) {
            account.setBalance(try held.adding(amount), of: asset)
        } catch {
            throw .failed(.balanceOverflow)
        }
        accounts.write(account, for: address)
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
        _ amount: Amount, of asset: AssetID, from source: Totals.Part, to target: Totals.Part
    ) throws(Stop) {
        do throws(StorageFault) {
            try move(amount, of: asset, from: source, to: target)
        } catch {
            throw .fault(error)
        }
    }
}
