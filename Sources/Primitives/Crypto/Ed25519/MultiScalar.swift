/// Sums of multiples of points, the whole cost of checking signatures.
///
/// The points are sums modulo the points of small order only: scalars are taken modulo L, which
/// leaves such a point behind where a point isn't of prime order. Rule SC multiplies by 8 at last.
enum MultiScalar {
    /// A point and how many times it counts.
    struct Term: Sendable {
        let point: AffinePoint
        /// Below 2^253.
        let scalar: GroupScalar
    }

    /// From this number of terms on, Pippenger's way is the faster one (measured: equal at 256,
    /// half the time at 768), as the number of products says, too.
    ///
    /// Counted for as many scalars of 128 bits as of 253: Straus takes 40 additions of 8 products
    /// for a term; Pippenger with digits of 6 bits 32 of 7, and 2,770 of 8.5 for the buckets.
    static let bucketTermsMin = 256

    /// The sum of the terms and of `base` (below 2^253) times B.
    static func sum(
        of terms: UnsafeBufferPointer<Term>, base: GroupScalar
    ) -> EdwardsPoint {
        terms.count < bucketTermsMin
            ? Interleaving.sum(of: terms, base: base) : Buckets.sum(of: terms, base: base)
    }
}

/// A sum of multiples by Straus: one chain of doublings for all terms, and for each digit that
/// isn't 0 one addition of an odd multiple from the term's own table.
enum Interleaving {
    /// The digits' width for numbers below 2^128: a table of 4 and 128/5 additions.
    private static let shortWidth = 4
    /// For others: a table of 8 and 253/6 additions.
    private static let longWidth = 5
    private static let tableCount = 1 << (longWidth - 2)

    static func sum(
        of terms: UnsafeBufferPointer<MultiScalar.Term>, base: GroupScalar
    ) -> EdwardsPoint {
        withUnsafeTemporaryAllocation(
            of: CachedPoint.self, capacity: max(terms.count, 1) * tableCount
        ) { tables in
            // Two columns of digits more, for the two halves of `base`.
            let columns = terms.count + 2
            return withUnsafeTemporaryAllocation(
                of: Int8.self, capacity: columns * SignedDigits.count
            ) { digits in
                digits.initialize(repeating: 0)
                guard let table = tables.baseAddress, let digit = digits.baseAddress else {
                    return .identity
                }
                let used = max(
                    writeBase(base, to: digit + terms.count, stride: columns),
                    write(terms, tables: table, to: digit, stride: columns))
                return BaseTables.shared.points.withUnsafeBufferPointer { points in
                    guard let points = points.baseAddress else { return .identity }
                    return walk(
                        Chain(tables: table, base: points, digits: digit, terms: terms.count),
                        places: used)
                }
            }
        }
    }

    private static func write(
        _ terms: UnsafeBufferPointer<MultiScalar.Term>, tables: UnsafeMutablePointer<CachedPoint>,
        to digits: UnsafeMutablePointer<Int8>, stride: Int
    ) -> Int {
        var used = 0
        for (index, term) in terms.enumerated() {
            let isShort = term.scalar.w2 | term.scalar.w3 == 0
            let width = isShort ? shortWidth : longWidth
            fill(tables + index &* tableCount, count: 1 << (width - 2), of: term.point.extended)
            used = max(
                used,
                SignedDigits.write(
                    term.scalar, width: width, to: digits + index, stride: stride))
        }
        return used
    }

    /// `base` = low + 2^128·high, a column for each.
    private static func writeBase(
        _ base: GroupScalar, to digits: UnsafeMutablePointer<Int8>, stride: Int
    ) -> Int {
        let low = GroupScalar(base.w0, base.w1, 0, 0)
        let high = GroupScalar(base.w2, base.w3, 0, 0)
        let width = BaseTables.width
        return max(
            SignedDigits.write(low, width: width, to: digits, stride: stride),
            SignedDigits.write(high, width: width, to: digits + 1, stride: stride))
    }

    /// 1, 3, 5, ... times `point`.
    private static func fill(
        _ table: UnsafeMutablePointer<CachedPoint>, count: Int, of point: EdwardsPoint
    ) {
        let twice = CachedPoint(point.projective.doubled.extended)
        var multiple = point
        table.initialize(to: CachedPoint(multiple))
        for index in 1..<count {
            multiple = (multiple + twice).extended
            (table + index).initialize(to: CachedPoint(multiple))
        }
    }

    /// What the chain of doublings reads.
    private struct Chain {
        let tables: UnsafePointer<CachedPoint>
        let base: UnsafePointer<NielsPoint>
        let digits: UnsafePointer<Int8>
        let terms: Int

        init(
            tables: UnsafeMutablePointer<CachedPoint>, base: UnsafePointer<NielsPoint>,
            digits: UnsafeMutablePointer<Int8>, terms: Int
        ) {
            self.tables = UnsafePointer(tables)
            self.base = base
            self.digits = UnsafePointer(digits)
            self.terms = terms
        }
    }

    /// From the highest place down: double, then add what the place's digits say.
    private static func walk(_ chain: Chain, places: Int) -> EdwardsPoint {
        var sum = CompletedPoint(e: .zero, f: .one, g: .one, h: .one)
        var place = places
        while place > 0 {
            place &-= 1
            sum = sum.projective.doubled
            let row = chain.digits + place &* (chain.terms &+ 2)
            for index in 0..<chain.terms where row[index] != 0 {
                add(chain.tables + index &* tableCount, digit: Int(row[index]), to: &sum)
            }
            for half in 0..<2 where row[chain.terms &+ half] != 0 {
                let table = chain.base + half &* BaseTables.count
                add(table, digit: Int(row[chain.terms &+ half]), to: &sum)
            }
        }
        return sum.extended
    }

    /// The digit ±(2·i + 1) means the table's point i.
    @inline(__always)
    private static func add(
        _ table: UnsafePointer<CachedPoint>, digit: Int, to sum: inout CompletedPoint
    ) {
        let point = table + digit.magnitudeHalf
        sum = digit > 0 ? sum.extended + point.pointee : sum.extended - point.pointee
    }

    @inline(__always)
    private static func add(
        _ table: UnsafePointer<NielsPoint>, digit: Int, to sum: inout CompletedPoint
    ) {
        let point = table + digit.magnitudeHalf
        sum = digit > 0 ? sum.extended + point.pointee : sum.extended - point.pointee
    }
}

extension Int {
    /// Half the size of a digit, rounded down.
    @inline(__always)
    fileprivate var magnitudeHalf: Int { Int(truncatingIfNeeded: magnitude >> 1) }
}
