/// How much of an asset may leave an account within a window with less than the admin threshold.
///
/// A window begins with the first spending after the last one ended.
///
/// Wire: asset, amount, windowMilliseconds.
public struct SpendingLimit: Hashable, Sendable, BCSCodable {
    public let asset: AssetID
    /// The most in one window; 0 lets nothing out.
    public let amount: Amount
    /// In block time; genesis has the least, 30 days are the most.
    public let windowMilliseconds: UInt64

    public init(asset: AssetID = .native, amount: Amount, windowMilliseconds: UInt64) {
        self.asset = asset
        self.amount = amount
        self.windowMilliseconds = windowMilliseconds
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(asset)
        writer.append(amount)
        writer.append(windowMilliseconds)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        asset = try reader.read()
        amount = try reader.read()
        windowMilliseconds = try reader.readUInt64()
    }
}

/// Who may give an account whose keys are lost a new policy, and how long its owner has to object.
///
/// Wire: quorum, delayMilliseconds.
public struct Guardians: Hashable, Sendable, BCSCodable {
    /// Not with the account itself; nine of its members must reach the threshold.
    public let quorum: Quorum
    /// From the proposal to the earliest completion, in block time; genesis has the least, 90 days
    /// are the most.
    public let delayMilliseconds: UInt64

    public init(quorum: Quorum, delayMilliseconds: UInt64) {
        self.quorum = quorum
        self.delayMilliseconds = delayMilliseconds
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(quorum)
        writer.append(delayMilliseconds)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        quorum = try reader.read()
        delayMilliseconds = try reader.readUInt64()
    }
}

/// All limits and guardians of an account: what isn't named is taken away.
///
/// Wire: limits (sorted by asset, unique, 0...16), optional guardians.
public struct SafeguardTerms: Hashable, Sendable, BCSCodable {
    /// Sorted by asset.
    public let limits: [SpendingLimit]
    public let guardians: Guardians?

    /// Terms of limits in any order.
    public init(limits: [SpendingLimit] = [], guardians: Guardians? = nil) {
        self.limits = limits.sorted { $0.asset < $1.asset }
        self.guardians = guardians
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(list: limits)
        writer.append(optional: guardians)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        limits = try reader.readSortedList(
            maximum: TransactionLimits.spendingLimitsMax, elementBytes: 48
        ) { (limit: SpendingLimit) in limit.asset }
        guardians = try reader.readOptional()
    }
}

/// The policy that guardians want an account to have. Wire: account, policy.
public struct RecoveryProposal: Hashable, Sendable, BCSCodable {
    public let account: Address
    public let policy: Policy

    public init(account: Address, policy: Policy) {
        self.account = account
        self.policy = policy
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(account)
        writer.append(policy)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        account = try reader.read()
        policy = try reader.read()
    }
}

/// Takes back what the sender and the cosigners have decided in this round. Wire: escrow, round.
public struct EscrowWithdrawal: Hashable, Sendable, BCSCodable {
    public let escrow: EscrowID
    public let round: UInt64

    public init(escrow: EscrowID, round: UInt64) {
        self.escrow = escrow
        self.round = round
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(escrow)
        writer.append(round)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        escrow = try reader.read()
        round = try reader.readUInt64()
    }
}

extension Operation {
    /// Whether the sender's signatures must reach the admin threshold of its policy.
    public var needsAdmin: Bool {
        switch self {
        case .setPolicy, .setSafeguards: true
        default: false
        }
    }
}

extension Quorum {
    /// Whether at most so many members, the heaviest ones, reach the threshold.
    package func isReachable(byMembers count: Int) -> Bool {
        let heaviest = members.map { UInt32($0.weight) }.sorted(by: >).prefix(count)
        return heaviest.reduce(0, +) >= threshold
    }

    /// What those of `addresses` that are members weigh; each should stand there once.
    package func weight(of addresses: [Address]) -> UInt32 {
        addresses.reduce(0) { $0 + UInt32(weight(of: $1) ?? 0) }
    }
}
