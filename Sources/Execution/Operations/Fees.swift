internal import Primitives

/// Who receives how much of a block's fees.
///
/// Of a batch's fees owner and proposer get their shares; the verifiers' share is split over the
/// batch's chunks by their transactions, and of each chunk over those who checked it, by their
/// bonds in the set of the batch's period. Every part is rounded down, and the treasury gets what
/// is left.
struct FeeSplit {
    private let shares: FeeShares
    /// By validator index.
    private(set) var validators: [UInt64]
    /// For checking, by key.
    private(set) var verifiers: [PublicKey: UInt64] = [:]
    private(set) var treasury: UInt64 = 0

    init(shares: FeeShares, validatorCount: Int) {
        self.shares = shares
        validators = [UInt64](repeating: 0, count: validatorCount)
    }

    /// Splits the fees of one batch. The sum of all fees of a block lies below 2^64.
    ///
    /// - Parameter set: Of the batch's period; nil for one that isn't known any more.
    mutating func add(
        _ fees: UInt64, of batch: ExecutableBlock.Batch, set: VerifierSet?,
        proposer: ValidatorIndex
    ) {
        var left = fees
        left -= give(FeeSplit.part(fees, UInt64(shares.owner), of: 1000), to: batch.owner)
        left -= give(FeeSplit.part(fees, UInt64(shares.proposer), of: 1000), to: proposer)
        if let set {
            let pool = FeeSplit.part(fees, UInt64(shares.verifiers), of: 1000)
            left -= give(pool, to: batch.chunks, set)
        }
        treasury += left
    }

    /// Splits the fees of the transactions that a block carries itself. Who proposed it gets what
    /// batches with them would have brought: with more a leader would gain by taking users'
    /// transactions out of batches, who pay twice for it.
    ///
    /// - Parameter usual: What they would have paid in batches.
    mutating func addDirect(_ fees: UInt64, usual: UInt64, proposer: ValidatorIndex) {
        let part = FeeSplit.part(usual, UInt64(shares.proposer), of: 1000)
        treasury += fees - give(part, to: proposer)
    }

    /// `amount * part / whole`, rounded down.
    /// - Precondition: `part` is at most `whole`, which is above zero.
    static func part(_ amount: UInt64, _ part: UInt64, of whole: UInt64) -> UInt64 {
        precondition(part <= whole && whole > 0, "\(part) of \(whole)")
        return whole.dividingFullWidth(amount.multipliedFullWidth(by: part)).quotient
    }

    /// - Returns: What was given: nothing to an index outside the committee.
    private mutating func give(_ amount: UInt64, to index: ValidatorIndex) -> UInt64 {
        guard Int(index.rawValue) < validators.count else { return 0 }
        validators[Int(index.rawValue)] += amount
        return amount
    }

    /// - Returns: What was given.
    private mutating func give(
        _ pool: UInt64, to chunks: [ExecutableBlock.ChunkCredit], _ set: VerifierSet
    ) -> UInt64 {
        let transactions = chunks.reduce(UInt64(0)) { $0 + UInt64($1.transactions) }
        var given: UInt64 = 0
        for chunk in chunks where chunk.transactions > 0 {
            let part = FeeSplit.part(pool, UInt64(chunk.transactions), of: transactions)
            given += give(part, to: Set(chunk.verifiers), set)
        }
        return given
    }

    private mutating func give(
        _ part: UInt64, to members: Set<VerifierIndex>, _ set: VerifierSet
    ) -> UInt64 {
        let bonds = set.bond(of: members)
        var given: UInt64 = 0
        for index in members {
            guard let member = set[index], member.bond > 0 else { continue }
            let amount = FeeSplit.part(part, member.bond, of: bonds)
            verifiers[member.key, default: 0] += amount
            given += amount
        }
        return given
    }
}

extension Executor {
    /// Pays out a block's fees: to the validators by index, to the verifiers by key, then to the
    /// treasury, which also gets what jailed verifiers would have had.
    mutating func distribute(_ split: FeeSplit) throws(StorageFault) {
        for (place, amount) in split.validators.enumerated() {
            try reward(amount, to: committee.validators[place].rewardAddress, .validatorReward)
        }
        var treasury = split.treasury
        for (key, amount) in split.verifiers.sorted(by: { $0.key < $1.key }) {
            treasury += amount - (try reward(amount, verifier: key))
        }
        if rules.planted == .feeByHashOrder, treasury > 0,
            let address = Set(committee.validators.map(\.rewardAddress)).first
        {
            treasury -= 1
            try reward(1, to: address, .validatorReward)
        }
        if rules.planted != .feeRemainderLost {
            try reward(treasury, to: rules.fees.treasury, .treasuryShare)
        }
    }

    /// - Returns: What was paid.
    private mutating func reward(
        _ amount: UInt64, verifier key: PublicKey
    ) throws(StorageFault) -> UInt64 {
        guard var verifier = try verifiers.read(key, source), !verifier.isGone,
            !verifier.isJailed(at: height)
        else { return 0 }
        try reward(amount, to: verifier.rewardAddress, .verifierReward(key))
        verifier.rewards = verifier.rewards.clampedAdvance(by: amount)
        verifiers.write(verifier, for: key)
        return amount
    }

    private mutating func reward(
        _ amount: UInt64, to address: Address, _ cause: PostingCause
    ) throws(StorageFault) {
        guard amount > 0 else { return }
        do throws(Stop) {
            try credit(Amount(amount), to: address, cause)
        } catch {
            throw StorageFault("\(address) can't receive its share of the fees: \(error)")
        }
        try move(Amount(amount), from: .undistributed, to: .balances)
    }
}
