/// Why a transaction has no effect at all: no fee, no receipt, its sequence stays free.
///
/// The raw values are stable: programs act on them. Wire: one byte.
public enum SkipReason: UInt8, Error, Hashable, Sendable, CaseIterable {
    /// It was signed for another network.
    case wrongChain = 1
    /// `validUntil` has passed.
    case expired = 2
    /// `validUntil` lies further ahead than its stream allows.
    case validTooLong = 3
    /// The sequence was used before, by this or another transaction.
    case sequenceUsed = 4
    /// An earlier sequence of the stream is missing.
    case sequenceAhead = 5
    /// The sender has no account yet.
    case unknownSender = 6
    /// No policy is known or revealed for an account that must authorize.
    case policyMissing = 7
    /// A revealed policy isn't the one that the address was made from.
    case policyMismatch = 8
    /// An authorization by a key that no named account's policy holds.
    case unknownSigner = 9
    /// The authorizations weigh less than the threshold, or than a further veto needs.
    case notAuthorized = 10
    /// The fee is above `maxFee`.
    case feeTooLow = 11
    /// The balance doesn't cover the fee.
    case insufficientForFee = 12
    /// The account has no room for a further stream.
    case tooManyStreams = 13
    /// A signature is wrong.
    case invalidSignature = 14
    /// What it takes is above what one of the sender's spending limits leaves, and the
    /// authorizations don't reach its admin threshold.
    case limitReached = 15

    /// Whether to try again soon: the same bytes may execute as soon as an earlier transaction of
    /// the stream has. Others may execute later too, when a window of a limit ends, the base fee
    /// falls, or somebody pays the sender.
    public var mayRetry: Bool { self == .sequenceAhead }

    /// The stable name, as RPC gives it.
    public var name: String { String(describing: self) }
}

/// What the finalized state says of a transaction before it enters the mempool.
package enum Admission: Hashable, Sendable {
    /// It could not execute.
    case refused(SkipReason)
    /// It could execute when its turn comes: the stream's next sequence is `nextSequence`, the
    /// sender has `spendable` of the native asset, the transaction takes at most `cost` of it, and
    /// at the present base fee it would pay `tip` above that. `limits` are the sender's that it
    /// counts against, each asset once.
    case admissible(
        nextSequence: SequenceNumber, spendable: Amount, cost: Amount, tip: Amount,
        limits: [LimitUse] = [])
}

/// What a transaction takes of an asset of which its sender may spend only so much.
package struct LimitUse: Hashable, Sendable {
    package let asset: AssetID
    /// What the limit leaves by the finalized state.
    package let room: Amount
    package let cost: Amount

    package init(asset: AssetID, room: Amount, cost: Amount) {
        self.asset = asset
        self.room = room
        self.cost = cost
    }
}

/// The finalized state as the mempool sees it.
package protocol AdmissionView {
    /// O(signers), and a look at the state for each account or escrow that an operation names;
    /// checks no signature.
    func admission(of transaction: SignedTransaction) throws(StorageFault) -> Admission
}

/// Monotonic and wall clock at one moment; engines get it with each event and read no clock.
public struct Moment: Hashable, Sendable {
    /// For timers.
    public let now: Instant
    /// For block times only.
    public let wall: Timestamp

    public init(now: Instant, wall: Timestamp) {
        self.now = now
        self.wall = wall
    }
}
