internal import Primitives

/// Something that a rule lacks and others have.
enum Need: Hashable, Sendable {
    case certificate(View, CertificateRequest.Want)
    case block(BlockRef)
    case sync(Height)
}

/// A need that was sent to a peer.
struct Fetch: Sendable {
    let need: Need
    /// The member that was asked last.
    var target: ValidatorIndex
    /// When the next one is asked.
    var due: Instant
    /// Whether nobody was asked before.
    let isFirst: Bool
}

/// How many answers a peer was given lately.
struct Allowance: Sendable {
    private var windowEnd = Instant(milliseconds: 0)
    private var used: UInt64 = 0

    /// Whether one more of at most `burst` in `window` milliseconds is left; uses it.
    mutating func take(at now: Instant, burst: UInt64, window: UInt64) -> Bool {
        if now >= windowEnd {
            windowEnd = now.advanced(byMilliseconds: window)
            used = 0
        }
        guard used < burst else { return false }
        used += 1
        return true
    }
}
