package import Primitives

/// The price of a unit of weight, as the blocks' use moves it: EIP-1559's rule in whole numbers.
///
/// A block whose executed transactions weigh `targetWeight` leaves the base fee as it is. A heavier
/// one raises it by at most one part in `changeDenominator`, at twice the target and above; a
/// lighter one lowers it likewise, never below what genesis says. It rises by at least 1.
package enum BaseFee {
    /// The base fee of the block after one with base fee `base` whose transactions weigh `used`.
    package static func next(
        after base: Amount, used: UInt64, _ fees: FeeParameters
    ) -> Amount {
        let target = fees.targetWeight
        guard used != target else { return max(base, fees.baseFee) }
        let isAbove = used > target
        let distance = isAbove ? min(used - target, target) : target - used
        // The distance is at most the target: the product's quotient is at most the base fee.
        let share = FeeSplit.part(base.rawValue, distance, of: target) / fees.changeDenominator
        if isAbove { return base.clampedAdvance(by: max(share, 1)) }
        return max(base.clampedRetreat(by: share), fees.baseFee)
    }

    /// Its name among the values of the system; absent as long as it is genesis' own.
    static let name = "basefee"
    package static let key = StateKey.system(name)

    static func stored(
        in source: any KeyValueSource, _ fees: FeeParameters
    ) throws(StorageFault) -> Amount {
        try StoredState.record(at: key.path, in: source) ?? fees.baseFee
    }
}
