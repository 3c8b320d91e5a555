/// Bounds on what a person may sign. Everything that comes from others is held to them before it
/// costs more than its own bytes.
public enum TransactionLimits {
    /// Operations in a transaction: one block's work stays even, and one receipt readable.
    public static let operationsMax = 16
    /// Bytes of a memo: a reference or a hash with room to spare.
    public static let memoBytesMax = 256
    /// Signers in a policy.
    public static let policySignersMax = 32
    /// Accounts besides the sender that a transaction may speak for.
    public static let cosignersMax = 8
    /// Signatures in a transaction: 64 cost 3.3 ms to check.
    public static let authorizationsMax = 64
    /// Policies that a transaction may reveal: the sender's and each cosigner's.
    public static let policiesMax = 1 + cosignersMax
    /// Bytes of a signed transaction; a larger one is refused unread.
    public static let bytesMax = 32 * 1024
    /// Streams of an account.
    public static let streamsMax = 64
    /// How far ahead `validUntil` may lie on stream 0, in milliseconds of block time: 24 hours.
    public static let validityMillisecondsMax: UInt64 = 24 * 3_600_000
    /// The same on other streams: 30 days, for payments signed off-line.
    public static let streamValidityMillisecondsMax: UInt64 = 30 * 24 * 3_600_000
    /// Members of an escrow's quorum.
    public static let quorumMembersMax = 16
    /// Bytes of a hashlock's preimage.
    public static let preimageBytesMax = 64
    /// Bytes of evidence: an ack or two headers, a transaction and its path in the batch's tree.
    public static let evidenceBytesMax = 16 * 1024
    /// Spending limits of an account, one for each asset.
    public static let spendingLimitsMax = 16
    /// The longest window of a spending limit, in milliseconds of block time: 30 days.
    public static let limitWindowMillisecondsMax: UInt64 = 30 * 24 * 3_600_000
    /// The longest delay of a recovery, in milliseconds of block time: 90 days.
    public static let recoveryDelayMillisecondsMax: UInt64 = 90 * 24 * 3_600_000
    /// How long a recovery can be completed once its delay is over: 30 days. Afterwards it is void,
    /// so that nobody finds an old one of which the owner knows nothing any more.
    public static let recoveryValidityMilliseconds: UInt64 = 30 * 24 * 3_600_000
}
