internal import Primitives

/// What a genesis' parameters of verification are held to.
struct VerificationCheck {
    /// The most of `unbondBlocks`: no sum of heights comes near 2^64.
    static let unbondBlocksMax: UInt64 = 1_000_000_000

    private let verification: VerificationParameters
    private let stakeUnit: Amount
    private let lag: UInt64

    init(_ parameters: LedgerParameters) {
        verification = parameters.verification
        stakeUnit = parameters.stake.unit
        lag = parameters.consensus.executionLagMax
    }

    func run() throws(GenesisFault) {
        try range("periodBlocks", verification.periodBlocks, 1...10_000)
        try range("termBlocks", verification.termBlocks, 8...1_000_000)
        try range("complaintBlocks", verification.complaintBlocks, 1...1000)
        guard verification.minimumBond >= stakeUnit else {
            throw fault(
                "minimumBond",
                "\(verification.minimumBond) is below parameters.stake.unit, \(stakeUnit):"
                    + " such a bond would weigh nothing")
        }
        try unbonding()
        try range("slashPermille", UInt64(verification.slashPermille), 0...1000)
        let first = UInt64(verification.slashPermille)
        try range("repeatSlashPermille", UInt64(verification.repeatSlashPermille), first...1000)
        try range(
            "reporterPermille", UInt64(verification.reporterPermille),
            0...GovernedParameter.reporterPermilleMax)
    }

    /// A bond must outlive every set it stands in: sets are kept for so many periods.
    private func unbonding() throws(GenesisFault) {
        let kept = verification.setsKept(lag: lag)
        guard verification.unbondBlocks >= kept * verification.periodBlocks else {
            throw fault(
                "unbondBlocks",
                "\(verification.unbondBlocks); verifier sets are kept for \(kept) periods of"
                    + " \(verification.periodBlocks) heights, and a bond must outlive them:"
                    + " at least \(kept * verification.periodBlocks)")
        }
        try range("unbondBlocks", verification.unbondBlocks, 1...VerificationCheck.unbondBlocksMax)
    }

    private func range(
        _ name: String, _ value: UInt64, _ range: ClosedRange<UInt64>
    ) throws(GenesisFault) {
        guard range.contains(value) else {
            throw fault(name, "\(value) lies outside \(range.lowerBound)...\(range.upperBound)")
        }
    }

    private func fault(_ name: String, _ problem: String) -> GenesisFault {
        GenesisFault("parameters.verification.\(name)", problem)
    }
}
