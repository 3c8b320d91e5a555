/// A number modulo p = 2^255 - 19, as five limbs of 51 bits: l0 + l1·2^51 + ... + l4·2^204.
///
/// Limbs may be larger than 51 bits, and a number has many forms; `canonicalWords` gives the one
/// that counts. Three sizes occur, and each operation says which it takes and gives:
///
/// - *tight*: l1 below 2^51 + 2^13, the others below 2^51: what products and squares are;
/// - *loose*: every limb below 2^52 + 2^14: the sum of two tight ones;
/// - *wide*: every limb below 2^54: the most that products and squares take.
///
/// A sum of limbs is never carried: it only becomes wider, and the next product makes it tight.
/// All arithmetic here wraps in name only: each line's comment shows that nothing can overflow.
/// The running time depends on the numbers in no way that matters, for none of them is secret.
///
/// Source of the representation: Bernstein, Duif, Lange, Schwabe, Yang, "High-speed high-security
/// signatures" (2012), section 3.
struct FieldElement: Sendable {
    var l0: UInt64
    var l1: UInt64
    var l2: UInt64
    var l3: UInt64
    var l4: UInt64

    @inline(__always)
    init(_ l0: UInt64, _ l1: UInt64, _ l2: UInt64, _ l3: UInt64, _ l4: UInt64) {
        self.l0 = l0
        self.l1 = l1
        self.l2 = l2
        self.l3 = l3
        self.l4 = l4
    }

    static var zero: FieldElement {
        @inline(__always) get { FieldElement(0, 0, 0, 0, 0) }
    }
    static var one: FieldElement {
        @inline(__always) get { FieldElement(1, 0, 0, 0, 0) }
    }

    /// The curve's constant, -121665/121666 (RFC 8032, section 5.1).
    static var d: FieldElement {
        @inline(__always) get {
            FieldElement(
                0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb,
                0x52036cee2b6ff)
        }
    }
    /// 2·d.
    static var twoD: FieldElement {
        @inline(__always) get {
            FieldElement(
                0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977,
                0x2406d9dc56dff)
        }
    }
    /// A square root of -1: 2^((p - 1)/4), since 2 is no square modulo p.
    static var rootOfMinusOne: FieldElement {
        @inline(__always) get {
            FieldElement(
                0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e,
                0x2b8324804fc1d)
        }
    }

    /// 2^51 - 1.
    @usableFromInline static var mask: UInt64 {
        @inline(__always) get { (1 << 51) &- 1 }
    }

    /// The number of the low 255 bits of four words, little-endian; tight.
    @inline(__always)
    init(words: (UInt64, UInt64, UInt64, UInt64)) {
        let mask = FieldElement.mask
        self.init(
            words.0 & mask,
            (words.0 >> 51 | words.1 << 13) & mask,
            (words.1 >> 38 | words.2 << 26) & mask,
            (words.2 >> 25 | words.3 << 39) & mask,
            words.3 >> 12 & mask)
    }

    /// The number below p that this is, as four words, little-endian. Takes any limbs.
    var canonicalWords: (UInt64, UInt64, UInt64, UInt64) {
        let mask = FieldElement.mask
        // Twice round: the first leaves l0 below 2^51 + 19·2^13, the second everything below 2^51
        // but for l0, below 2^51 + 19. The number is then below 2^255 + 19, that is below 2·p.
        var (l0, l1, l2, l3, l4) = carried.carried.limbs
        // Adding 19 reaches 2^255 exactly when the number is at least p; the carry out of the top
        // is then 1, and the low 255 bits of the sum are the number less p.
        let carry1 = (l0 &+ 19) >> 51
        let carry2 = (l1 &+ carry1) >> 51
        let carry3 = (l2 &+ carry2) >> 51
        let carry4 = (l3 &+ carry3) >> 51
        l0 = l0 &+ 19 &* ((l4 &+ carry4) >> 51)
        l1 = l1 &+ l0 >> 51
        l2 = l2 &+ l1 >> 51
        l3 = l3 &+ l2 >> 51
        l4 = l4 &+ l3 >> 51
        (l0, l1, l2, l3, l4) = (l0 & mask, l1 & mask, l2 & mask, l3 & mask, l4 & mask)
        return (
            l0 | l1 << 51, l1 >> 13 | l2 << 38, l2 >> 26 | l3 << 25, l3 >> 39 | l4 << 12
        )
    }

