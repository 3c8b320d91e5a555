/// A parameter that a genesis may put into the hands of the validators.
///
/// Each has a range of its own that no other value bears on, and within it the chain goes on and
/// transactions stay affordable: a value that was accepted can never turn out wrong when it acts.
/// The raw values are stable. Wire: two bytes.
public enum GovernedParameter: UInt16, Hashable, Sendable, CaseIterable {
    case baseFee = 1
    case byteWeight = 2
    case signatureWeight = 3
    case writeWeight = 4
    case streamDeposit = 5
    case escrowDeposit = 6
    case holdingDeposit = 7
    case assetDeposit = 8
    case targetWeight = 9
    case changeDenominator = 10
    case expiriesPerBlock = 20
    case escrowDuration = 21
    case minimumBond = 30
    case reporterPermille = 31

    /// Its path in the JSON of a genesis below `parameters`.
    public var name: String {
        switch self {
        case .baseFee: "fees.baseFee"
        case .byteWeight: "fees.byteWeight"
        case .signatureWeight: "fees.signatureWeight"
        case .writeWeight: "fees.writeWeight"
        case .streamDeposit: "fees.streamDeposit"
        case .escrowDeposit: "fees.escrowDeposit"
        case .holdingDeposit: "fees.holdingDeposit"
        case .assetDeposit: "fees.assetDeposit"
        case .targetWeight: "fees.targetWeight"
        case .changeDenominator: "fees.changeDenominator"
        case .expiriesPerBlock: "escrow.expiriesPerBlockMax"
        case .escrowDuration: "escrow.durationMillisecondsMax"
        case .minimumBond: "verification.minimumBond"
        case .reporterPermille: "verification.reporterPermille"
        }
    }

    /// The parameter with this path.
    public init?(name: some StringProtocol) {
        guard let found = GovernedParameter.allCases.first(where: { $0.name == name }) else {
            return nil
        }
        self = found
    }

    /// The most of `reporterPermille`, in a genesis too: who reports himself loses half at least.
    public static let reporterPermilleMax: UInt64 = 500

    /// The values of `changeDenominator`, in a genesis too: what rose by full blocks must come down
    /// again, by half in about 710 empty ones where it is high, and by a part in each at least.
    public static let changeDenominatorRange: ClosedRange<UInt64> = 2...1024

    /// The values that a proposal may name.
    /// - Parameters:
    ///   - stakeUnit: The stake that weighs one vote, which genesis fixes.
    ///   - stakeMinimum: The least stake of a validator, which genesis fixes too.
    public func range(stakeUnit: Amount, stakeMinimum: Amount) -> ClosedRange<UInt64> {
        switch self {
        // Votes must stay affordable whatever was decided: at all greatest values one by 32 keys
        // costs what 800 votes' stake is worth, and a validator has 1000 at least by default. Full
        // blocks can make it dearer for a while.
        case .baseFee: 0...max(1, stakeUnit.rawValue / 100)
        case .byteWeight: 0...10
        case .signatureWeight, .writeWeight: 0...1000
        case .streamDeposit, .escrowDeposit, .holdingDeposit, .assetDeposit: 0...1 << 48
        // A block must have room for a few transactions before it raises the fee.
        case .targetWeight: 10_000...1 << 48
        case .changeDenominator: GovernedParameter.changeDenominatorRange
        case .expiriesPerBlock: 1...10_000
        case .escrowDuration: 60_000...(100 * 366 * 86_400_000)
        // Without a vote nobody needs more than with one, or nobody could join.
        case .minimumBond: stakeUnit.rawValue...max(stakeUnit.rawValue, stakeMinimum.rawValue)
        case .reporterPermille: 0...GovernedParameter.reporterPermilleMax
        }
    }
}

extension GovernedParameter: BCSCodable {
    public func encode(to writer: inout BCSWriter) { writer.append(rawValue) }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let raw = try reader.readUInt16()
        guard let parameter = GovernedParameter(rawValue: raw) else {
            throw BCSError(.invalidValue("the parameter \(raw)"), at: start)
        }
        self = parameter
    }
}

/// A value that a parameter shall have. Wire: parameter, value.
public struct ParameterChange: Hashable, Sendable, BCSCodable {
    public let parameter: GovernedParameter
    public let value: UInt64

    public init(_ parameter: GovernedParameter, _ value: UInt64) {
        self.parameter = parameter
        self.value = value
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(parameter)
        writer.append(value)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        parameter = try reader.read()
        value = try reader.readUInt64()
    }
}

/// Changes that come together or not at all.
///
/// Wire: changes (sorted by parameter, unique, 1...14).
public struct ParameterChanges: Hashable, Sendable, BCSCodable {
    /// Sorted by parameter, unique, at least one.
    public let changes: [ParameterChange]

    /// Changes in any order, or nil without one or with a parameter twice.
    public init?(_ changes: [ParameterChange]) {
        let sorted = changes.sorted { $0.parameter.rawValue < $1.parameter.rawValue }
        let isUnique = zip(sorted, sorted.dropFirst()).allSatisfy { $0.parameter != $1.parameter }
        guard !sorted.isEmpty, isUnique else { return nil }
        self.changes = sorted
    }

    public func encode(to writer: inout BCSWriter) { writer.append(list: changes) }

    public init(from reader: inout BCSReader) throws(BCSError) {
        changes = try reader.readSortedList(
            minimum: 1, maximum: GovernedParameter.allCases.count, elementBytes: 10
        ) { (change: ParameterChange) in change.parameter.rawValue }
    }
}

/// A validator's vote, by its owner. Wire: proposal, key, approves.
public struct ParameterVote: Hashable, Sendable, BCSCodable {
    public let proposal: ProposalID
    /// The validator's voting key.
    public let key: PublicKey
    public let approves: Bool

    public init(proposal: ProposalID, key: PublicKey, approves: Bool) {
        self.proposal = proposal
        self.key = key
        self.approves = approves
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(proposal)
        writer.append(key)
        writer.append(approves)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        proposal = try reader.read()
        key = try reader.read()
        approves = try reader.readBool()
    }
}

extension ProposalID {
    /// The id of the proposal that the operation at `operation` of a transaction makes:
    /// `H(proposal, transaction id ‖ operation as four bytes, little-endian)`.
    public static func made(by transaction: TransactionID, operation: Int) -> ProposalID {
        var writer = BCSWriter(capacity: 36)
        writer.append(transaction)
        writer.append(UInt32(truncatingIfNeeded: operation))
        return ProposalID(Digest.hash(.proposal, writer.bytes).bytes32)
    }
}
