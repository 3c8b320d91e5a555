import TestSupport
import Testing

@testable import Primitives

/// Decoding and sums of points against the textbook's curve.
@Suite struct Ed25519PointTests {
    @Test func `A point has one encoding and only that is decoded`() {
        var generator = SeededGenerator(seed: 21)
        let p = OraclePoint.p
        let edges = (0..<6).map { BigNumber(words: [$0]) }
        let top = (0..<22).map { BigNumber.power(ofTwo: 255) - BigNumber(words: [$0 + 1]) }
        let random = (0..<4).map { _ in BigNumber(littleEndian: generator.bytes(32)) % p }
        for y in edges + top + random {
            for sign: UInt8 in [0, 0x80] {
                var bytes = y.bytes32
                bytes[31] |= sign
                let decoded = AffinePoint(canonical: Bytes32(bytes) ?? .zero)
                let expected = y < p ? OraclePoint(y: y, isOdd: sign != 0) : nil
                #expect(decoded?.x.canonicalNumber == expected?.x)
                #expect(decoded?.y.canonicalNumber == expected?.y)
            }
        }
    }

    @Test func `The points of small order are known by coordinates and by doubling`() throws {
        let points = OraclePoint.smallOrder
        let encodings = Set(points.map(\.encoded))
        #expect(points.count == 8 && encodings.count == 8)
        for point in points {
            let decoded = try #require(AffinePoint(canonical: point.encoded))
            #expect(decoded.isSmallOrder && decoded.extended.isSmallOrder)
            let shifted = BaseTables.base.extended.adding(decoded.extended)
            #expect(!shifted.isSmallOrder)
            let affine = try #require(AffinePoint(canonical: shifted.encoded))
            #expect(!affine.isSmallOrder)
        }
    }

    @Test func `Sums agree with the textbook for equal, opposite and small points`() throws {
        let base = OraclePoint.base
        let unwrapped = try #require(base)
        let points = OraclePoint.smallOrder + [unwrapped, 5 * unwrapped, 7 * unwrapped]
        for left in points {
            for right in [points[1], points[4], unwrapped, 7 * unwrapped] {
                let one = try #require(AffinePoint(canonical: left.encoded)).extended
                let other = try #require(AffinePoint(canonical: right.encoded)).extended
                #expect(one.adding(other).encoded == (left + right).encoded)
                #expect(one.adding(other).subtracting(other).encoded == left.encoded)
            }
            let point = try #require(AffinePoint(canonical: left.encoded)).extended
            #expect(point.projective.doubled.extended.encoded == (left + left).encoded)
        }
    }

    @Test func `Multiples of the base point agree with the textbook`() throws {
        var generator = SeededGenerator(seed: 22)
        let base = try #require(OraclePoint.base)
        let scalars = [.zero, GroupScalar(1, 0, 0, 0), GroupScalar(&generator)]
        for scalar in scalars + [GroupScalar.order.minus(GroupScalar(1, 0, 0, 0)).0] {
            #expect(EdwardsPoint.base(times: scalar).encoded == (scalar.number * base).encoded)
        }
    }

    /// Terms with points of full order, of small order, equal ones and opposite ones, and with
    /// scalars at the ends of their ranges.
    private func terms(_ count: Int, _ generator: inout SeededGenerator) -> [MultiScalar.Term] {
        let small = OraclePoint.smallOrder.compactMap { AffinePoint(canonical: $0.encoded) }
        return (0..<count).map { index -> MultiScalar.Term in
            let point = EdwardsPoint.base(times: GroupScalar(UInt64(index / 3 + 1), 0, 0, 0))
            let mixed = point.adding(small[index % 8].extended)
            let affine = AffinePoint(canonical: mixed.encoded) ?? BaseTables.base
            let scalar: GroupScalar =
                switch index % 5 {
                case 0: GroupScalar(generator.next(), generator.next(), 0, 0)
                case 1: GroupScalar.order.minus(GroupScalar(1, 0, 0, 0)).0
                case 2: GroupScalar(.max, .max, 0, 0)
                default: GroupScalar(&generator)
                }
            return MultiScalar.Term(point: index % 7 == 0 ? affine.negated : affine, scalar: scalar)
        }
    }

    private func naive(_ terms: [MultiScalar.Term], _ base: GroupScalar) -> EdwardsPoint {
        let all = terms + [MultiScalar.Term(point: BaseTables.base, scalar: base)]
        return all.reduce(EdwardsPoint.identity) { sum, term in
            var multiple = EdwardsPoint.identity
            for place in (0..<256).reversed() {
                multiple = multiple.adding(multiple)
                if term.scalar.bits(at: place, count: 1) == 1 {
                    multiple = multiple.adding(term.point.extended)
                }
            }
            return sum.adding(multiple)
        }
    }

    @Test(arguments: [0, 1, 2, 3, 7, 40])
    func `Both ways of summing give the sum of the multiples`(count: Int) {
        var generator = SeededGenerator(seed: 23)
        let (terms, base) = (terms(count, &generator), GroupScalar(&generator))
        let expected = naive(terms, base).encoded
        terms.withUnsafeBufferPointer { terms in
            #expect(Interleaving.sum(of: terms, base: base).encoded == expected)
            for width in 2...10 {
                let sum = Buckets.sum(of: terms, base: base, width: width)
                #expect(sum.encoded == expected, "width \(width)")
            }
        }
    }
}
