import TestSupport
import Testing

@testable import Primitives

/// Fields, scalars and points against plain arithmetic on big numbers.
@Suite struct Ed25519ArithmeticTests {
    private static let rounds = 200
    private let p = OraclePoint.p
    private let order = OraclePoint.order

    /// Limbs below 2^`bits`, with many at the very ends of the range.
    private func element(bits: UInt64, _ generator: inout SeededGenerator) -> FieldElement {
        func limb() -> UInt64 {
            switch generator.next() % 8 {
            case 0: 0
            case 1, 2: (1 << bits) - 1
            default: generator.next() >> (64 - bits)
            }
        }
        return FieldElement(limb(), limb(), limb(), limb(), limb())
    }

    @Test func `Products, squares, sums and differences are those modulo p`() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<Self.rounds {
            let (left, right) = (element(bits: 54, &generator), element(bits: 54, &generator))
            let (low, high) = (element(bits: 52, &generator), element(bits: 53, &generator))
            #expect((left * right).canonicalNumber == left.number * right.number % p)
            #expect(left.squared.canonicalNumber == left.number * left.number % p)
            #expect((left + right).canonicalNumber == (left.number + right.number) % p)
            let difference = (high.number + 4 * p - low.number) % p
            #expect((high - low).canonicalNumber == difference)
            #expect((-low).canonicalNumber == (4 * p - low.number) % p)
        }
    }

    @Test func `Results stay within the limbs that the next product takes`() {
        var generator = SeededGenerator(seed: 12)
        let limb: UInt64 = 1 << 54 - 1
        let wide = FieldElement(limb, limb, limb, limb, limb)
        var products = [wide * wide, wide.squared]
        for _ in 0..<Self.rounds {
            products.append(element(bits: 54, &generator) * element(bits: 54, &generator))
        }
        for product in products {
            let (tight, spill): (UInt64, UInt64) = (1 << 51, 1 << 13)
            #expect(product.l1 < tight + spill)
            for limb in [product.l0, product.l2, product.l3, product.l4] {
                #expect(limb < tight)
            }
        }
        let loose: UInt64 = 0x10_0000_0000_3fff
        let difference = FieldElement.zero - FieldElement(loose, loose, loose, loose, loose)
        let bias: UInt64 = 0x20_0000_0000_0000 - 76
        #expect(difference.l0 == bias - loose)
    }

    @Test func `Every form of a number has one canonical form`() {
        for value: BigNumber in [0, 1, p - 1, p, p + 1, p + 18, 2 * p - 1, 2 * p, 2 * p + 1] {
            let words = (0..<4).map { word in
                (0..<64).reduce(UInt64(0)) {
                    $0 | (value.bit(64 * word + $1) ? UInt64(1) << UInt64($1) : 0)
                }
            }
            var element = FieldElement(words: (words[0], words[1], words[2], words[3]))
            element.l4 |= (words[3] >> 63) << 51
            #expect(element.number == value)
            #expect(element.canonicalNumber == value % p)
            #expect(element.isZero == (value % p).isZero)
        }
        let all = UInt64.max >> 14
        let largest = FieldElement(all, all, all, all, all)
        #expect(largest.canonicalNumber == largest.number % p)
    }

    @Test func `Powers for roots and inverses`() {
        var generator = SeededGenerator(seed: 13)
        for _ in 0..<3 {
            let value = element(bits: 54, &generator)
            let number = value.number
            let root = number.power(BigNumber.power(ofTwo: 252) - 3, modulo: p)
            #expect(value.rootPower.canonicalNumber == root)
            #expect(value.inverse.canonicalNumber == number.power(p - 2, modulo: p))
        }
        #expect(FieldElement.zero.inverse.isZero)
        let root = FieldElement.rootOfMinusOne
        #expect((root.squared + .one).isZero)
        #expect(FieldElement.d.canonicalNumber == OraclePoint.d)
        #expect(FieldElement.twoD.canonicalNumber == 2 * OraclePoint.d % p)
    }

    @Test func `Scalars are reduced, added and multiplied modulo the order`() {
        var generator = SeededGenerator(seed: 14)
        #expect(GroupScalar.order.number == order)
        for round in 0..<Self.rounds {
            var bytes = generator.bytes(64)
            if round < 20 { bytes = bytes.map { $0 < 128 ? 0 : 255 } }
            let reduced = bytes.withUnsafeBytes { GroupScalar(reducing: $0) }
            #expect(reduced.number == BigNumber(littleEndian: bytes) % order)
            let other = GroupScalar(&generator)
            #expect((reduced + other).number == (reduced.number + other.number) % order)
            #expect((reduced * other).number == reduced.number * other.number % order)
        }
        for multiple: UInt64 in [0, 1, 2, 3, 15, 16] {
            for offset: BigNumber in [0, 1, order - 1] {
                let number = BigNumber(words: [multiple]) * order + offset
                let bytes = number.bytes32 + [UInt8](repeating: 0, count: 32)
                guard number < BigNumber.power(ofTwo: 256) else { continue }
                let reduced = bytes.withUnsafeBytes { GroupScalar(reducing: $0) }
                #expect(reduced.number == offset % order)
            }
        }
        let largest = [UInt8](repeating: 0xFF, count: 64)
        let reduced = largest.withUnsafeBytes { GroupScalar(reducing: $0) }
        #expect(reduced.number == BigNumber(littleEndian: largest) % order)
    }

    @Test func `Only numbers below the order are scalars`() {
        for (number, isScalar): (BigNumber, Bool) in [
            (0, true), (1, true), (order - 1, true), (order, false), (order + 1, false),
            (BigNumber.power(ofTwo: 253), false), (BigNumber.power(ofTwo: 256) - 1, false),
        ] {
            let bytes = Bytes32(number.bytes32) ?? .zero
            #expect((GroupScalar(canonical: bytes) != nil) == isScalar)
        }
    }

    @Test(arguments: 3...8)
    func `Signed digits write their number with room between them`(width: Int) {
        var generator = SeededGenerator(seed: 15)
        let edges: [GroupScalar] = [
            .zero, GroupScalar(1, 0, 0, 0), GroupScalar(.max, .max, 0, 0),
            GroupScalar(.max, .max, .max, .max >> 2), .order.minus(GroupScalar(1, 0, 0, 0)).0,
        ]
        for scalar in edges + (0..<20).map({ _ in GroupScalar(&generator) }) {
            var digits = [Int8](repeating: 0, count: 2 * SignedDigits.count)
            let used = digits.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.map {
                    SignedDigits.write(scalar, width: width, to: $0, stride: 2)
                } ?? 0
            }
            var (positive, negative): (BigNumber, BigNumber) = (0, 0)
            var last = -width
            for place in 0..<SignedDigits.count where digits[2 * place] != 0 {
                let digit = digits[2 * place]
                #expect(digit & 1 == 1 && digit.magnitude < 1 << UInt8(width - 1))
                #expect(place - last >= width && place < used)
                last = place
                let weight =
                    BigNumber(words: [UInt64(digit.magnitude)]) * BigNumber.power(ofTwo: place)
                if digit > 0 { positive = positive + weight } else { negative = negative + weight }
            }
            #expect(positive == negative + scalar.number)
        }
    }

    @Test func `Every scalar is a fraction of two short numbers`() {
        var generator = SeededGenerator(seed: 16)
        let one = GroupScalar(1, 0, 0, 0)
        let edges: [GroupScalar] = [
            .zero, one, GroupScalar(2, 0, 0, 0), .order.minus(one).0, GroupScalar(0, 1 << 63, 0, 0),
            GroupScalar(.max, .max >> 1, 0, 0), GroupScalar(0, 0, 1, 0),
            GroupScalar(0, 0, 0, 1 << 59),
        ]
        for scalar in edges + (0..<Self.rounds).map({ _ in GroupScalar(&generator) }) {
            let fraction = ShortFraction(scalar)
            let (u, v) = (fraction.numerator.number, fraction.denominator.number)
            #expect(u < BigNumber.power(ofTwo: 127))
            #expect(!v.isZero && v <= BigNumber.power(ofTwo: 126))
            let product = v * scalar.number % order
            let isEqual = fraction.isNegative ? (product + u) % order == 0 : product == u
            #expect(isEqual)
        }
    }
}
