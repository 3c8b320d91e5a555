internal import Primitives

/// How many signatures one core checks in a second, measured.
enum CheckSpeed {
    /// Signatures of a round: a millisecond of work.
    private static let signatures = 16
    /// The best round counts: whatever disturbs one makes it slower, never faster.
    private static let rounds = 4

    /// Checks valid signatures of a key made for it, and counts the calling thread's time on the
    /// cores: others that run meanwhile don't make the machine look slow.
    static func measure() -> Double {
        let key = SecretKey.random()
        let claims = (0..<signatures).map { number in
            let digest = Digest.hash(.random, [UInt8(number)])
            return SignatureClaim(
                publicKey: key.publicKey, digest: digest, signature: key.signature(over: digest))
        }
        var best = UInt64.max
        for _ in 0..<rounds {
            let start = Monotonic.threadNanoseconds
            let valid = claims.count { $0.isValid }
            precondition(valid == claims.count, "\(valid) of \(claims.count) signatures are valid")
            best = min(best, Monotonic.threadNanoseconds &- start)
        }
        return Double(signatures) * 1e9 / Double(max(1, best))
    }
}
