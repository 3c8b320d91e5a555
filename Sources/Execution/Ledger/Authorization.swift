internal import Primitives

/// What genesis says about transactions, and the check of one against the accounts it names.
struct LedgerRules: Sendable {
    let chainID: ChainID
    /// Those in force.
    var parameters: LedgerParameters
    /// The base fee that genesis says.
    let firstBaseFee: Amount
    var fees: FeeParameters { parameters.fees }
    var escrow: EscrowParameters { parameters.escrow }
    var verification: VerificationParameters { parameters.verification }
    var governance: GovernanceParameters { parameters.governance }
    var safeguards: SafeguardParameters { parameters.safeguards }
    var stake: StakeParameters { parameters.stake }
    var stakeUnit: Amount { parameters.stake.unit }
    let periods: VerifierPeriods
    /// Symbols that would pass for the native asset's.
    let reservedSymbols: Set<String>
    /// For simulations: the rule that is broken.
    let planted: PlantedFault?

    init(_ genesis: Genesis, planted: PlantedFault? = nil) {
        self.planted = planted
        chainID = genesis.chainID
        parameters = genesis.parameters
        firstBaseFee = genesis.parameters.fees.baseFee
        periods = VerifierPeriods(genesis.parameters)
        reservedSymbols = ["NATIVE", "OFFPEAK", genesis.prefix.uppercased()]
    }

    /// An account that a transaction speaks for: the sender first, then the cosigners.
    struct Party {
        let address: Address
        /// Nil for a cosigner without an account.
        let account: Account?
    }

    /// What a transaction costs before its operations.
    struct Charge: Hashable {
        /// Tip included.
        let fee: Amount
        /// What of it is paid above the base fee.
        let tip: Amount
        /// For a new stream.
        let deposit: Amount
        /// The policy of each party, in their order.
        let policies: [Policy]
        let nextSequence: SequenceNumber
        let spendable: Amount
        /// What it adds to the block's use.
        let weight: UInt64
        /// Whether the sender's signatures reach the admin threshold.
        let isAdmin: Bool

        /// What counts against the sender's limit of the native asset: not the base fee, which the
        /// protocol sets. It would lock an account whose limit is lower.
        var counted: Amount { tip.clampedAdvance(by: deposit.rawValue) }
    }

    /// Checks everything but the operations, in the order in which reasons are reported.
    ///
    /// - Parameters:
    ///   - baseFee: For each unit of weight.
    ///   - mayWait: Whether a sequence after the next one will do, since its turn may come.
    ///   - feeFactor: How many times the base fee it pays.
    /// - Throws: Why the transaction can't execute at `time`.
    func charge(
        for signed: SignedTransaction, parties: [Party], at time: Timestamp, baseFee: BaseFee,
        mayWait: Bool, feeFactor: UInt64 = 1
    ) throws(SkipReason) -> Charge {
        let transaction = signed.transaction
        try checkTime(transaction, time)
        guard let sender = parties.first?.account else { throw .unknownSender }
        try checkSequence(transaction, sender, mayWait)
        let revealed = try revealedPolicies(signed, parties)
        let policies = try LedgerRules.policies(of: parties, revealed)
        try checkSignatures(signed, policies)
        let isNew = transaction.stream != 0 && sender.stream(transaction.stream) == nil
        return try price(
            signed, bytes: LedgerRules.chargedBytes(signed, parties, revealed), sender,
            policies, deposit: isNew ? fees.streamDeposit : 0,
            Price(baseFee: baseFee, factor: feeFactor))
    }

    private func checkTime(
        _ transaction: Transaction, _ time: Timestamp
    ) throws(SkipReason) {
        guard transaction.chainID == chainID else { throw .wrongChain }
        if planted == .lateExecuted { return }
        guard time <= transaction.validUntil else { throw .expired }
        let ahead = transaction.validUntil.rawValue - time.rawValue
        let aheadMax =
            transaction.stream == 0
            ? TransactionLimits.validityMillisecondsMax
            : TransactionLimits.streamValidityMillisecondsMax
        guard ahead <= aheadMax else { throw .validTooLong }
    }

    private func checkSequence(
        _ transaction: Transaction, _ sender: Account, _ mayWait: Bool
    ) throws(SkipReason) {
        let next = sender.nextSequence(on: transaction.stream)
        guard transaction.sequence >= next else { throw .sequenceUsed }
        guard transaction.sequence == next || mayWait else { throw .sequenceAhead }
        let isKnown = sender.stream(transaction.stream) != nil
        guard isKnown || sender.streamCount < TransactionLimits.streamsMax else {
            throw .tooManyStreams
        }
    }

