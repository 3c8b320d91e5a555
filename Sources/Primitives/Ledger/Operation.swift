/// One thing that a transaction does. Wire: variant index, then the payload.
public enum Operation: Hashable, Sendable {
    /// 0: moves an amount to an account, which is created if need be.
    case transfer(Transfer)
    /// 1: replaces the sender's policy; needs the admin threshold of the old one.
    case setPolicy(Policy)
    /// 2: moves funds of the sender, the payer, into a new escrow.
    case escrowCreate(EscrowTerms)
    /// 3: adds funds of the sender to an open escrow.
    case escrowTopUp(EscrowTopUp)
    /// 4: the decision of the sender and the cosigners who take part.
    case escrowDecide(EscrowDecision)
    /// 5: payer or payee suspends release and refund: from then on only arbitration decides.
    case escrowDispute(EscrowID)
    /// 6: an arbiter's split of all that is left.
    case escrowArbitrate(EscrowArbitration)
    /// 7: moves native asset of the sender to the bond of a verifier that it owns.
    case bond(Bond)
    /// 8: starts the release of a bond of the sender's.
    case unbond(Unbond)
    /// 9: pays all releases that are due of a verifier, by its key, to the sender, its owner.
    case withdraw(PublicKey)
    /// 10: shows that a verifier or owner broke the rules: its stake is slashed, the sender
    /// rewarded. At most 16 KiB.
    case reportEvidence([UInt8])
    /// 11: makes an asset, of which the sender is the issuer and nobody has anything yet.
    case issueAsset(AssetTerms)
    /// 12: new units of the sender's asset.
    case mint(Mint)
    /// 13: takes units that the sender holds out of existence.
    case redeem(Redemption)
    /// 14: takes the sender's asset, of which nothing exists, out of the state.
    case retireAsset(AssetID)
    /// 15: stops a holder of the sender's asset from spending it, or lets him again.
    case freeze(Freeze)
    /// 22: takes units of the sender's asset from a holder, out of existence.
    case clawback(Clawback)
    /// 24: proposes new values of parameters that genesis lets the validators change.
    case proposeParameters(ParameterChanges)
    /// 25: a validator's vote on a proposal, by its owner.
    case voteParameters(ParameterVote)
    /// 16: replaces the sender's spending limits and guardians; needs the admin threshold.
    case setSafeguards(SafeguardTerms)
    /// 17: the guardians of an account who sign propose a new policy for it.
    case proposeRecovery(RecoveryProposal)
    /// 18: the account, or its guardians, end the recovery that is pending.
    case vetoRecovery(Address)
    /// 19: puts the policy of a recovery in force whose delay is over; anybody may.
    case completeRecovery(Address)
    /// 21: participants take back their decisions.
    case escrowWithdrawDecision(EscrowWithdrawal)
    /// 20: takes a stream of the sender's away that was idle for 30 days, and returns its deposit.
    case closeStream(UInt16)
    /// 26: puts a verifier of the sender's, by its key, up for election as a validator.
    case declareCandidate(PublicKey)
    /// 27: takes a verifier of the sender's, by its key, out of the next elections.
    case withdrawCandidacy(PublicKey)
}

/// Moves `amount` of `asset` from the sender to `to`. Wire: to, asset, amount.
public struct Transfer: Hashable, Sendable, BCSCodable {
    public let to: Address
    public let asset: AssetID
    /// Above zero, or the operation fails.
    public let amount: Amount

    public init(to: Address, asset: AssetID = .native, amount: Amount) {
        self.to = to
        self.asset = asset
        self.amount = amount
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(to)
        writer.append(asset)
        writer.append(amount)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        to = try reader.read()
        asset = try reader.read()
        amount = try reader.read()
    }
}

/// Which way money leaves an escrow. Wire: variant 0 release, 1 refund.
public enum EscrowDirection: UInt32, Hashable, Sendable, BCSCodable {
    /// To the payee.
    case release = 0
    /// Back to the payer.
    case refund = 1

    public func encode(to writer: inout BCSWriter) { writer.appendVariant(rawValue) }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let index = try reader.readULEB128()
        guard let value = EscrowDirection(rawValue: index) else {
            throw BCSError(.unknownVariant(index), at: start)
        }
        self = value
    }
}

