/// Numbers written with few digits that aren't zero, so that a multiple of a point needs few
/// additions.
enum SignedDigits {
    /// How many places a number below 2^255 takes.
    static let count = 256

    /// Writes `number`, below 2^255, as a sum of digits[i]·2^i with digits that are 0 or odd and
    /// below 2^(width - 1) in size, at least `width` - 1 zeros after each that isn't 0 (the
    /// width-w non-adjacent form; one digit in width + 1 isn't 0 on average). Returns the number
    /// of places used.
    ///
    /// `digits` holds `count` zeros; place i is at `digits[i * stride]`.
    static func write(
        _ number: GroupScalar, width: Int, to digits: UnsafeMutablePointer<Int8>, stride: Int
    ) -> Int {
        let half = UInt64(1) << UInt64(width - 1)
        var (place, carry, used): (Int, UInt64, Int) = (0, 0, 0)
        while place < count {
            let window = number.bits(at: place, count: width) &+ carry
            if window & 1 == 0 {
                place &+= 1
                continue
            }
            // At most 2^width: no overflow, and the digit fits with its sign up to width 8.
            carry = window > half ? 1 : 0
            digits[place &* stride] = Int8(
                truncatingIfNeeded: Int64(window) &- Int64(carry << UInt64(width)))
            used = place &+ 1
            place &+= width
        }
        return used
    }
}

extension GroupScalar {
    /// The `count` (1...16) bits from bit `place` (0...255) on; those above bit 255 are 0.
    @inline(__always)
    func bits(at place: Int, count: Int) -> UInt64 {
        let shift = UInt64(place & 63)
        let (low, high) =
            switch place >> 6 {
            case 0: (w0, w1)
            case 1: (w1, w2)
            case 2: (w2, w3)
            default: (w3, 0)
            }
        // Shifting twice keeps the count of the second shift below 64.
        return (low >> shift | (high << 1) << (63 - shift)) & ((1 << UInt64(count)) - 1)
    }
}
