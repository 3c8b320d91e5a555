package import Primitives

/// What the ledger knows of an issued asset.
///
/// At every moment `balances + escrowed == supply`, and the supply lies within the cap.
///
/// Wire: issuer, terms, deposit, balances, escrowed, supply.
package struct Asset: Hashable, Sendable, BCSCodable {
    /// Who mints, freezes and claws back.
    package let issuer: Address
    package let terms: AssetTerms
    /// Native asset of the issuer's, kept back as long as the asset stands.
    package let deposit: Amount
    /// In accounts.
    package var balances: Amount
    /// Held in escrows.
    package var escrowed: Amount
    /// All that exists.
    package var supply: Amount
    /// Whether it has left the state; never encoded.
    package var isRetired = false

    /// An asset of which nothing exists.
    package init(issuer: Address, terms: AssetTerms, deposit: Amount) {
        self.issuer = issuer
        self.terms = terms
        self.deposit = deposit
        balances = 0
        escrowed = 0
        supply = 0
    }

    /// Whether all that exists is accounted for.
    package var isBalanced: Bool { (try? balances.adding(escrowed)) == supply }

    package func encode(to writer: inout BCSWriter) {
        writer.append(issuer)
        writer.append(terms)
        writer.append(deposit)
        writer.append(balances)
        writer.append(escrowed)
        writer.append(supply)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        issuer = try reader.read()
        terms = try reader.read()
        deposit = try reader.read()
        balances = try reader.read()
        escrowed = try reader.read()
        supply = try reader.read()
    }
}