    /// The policies that come with the transaction, each of one party. That a party's policy is
    /// known already does no harm: two transactions may be on their way when the first reveals it.
    private func revealedPolicies(
        _ signed: SignedTransaction, _ parties: [Party]
    ) throws(SkipReason) -> [(address: Address, policy: Policy)] {
        var revealed: [(address: Address, policy: Policy)] = []
        for policy in signed.policies {
            let address = policy.address
            let isParty = parties.contains { $0.address == address }
            let isRepeated = revealed.contains { $0.address == address }
            guard isParty, !isRepeated else { throw .policyMismatch }
            revealed.append((address, policy))
        }
        return revealed
    }

    private static func policies(
        of parties: [Party], _ revealed: [(address: Address, policy: Policy)]
    ) throws(SkipReason) -> [Policy] {
        var policies: [Policy] = []
        for party in parties {
            let shown = revealed.first { $0.address == party.address }?.policy
            guard let policy = party.account?.policy ?? shown else { throw .policyMissing }
            policies.append(policy)
        }
        return policies
    }

    /// Every key belongs to a party's policy, and every party's threshold is reached; the sender's
    /// is the admin threshold where an operation replaces the policy or the safeguards. A key
    /// counts once, however often it signs.
    private func checkSignatures(
        _ signed: SignedTransaction, _ policies: [Policy]
    ) throws(SkipReason) {
        for authorization in signed.authorizations {
            let isKnown = policies.contains { $0.weight(of: authorization.publicKey) != nil }
            guard isKnown else { throw .unknownSigner }
        }
        let needsAdmin = signed.transaction.operations.contains(where: \.needsAdmin)
        for (place, policy) in policies.enumerated() {
            var needed = place == 0 && needsAdmin ? policy.admin : policy.spend
            if planted == .weightIgnored { needed = 1 }
            guard LedgerRules.weight(of: signed.authorizations, policy) >= needed else {
                throw .notAuthorized
            }
        }
    }

    static func weight(of authorizations: [Authorization], _ policy: Policy) -> UInt32 {
        var weight: UInt32 = 0
        for signer in policy.signers
        where authorizations.contains(where: { $0.publicKey == signer.publicKey }) {
            weight += UInt32(signer.weight)
        }
        return weight
    }
}

extension LedgerRules {
    /// The transaction's bytes without policies that were known before: whoever passes a
    /// transaction on could add those, since the signatures don't cover them.
    private static func chargedBytes(
        _ signed: SignedTransaction, _ parties: [Party],
        _ revealed: [(address: Address, policy: Policy)]
    ) -> Int {
        let known = revealed.filter { entry in
            parties.contains { $0.address == entry.address && $0.account?.policy != nil }
        }
        return known.reduce(signed.byteCount) { $0 - $1.policy.bcsBytes.count }
    }

    /// What a unit of weight costs.
    private struct Price {
        let baseFee: BaseFee
        let factor: UInt64

        /// The fee without tip, or nil above 2^64 - 1.
        func fee(of weight: UInt64) -> Amount? { baseFee.fee(of: weight, factor: factor) }
    }

    private func price(
        _ signed: SignedTransaction, bytes: Int, _ sender: Account, _ policies: [Policy],
        deposit: Amount, _ price: Price
    ) throws(SkipReason) -> Charge {
        let transaction = signed.transaction
        guard let weight = weight(of: signed, bytes: bytes), let base = price.fee(of: weight),
            base <= transaction.maxFee
        else { throw .feeTooLow }
        let room = transaction.maxFee.rawValue - base.rawValue
        let tip = min(transaction.tip.rawValue, room)
        let fee = Amount(base.rawValue + tip)
        let spendable = sender.native
        let (needed, overflow) = fee.rawValue.addingReportingOverflow(deposit.rawValue)
        guard !overflow, needed <= spendable.rawValue else { throw .insufficientForFee }
        return Charge(
            fee: fee, tip: Amount(tip), deposit: deposit, policies: policies,
            nextSequence: sender.nextSequence(on: transaction.stream), spendable: spendable,
            weight: weight, isAdmin: LedgerRules.isAdmin(signed, policies))
    }

    /// The sender's policy is the first.
    private static func isAdmin(_ signed: SignedTransaction, _ policies: [Policy]) -> Bool {
        policies.first.map { weight(of: signed.authorizations, $0) >= $0.admin } ?? false
    }

    /// Nil above 2^64 - 1.
    private func weight(of signed: SignedTransaction, bytes: Int) -> UInt64? {
        let parts = [
            (fees.byteWeight, UInt64(clamping: bytes)),
            (fees.signatureWeight, UInt64(signed.chargedSignatures)),
            (fees.writeWeight, UInt64(signed.transaction.operations.count)),
        ]
        do throws(ArithmeticOverflow) {
            var weight = Amount(0)
            for (unit, count) in parts {
                weight = try weight.adding(try Amount(unit).multiplied(by: count))
            }
            return weight.rawValue
        } catch {
            return nil
        }
    }
}
