internal import CSodium

/// What is left of a signature when everything but the equation is checked: the equation
/// [8](S·B - h·A - R) = O, its points negated beforehand.
struct SignatureEquation: Sendable {
    let minusA: AffinePoint
    let minusR: AffinePoint
    let s: GroupScalar
    let h: GroupScalar

    /// The equation, or nil if S isn't below L or R isn't the one encoding of a point that is not
    /// of small order (rule SC, steps 1 and 3). `minusA` is the key's point, `decode(publicKey)`.
    init?(
        publicKey: PublicKey, minusA: AffinePoint, message: UnsafeRawBufferPointer,
        signature: Signature
    ) {
        guard let s = GroupScalar(canonical: signature.s),
            let minusR = SignatureEquation.decode(signature.r)
        else { return nil }
        self.minusA = minusA
        self.minusR = minusR
        self.s = s
        h = SignatureEquation.challenge(
            r: signature.r, publicKey: publicKey, message: message)
    }

    /// The negative of the point that `bytes` encode, or nil if they aren't the one encoding of a
    /// point or it is of small order.
    static func decode(_ bytes: Bytes32) -> AffinePoint? {
        guard let point = AffinePoint(canonical: bytes), !point.isSmallOrder else { return nil }
        return point.negated
    }

    /// h = SHA-512(R ‖ A ‖ message) modulo L (RFC 8032, section 5.1.7).
    private static func challenge(
        r: Bytes32, publicKey: PublicKey, message: UnsafeRawBufferPointer
    ) -> GroupScalar {
        Sodium.start()
        var state = crypto_hash_sha512_state()
        crypto_hash_sha512_init(&state)
        r.withUnsafeBytes { _ = crypto_hash_sha512_update(&state, $0.octets, 32) }
        publicKey.bytes32.withUnsafeBytes {
            _ = crypto_hash_sha512_update(&state, $0.octets, 32)
        }
        if !message.isEmpty {
            crypto_hash_sha512_update(&state, message.octets, UInt64(message.count))
        }
        return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { hash in
            crypto_hash_sha512_final(&state, hash.octets)
            return GroupScalar(reducing: UnsafeRawBufferPointer(hash))
        }
    }

    /// Whether the equation holds (rule SC, step 4).
    ///
    /// Multiplied by v, with h = u/v: [8]((v·S mod L)·B - u·A - v·R) = O.
    var holds: Bool {
        let fraction = ShortFraction(h)
        let product = fraction.denominator * s
        let base =
            fraction.isNegative && !product.isZero
            ? GroupScalar.order.minus(product).difference : product
        return withUnsafeTemporaryAllocation(
            of: MultiScalar.Term.self, capacity: 2
        ) { terms in
            terms.initializeElement(
                at: 0, to: MultiScalar.Term(point: minusA, scalar: fraction.numerator))
            terms.initializeElement(
                at: 1,
                to: MultiScalar.Term(
                    point: fraction.isNegative ? minusR.negated : minusR,
                    scalar: fraction.denominator))
            return MultiScalar.sum(of: UnsafeBufferPointer(terms), base: base).isSmallOrder
        }
    }
}
