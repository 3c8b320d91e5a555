/// A point of the curve -x² + y² = 1 + d·x²·y² by its two coordinates, tight.
struct AffinePoint: Sendable {
    let x: FieldElement
    let y: FieldElement

    init(x: FieldElement, y: FieldElement) {
        self.x = x
        self.y = y
    }

    /// The point that `bytes` encode, or nil unless they are the one encoding of a point: y below
    /// p in 255 bits, then the lowest bit of x (RFC 8032, section 5.1.3; rule SC, steps 2 and 3).
    ///
    /// The curve gives x² = u/v with u = y² - 1 and v = d·y² + 1, where v is never 0 because
    /// -1/d is no square. Candidate: x = u·v³·(u·v⁷)^((p - 5)/8). Then v·x² is u, and x is the
    /// root; or it is -u, and x·√-1 is; or u/v is no square.
    init?(canonical bytes: Bytes32) {
        let words = bytes.littleEndianWords
        let isOdd = words.3 >> 63 == 1
        let y = FieldElement(words: words)
        guard y.canonicalWords == (words.0, words.1, words.2, words.3 & (.max >> 1)) else {
            return nil
        }
        guard let root = AffinePoint.root(ofCurveAt: y) else { return nil }
        let parity = root.canonicalParity
        // A zero has no other sign: "-0" is not canonical.
        if isOdd && parity.isZero { return nil }
        self.init(x: parity.isOdd == isOdd ? root : root.negated, y: y)
    }

    private static func root(ofCurveAt y: FieldElement) -> FieldElement? {
        let yy = y.squared
        let u = yy - .one
        let v = yy * .d + .one
        let v3 = v.squared * v
        let candidate = (v3.squared * v * u).rootPower * (v3 * u)
        let square = candidate.squared * v
        // u is wide; a difference takes it only on its left.
        if (u - square).isZero { return candidate }
        return (u + square).isZero ? candidate * .rootOfMinusOne : nil
    }

    /// -(x, y) = (-x, y).
    var negated: AffinePoint { AffinePoint(x: x.negated, y: y) }

    @inline(__always)
    var extended: EdwardsPoint { EdwardsPoint(x: x, y: y, z: .one, t: x * y) }

    /// Whether eight times the point is O.
    ///
    /// Doubling gives x' = 2·x·y/(y² - x²) and y' = (y² + x²)/(2 + x² - y²) (HWCD 2008). The points
    /// of order 1 and 2 have x = 0. Those of order 4 double to (0, -1): x·y = 0 with x not 0, so
    /// y = 0. Those of order 8 double to points with y' = 0: x² + y² = 0.
    var isSmallOrder: Bool {
        x.isZero || y.isZero || (x.squared + y.squared).isZero
    }
}

extension FieldElement {
    /// The negative, tight: a product with one carries it.
    var negated: FieldElement { -self * .one }

    /// Whether this is 0, and its lowest bit.
    fileprivate var canonicalParity: (isZero: Bool, isOdd: Bool) {
        let words = canonicalWords
        return (words.0 | words.1 | words.2 | words.3 == 0, words.0 & 1 == 1)
    }
}