    private var limbs: (UInt64, UInt64, UInt64, UInt64, UInt64) { (l0, l1, l2, l3, l4) }

    /// Limbs carried once from l0 to l4, and from l4 round to l0 (2^255 = 19 modulo p).
    ///
    /// A carry is below 2^13, so with any limbs below 2^64 - 2^13 no sum overflows.
    private var carried: FieldElement {
        let mask = FieldElement.mask
        let m1 = l1 &+ l0 >> 51
        let m2 = l2 &+ m1 >> 51
        let m3 = l3 &+ m2 >> 51
        let m4 = l4 &+ m3 >> 51
        return FieldElement(
            l0 & mask &+ 19 &* (m4 >> 51), m1 & mask, m2 & mask, m3 & mask, m4 & mask)
    }

    /// Whether this is 0 modulo p.
    var isZero: Bool {
        let words = canonicalWords
        return words.0 | words.1 | words.2 | words.3 == 0
    }

    /// The lowest bit of the number below p: the "sign" of RFC 8032.
    var isOdd: Bool { canonicalWords.0 & 1 == 1 }
}

extension FieldElement {
    /// Limb by limb: tight + tight is loose; wide ones below 2^63 never overflow.
    @inline(__always)
    static func + (left: FieldElement, right: FieldElement) -> FieldElement {
        FieldElement(
            left.l0 &+ right.l0, left.l1 &+ right.l1, left.l2 &+ right.l2, left.l3 &+ right.l3,
            left.l4 &+ right.l4)
    }

    /// Limb by limb with 4·p added, whose limbs are 2^53 - 76 and four times 2^53 - 4: `right`,
    /// tight or loose, is below them, so nothing falls below zero. The result is below
    /// `left` + 2^53: wide for every `left` below 2^53.
    @inline(__always)
    static func - (left: FieldElement, right: FieldElement) -> FieldElement {
        let (low, other): (UInt64, UInt64) = ((1 << 53) &- 76, (1 << 53) &- 4)
        return FieldElement(
            left.l0 &+ low &- right.l0, left.l1 &+ other &- right.l1,
            left.l2 &+ other &- right.l2, left.l3 &+ other &- right.l3,
            left.l4 &+ other &- right.l4)
    }

    /// The negative of a tight or loose number; wide.
    @inline(__always)
    static prefix func - (value: FieldElement) -> FieldElement { .zero - value }

    /// The product of two wide numbers; tight.
    ///
    /// Products of limbs whose places sum to 5 and more wrap round with the factor 19. A wide limb
    /// times 19 is below 2^58.3, so it stays in 64 bits; a column is at most
    /// (1 + 4·19)·2^108 < 2^115.
    @inline(__always)
    static func * (left: FieldElement, right: FieldElement) -> FieldElement {
        let (r1, r2) = (right.l1 &* 19, right.l2 &* 19)
        let (r3, r4) = (right.l3 &* 19, right.l4 &* 19)
        let column0 =
            wide(left.l0, right.l0) &+ wide(left.l1, r4) &+ wide(left.l2, r3)
            &+ wide(left.l3, r2) &+ wide(left.l4, r1)
        let column1 =
            wide(left.l0, right.l1) &+ wide(left.l1, right.l0) &+ wide(left.l2, r4)
            &+ wide(left.l3, r3) &+ wide(left.l4, r2)
        let column2 =
            wide(left.l0, right.l2) &+ wide(left.l1, right.l1) &+ wide(left.l2, right.l0)
            &+ wide(left.l3, r4) &+ wide(left.l4, r3)
        let column3 =
            wide(left.l0, right.l3) &+ wide(left.l1, right.l2) &+ wide(left.l2, right.l1)
            &+ wide(left.l3, right.l0) &+ wide(left.l4, r4)
        let column4 =
            wide(left.l0, right.l4) &+ wide(left.l1, right.l3) &+ wide(left.l2, right.l2)
            &+ wide(left.l3, right.l1) &+ wide(left.l4, right.l0)
        return tight(column0, column1, column2, column3, column4)
    }

