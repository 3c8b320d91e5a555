/// Something that has to happen in some run of a long enough row: a run of seeds that never gets
/// there tests less than it seems to.
package enum Mark: String, CaseIterable, Sendable {
    case viewNullified, viewChangeAfterEquivocation, leaderEquivocated, certificateFetched
    case blocksSynced, syncedByRange, journalTailLost, storeTailLost, restartedInView
    case blackoutSurvived, partitionWithoutQuorum, partitionHealed
    case diskFailed, rotFound, voteRegained, clockJumped, nodeFroze
    case batchOfSeveral, complaintIncluded, directIncluded
    case bodyFetched, checkByVerifier, checkDeclined, chunkRescued
    case paymentRefused, paymentBusy, doubleSpendLost, duplicateSettled, outcomeUnknown
    case forgedRefused, transactionFailed, escrowReleased, escrowRefunded, escrowExpired
    case escrowArbitrated, multisigPaid, executionBehind, recoveredAfterHealing, epochEntered
    case committeeChanged, memberLeft, memberReturned, newcomerVoted, newcomerProposed
}

/// Which marks a run reached, and how often.
package struct Marks: Sendable, Hashable {
    package private(set) var counts: [Mark: Int] = [:]

    package init() {}

    mutating func reach(_ mark: Mark) { counts[mark, default: 0] += 1 }

    package mutating func add(_ other: Marks) {
        counts.merge(other.counts) { $0 + $1 }
    }

    package func count(_ mark: Mark) -> Int { counts[mark] ?? 0 }

    package var missing: [Mark] { Mark.allCases.filter { count($0) == 0 } }
}