/// What payer and payee agree on. Times are block times.
///
/// Wire: payee, asset, amount, release, refund, optional arbitration, optional hashlock, optional
/// notBefore, deadline, onDeadline, optional arbitrationDeadline.
public struct EscrowTerms: Hashable, Sendable, BCSCodable {
    public let payee: Address
    public let asset: AssetID
    /// What the escrow starts with, above zero.
    public let amount: Amount
    /// Whose equal decisions release.
    public let release: Quorum
    /// Whose equal decisions refund.
    public let refund: Quorum
    /// Who decides after a dispute; without it nobody can dispute.
    public let arbitration: Quorum?
    /// The SHA-256 digest whose preimage a release needs.
    public let hashlock: Bytes32?
    /// No release before this time.
    public let notBefore: Timestamp?
    /// When the block carries out `onDeadline` with all that is left.
    public let deadline: Timestamp
    public let onDeadline: EscrowDirection
    /// The deadline after a dispute, later than `deadline`; given exactly when `arbitration` is.
    public let arbitrationDeadline: Timestamp?

    public init(
        payee: Address, asset: AssetID = .native, amount: Amount, release: Quorum, refund: Quorum,
        arbitration: Quorum? = nil, hashlock: Bytes32? = nil, notBefore: Timestamp? = nil,
        deadline: Timestamp, onDeadline: EscrowDirection = .refund,
        arbitrationDeadline: Timestamp? = nil
    ) {
        self.payee = payee
        self.asset = asset
        self.amount = amount
        self.release = release
        self.refund = refund
        self.arbitration = arbitration
        self.hashlock = hashlock
        self.notBefore = notBefore
        self.deadline = deadline
        self.onDeadline = onDeadline
        self.arbitrationDeadline = arbitrationDeadline
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(payee)
        writer.append(asset)
        writer.append(amount)
        writer.append(release)
        writer.append(refund)
        writer.append(optional: arbitration)
        writer.append(optional: hashlock)
        writer.append(optional: notBefore)
        writer.append(deadline)
        writer.append(onDeadline)
        writer.append(optional: arbitrationDeadline)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        payee = try reader.read()
        asset = try reader.read()
        amount = try reader.read()
        release = try reader.read()
        refund = try reader.read()
        arbitration = try reader.readOptional()
        hashlock = try reader.readOptional()
        notBefore = try reader.readOptional()
        deadline = try reader.read()
        onDeadline = try reader.read()
        arbitrationDeadline = try reader.readOptional()
    }
}

/// Adds `amount` of the sender to an escrow. Wire: escrow, amount.
public struct EscrowTopUp: Hashable, Sendable, BCSCodable {
    public let escrow: EscrowID
    public let amount: Amount

    public init(escrow: EscrowID, amount: Amount) {
        self.escrow = escrow
        self.amount = amount
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(escrow)
        writer.append(amount)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        escrow = try reader.read()
        amount = try reader.read()
    }
}

/// A participant's decision about part of what is held.
///
/// Wire: escrow, round, direction, amount, optional preimage.
public struct EscrowDecision: Hashable, Sendable, BCSCodable {
    public let escrow: EscrowID
    /// The round that the decision was made for; it moves on with every payout and with a dispute.
    public let round: UInt64
    public let direction: EscrowDirection
    /// How much, at most what is held.
    public let amount: Amount
    /// The preimage of the hashlock, where a release needs one.
    public let preimage: [UInt8]?

    public init(
        escrow: EscrowID, round: UInt64, direction: EscrowDirection, amount: Amount,
        preimage: [UInt8]? = nil
    ) {
        self.escrow = escrow
        self.round = round
        self.direction = direction
        self.amount = amount
        self.preimage = preimage
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(escrow)
        writer.append(round)
        writer.append(direction)
        writer.append(amount)
        writer.append(preimage != nil)
        if let preimage { writer.appendBytes(preimage) }
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        escrow = try reader.read()
        round = try reader.readUInt64()
        direction = try reader.read()
        amount = try reader.read()
        preimage =
            try reader.readBool()
            ? try reader.readBytes(maximum: TransactionLimits.preimageBytesMax) : nil
    }
}

/// An arbiter's split. Wire: escrow, round, toPayee, toPayer.
public struct EscrowArbitration: Hashable, Sendable, BCSCodable {
    public let escrow: EscrowID
    public let round: UInt64
    /// Together with `toPayer` exactly what is held.
    public let toPayee: Amount
    public let toPayer: Amount

