/// A point of the curve -x² + y² = 1 + d·x²·y² in extended coordinates: x = X/Z, y = Y/Z and
/// T = X·Y/Z (Hisil, Wong, Carter, Dawson, "Twisted Edwards curves revisited", 2008).
///
/// Coordinates are tight or loose numbers. -1 is a square modulo p and d isn't, so the addition
/// law is complete: it holds for every pair of points, equal, opposite or of small order.
struct EdwardsPoint: Sendable {
    let x: FieldElement
    let y: FieldElement
    let z: FieldElement
    let t: FieldElement

    @inline(__always)
    init(x: FieldElement, y: FieldElement, z: FieldElement, t: FieldElement) {
        self.x = x
        self.y = y
        self.z = z
        self.t = t
    }

    /// O, the point (0, 1).
    static var identity: EdwardsPoint {
        @inline(__always) get { EdwardsPoint(x: .zero, y: .one, z: .one, t: .zero) }
    }

    @inline(__always)
    var projective: ProjectivePoint { ProjectivePoint(x: x, y: y, z: z) }

    /// Whether eight times the point is O: whether its part of prime order is O.
    var isSmallOrder: Bool {
        let eightfold = projective.doubled.projective.doubled.projective.doubled.projective
        // x = 0 leaves (0, 1) and (0, -1); Z is never 0.
        return eightfold.x.isZero && (eightfold.y - eightfold.z).isZero
    }

    @inline(__always)
    static func + (left: EdwardsPoint, right: CachedPoint) -> CompletedPoint {
        CompletedPoint(
            adding: left, sum: right.yPlusX, difference: right.yMinusX, twoZ: left.z * right.twoZ,
            twoDT: right.twoDT)
    }

    @inline(__always)
    static func + (left: EdwardsPoint, right: NielsPoint) -> CompletedPoint {
        CompletedPoint(
            adding: left, sum: right.yPlusX, difference: right.yMinusX, twoZ: left.z + left.z,
            twoDT: right.twoDXY)
    }

    /// -(x, y) = (-x, y): sum and difference change places, and so does the sign of T.
    @inline(__always)
    static func - (left: EdwardsPoint, right: CachedPoint) -> CompletedPoint {
        CompletedPoint(
            subtracting: left, sum: right.yPlusX, difference: right.yMinusX,
            twoZ: left.z * right.twoZ, twoDT: right.twoDT)
    }

    @inline(__always)
    static func - (left: EdwardsPoint, right: NielsPoint) -> CompletedPoint {
        CompletedPoint(
            subtracting: left, sum: right.yPlusX, difference: right.yMinusX,
            twoZ: left.z + left.z, twoDT: right.twoDXY)
    }

    @inline(never)
    func adding(_ other: EdwardsPoint) -> EdwardsPoint { (self + CachedPoint(other)).extended }

    @inline(never)
    func subtracting(_ other: EdwardsPoint) -> EdwardsPoint {
        (self - CachedPoint(other)).extended
    }
}

/// A point that is only doubled next: X, Y and Z, without T; tight or loose.
struct ProjectivePoint: Sendable {
    let x: FieldElement
    let y: FieldElement
    let z: FieldElement

    @inline(__always)
    init(x: FieldElement, y: FieldElement, z: FieldElement) {
        self.x = x
        self.y = y
        self.z = z
    }

    /// Twice the point, by 4 squarings (HWCD 2008, section 3.3, with a = -1 and all signs
    /// turned): H = X² + Y², G = Y² - X², E = (X + Y)² - H, F = 2·Z² - G.
    ///
    /// X and Y are at most loose, so X + Y is below 2^54: wide. F's limbs are below
    /// 3·(2^51 + 2^13) + 2^53 < 2^54.
    @inline(__always)
    var doubled: CompletedPoint {
        let (xx, yy, zz) = (x.squared, y.squared, z.squared)
        let h = xx + yy
        return CompletedPoint(e: (x + y).squared - h, f: zz + zz + xx - yy, g: yy - xx, h: h)
    }
}

/// What doubling and addition end in: x = E/G and y = H/F; every coordinate wide.
struct CompletedPoint: Sendable {
    let e: FieldElement
    let f: FieldElement
    let g: FieldElement
    let h: FieldElement

    @inline(__always)
    init(e: FieldElement, f: FieldElement, g: FieldElement, h: FieldElement) {
        self.e = e
        self.f = f
        self.g = g
        self.h = h
    }

    /// HWCD 2008, section 3.1, with a = -1: A = (Y1 - X1)·(Y2 - X2), B = (Y1 + X1)·(Y2 + X2),
    /// C = T1·2d·T2, D = Z1·2·Z2, and E = B - A, F = D - C, G = D + C, H = B + A.
    ///
    /// D is tight or loose, the rest tight: G is below 2^51 + 2^52 + 2^15 and F below
    /// 2^52 + 2^14 + 2^53, both wide.
    @inline(__always)
    init(
        adding left: EdwardsPoint, sum: FieldElement, difference: FieldElement,
        twoZ: FieldElement, twoDT: FieldElement
    ) {
        let a = (left.y - left.x) * difference
        let b = (left.y + left.x) * sum
        let c = left.t * twoDT
        self.init(e: b - a, f: twoZ - c, g: twoZ + c, h: b + a)
    }

    @inline(__always)
    init(
        subtracting left: EdwardsPoint, sum: FieldElement, difference: FieldElement,
        twoZ: FieldElement, twoDT: FieldElement
    ) {
        let a = (left.y - left.x) * sum
        let b = (left.y + left.x) * difference
        let c = left.t * twoDT
        self.init(e: b - a, f: twoZ + c, g: twoZ - c, h: b + a)
    }

    /// For a doubling next: 3 products; tight.
    @inline(__always)
    var projective: ProjectivePoint { ProjectivePoint(x: e * f, y: g * h, z: f * g) }

    /// For an addition next: 4 products; tight.
    @inline(__always)
    var extended: EdwardsPoint { EdwardsPoint(x: e * f, y: g * h, z: f * g, t: e * h) }
}

/// A point prepared to be added: Y + X, Y - X, 2·Z and 2d·T; 8 products for an addition.
struct CachedPoint: Sendable {
    let yPlusX: FieldElement
    let yMinusX: FieldElement
    let twoZ: FieldElement
    let twoDT: FieldElement

    /// From tight or loose coordinates; every part is wide.
    @inline(__always)
    init(_ point: EdwardsPoint) {
        yPlusX = point.y + point.x
        yMinusX = point.y - point.x
        twoZ = point.z + point.z
        twoDT = point.t * .twoD
    }
}

/// A point with Z = 1 prepared to be added: y + x, y - x and 2d·x·y; 7 products for an addition.
struct NielsPoint: Sendable {
    let yPlusX: FieldElement
    let yMinusX: FieldElement
    let twoDXY: FieldElement

    /// From tight coordinates; every part is wide.
    @inline(__always)
    init(_ point: AffinePoint) {
        yPlusX = point.y + point.x
        yMinusX = point.y - point.x
        twoDXY = point.x * point.y * .twoD
    }

    /// The point itself: the sum of O and it.
    @inline(__always)
    var extended: EdwardsPoint { (EdwardsPoint.identity + self).extended }
}
