package import Primitives

/// What `asset_get` answers.
package struct AssetInfo: Codable, Hashable, Sendable {
    /// `ast` text.
    package let id: String
    /// `acc` text.
    package let issuer: String
    /// Not unique: the id names the asset.
    package let symbol: String
    /// Where wallets set the point.
    package let decimals: UInt8
    /// The most that may exist at a time; absent without a cap.
    package let cap: Amount?
    package let canFreeze: Bool
    package let canClawBack: Bool
    /// All that exists.
    package let supply: Amount
    /// What of it is held in escrows.
    package let escrowed: Amount
    /// What is kept back of the issuer's.
    package let deposit: Amount
    /// The block after which all this holds.
    package let height: Height

    package init(
        id: String, issuer: String, symbol: String, decimals: UInt8, cap: Amount?,
        canFreeze: Bool, canClawBack: Bool, supply: Amount, escrowed: Amount, deposit: Amount,
        height: Height
    ) {
        self.id = id
        self.issuer = issuer
        self.symbol = symbol
        self.decimals = decimals
        self.cap = cap
        self.canFreeze = canFreeze
        self.canClawBack = canClawBack
        self.supply = supply
        self.escrowed = escrowed
        self.deposit = deposit
        self.height = height
    }
}
