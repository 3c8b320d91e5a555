internal import Primitives

/// Who receives how much of a block's fees.
struct FeeSplit {
    private let shares: FeeShares
    /// By validator index.
    private(set) var validators: [UInt64]
    private(set) var treasury: UInt64 = 0

    init(shares: FeeShares, validatorCount: Int) {
        self.shares = shares
        validators = [UInt64](repeating: 0, count: validatorCount)
    }

    /// Splits the fees of one batch: each share rounded down, the verifiers' in equal parts, and
    /// the treasury gets what is left. The sum of all batches' fees lies below 2^64.
    mutating func add(
        _ fees: UInt64, owner: ValidatorIndex, verifiers: [ValidatorIndex],
        proposer: ValidatorIndex
    ) {
        var left = fees
        left -= give(FeeSplit.part(fees, shares.owner), to: owner)
        left -= give(FeeSplit.part(fees, shares.proposer), to: proposer)
        if !verifiers.isEmpty {
            let each = FeeSplit.part(fees, shares.verifiers) / UInt64(verifiers.count)
            for verifier in verifiers { left -= give(each, to: verifier) }
        }
        treasury += left
    }

    private static func part(_ fees: UInt64, _ permille: UInt16) -> UInt64 {
        UInt64(1000).dividingFullWidth(fees.multipliedFullWidth(by: UInt64(permille))).quotient
    }

    /// - Returns: What was given: nothing to an index outside the committee.
    private mutating func give(_ amount: UInt64, to index: ValidatorIndex) -> UInt64 {
        guard Int(index.rawValue) < validators.count else { return 0 }
        validators[Int(index.rawValue)] += amount
        return amount
    }
}

extension Executor {
    /// Pays out a block's fees: to the validators by index, then to the treasury.
    mutating func distribute(_ split: FeeSplit) throws(StorageFault) {
        for (place, amount) in split.validators.enumerated() {
            try reward(amount, to: rules.rewardAddresses[place])
        }
        try reward(split.treasury, to: rules.fees.treasury)
    }

    private mutating func reward(_ amount: UInt64, to address: Address) throws(StorageFault) {
        guard amount > 0 else { return }
        do throws(Stop) {
            try credit(Amount(amount), of: .native, to: address)
        } catch {
            throw StorageFault("\(address) can't receive its share of the fees: \(error)")
        }
        try move(Amount(amount), from: .undistributed, to: .balances)
    }
}
