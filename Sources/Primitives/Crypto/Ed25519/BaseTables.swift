/// Odd multiples of the base point B and of 2^128·B, made once for the process (22 KB, 1 ms).
///
/// With both, a multiple of B by a number of 253 bits takes only 128 doublings.
struct BaseTables: Sendable {
    /// Digits of this width are below 2^7 in size.
    static let width = 8
    /// 1, 3, 5, ... 127 times the point.
    static let count = 1 << (width - 2)

    static let shared = BaseTables()

    /// First the multiples of B, then those of 2^128·B.
    let points: [NielsPoint]

    /// The base point: y = 4/5, x even (RFC 8032, section 5.1).
    static let base = AffinePoint(
        x: FieldElement(
            0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe,
            0x216936d3cd6e5),
        y: FieldElement(
            0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333,
            0x6666666666666))

    private init() {
        let low = BaseTables.base.extended
        var high = low
        for _ in 0..<128 { high = high.projective.doubled.extended }
        points = BaseTables.oddMultiples(of: low) + BaseTables.oddMultiples(of: high)
    }

    private static func oddMultiples(of point: EdwardsPoint) -> [NielsPoint] {
        let twice = point.projective.doubled.extended
        var (multiple, multiples): (EdwardsPoint, [NielsPoint]) = (point, [])
        for _ in 0..<count {
            let inverse = multiple.z.inverse
            multiples.append(
                NielsPoint(AffinePoint(x: multiple.x * inverse, y: multiple.y * inverse)))
            multiple = multiple.adding(twice)
        }
        return multiples
    }
}
