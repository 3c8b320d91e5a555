internal import Primitives

// The life of an issued asset. Upon
//   issue:    its terms stand for good; the issuer pays a deposit; nothing of it exists.
//   mint:     the issuer makes units, within the cap, in any account.
//   redeem:   a holder takes units of his out of existence.
//   freeze:   where the terms allow it, the issuer stops a holder from paying with it.
//   clawback: where the terms allow it, the issuer takes units of a holder out of existence.
//   retire:   when nothing exists any more, it leaves the state and the deposit comes free.
// Transfers and escrows carry it like the native asset; fees and deposits are native.

extension Executor {
    mutating func issue(_ id: AssetID, _ terms: AssetTerms, by sender: Address) throws(Stop) {
        guard !rules.reservedSymbols.contains(terms.symbol) else {
            throw .failed(.symbolReserved)
        }
        guard try anyAsset(id) == nil else { throw .fault(StorageFault("asset \(id) twice")) }
        let deposit = rules.fees.assetDeposit
        try payDeposit(deposit, from: sender)
        assets.write(Asset(issuer: sender, terms: terms, deposit: deposit), for: id)
    }

    mutating func mint(_ mint: Mint, by sender: Address) throws(Stop) {
        guard mint.amount > 0 else { throw .failed(.zeroAmount) }
        var asset = try ownAsset(mint.asset, of: sender)
        guard let supply = asset.supply.advanced(by: mint.amount.rawValue),
            supply <= asset.terms.cap ?? Amount(.max)
        else { throw .failed(.aboveCap) }
        asset.supply = supply
        asset.balances = try sum(asset.balances, mint.amount)
        assets.write(asset, for: mint.asset)
        try credit(
            mint.amount, of: mint.asset, to: mint.to, openedBy: sender, .mint(by: sender))
    }

    mutating func redeem(_ redemption: Redemption, by sender: Address) throws(Stop) {
        guard redemption.asset != .native else { throw .failed(.nativeAsset) }
        let issuer = try anyAsset(redemption.asset)?.issuer
        // Also what is frozen: to destroy it harms nobody, and frees a place for other assets.
        try debit(
            redemption.amount, of: redemption.asset, from: sender, .redemption(to: issuer),
            alsoFrozen: true)
        try burn(redemption.amount, of: redemption.asset)
    }

    mutating func freeze(_ freeze: Freeze, by sender: Address) throws(Stop) {
        guard try ownAsset(freeze.asset, of: sender).terms.canFreeze else {
            throw .failed(.notFreezable)
        }
        try changeHolding(
            of: freeze.asset, for: freeze.holder, .deposit, missing: .failed(.holdingUnknown)
        ) { holding throws(Stop) in
            guard holding.isFrozen != freeze.isFrozen else { throw .failed(.freezeUnchanged) }
            holding.isFrozen = freeze.isFrozen
        }
    }

    mutating func clawBack(_ clawback: Clawback, by sender: Address) throws(Stop) {
        guard clawback.amount > 0 else { throw .failed(.zeroAmount) }
        guard try ownAsset(clawback.asset, of: sender).terms.canClawBack else {
            throw .failed(.notClawable)
        }
        try changeHolding(
            of: clawback.asset, for: clawback.holder, .clawback(by: sender),
            missing: .failed(.holdingUnknown)
        ) { holding throws(Stop) in
            holding.amount = try Executor.rest(of: holding.amount, without: clawback.amount)
        }
        try burn(clawback.amount, of: clawback.asset)
    }

    mutating func retire(_ id: AssetID, by sender: Address) throws(Stop) {
        var asset = try ownAsset(id, of: sender)
        guard asset.supply == 0 else { throw .failed(.supplyOutstanding) }
        asset.isRetired = true
        assets.write(asset, for: id)
        try returnDeposit(asset.deposit, to: sender)
    }
}

extension Executor {
    /// An issued asset that stands.
    mutating func asset(_ id: AssetID) throws(Stop) -> Asset {
        guard let asset = try anyAsset(id), !asset.isRetired else { throw .failed(.unknownAsset) }
        return asset
    }

    private mutating func anyAsset(_ id: AssetID) throws(Stop) -> Asset? {
        do throws(StorageFault) {
            return try assets.read(id, source)
        } catch {
            throw .fault(error)
        }
    }

    private mutating func ownAsset(_ id: AssetID, of sender: Address) throws(Stop) -> Asset {
        guard id != .native else { throw .failed(.nativeAsset) }
        let asset = try asset(id)
        guard asset.issuer == sender else { throw .failed(.notIssuer) }
        return asset
    }

    private mutating func burn(_ amount: Amount, of id: AssetID) throws(Stop) {
        var asset = try asset(id)
        asset.balances = try difference(asset.balances, amount)
        asset.supply = try difference(asset.supply, amount)
        assets.write(asset, for: id)
    }

    /// Moves an amount of any asset between accounts and escrows in the books.
    mutating func moveEscrowed(
        _ amount: Amount, of id: AssetID, isPaidIn: Bool
    ) throws(Stop) {
        guard id != .native else {
            let parts: (Totals.Part, Totals.Part) =
                isPaidIn ? (.balances, .escrowed) : (.escrowed, .balances)
            return try shift(amount, from: parts.0, to: parts.1)
        }
        var asset = try asset(id)
        if isPaidIn {
            asset.balances = try difference(asset.balances, amount)
            asset.escrowed = try sum(asset.escrowed, amount)
        } else {
            asset.escrowed = try difference(asset.escrowed, amount)
            asset.balances = try sum(asset.balances, amount)
        }
        assets.write(asset, for: id)
    }

    /// A difference of parts of a supply.
    private func difference(_ left: Amount, _ right: Amount) throws(Stop) -> Amount {
        do throws(StorageFault) {
            return try books { () throws(ArithmeticOverflow) in try left.subtracting(right) }
        } catch {
            throw .fault(error)
        }
    }
}
