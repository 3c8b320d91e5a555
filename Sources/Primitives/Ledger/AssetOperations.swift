/// What an issuer promises of an asset, fixed when it is issued.
///
/// Wire: symbol, decimals, optional cap, canFreeze, canClawBack.
public struct AssetTerms: Hashable, Sendable {
    /// Why terms can't be those of an asset.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case symbol(String)
        case decimals(UInt8)
        case zeroCap

        public var description: String {
            switch self {
            case .symbol(let symbol):
                "\"\(symbol)\" isn't a symbol: 1 to \(AssetTerms.symbolBytesMax) of the capital"
                    + " letters A to Z and the digits 0 to 9 are wanted, a letter first"
            case .decimals(let decimals):
                "\(decimals) decimals, at most \(AssetTerms.decimalsMax) allowed"
            case .zeroCap: "a cap of 0 would let nobody mint; leave it away, or name at least 1"
            }
        }
    }

    /// Bytes of a symbol.
    public static let symbolBytesMax = 12
    /// Decimal places that 64 bits have room for.
    public static let decimalsMax: UInt8 = 18

    /// What people call it. Symbols aren't unique: the id names the asset.
    public let symbol: String
    /// Where wallets set the point; the ledger counts the smallest unit.
    public let decimals: UInt8
    /// The most that may exist at a time; nil for 2^64 - 1.
    public let cap: Amount?
    /// Whether the issuer may stop a holder from spending.
    public let canFreeze: Bool
    /// Whether the issuer may take what a holder has out of existence.
    public let canClawBack: Bool

    /// - Throws: `Fault` for a symbol, a number of decimals or a cap that no asset can have.
    public init(
        symbol: String, decimals: UInt8 = 0, cap: Amount? = nil, canFreeze: Bool = false,
        canClawBack: Bool = false
    ) throws(Fault) {
        guard AssetTerms.isSymbol(symbol) else { throw .symbol(symbol) }
        guard decimals <= AssetTerms.decimalsMax else { throw .decimals(decimals) }
        guard cap != 0 else { throw .zeroCap }
        self.symbol = symbol
        self.decimals = decimals
        self.cap = cap
        self.canFreeze = canFreeze
        self.canClawBack = canClawBack
    }

    private static func isSymbol(_ text: String) -> Bool {
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let first = text.utf8.first, letters.contains(first),
            text.utf8.count <= symbolBytesMax
        else { return false }
        return text.utf8.allSatisfy { letters.contains($0) || digits.contains($0) }
    }
}

extension AssetTerms: BCSCodable {
    public func encode(to writer: inout BCSWriter) {
        writer.append(symbol)
        writer.append(decimals)
        writer.append(optional: cap)
        writer.append(canFreeze)
        writer.append(canClawBack)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let symbol = try reader.readString(maximum: AssetTerms.symbolBytesMax)
        let decimals = try reader.readUInt8()
        let cap: Amount? = try reader.readOptional()
        let canFreeze = try reader.readBool()
        let canClawBack = try reader.readBool()
        do throws(Fault) {
            try self.init(
                symbol: symbol, decimals: decimals, cap: cap, canFreeze: canFreeze,
                canClawBack: canClawBack)
        } catch {
            throw BCSError(.invalidValue(error.description), at: start)
        }
    }
}

extension AssetID {
    /// The id of the asset that the operation at `operation` of a transaction issues:
    /// `H(asset, transaction id ‖ operation as four bytes, little-endian)`.
    public static func issued(by transaction: TransactionID, operation: Int) -> AssetID {
        var writer = BCSWriter(capacity: 36)
        writer.append(transaction)
        writer.append(UInt32(truncatingIfNeeded: operation))
        return AssetID(Digest.hash(.asset, writer.bytes).bytes32)
    }
}

/// New units of the sender's asset. Wire: asset, to, amount.
public struct Mint: Hashable, Sendable, BCSCodable {
    public let asset: AssetID
    public let to: Address
    /// Above zero; with it the supply stays within the cap.
    public let amount: Amount

    public init(asset: AssetID, to: Address, amount: Amount) {
        self.asset = asset
        self.to = to
        self.amount = amount
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(asset)
        writer.append(to)
        writer.append(amount)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        asset = try reader.read()
        to = try reader.read()
        amount = try reader.read()
    }
}

/// Units of an asset that the sender takes out of existence. Wire: asset, amount.
public struct Redemption: Hashable, Sendable, BCSCodable {
    public let asset: AssetID
    /// Above zero, at most what the sender holds.
    public let amount: Amount

    public init(asset: AssetID, amount: Amount) {
        self.asset = asset
        self.amount = amount
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(asset)
        writer.append(amount)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        asset = try reader.read()
        amount = try reader.read()
    }
}

/// Stops a holder of the sender's asset from spending it, or lets him again: what comes in is kept
/// either way. Wire: asset, holder, isFrozen.
public struct Freeze: Hashable, Sendable, BCSCodable {
    public let asset: AssetID
    public let holder: Address
    public let isFrozen: Bool

    public init(asset: AssetID, holder: Address, isFrozen: Bool) {
        self.asset = asset
        self.holder = holder
        self.isFrozen = isFrozen
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(asset)
        writer.append(holder)
        writer.append(isFrozen)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        asset = try reader.read()
        holder = try reader.read()
        isFrozen = try reader.readBool()
    }
}

/// Units of the sender's asset that he takes from a holder, out of existence.
///
/// Wire: asset, holder, amount.
public struct Clawback: Hashable, Sendable, BCSCodable {
    public let asset: AssetID
    public let holder: Address
    /// Above zero, at most what the holder has outside of escrows.
    public let amount: Amount

    public init(asset: AssetID, holder: Address, amount: Amount) {
        self.asset = asset
        self.holder = holder
        self.amount = amount
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(asset)
        writer.append(holder)
        writer.append(amount)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        asset = try reader.read()
        holder = try reader.read()
        amount = try reader.read()
    }
}
