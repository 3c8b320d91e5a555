import Primitives

@testable import Execution

/// Issued assets as the naive model has them: claims are counted anew from all escrows, supplies
/// from all holdings and escrows.
struct NaiveAsset: Equatable {
    let issuer: Address
    let terms: AssetTerms
    var deposit: UInt64
}

struct NaiveHolding: Equatable {
    var amount: UInt64 = 0
    let deposit: UInt64
    var isFrozen = false
}

extension NaiveLedger {
    func claims(_ asset: AssetID, _ address: Address) -> Int {
        trusts.values.filter { $0.terms.asset == asset }
            .reduce(0) { sum, trust in
                sum + (trust.payer == address ? 1 : 0) + (trust.terms.payee == address ? 1 : 0)
            }
    }

    func escrowed(_ asset: AssetID) -> UInt64 {
        trusts.values.filter { $0.terms.asset == asset }.reduce(0) { $0 + $1.held }
    }

    func supply(_ asset: AssetID) -> UInt64 {
        holdings.values.reduce(escrowed(asset)) { $0 + ($1[asset]?.amount ?? 0) }
    }

    /// Entries without amount and escrow go.
    mutating func tidy(_ asset: AssetID, _ address: Address) {
        guard let holding = holdings[address]?[asset], holding.amount == 0,
            claims(asset, address) == 0
        else { return }
        holdings[address]?[asset] = nil
        deposits[address, default: 0] -= holding.deposit
        balances[address, default: 0] += holding.deposit
    }

    mutating func keepBack(_ deposit: UInt64, of address: Address) throws {
        if deposit == 0 { return }
        if balances[address] ?? 0 < deposit { throw Failed(code: .depositUnpaid) }
        try spend(deposit, of: address)
        balances[address, default: 0] -= deposit
    }

    mutating func open(_ asset: AssetID, for address: Address, by opener: Address) throws {
        if holdings[address]?[asset] != nil { return }
        if holdings[address]?.count ?? 0 == 256 { throw Failed(code: .tooManyAssets) }
        let deposit = fees.holdingDeposit.rawValue
        try keepBack(deposit, of: opener)
        holdings[address, default: [:]][asset] = NaiveHolding(deposit: deposit)
        balances[address, default: 0] += 0
        deposits[address, default: 0] += deposit
    }

    mutating func take(
        _ amount: UInt64, of asset: AssetID, from address: Address, alsoFrozen: Bool = false
    ) throws {
        if asset == .native { return try take(amount, from: address) }
        if amount == 0 { throw Failed(code: .zeroAmount) }
        if assets[asset] == nil { throw Failed(code: .unknownAsset) }
        guard let holding = holdings[address]?[asset] else {
            throw Failed(code: .insufficientFunds)
        }
        if holding.isFrozen && !alsoFrozen { throw Failed(code: .assetFrozen) }
        if holding.amount < amount { throw Failed(code: .insufficientFunds) }
        holdings[address]?[asset]?.amount -= amount
        tidy(asset, address)
        try spend(amount, of: address, asset)
    }

    mutating func give(_ amount: UInt64, of asset: AssetID, to address: Address) {
        if asset == .native {
            balances[address, default: 0] += amount
        } else {
            holdings[address]?[asset]?.amount += amount
        }
    }

    mutating func reserve(_ terms: EscrowTerms, _ payer: Address) throws {
        if terms.asset == .native { return }
        if terms.amount == 0 { throw Failed(code: .zeroAmount) }
        if assets[terms.asset] == nil { throw Failed(code: .unknownAsset) }
        if holdings[payer]?[terms.asset] == nil { throw Failed(code: .insufficientFunds) }
        try open(terms.asset, for: terms.payee, by: payer)
    }

    /// An escrow that holds nothing goes.
    mutating func close(_ id: EscrowID, _ trust: Trust) {
        trusts[id] = nil
        closed.append(id)
        tidy(trust.terms.asset, trust.payer)
        tidy(trust.terms.asset, trust.terms.payee)
        balances[trust.payer, default: 0] += trust.deposit
    }

    private func own(_ id: AssetID, _ sender: Address) throws -> NaiveAsset {
        if id == .native { throw Failed(code: .nativeAsset) }
        guard let asset = assets[id] else { throw Failed(code: .unknownAsset) }
        if asset.issuer != sender { throw Failed(code: .notIssuer) }
        return asset
    }

    mutating func issue(_ terms: AssetTerms, _ id: AssetID, _ sender: Address) throws {
        if ["NATIVE", "OFFPEAK", "TST"].contains(terms.symbol) {
            throw Failed(code: .symbolReserved)
        }
        try keepBack(fees.assetDeposit.rawValue, of: sender)
        assets[id] = NaiveAsset(
            issuer: sender, terms: terms, deposit: fees.assetDeposit.rawValue)
    }

    mutating func mint(_ mint: Mint, _ sender: Address) throws {
        if mint.amount == 0 { throw Failed(code: .zeroAmount) }
        let cap = try own(mint.asset, sender).terms.cap?.rawValue ?? .max
        if mint.amount.rawValue > cap - supply(mint.asset) { throw Failed(code: .aboveCap) }
        try open(mint.asset, for: mint.to, by: sender)
        give(mint.amount.rawValue, of: mint.asset, to: mint.to)
    }

    mutating func redeem(_ redemption: Redemption, _ sender: Address) throws {
        if redemption.asset == .native { throw Failed(code: .nativeAsset) }
        try take(
            redemption.amount.rawValue, of: redemption.asset, from: sender, alsoFrozen: true)
    }

    mutating func freeze(_ freeze: Freeze, _ sender: Address) throws {
        if try !own(freeze.asset, sender).terms.canFreeze { throw Failed(code: .notFreezable) }
        guard let holding = holdings[freeze.holder]?[freeze.asset] else {
            throw Failed(code: .holdingUnknown)
        }
        if holding.isFrozen == freeze.isFrozen { throw Failed(code: .freezeUnchanged) }
        holdings[freeze.holder]?[freeze.asset]?.isFrozen = freeze.isFrozen
    }

    mutating func clawBack(_ clawback: Clawback, _ sender: Address) throws {
        if clawback.amount == 0 { throw Failed(code: .zeroAmount) }
        if try !own(clawback.asset, sender).terms.canClawBack { throw Failed(code: .notClawable) }
        guard let holding = holdings[clawback.holder]?[clawback.asset] else {
            throw Failed(code: .holdingUnknown)
        }
        if holding.amount < clawback.amount.rawValue { throw Failed(code: .insufficientFunds) }
        holdings[clawback.holder]?[clawback.asset]?.amount -= clawback.amount.rawValue
        tidy(clawback.asset, clawback.holder)
    }

    mutating func retire(_ id: AssetID, _ sender: Address) throws {
        let asset = try own(id, sender)
        if supply(id) > 0 { throw Failed(code: .supplyOutstanding) }
        assets[id] = nil
        balances[sender, default: 0] += asset.deposit
    }
}
