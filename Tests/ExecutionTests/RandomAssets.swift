import Primitives

@testable import Execution

/// Assets as issuers and holders might use them.
extension RandomTraffic {
    /// Mostly the native one.
    mutating func asset(_ model: NaiveLedger, nativePercent: Int) -> AssetID {
        let ids = model.assets.keys.sorted()
        if ids.isEmpty || chance(nativePercent) { return .native }
        return chance(96) ? ids[below(ids.count)] : AssetID(.sha256([UInt8(below(4))]))
    }

    /// Mostly who issued it.
    mutating func issuer(of asset: AssetID, _ model: NaiveLedger) -> Person? {
        guard let found = model.assets[asset], chance(80) else { return nil }
        return people.first { $0.address == found.issuer }
    }

    private mutating func holder(of asset: AssetID, _ model: NaiveLedger) -> Address {
        let holders = people.map(\.address).filter { model.holdings[$0]?[asset] != nil }
        return holders.isEmpty || chance(15) ? person().address : holders[below(holders.count)]
    }

    mutating func assetOperation(_ asset: AssetID, _ model: NaiveLedger) throws -> Operation {
        let id = chance(97) ? asset : AssetID.native
        switch below(20) {
        case 0...1 where model.assets.count < 6 || chance(10): return .issueAsset(try terms())
        case 0...8:
            return .mint(
                Mint(asset: id, to: person().address, amount: amount(around: 900)))
        case 9...11:
            return .redeem(Redemption(asset: id, amount: amount(around: 300)))
        case 12...14:
            return .freeze(
                Freeze(asset: id, holder: holder(of: asset, model), isFrozen: chance(50)))
        case 15...17:
            let holder = holder(of: asset, model)
            let held = model.holdings[holder]?[asset]?.amount ?? 3
            let amount = chance(60) ? Amount(held) : amount(around: 200)
            return .clawback(Clawback(asset: id, holder: holder, amount: amount))
        default: return .retireAsset(id)
        }
    }

    private mutating func terms() throws -> AssetTerms {
        let symbols = ["EUR", "A", "NATIVE", "TST", "GOLD2", "TSTX"]
        return try AssetTerms(
            symbol: symbols[below(symbols.count)], decimals: UInt8(below(19)),
            cap: chance(50) ? Amount(UInt64(below(9000) + 1)) : nil, canFreeze: chance(60),
            canClawBack: chance(60))
    }
}
