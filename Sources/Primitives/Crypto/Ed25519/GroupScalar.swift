/// A number below 2^256, mostly one modulo L = 2^252 + c, the order of the base point
/// (c = 27742317777372353535851937790883648493; RFC 8032, section 5.1), as four little-endian
/// words.
struct GroupScalar: Equatable, Sendable {
    typealias Words = (UInt64, UInt64, UInt64, UInt64)

    let w0: UInt64
    let w1: UInt64
    let w2: UInt64
    let w3: UInt64

    @inline(__always)
    init(_ w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64) {
        self.w0 = w0
        self.w1 = w1
        self.w2 = w2
        self.w3 = w3
    }

    static var zero: GroupScalar { GroupScalar(0, 0, 0, 0) }
    static var order: GroupScalar { GroupScalar(order0, order1, 0, 1 << 60) }
    fileprivate static var order0: UInt64 { 0x5812_631a_5cf5_d3ed }
    fileprivate static var order1: UInt64 { 0x14de_f9de_a2f7_9cd6 }

    /// The number of 32 little-endian bytes, or nil if it isn't below L: rule SC, step 1.
    init?(canonical bytes: Bytes32) {
        let words = bytes.littleEndianWords
        let number = GroupScalar(words.0, words.1, words.2, words.3)
        guard number.minus(.order).borrow else { return nil }
        self = number
    }

    /// The number of 64 little-endian bytes modulo L: how a hash becomes a scalar.
    init(reducing bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == 64, "a hash of 64 bytes, not \(bytes.count)")
        var words = DoubleWords()
        for index in 0..<8 {
            words[index] = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        self = words.reduced
    }

    var isZero: Bool { w0 | w1 | w2 | w3 == 0 }

    /// The sum of two numbers below L, modulo L. Below 2^253 + 2^126, it fits.
    static func + (left: GroupScalar, right: GroupScalar) -> GroupScalar {
        left.wrappingSum(right).reducedOnce
    }

    /// The product modulo L of any two numbers.
    static func * (left: GroupScalar, right: GroupScalar) -> GroupScalar {
        DoubleWords(left, times: right).reduced
    }

    /// The difference modulo 2^256, and whether it fell below zero.
    func minus(_ other: GroupScalar) -> (difference: GroupScalar, borrow: Bool) {
        let (d0, b0) = w0.subtractingReportingOverflow(other.w0)
        let (d1, b1) = GroupScalar.subtract(w1, other.w1, b0)
        let (d2, b2) = GroupScalar.subtract(w2, other.w2, b1)
        let (d3, b3) = GroupScalar.subtract(w3, other.w3, b2)
        return (GroupScalar(d0, d1, d2, d3), b3)
    }

    /// The sum modulo 2^256.
    func wrappingSum(_ other: GroupScalar) -> GroupScalar {
        let (s0, c0) = w0.addingReportingOverflow(other.w0)
        let (s1, c1) = GroupScalar.add(w1, other.w1, c0)
        let (s2, c2) = GroupScalar.add(w2, other.w2, c1)
        return GroupScalar(s0, s1, s2, GroupScalar.add(w3, other.w3, c2).0)
    }

    /// Less L if that isn't below zero.
    var reducedOnce: GroupScalar {
        let (difference, borrow) = minus(.order)
        return borrow ? self : difference
    }

    @inline(__always)
    static func subtract(_ left: UInt64, _ right: UInt64, _ borrow: Bool) -> (UInt64, Bool) {
        let (first, below) = left.subtractingReportingOverflow(right)
        let (second, belowToo) = first.subtractingReportingOverflow(borrow ? 1 : 0)
        return (second, below || belowToo)
    }

    @inline(__always)
    static func add(_ left: UInt64, _ right: UInt64, _ carry: Bool) -> (UInt64, Bool) {
        let (first, above) = left.addingReportingOverflow(right)
        let (second, aboveToo) = first.addingReportingOverflow(carry ? 1 : 0)
        return (second, above || aboveToo)
    }
}

