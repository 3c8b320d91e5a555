/// A number of any size, slow and plain: what fast arithmetic is held against.
struct BigNumber: Comparable, Sendable, ExpressibleByIntegerLiteral {
    /// Little-endian, without zeros at the end.
    private var limbs: [UInt32]

    private init(limbs: [UInt32]) {
        self.limbs = limbs
        while self.limbs.last == 0 { self.limbs.removeLast() }
    }

    init(integerLiteral value: UInt64) {
        self.init(limbs: [UInt32(truncatingIfNeeded: value), UInt32(value >> 32)])
    }

    init(words: [UInt64]) {
        self.init(limbs: words.flatMap { [UInt32(truncatingIfNeeded: $0), UInt32($0 >> 32)] })
    }

    init(littleEndian bytes: some Sequence<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 * 256 + BigNumber(words: [UInt64($1)]) }
    }

    static func power(ofTwo exponent: Int) -> BigNumber {
        var limbs = [UInt32](repeating: 0, count: exponent / 32 + 1)
        limbs[exponent / 32] = 1 << UInt32(exponent % 32)
        return BigNumber(limbs: limbs)
    }

    var isZero: Bool { limbs.isEmpty }
    var bitWidth: Int { limbs.count * 32 - (limbs.last?.leadingZeroBitCount ?? 0) }

    func bit(_ place: Int) -> Bool {
        place / 32 < limbs.count && limbs[place / 32] >> UInt32(place % 32) & 1 == 1
    }

    /// The low 256 bits as 32 little-endian bytes.
    var bytes32: [UInt8] {
        (0..<32).map { index in
            index / 4 < limbs.count
                ? UInt8(truncatingIfNeeded: limbs[index / 4] >> UInt32(index % 4 * 8)) : 0
        }
    }

    static func < (left: BigNumber, right: BigNumber) -> Bool {
        if left.limbs.count != right.limbs.count { return left.limbs.count < right.limbs.count }
        return left.limbs.reversed().lexicographicallyPrecedes(right.limbs.reversed())
    }

    static func + (left: BigNumber, right: BigNumber) -> BigNumber {
        var (sum, carry): ([UInt32], UInt64) = ([], 0)
        for index in 0..<max(left.limbs.count, right.limbs.count) {
            carry += left.limb(index) + right.limb(index)
            sum.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        return BigNumber(limbs: sum + [UInt32(carry)])
    }

    /// `right` must not be larger.
    static func - (left: BigNumber, right: BigNumber) -> BigNumber {
        var (difference, borrow): ([UInt32], UInt64) = ([], 0)
        for index in 0..<left.limbs.count {
            let value = (1 << 32) + left.limb(index) - right.limb(index) - borrow
            difference.append(UInt32(truncatingIfNeeded: value))
            borrow = value >> 32 == 0 ? 1 : 0
        }
        return BigNumber(limbs: difference)
    }

    static func * (left: BigNumber, right: BigNumber) -> BigNumber {
        var product = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
        for (place, factor) in left.limbs.enumerated() {
            var carry: UInt64 = 0
            for index in right.limbs.indices {
                carry += UInt64(factor) * right.limb(index) + UInt64(product[place + index])
                product[place + index] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            product[place + right.limbs.count] = UInt32(carry)
        }
        return BigNumber(limbs: product)
    }

    /// Long division, a limb of the quotient at a time (Knuth, volume 2, 4.3.1, algorithm D, the
    /// guess put right by comparing).
    static func % (left: BigNumber, modulus: BigNumber) -> BigNumber {
        guard left >= modulus, let top = modulus.limbs.last else { return left }
        let shift = BigNumber.power(ofTwo: top.leadingZeroBitCount)
        let divisor = modulus * shift
        let leading = UInt64(divisor.limbs.last ?? 1)
        var rest: BigNumber = 0
        for limb in (left * shift).limbs.reversed() {
            rest = BigNumber(limbs: [limb] + rest.limbs)
            let count = divisor.limbs.count
            let high = rest.limb(count) << 32 | rest.limb(count - 1)
            // With the divisor's highest bit set the guess is at most 2 too large.
            var guess = BigNumber(words: [min(high / leading, UInt64(UInt32.max))])
            while guess * divisor > rest { guess = guess - 1 }
            rest = rest - guess * divisor
        }
        return rest.halved(times: top.leadingZeroBitCount)
    }

    private func halved(times count: Int) -> BigNumber {
        BigNumber(
            limbs: limbs.indices.map { index in
                UInt32(truncatingIfNeeded: (limb(index + 1) << 32 | limb(index)) >> UInt64(count))
            })
    }

    func power(_ exponent: BigNumber, modulo modulus: BigNumber) -> BigNumber {
        var power: BigNumber = 1
        for place in stride(from: exponent.bitWidth - 1, through: 0, by: -1) {
            power = power * power % modulus
            if exponent.bit(place) { power = power * self % modulus }
        }
        return power
    }

    private func limb(_ index: Int) -> UInt64 { index < limbs.count ? UInt64(limbs[index]) : 0 }
}