    /// The square of a wide number; tight. The columns of the product with equal terms joined:
    /// the factors 2 and 38 make them no larger than there, and a limb times 38 is below 2^59.3.
    @inline(__always)
    var squared: FieldElement {
        let (two0, two1) = (l0 &* 2, l1 &* 2)
        let (l2x38, l3x19) = (l2 &* 38, l3 &* 19)
        let (l4x19, l4x38) = (l4 &* 19, l4 &* 38)
        return FieldElement.tight(
            FieldElement.wide(l0, l0) &+ FieldElement.wide(two1, l4x19)
                &+ FieldElement.wide(l2x38, l3),
            FieldElement.wide(two0, l1) &+ FieldElement.wide(l2x38, l4)
                &+ FieldElement.wide(l3, l3x19),
            FieldElement.wide(two0, l2) &+ FieldElement.wide(l1, l1)
                &+ FieldElement.wide(l3, l4x38),
            FieldElement.wide(two0, l3) &+ FieldElement.wide(two1, l2)
                &+ FieldElement.wide(l4, l4x19),
            FieldElement.wide(two0, l4) &+ FieldElement.wide(two1, l3)
                &+ FieldElement.wide(l2, l2))
    }

    @inline(__always)
    private static func wide(_ left: UInt64, _ right: UInt64) -> UInt128 {
        let product = left.multipliedFullWidth(by: right)
        return UInt128(_low: product.low, _high: product.high)
    }

    /// Columns below 2^115, carried.
    ///
    /// A carry is below 2^64. The last column has no factor 19 in it, so it is at most
    /// 5·2^108 + 2^64 and its carry below 2^59.4; 19 times that and 51 bits stay below 2^64, and
    /// what l0 passes on to l1 is below 2^13.
    @inline(__always)
    private static func tight(
        _ column0: UInt128, _ column1: UInt128, _ column2: UInt128, _ column3: UInt128,
        _ column4: UInt128
    ) -> FieldElement {
        let sum1 = column1 &+ (column0 &>> 51)
        let sum2 = column2 &+ (sum1 &>> 51)
        let sum3 = column3 &+ (sum2 &>> 51)
        let sum4 = column4 &+ (sum3 &>> 51)
        let last = sum4 &>> 51
        let low0 = (column0._low & mask) &+ 19 &* last._low
        return FieldElement(
            low0 & mask, (sum1._low & mask) &+ low0 &>> 51, sum2._low & mask, sum3._low & mask,
            sum4._low & mask)
    }
}

extension FieldElement {
    /// This squared `count` times over: the power 2^count.
    @inline(never)
    func squared(times count: Int) -> FieldElement {
        var power = self
        for _ in 0..<count { power = power.squared }
        return power
    }

    /// The powers 2^250 - 1 and 11, from which both others come.
    ///
    /// A run of n ones, 2^n - 1, squared n times over and multiplied by itself is a run of 2·n.
    private var runOf250AndEleventh: (FieldElement, FieldElement) {
        let second = squared
        let ninth = self * second.squared(times: 2)
        let eleventh = second * ninth
        let ones5 = eleventh.squared * ninth
        let ones10 = ones5.squared(times: 5) * ones5
        let ones20 = ones10.squared(times: 10) * ones10
        let ones40 = ones20.squared(times: 20) * ones20
        let ones50 = ones40.squared(times: 10) * ones10
        let ones100 = ones50.squared(times: 50) * ones50
        let ones200 = ones100.squared(times: 100) * ones100
        return (ones200.squared(times: 50) * ones50, eleventh)
    }

    /// The power (p - 5)/8 = 2^252 - 3: 250 ones, then 01.
    var rootPower: FieldElement { runOf250AndEleventh.0.squared(times: 2) * self }

    /// The inverse, or 0 of 0: the power p - 2 = 2^255 - 21 = (2^250 - 1)·2^5 + 11 (Fermat).
    var inverse: FieldElement {
        let (ones250, eleventh) = runOf250AndEleventh
        return ones250.squared(times: 5) * eleventh
    }
}