/// A number below 2^512 as eight little-endian words.
private struct DoubleWords {
    private var words = InlineArray<8, UInt64>(repeating: 0)

    init() {}

    /// The full product.
    init(_ left: GroupScalar, times right: GroupScalar) {
        addProduct(left.w0, right, at: 0)
        addProduct(left.w1, right, at: 1)
        addProduct(left.w2, right, at: 2)
        addProduct(left.w3, right, at: 3)
    }

    subscript(index: Int) -> UInt64 {
        get { words[index] }
        set { words[index] = newValue }
    }

    private mutating func addProduct(_ factor: UInt64, _ other: GroupScalar, at place: Int) {
        var carry: UInt64 = 0
        addProduct(factor, other.w0, &carry, at: place)
        addProduct(factor, other.w1, &carry, at: place + 1)
        addProduct(factor, other.w2, &carry, at: place + 2)
        addProduct(factor, other.w3, &carry, at: place + 3)
        words[place + 4] = carry
    }

    /// Adds `left`·`right` and the carry to a word. At most (2^64 - 1)^2 + 2·(2^64 - 1), which is
    /// 2^128 - 1: the new carry is one word.
    private mutating func addProduct(
        _ left: UInt64, _ right: UInt64, _ carry: inout UInt64, at place: Int
    ) {
        let product = left.multipliedFullWidth(by: right)
        let sum =
            UInt128(_low: product.low, _high: product.high) &+ UInt128(words[place])
            &+ UInt128(carry)
        words[place] = sum._low
        carry = sum._high
    }

    /// Modulo L. With 2^252 = -c modulo L, what stands above bit 252 is folded down three times:
    ///
    /// x = x0 + 2^252·x1 ≡ x0 - c·x1, where x1 < 2^260 and y = c·x1 < 2^385;
    /// y ≡ y0 - c·y1, where y1 < 2^133 and z = c·y1 < 2^258; z ≡ z0 - c·z1, where z1 < 2^6.
    ///
    /// x ≡ x0 - y0 + z0 - c·z1 lies between -2^252 - 2^131 and 2^253. With 2·L added it lies
    /// between 0 and 2^254 + 2^127, below 4·L: three conditional subtractions remain.
    var reduced: GroupScalar {
        let y = highTimesC
        let z = y.highTimesC
        let last = z.highTimesC
        let twice = GroupScalar.order.wrappingSum(.order)
        let sum = twice.wrappingSum(low).wrappingSum(z.low)
        return sum.minus(y.low).difference.minus(last.low).difference
            .reducedOnce.reducedOnce.reducedOnce
    }

    /// The low 252 bits.
    private var low: GroupScalar {
        GroupScalar(words[0], words[1], words[2], words[3] & (1 << 60 - 1))
    }

    /// What stands above bit 252, below 2^260, times c, below 2^125: below 2^385.
    private var highTimesC: DoubleWords {
        var product = DoubleWords()
        for place in 0..<5 {
            let above = place < 4 ? words[place + 4] << 4 : 0
            let factor = words[place + 3] >> 60 | above
            product.addC(times: factor, at: place)
        }
        return product
    }

    private mutating func addC(times factor: UInt64, at place: Int) {
        guard factor != 0 else { return }
        var carry: UInt64 = 0
        addProduct(factor, GroupScalar.order0, &carry, at: place)
        addProduct(factor, GroupScalar.order1, &carry, at: place + 1)
        words[place + 2] = carry
    }
}

extension Bytes32 {
    /// The bytes as four little-endian words, the lowest first.
    var littleEndianWords: (UInt64, UInt64, UInt64, UInt64) {
        withUnsafeBytes { bytes in
            func word(_ index: Int) -> UInt64 {
                UInt64(
                    littleEndian: bytes.loadUnaligned(
                        fromByteOffset: index * 8, as: UInt64.self))
            }
            return (word(0), word(1), word(2), word(3))
        }
    }
}
