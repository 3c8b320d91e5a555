package import Primitives

/// The price of a unit of weight, as the blocks' use moves it: EIP-1559's rule in whole numbers.
///
/// It is kept in parts of 1/65,536 of the native asset's unit, so that a low price moves by small
/// steps too. A block whose executed transactions weigh `targetWeight` leaves it as it is. A
/// heavier one raises it by at most one part in `changeDenominator`, at twice the target and above;
/// a lighter one lowers it likewise, never below what genesis says; either by one part at least.
/// Wire: eight bytes.
package struct BaseFee: Hashable, Comparable, Sendable, BCSCodable {
    /// Parts of a unit.
    package static let unit: UInt64 = 1 << 16

    package let parts: UInt64

    package init(parts: UInt64) { self.parts = parts }

    /// A price in whole units; at most 2^48 - 1 of them.
    package init(_ amount: Amount) {
        let (parts, overflow) = amount.rawValue.multipliedReportingOverflow(by: BaseFee.unit)
        self.parts = overflow ? .max : parts
    }

    /// In whole units, rounded up.
    package var amount: Amount {
        Amount(parts / BaseFee.unit + (parts % BaseFee.unit == 0 ? 0 : 1))
    }

    /// What a weight costs, rounded up, times `factor`; nil above 2^64 - 1.
    package func fee(of weight: UInt64, factor: UInt64 = 1) -> Amount? {
        let (high, low) = parts.multipliedFullWidth(by: weight)
        guard high < BaseFee.unit else { return nil }
        let (quotient, remainder) = BaseFee.unit.dividingFullWidth((high, low))
        let (sum, overflow) = quotient.addingReportingOverflow(remainder == 0 ? 0 : 1)
        return overflow ? nil : try? Amount(sum).multiplied(by: factor)
    }

    /// The base fee of the block after one with this base fee whose transactions weigh `used`.
    package func next(used: UInt64, _ fees: FeeParameters) -> BaseFee {
        let least = BaseFee(fees.baseFee)
        let target = fees.targetWeight
        guard used != target else { return max(self, least) }
        let isAbove = used > target
        let distance = isAbove ? min(used - target, target) : target - used
        // The distance is at most the target: the product's quotient is at most the base fee.
        let share = FeeSplit.part(parts, distance, of: target) / fees.changeDenominator
        let step = max(share, 1)
        guard isAbove else { return max(BaseFee(parts: parts - min(step, parts)), least) }
        let (sum, overflow) = parts.addingReportingOverflow(step)
        return max(BaseFee(parts: overflow ? .max : sum), least)
    }

    /// Its name among the values of the system; absent as long as it is genesis' own.
    static let name = "basefee"
    package static let key = StateKey.system(name)

    /// - Parameter first: What genesis says, whatever was decided since: that is what the base fee
    ///   is as long as the state has none.
    static func stored(
        in source: any KeyValueSource, first: Amount
    ) throws(StorageFault) -> BaseFee {
        try StoredState.record(at: key.path, in: source) ?? BaseFee(first)
    }

    package static func < (left: BaseFee, right: BaseFee) -> Bool { left.parts < right.parts }

    package func encode(to writer: inout BCSWriter) { writer.append(parts) }

    package init(from reader: inout BCSReader) throws(BCSError) {
        parts = try reader.readUInt64()
    }
}
