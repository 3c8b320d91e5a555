/// A rule that a simulated node breaks on purpose: a test that can't see it protects nothing.
///
/// No configuration of a real node can name one; a simulation puts it into the nodes that it makes.
/// Consensus has further ones of its own (`PlantedBug`).
package enum PlantedFault: String, Hashable, Sendable, CaseIterable {
    // Ledger.
    /// A transaction whose operations fail gives its sequence back.
    case failedKeepsSequence
    /// Any signer of an account may act alone.
    case weightIgnored
    /// What divisions of fees leave over goes to nobody.
    case feeRemainderLost
    /// An escrow pays and still holds what it paid.
    case escrowKeepsPaid
    /// Deadlines of escrows are never carried out.
    case deadlineIgnored
    /// Transactions execute after their time.
    case lateExecuted
    /// A unit of a fee goes where a dictionary's order says.
    case feeByHashOrder
    // Mempool.
    /// One bond is enough for a verdict.
    case verdictOfOne
    /// Verifiers call every signature right without a look.
    case verdictUnseen
    /// Acks leave before they are on the disk.
    case ackUnsynced
    /// A restart forgets what was acked.
    case ackForgotten
    // Node.
    /// What was only admitted is called final.
    case finalTooEarly
    /// A restart executes the last block again.
    case executedAgain
    /// A block's writes reach the disk in two parts.
    case writesSplit
    /// How far lanes were included isn't kept.
    case lanesUnsaved
    // Epochs.
    /// The committee that an epoch was entered with isn't kept.
    case committeeUnsaved
    /// The store keeps the lanes of the epoch before among those of the present one.
    case lanesKept
    /// Who enters an epoch signs in it before it heard others.
    case entryUnasked
    // What the shell must do (Runtime/Core/CoreLoop.swift); the simulated shell leaves it out.
    /// Votes leave before their record is on the disk.
    case journalUnsynced
    /// A sync that failed is taken for one that worked.
    case syncErrorIgnored
}
