package import Primitives

/// Where all that exists is, for each asset: kept up with every change, and recomputed by an audit.
///
/// Wire: assets.
package struct Totals: Hashable, Sendable, BCSCodable {
    /// One asset's. Wire: asset, balances, escrowed, bonded, deposits, undistributed, supply.
    package struct Asset: Hashable, Sendable, BCSCodable {
        package let asset: AssetID
        /// In accounts.
        package var balances: Amount
        /// Held in escrows.
        package var escrowed: Amount
        /// Bonds of validators and other verifiers, those on their way back too.
        package var bonded: Amount
        /// Kept back for streams.
        package var deposits: Amount
        /// Fees of the block that is being executed; 0 between blocks.
        package var undistributed: Amount
        /// All that exists.
        package var supply: Amount

        package init(
            asset: AssetID, balances: Amount = 0, escrowed: Amount = 0, bonded: Amount = 0,
            deposits: Amount = 0, undistributed: Amount = 0, supply: Amount = 0
        ) {
            self.asset = asset
            self.balances = balances
            self.escrowed = escrowed
            self.bonded = bonded
            self.deposits = deposits
            self.undistributed = undistributed
            self.supply = supply
        }

        /// `balances + escrowed + bonded + deposits + undistributed == supply`.
        package var isBalanced: Bool {
            do throws(ArithmeticOverflow) {
                let sum = try balances.adding(escrowed).adding(bonded).adding(deposits)
                return try sum.adding(undistributed) == supply
            } catch {
                return false
            }
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(asset)
            for amount in [balances, escrowed, bonded, deposits, undistributed, supply] {
                writer.append(amount)
            }
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            asset = try reader.read()
            balances = try reader.read()
            escrowed = try reader.read()
            bonded = try reader.read()
            deposits = try reader.read()
            undistributed = try reader.read()
            supply = try reader.read()
        }
    }

    /// Where an amount can be.
    package enum Part: Sendable {
        case balances, escrowed, bonded, deposits, undistributed
    }

    /// The most assets of a ledger.
    package static let assetsMax = 4096

    /// Sorted by asset, unique.
    package private(set) var assets: [Asset]

    package init(assets: [Asset]) {
        self.assets = assets.sorted { $0.asset < $1.asset }
    }

    /// The totals of `asset`, or nil for one that doesn't exist.
    package subscript(asset: AssetID) -> Asset? { assets.first { $0.asset == asset } }

    /// Those of the native asset, which always exists.
    package var native: Asset { self[.native] ?? Asset(asset: .native) }

    /// Takes `amount` from one part of an asset's totals and adds it to another.
    /// - Throws: `ArithmeticOverflow` when a part would leave its range: the books are wrong.
    package mutating func move(
        _ amount: Amount, of asset: AssetID, from source: Part, to target: Part
    ) throws(ArithmeticOverflow) {
        guard let place = assets.firstIndex(where: { $0.asset == asset }) else {
            throw ArithmeticOverflow()
        }
        assets[place][source] = try assets[place][source].subtracting(amount)
        assets[place][target] = try assets[place][target].adding(amount)
    }

    package func encode(to writer: inout BCSWriter) { writer.append(list: assets) }

    package init(from reader: inout BCSReader) throws(BCSError) {
        assets = try reader.readSortedList(
            maximum: Totals.assetsMax, elementBytes: 80
        ) { (asset: Asset) in asset.asset }
    }
}

extension Totals.Asset {
    fileprivate subscript(part: Totals.Part) -> Amount {
        get {
            switch part {
            case .balances: balances
            case .escrowed: escrowed
            case .bonded: bonded
            case .deposits: deposits
            case .undistributed: undistributed
            }
        }
        set {
            switch part {
            case .balances: balances = newValue
            case .escrowed: escrowed = newValue
            case .bonded: bonded = newValue
            case .deposits: deposits = newValue
            case .undistributed: undistributed = newValue
            }
        }
    }
}
