/// A sum of multiples by Pippenger: digits of c bits; in each place, points with equal digits are
/// collected in one bucket, and the buckets are added up, each as often as its digit says.
///
/// A place costs one addition for each term and two for each of its 2^(c - 1) buckets.
enum Buckets {
    /// The sum of the terms and of `base` (below 2^253) times B.
    static func sum(
        of terms: UnsafeBufferPointer<MultiScalar.Term>, base: GroupScalar
    ) -> EdwardsPoint {
        sum(of: terms, base: base, width: width(terms: terms.count))
    }

    /// The digits' width that measured best: each bit more saves additions of terms and doubles
    /// the buckets.
    static func width(terms: Int) -> Int {
        switch terms {
        case ..<300: 6
        case ..<1000: 7
        default: 8
        }
    }

    static func sum(
        of terms: UnsafeBufferPointer<MultiScalar.Term>, base: GroupScalar, width: Int
    ) -> EdwardsPoint {
        let count = terms.count + 1
        // Numbers below 2^253 and a carry: 254 bits.
        let places = 254 / width + 1
        return withUnsafeTemporaryAllocation(of: NielsPoint.self, capacity: count) { points in
            withUnsafeTemporaryAllocation(of: Int16.self, capacity: count * places) { digits in
                guard let point = points.baseAddress, let digit = digits.baseAddress else {
                    return .identity
                }
                for (index, term) in terms.enumerated() {
                    (point + index).initialize(to: NielsPoint(term.point))
                    write(term.scalar, width: width, to: digit + index, stride: count)
                }
                (point + terms.count).initialize(to: NielsPoint(BaseTables.base))
                write(base, width: width, to: digit + terms.count, stride: count)
                return walk(
                    points: point, digits: digit, count: count, places: places, width: width)
            }
        }
    }

    /// `number` as digits from -2^(width - 1) to 2^(width - 1), one for each place.
    private static func write(
        _ number: GroupScalar, width: Int, to digits: UnsafeMutablePointer<Int16>, stride: Int
    ) {
        let half = UInt64(1) << UInt64(width - 1)
        var carry: UInt64 = 0
        for place in 0..<(254 / width + 1) {
            let window = number.bits(at: place &* width, count: width) &+ carry
            carry = window > half ? 1 : 0
            // Up to 2^15 in size with widths up to 16; those in use are far below.
            (digits + place &* stride).initialize(
                to: Int16(truncatingIfNeeded: Int64(window) &- Int64(carry << UInt64(width))))
        }
    }

    private static func walk(
        points: UnsafePointer<NielsPoint>, digits: UnsafePointer<Int16>, count: Int, places: Int,
        width: Int
    ) -> EdwardsPoint {
        let bucketCount = 1 << (width - 1)
        return withUnsafeTemporaryAllocation(
            of: EdwardsPoint.self, capacity: bucketCount
        ) { buckets in
            guard let bucket = buckets.baseAddress else { return .identity }
            var sum = EdwardsPoint.identity
            for place in stride(from: places - 1, through: 0, by: -1) {
                buckets.initialize(repeating: .identity)
                fill(bucket, points: points, digits: digits + place &* count, count: count)
                sum = doubled(sum, times: width).adding(total(bucket, count: bucketCount))
            }
            return sum
        }
    }

    /// Adds each point to the bucket of its digit, bucket 0 being that of digit ±1.
    private static func fill(
        _ buckets: UnsafeMutablePointer<EdwardsPoint>, points: UnsafePointer<NielsPoint>,
        digits: UnsafePointer<Int16>, count: Int
    ) {
        for index in 0..<count {
            let digit = Int(digits[index])
            if digit > 0 {
                let bucket = buckets + (digit &- 1)
                bucket.pointee = (bucket.pointee + points[index]).extended
            } else if digit < 0 {
                let bucket = buckets + (-1 &- digit)
                bucket.pointee = (bucket.pointee - points[index]).extended
            }
        }
    }

    /// 1·b0 + 2·b1 + 3·b2 + ...: the sum of the running sums from the last bucket on.
    private static func total(
        _ buckets: UnsafePointer<EdwardsPoint>, count: Int
    ) -> EdwardsPoint {
        var running = buckets[count &- 1]
        var total = running
        for index in stride(from: count - 2, through: 0, by: -1) {
            running = (running + CachedPoint(buckets[index])).extended
            total = (total + CachedPoint(running)).extended
        }
        return total
    }

    private static func doubled(_ point: EdwardsPoint, times count: Int) -> EdwardsPoint {
        var doubled = point.projective.doubled
        for _ in 1..<count { doubled = doubled.projective.doubled }
        return doubled.extended
    }
}
