package import Primitives

/// Who checks signatures, what they stand to lose, and how long things last.
///
/// Wire: spread, periodBlocks, termBlocks, complaintBlocks, minimumBond, unbondBlocks,
/// slashPermille, repeatSlashPermille, reporterPermille.
package struct VerificationParameters: Hashable, Sendable, BCSCodable {
    /// True: bonds above the validity threshold check each signature. False: all validators do.
    package let spread: Bool
    /// Heights for which a verifier set stands, 1...10,000.
    package let periodBlocks: UInt64
    /// Heights of a shard's term, 8...1,000,000.
    package let termBlocks: UInt64
    /// Heights that a transaction must wait before validators may complain of its shard's owner,
    /// 1...1000.
    package let complaintBlocks: UInt64
    /// The least bond of a verifier, at least one unit of stake.
    package internal(set) var minimumBond: Amount
    /// Heights from unbonding to withdrawing; so long an act can be reported, while its verifier
    /// set is kept (`setsKept`), and so long lasts the first jail. Covers every set and every
    /// committee in which the bond may still stand: at least two epochs and a lag.
    package let unbondBlocks: UInt64
    /// What a first offence costs, 0...1000 permille of all stake.
    package let slashPermille: UInt16
    /// What each further one costs, at least as much.
    package let repeatSlashPermille: UInt16
    /// The reporter's part of what is slashed; the treasury gets the rest.
    package internal(set) var reporterPermille: UInt16

    package init(
        spread: Bool = true, periodBlocks: UInt64 = 32, termBlocks: UInt64 = 128,
        complaintBlocks: UInt64 = 8, minimumBond: Amount = 1_000_000,
        unbondBlocks: UInt64 = 30_720, slashPermille: UInt16 = 50,
        repeatSlashPermille: UInt16 = 500, reporterPermille: UInt16 = 100
    ) {
        self.spread = spread
        self.periodBlocks = periodBlocks
        self.termBlocks = termBlocks
        self.complaintBlocks = complaintBlocks
        self.minimumBond = minimumBond
        self.unbondBlocks = unbondBlocks
        self.slashPermille = slashPermille
        self.repeatSlashPermille = repeatSlashPermille
        self.reporterPermille = reporterPermille
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(spread)
        for blocks in [periodBlocks, termBlocks, complaintBlocks] { writer.append(blocks) }
        writer.append(minimumBond)
        writer.append(unbondBlocks)
        for permille in [slashPermille, repeatSlashPermille, reporterPermille] {
            writer.append(permille)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        spread = try reader.readBool()
        periodBlocks = try reader.readUInt64()
        termBlocks = try reader.readUInt64()
        complaintBlocks = try reader.readUInt64()
        minimumBond = try reader.read()
        unbondBlocks = try reader.readUInt64()
        slashPermille = try reader.readUInt16()
        repeatSlashPermille = try reader.readUInt16()
        reporterPermille = try reader.readUInt16()
    }
}

// Periods. The set of period p is what the state says after height
// max(0, p * periodBlocks - executionLagMax - 1): whoever votes at the first height of p for a
// block that brings something to execute has executed that height. So some sets of later periods
// are known too, the more the longer execution may lag.
extension VerificationParameters {
    /// Periods before the present one whose sets are kept: certificates of batches name them.
    package static let passedPeriodsKept: UInt64 = 8

    /// The period that `height` lies in, from 0.
    package func period(of height: Height) -> UInt64 { height.rawValue / max(periodBlocks, 1) }

    /// The newest period whose set the state after `height` determines, with those before it.
    package func newestPeriod(after height: Height, lag: UInt64) -> UInt64 {
        period(of: height.clampedAdvance(by: lag).clampedAdvance(by: 1))
    }

    /// How many sets are kept: the present period's, those of passed ones, and all that are known
    /// ahead. 10 by default.
    package func setsKept(lag: UInt64) -> UInt64 {
        let ahead = (lag + max(periodBlocks, 1)) / max(periodBlocks, 1)
        return 1 + VerificationParameters.passedPeriodsKept + ahead
    }
}
