@testable import Primitives

/// Edwards25519 by the textbook: affine points, the addition law of RFC 8032 section 5.1, one
/// inversion for each coordinate.
struct OraclePoint: Equatable {
    static let p = BigNumber.power(ofTwo: 255) - 19
    static let order =
        BigNumber.power(ofTwo: 252)
        + BigNumber(words: [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6])
    static let d = (p - 121665) * inverse(121666) % p
    static let identity = OraclePoint(x: 0, y: 1)
    static let base = OraclePoint(y: 4 * inverse(5) % p, isOdd: false)

    let x: BigNumber
    let y: BigNumber

    init(x: BigNumber, y: BigNumber) {
        self.x = x
        self.y = y
    }

    /// The point at `y`, or nil: y² - 1 divided by d·y² + 1 must be a square.
    init?(y: BigNumber, isOdd: Bool) {
        let p = OraclePoint.p
        let yy = y * y % p
        let xx = (yy + p - 1) * OraclePoint.inverse((OraclePoint.d * yy + 1) % p) % p
        var root = xx.power(BigNumber.power(ofTwo: 252) - 2, modulo: p)
        if root * root % p != xx {
            root = root * BigNumber(2).power(BigNumber.power(ofTwo: 253) - 5, modulo: p) % p
        }
        guard root * root % p == xx else { return nil }
        if root.isZero && isOdd { return nil }
        self.init(x: root.bit(0) == isOdd ? root : p - root, y: y)
    }

    static func inverse(_ value: BigNumber) -> BigNumber { value.power(p - 2, modulo: p) }

    static func + (left: OraclePoint, right: OraclePoint) -> OraclePoint {
        let (xx, yy) = (left.x * right.x % p, left.y * right.y % p)
        let product = d * xx % p * yy % p
        return OraclePoint(
            x: (left.x * right.y + left.y * right.x) * inverse(1 + product) % p,
            y: (yy + xx) * inverse(p + 1 - product) % p)
    }

    /// Doubling and adding, in projective coordinates to need one inversion only (Bernstein,
    /// Birkner, Joye, Lange, Peters, "Twisted Edwards curves", 2008, section 6).
    static func * (scalar: BigNumber, point: OraclePoint) -> OraclePoint {
        typealias Projective = (x: BigNumber, y: BigNumber, z: BigNumber)
        func add(_ left: Projective, _ right: Projective) -> Projective {
            let a = left.z * right.z % p
            let (c, product) = (left.x * right.x % p, left.y * right.y % p)
            let (b, e) = (a * a % p, d * c % p * product % p)
            let (f, g) = (b + p - e, b + e)
            let cross = (left.x + left.y) * (right.x + right.y) % p + 2 * p - c - product
            return (a * f % p * cross % p, a * g % p * (product + c) % p, f * g % p)
        }
        var sum: Projective = (0, 1, 1)
        for place in stride(from: scalar.bitWidth - 1, through: 0, by: -1) {
            sum = add(sum, sum)
            if scalar.bit(place) { sum = add(sum, (point.x, point.y, 1)) }
        }
        let inverse = inverse(sum.z)
        return OraclePoint(x: sum.x * inverse % p, y: sum.y * inverse % p)
    }

    /// RFC 8032, section 5.1.2.
    var encoded: Bytes32 {
        var bytes = y.bytes32
        if x.bit(0) { bytes[31] |= 0x80 }
        return Bytes32(bytes) ?? .zero
    }

    /// The eight points of small order: multiples of the part of order 8 of some point.
    static let smallOrder: [OraclePoint] = {
        let eighth = (2...).lazy.compactMap { y in
            OraclePoint(y: BigNumber(words: [y]), isOdd: false).map { order * $0 }
        }.first { 4 * $0 != identity }
        guard let eighth else { return [] }
        return (0..<8).map { BigNumber(words: [$0]) * eighth }
    }()

    /// Every 32 bytes that any decoder might take for a point of small order: the eight encodings,
    /// those with the sign of an x that is 0, and those with y + p where that fits.
    static let smallOrderEncodings: [Bytes32] = {
        var encodings: [Bytes32] = []
        for y in Set(smallOrder.map { $0.y.bytes32 }) {
            let plusP = BigNumber(littleEndian: y) + p
            let forms = plusP < BigNumber.power(ofTwo: 255) ? [y, plusP.bytes32] : [y]
            for form in forms {
                for sign: UInt8 in [0, 0x80] {
                    let bytes = form.dropLast() + [form[31] | sign]
                    encodings.append(Bytes32(bytes) ?? .zero)
                }
            }
        }
        return encodings.sorted()
    }()
}

extension EdwardsPoint {
    /// The encoding, by the code under test.
    var encoded: Bytes32 {
        let inverse = z.inverse
        let words = (y * inverse).canonicalWords
        let sign: UInt64 = (x * inverse).isOdd ? 1 << 63 : 0
        return Bytes32(littleEndianWords: [words.0, words.1, words.2, words.3 | sign])
    }

    /// The multiple of the base point.
    static func base(times scalar: GroupScalar) -> EdwardsPoint {
        MultiScalar.sum(of: UnsafeBufferPointer(start: nil, count: 0), base: scalar)
    }
}

extension Bytes32 {
    init(littleEndianWords words: [UInt64]) {
        let bytes = words.flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
        self = Bytes32(bytes) ?? .zero
    }
}

extension GroupScalar {
    init(_ generator: inout some RandomNumberGenerator) {
        self = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 8) { words in
            words.initialize(repeating: 0)
            for index in words.indices { words[index] = generator.next() }
            return GroupScalar(reducing: UnsafeRawBufferPointer(words))
        }
    }

    var number: BigNumber { BigNumber(words: [w0, w1, w2, w3]) }
    var bytes32: Bytes32 { Bytes32(littleEndianWords: [w0, w1, w2, w3]) }
}

extension FieldElement {
    /// The number that the limbs write, not reduced.
    var number: BigNumber {
        [l4, l3, l2, l1, l0].reduce(0) { $0 * BigNumber.power(ofTwo: 51) + BigNumber(words: [$1]) }
    }

    /// The number below p, by the code under test.
    var canonicalNumber: BigNumber {
        let words = canonicalWords
        return BigNumber(words: [words.0, words.1, words.2, words.3])
    }
}
