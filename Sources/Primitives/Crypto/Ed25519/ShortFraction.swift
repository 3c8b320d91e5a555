/// A scalar h modulo L as a fraction u/v of numbers half as long: u = v·h modulo L.
///
/// An equation of points with the factor h holds, up to points of small order, exactly if the one
/// multiplied by v holds, for v isn't 0 modulo the prime L. Its numbers are half as long and so is
/// the chain of doublings (Antipa, Brown, Gallant, Lambert, Struik, Vanstone, "Accelerated
/// verification of ECDSA signatures", 2005).
///
/// u and v come from Euclid's algorithm on (L, h), stopped half way: remainders r[i] and cofactors
/// t[i] with r[i] = t[i]·h modulo L, the cofactors' signs alternating and |t[i]|·r[i - 1] ≤ L. With
/// r[i] the first remainder below 2^127, |t[i]| ≤ L/2^127 < 2^126.
struct ShortFraction {
    /// Below 2^127.
    let numerator: GroupScalar
    /// The size of v, from 1 to 2^126.
    let denominator: GroupScalar
    /// Whether v is below zero.
    let isNegative: Bool

    /// The fraction of a scalar below L.
    init(_ scalar: GroupScalar) {
        var (larger, smaller) = (GroupScalar.order, scalar)
        var (before, cofactor): (UInt128, UInt128) = (0, 1)
        var isNegative = false
        while smaller.bitWidth > 127 {
            ShortFraction.reduce(&larger, by: smaller, &before, by: cofactor)
            swap(&larger, &smaller)
            swap(&before, &cofactor)
            isNegative.toggle()
        }
        numerator = smaller
        denominator = GroupScalar(cofactor._low, cofactor._high, 0, 0)
        self.isNegative = isNegative
    }

    /// `larger` modulo `smaller`, and as many times `cofactor` added to `before`, by subtracting
    /// multiples by powers of two: quotients are mostly 1, 2 or 3.
    ///
    /// The size of what is added up is the next cofactor's, below 2^126.
    private static func reduce(
        _ larger: inout GroupScalar, by smaller: GroupScalar, _ before: inout UInt128,
        by cofactor: UInt128
    ) {
        let width = smaller.bitWidth
        while larger.bitWidth >= width {
            var shift = UInt64(larger.bitWidth &- width)
            var (difference, isBelow) = larger.minus(smaller.shifted(by: shift))
            if isBelow {
                if shift == 0 { return }
                shift &-= 1
                (difference, isBelow) = larger.minus(smaller.shifted(by: shift))
            }
            larger = difference
            before &+= cofactor &<< UInt128(shift)
        }
    }
}

extension GroupScalar {
    /// The number of bits from the highest 1 down.
    fileprivate var bitWidth: Int {
        if w3 != 0 { return 256 &- w3.leadingZeroBitCount }
        if w2 != 0 { return 192 &- w2.leadingZeroBitCount }
        if w1 != 0 { return 128 &- w1.leadingZeroBitCount }
        return 64 &- w0.leadingZeroBitCount
    }

    /// Times 2^`count`, modulo 2^256.
    fileprivate func shifted(by count: UInt64) -> GroupScalar {
        guard count < 64 else { return GroupScalar(0, w0, w1, w2).shifted(by: count &- 64) }
        // Shifting twice keeps the count of the second shift below 64.
        let rest = 63 &- count
        return GroupScalar(
            w0 << count, w1 << count | (w0 >> 1) >> rest, w2 << count | (w1 >> 1) >> rest,
            w3 << count | (w2 >> 1) >> rest)
    }
}
