internal import Primitives

/// What the lengths of epochs are held to by the other parameters.
struct EpochCheck {
    private let stake: StakeParameters
    private let verification: VerificationParameters
    private let lag: UInt64

    /// Parameters of verification and of consensus must be checked already.
    init(_ parameters: LedgerParameters) {
        stake = parameters.stake
        verification = parameters.verification
        lag = parameters.consensus.executionLagMax
    }

    func run() throws(GenesisFault) {
        try length()
        try unbonding()
        try kept()
    }

    private func length() throws(GenesisFault) {
        let path = "parameters.stake.epochBlocks"
        guard stake.epochBlocks <= VerificationCheck.unbondBlocksMax / 2 else {
            throw GenesisFault(
                path,
                "\(stake.epochBlocks), at most \(VerificationCheck.unbondBlocksMax / 2) allowed")
        }
        guard stake.epochBlocks % verification.periodBlocks == 0 else {
            throw GenesisFault(
                path,
                "\(stake.epochBlocks) isn't a multiple of parameters.verification.periodBlocks,"
                    + " \(verification.periodBlocks): a verifier set must belong to one epoch")
        }
        // A committee is known a lag before its epoch: the epoch before has begun long before.
        guard stake.epochBlocks >= 4 * lag else {
            throw GenesisFault(
                path,
                "\(stake.epochBlocks) is below four times parameters.consensus.executionLagMax,"
                    + " \(4 * lag)")
        }
    }

    /// Who was elected can unbond at once: the stake must stay within reach until the epoch of that
    /// committee has ended, and then long enough for evidence.
    private func unbonding() throws(GenesisFault) {
        let least = 2 * stake.epochBlocks + lag
        guard verification.unbondBlocks >= least else {
            throw GenesisFault(
                "parameters.verification.unbondBlocks",
                "\(verification.unbondBlocks); a bond must outlive the committee that it was"
                    + " elected into: at least two parameters.stake.epochBlocks and a"
                    + " parameters.consensus.executionLagMax, \(least)")
        }
    }

    /// Committees are kept until evidence about them expires.
    private func kept() throws(GenesisFault) {
        let passed = (verification.unbondBlocks + lag + 2) / stake.epochBlocks
        guard passed + 2 <= EpochTable.countMax else {
            throw GenesisFault(
                "parameters.verification.unbondBlocks",
                "\(verification.unbondBlocks) are \(passed) epochs, whose committees would all be"
                    + " kept: at most \(EpochTable.countMax - 2)")
        }
    }
}
