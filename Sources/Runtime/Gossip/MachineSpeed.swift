internal import Primitives

/// How many signatures this machine checks.
enum MachineSpeed {
    /// Signatures that are checked for the measurement.
    private static let samples = 48

    /// Signatures a second on `threads` threads, measured on one within a few milliseconds.
    static func signaturesPerSecond(threads: Int) -> UInt32 {
        let key = SecretKey.random()
        let digest = Digest.hash(.random, [0])
        let claim = SignatureClaim(
            publicKey: key.publicKey, digest: digest, signature: key.signature(over: digest))
        let clock = ContinuousClock()
        let spent = clock.measure {
            for _ in 0..<samples { precondition(claim.isValid, "an own signature doesn't hold") }
        }
        let (seconds, attoseconds) = spent.components
        let microseconds = max(1, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        let rate = Int64(samples) * 1_000_000 / microseconds * Int64(threads)
        return UInt32(clamping: rate)
    }
}
