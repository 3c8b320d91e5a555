package import Primitives

/// What an account has of an issued asset.
///
/// The entry stands as long as there is an amount or an escrow that may pay one to the account: the
/// block carries out deadlines, and must always find room for what it pays. The deposit goes with
/// the entry: it is paid by whoever makes it, and whoever's account it was in gets it.
///
/// Wire: asset, amount, deposit, claims, isFrozen.
package struct Holding: Hashable, Sendable, BCSCodable {
    /// Of its encoding.
    static let bytes = 53

    package let asset: AssetID
    package var amount: Amount
    /// Native asset, part of the account's deposits.
    package let deposit: Amount
    /// Escrows in this asset that the account is the payer of, and those it is the payee of.
    package var claims: UInt32
    /// Whether the issuer has stopped the account from spending it.
    package var isFrozen: Bool

    package init(
        asset: AssetID, amount: Amount = 0, deposit: Amount, claims: UInt32 = 0,
        isFrozen: Bool = false
    ) {
        self.asset = asset
        self.amount = amount
        self.deposit = deposit
        self.claims = claims
        self.isFrozen = isFrozen
    }

    /// Whether there is nothing to keep of it.
    package var isGone: Bool { amount == 0 && claims == 0 }

    package func encode(to writer: inout BCSWriter) {
        writer.append(asset)
        writer.append(amount)
        writer.append(deposit)
        writer.append(claims)
        writer.append(isFrozen)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        asset = try reader.read()
        amount = try reader.read()
        deposit = try reader.read()
        claims = try reader.readUInt32()
        isFrozen = try reader.readBool()
    }
}
