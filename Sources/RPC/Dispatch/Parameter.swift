/// A parameter of a method, by name and in its place.
package struct Parameter: Sendable {
    /// What a parameter's value must be.
    package enum Kind: Hashable, Sendable {
        /// A block's height.
        case height
        /// `blk` text.
        case blockDigest
        /// The canonical bytes of a signed transaction, in base64 or hexadecimal digits.
        case signedTransaction
        /// `txn` text.
        case transactionID
        /// `acc` text.
        case address
        /// `esc` text.
        case escrowID
        /// `ast` text.
        case assetID
        /// `pub` text.
        case publicKey
        /// `native`, or `ast` text.
        case asset
        /// One of these words.
        case choice([String])
        /// A height and a number in that block, as `12-3`.
        case postingPlace
        /// A whole number in a range.
        case count(ClosedRange<UInt64>)
    }

    package let name: String
    package let kind: Kind
    package let isRequired: Bool
    /// One sentence.
    package let summary: String

    package init(_ name: String, _ kind: Kind, required: Bool = true, _ summary: String) {
        self.name = name
        self.kind = kind
        isRequired = required
        self.summary = summary
    }
}

extension Parameter.Kind {
    /// Whether JSON carries it as a number.
    var isNumber: Bool {
        switch self {
        case .height, .count: true
        case .blockDigest, .signedTransaction, .transactionID, .address, .escrowID, .assetID,
            .publicKey, .asset, .choice, .postingPlace:
            false
        }
    }

    /// The JSON schema.
    var schema: JSONValue {
        switch self {
        case .height: Schema.number(0...UInt64.max)
        case .count(let range): Schema.number(range)
        case .blockDigest: Schema.text("bech32m text of a block: network prefix and blk")
        case .signedTransaction:
            Schema.text("canonical bytes of a signed transaction, in base64 or hexadecimal")
        case .transactionID: Schema.text("bech32m text of a transaction: network prefix and txn")
        case .address: Schema.text("bech32m text of an address: network prefix and acc")
        case .escrowID: Schema.text("bech32m text of an escrow: network prefix and esc")
        case .assetID: Schema.text("bech32m text of an asset: network prefix and ast")
        case .publicKey: Schema.text("bech32m text of a public key: network prefix and pub")
        case .asset: Schema.text("native, or bech32m text of an asset")
        case .choice(let words): Schema.text("one of " + words.joined(separator: ", "))
        case .postingPlace: Schema.text("a height and a number in that block, as 12-3")
        }
    }
}
