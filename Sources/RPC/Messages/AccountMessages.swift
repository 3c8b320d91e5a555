package import Primitives

/// What `account_get` answers.
package struct AccountInfo: Codable, Hashable, Sendable {
    /// `acc` text.
    package let address: String
    /// In order of asset.
    package let balances: [AssetBalance]
    /// Absent until the first transaction reveals it.
    package let policy: PolicyInfo?
    /// The streams in use, in order; stream 0 is there from the first transaction on.
    package let streams: [StreamInfo]
    /// What is kept back for streams and for issued assets.
    package let deposits: Amount
    /// Absent where there are none.
    package let safeguards: SafeguardsInfo?
    /// The block after which all this holds.
    package let height: Height
    /// After that block; 64 hexadecimal digits.
    package let stateRoot: String

    package init(
        address: String, balances: [AssetBalance], policy: PolicyInfo? = nil,
        streams: [StreamInfo], deposits: Amount, safeguards: SafeguardsInfo? = nil,
        height: Height, stateRoot: String
    ) {
        self.address = address
        self.balances = balances
        self.policy = policy
        self.streams = streams
        self.deposits = deposits
        self.safeguards = safeguards
        self.height = height
        self.stateRoot = stateRoot
    }
}

/// How much of an asset an account holds.
package struct AssetBalance: Codable, Hashable, Sendable {
    /// `native`, or `ast` text.
    package let asset: String
    package let amount: Amount
    /// True where the issuer has stopped the account from spending it; else absent.
    package let isFrozen: Bool?

    package init(asset: String, amount: Amount, isFrozen: Bool? = nil) {
        self.asset = asset
        self.amount = amount
        self.isFrozen = isFrozen
    }
}

/// An account's order of transactions.
package struct StreamInfo: Codable, Hashable, Sendable {
    package let stream: UInt16
    /// What the next transaction must carry.
    package let nextSequence: SequenceNumber
    /// The time of the block in which a transaction last executed on it.
    package let lastUse: Timestamp
    /// What is held for it; it comes back when the stream is closed.
    package let deposit: Amount

    package init(
        stream: UInt16, nextSequence: SequenceNumber, lastUse: Timestamp, deposit: Amount
    ) {
        self.stream = stream
        self.nextSequence = nextSequence
        self.lastUse = lastUse
        self.deposit = deposit
    }
}

/// Who may act for an account.
package struct PolicyInfo: Codable, Hashable, Sendable {
    /// In order of key.
    package let signers: [SignerInfo]
    /// The weight that everything but a change of policy needs.
    package let spend: UInt32
    /// The weight that a change of policy needs.
    package let admin: UInt32

    package init(
        signers: [SignerInfo], spend: UInt32, admin: UInt32
    ) {
        self.signers = signers
        self.spend = spend
        self.admin = admin
    }
}

/// A key and its weight.
package struct SignerInfo: Codable, Hashable, Sendable {
    /// `pub` text.
    package let publicKey: String
    package let weight: UInt16

    package init(
        publicKey: String, weight: UInt16
    ) {
        self.publicKey = publicKey
        self.weight = weight
    }
}
