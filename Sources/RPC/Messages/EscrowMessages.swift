package import Primitives

/// What `escrow_get` answers. Times are block times.
package struct EscrowInfo: Codable, Hashable, Sendable {
    /// `esc` text.
    package let id: String
    /// `acc` text.
    package let payer: String
    /// `acc` text.
    package let payee: String
    /// 64 hexadecimal digits; all zero for the native asset.
    package let asset: String
    package let state: EscrowState
    /// What is left; all that was paid in is `held + released + refunded`.
    package let held: Amount
    /// What went to the payee.
    package let released: Amount
    /// What went back to the payer.
    package let refunded: Amount
    /// Decisions count only if they name it; it moves on with every change of `held`.
    package let round: UInt64
    package let release: QuorumInfo
    package let refund: QuorumInfo
    /// Absent if nobody can dispute.
    package let arbitration: QuorumInfo?
    /// The SHA-256 digest whose preimage a release needs; 64 hexadecimal digits.
    package let hashlock: String?
    /// The preimage, once shown; hexadecimal digits.
    package let preimage: String?
    /// No release before this time.
    package let notBefore: Timestamp?
    /// When the block carries out `onDeadline`.
    package let deadline: Timestamp
    package let onDeadline: DirectionName
    /// The deadline after a dispute.
    package let arbitrationDeadline: Timestamp?
    /// Of this round, in order of participant.
    package let decisions: [DecisionInfo]
    /// The block after which all this holds.
    package let height: Height

    package init(
        id: String, payer: String, payee: String, asset: String, state: EscrowState, held: Amount,
        released: Amount, refunded: Amount, round: UInt64, release: QuorumInfo,
        refund: QuorumInfo, arbitration: QuorumInfo? = nil, hashlock: String? = nil,
        preimage: String? = nil, notBefore: Timestamp? = nil, deadline: Timestamp,
        onDeadline: DirectionName, arbitrationDeadline: Timestamp? = nil,
        decisions: [DecisionInfo], height: Height
    ) {
        self.id = id
        self.payer = payer
        self.payee = payee
        self.asset = asset
        self.state = state
        self.held = held
        self.released = released
        self.refunded = refunded
        self.round = round
        self.release = release
        self.refund = refund
        self.arbitration = arbitration
        self.hashlock = hashlock
        self.preimage = preimage
        self.notBefore = notBefore
        self.deadline = deadline
        self.onDeadline = onDeadline
        self.arbitrationDeadline = arbitrationDeadline
        self.decisions = decisions
        self.height = height
    }
}

/// Whether an escrow still moves.
package enum EscrowState: String, Codable, Hashable, Sendable {
    case open
    /// Only arbitration decides.
    case disputed
    /// Nothing is held any more.
    case closed
}

/// Which way money leaves an escrow.
package enum DirectionName: String, Codable, Hashable, Sendable {
    /// To the payee.
    case release
    /// Back to the payer.
    case refund

    /// The name of `direction`.
    package init(_ direction: EscrowDirection) {
        switch direction {
        case .release: self = .release
        case .refund: self = .refund
        }
    }
}

/// Whose equal decisions count.
package struct QuorumInfo: Codable, Hashable, Sendable {
    /// In order of address.
    package let members: [MemberInfo]
    /// The weight that is needed.
    package let threshold: UInt32

    package init(
        members: [MemberInfo], threshold: UInt32
    ) {
        self.members = members
        self.threshold = threshold
    }
}

/// A participant and its weight.
package struct MemberInfo: Codable, Hashable, Sendable {
    /// `acc` text.
    package let address: String
    package let weight: UInt16

    package init(
        address: String, weight: UInt16
    ) {
        self.address = address
        self.weight = weight
    }
}

/// What a participant has decided in this round.
package struct DecisionInfo: Codable, Hashable, Sendable {
    /// `acc` text.
    package let participant: String
    package let direction: DirectionName
    package let amount: Amount

    package init(
        participant: String, direction: DirectionName, amount: Amount
    ) {
        self.participant = participant
        self.direction = direction
        self.amount = amount
    }
}

/// What `escrow_list` answers: the escrows that an address takes part in.
package struct EscrowList: Codable, Hashable, Sendable {
    /// In order of id.
    package let escrows: [EscrowInfo]
    /// What to give as `after` for the following page; absent on the last.
    package let next: String?

    package init(
        escrows: [EscrowInfo], next: String? = nil
    ) {
        self.escrows = escrows
        self.next = next
    }
}