    public init(escrow: EscrowID, round: UInt64, toPayee: Amount, toPayer: Amount) {
        self.escrow = escrow
        self.round = round
        self.toPayee = toPayee
        self.toPayer = toPayer
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(escrow)
        writer.append(round)
        writer.append(toPayee)
        writer.append(toPayer)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        escrow = try reader.read()
        round = try reader.readUInt64()
        toPayee = try reader.read()
        toPayer = try reader.read()
    }
}

extension Operation: BCSCodable {
    public func encode(to writer: inout BCSWriter) {
        switch self {
        case .transfer(let value): Operation.encode(0, value, to: &writer)
        case .setPolicy(let value): Operation.encode(1, value, to: &writer)
        case .escrowCreate(let value): Operation.encode(2, value, to: &writer)
        case .escrowTopUp(let value): Operation.encode(3, value, to: &writer)
        case .escrowDecide(let value): Operation.encode(4, value, to: &writer)
        case .escrowDispute(let value): Operation.encode(5, value, to: &writer)
        case .escrowArbitrate(let value): Operation.encode(6, value, to: &writer)
        case .bond(let value): Operation.encode(7, value, to: &writer)
        case .unbond(let value): Operation.encode(8, value, to: &writer)
        case .withdraw(let value): Operation.encode(9, value, to: &writer)
        case .reportEvidence(let evidence):
            writer.appendVariant(10)
            writer.appendBytes(evidence)
        case .issueAsset(let value): Operation.encode(11, value, to: &writer)
        case .mint(let value): Operation.encode(12, value, to: &writer)
        case .redeem(let value): Operation.encode(13, value, to: &writer)
        case .retireAsset(let value): Operation.encode(14, value, to: &writer)
        case .freeze(let value): Operation.encode(15, value, to: &writer)
        case .clawback(let value): Operation.encode(22, value, to: &writer)
        case .proposeParameters(let value): Operation.encode(24, value, to: &writer)
        case .voteParameters(let value): Operation.encode(25, value, to: &writer)
        case .setSafeguards(let value): Operation.encode(16, value, to: &writer)
        case .proposeRecovery(let value): Operation.encode(17, value, to: &writer)
        case .vetoRecovery(let value): Operation.encode(18, value, to: &writer)
        case .completeRecovery(let value): Operation.encode(19, value, to: &writer)
        case .escrowWithdrawDecision(let value): Operation.encode(21, value, to: &writer)
        case .closeStream(let number):
            writer.appendVariant(20)
            writer.append(number)
        case .declareCandidate(let key): Operation.encode(26, key, to: &writer)
        case .withdrawCandidacy(let key): Operation.encode(27, key, to: &writer)
        }
    }

    private static func encode(
        _ variant: UInt32, _ value: some BCSEncodable, to writer: inout BCSWriter
    ) {
        writer.appendVariant(variant)
        writer.append(value)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: self = .transfer(try reader.read())
        case 1: self = .setPolicy(try reader.read())
        case 2: self = .escrowCreate(try reader.read())
        case 3: self = .escrowTopUp(try reader.read())
        case 4: self = .escrowDecide(try reader.read())
        case 5: self = .escrowDispute(try reader.read())
        case 6: self = .escrowArbitrate(try reader.read())
        case 7: self = .bond(try reader.read())
        case 8: self = .unbond(try reader.read())
        case 9: self = .withdraw(try reader.read())
        case 10:
            self = .reportEvidence(
                try reader.readBytes(maximum: TransactionLimits.evidenceBytesMax))
        case 11: self = .issueAsset(try reader.read())
        case 12: self = .mint(try reader.read())
        case 13: self = .redeem(try reader.read())
        case 14: self = .retireAsset(try reader.read())
        case 15: self = .freeze(try reader.read())
        case 22: self = .clawback(try reader.read())
        case 24: self = .proposeParameters(try reader.read())
        case 25: self = .voteParameters(try reader.read())
        case 16: self = .setSafeguards(try reader.read())
        case 17: self = .proposeRecovery(try reader.read())
        case 18: self = .vetoRecovery(try reader.read())
        case 19: self = .completeRecovery(try reader.read())
        case 21: self = .escrowWithdrawDecision(try reader.read())
        case 20: self = .closeStream(try reader.readUInt16())
        case 26: self = .declareCandidate(try reader.read())
        case 27: self = .withdrawCandidacy(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }

    /// The fewest bytes that an operation takes: its variant and the length of no evidence.
    static let bytesMin = 2
}
