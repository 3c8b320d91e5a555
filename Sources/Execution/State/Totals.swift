package import Primitives

/// Where all native asset that exists is: kept up with every change, and recomputed by an audit.
/// What exists of an issued asset stands in its own record.
///
/// Wire: balances, escrowed, bonded, deposits, undistributed, supply.
package struct Totals: Hashable, Sendable, BCSCodable {
    /// In accounts.
    package var balances: Amount
    /// Held in escrows.
    package var escrowed: Amount
    /// Bonds of validators and other verifiers, those on their way back too.
    package var bonded: Amount
    /// Kept back for streams, holdings, escrows and assets.
    package var deposits: Amount
    /// Fees of the block that is being executed; 0 between blocks.
    package var undistributed: Amount
    /// All that exists.
    package var supply: Amount

    package init(
        balances: Amount = 0, escrowed: Amount = 0, bonded: Amount = 0, deposits: Amount = 0,
        undistributed: Amount = 0, supply: Amount = 0
    ) {
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

    /// Where an amount can be.
    package enum Part: Sendable {
        case balances, escrowed, bonded, deposits, undistributed
    }

    /// Takes `amount` from one part and adds it to another.
    /// - Throws: `ArithmeticOverflow` when a part would leave its range: the books are wrong.
    package mutating func move(
        _ amount: Amount, from source: Part, to target: Part
    ) throws(ArithmeticOverflow) {
        self[source] = try self[source].subtracting(amount)
        self[target] = try self[target].adding(amount)
    }

    private subscript(part: Part) -> Amount {
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

    package func encode(to writer: inout BCSWriter) {
        for amount in [balances, escrowed, bonded, deposits, undistributed, supply] {
            writer.append(amount)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        balances = try reader.read()
        escrowed = try reader.read()
        bonded = try reader.read()
        deposits = try reader.read()
        undistributed = try reader.read()
        supply = try reader.read()
    }
}
