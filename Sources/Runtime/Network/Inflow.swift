/// How much may come.
package struct InflowRate: Hashable, Sendable {
    /// In the long run.
    package let perSecond: Int64
    /// At once, after a pause.
    package let burst: Int64

    package init(perSecond: Int64, burst: Int64) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// What is left of a rate; starts full. What has come is counted in any case: more than was left is
/// a debt, and nothing is read until time has paid it.
struct InflowBudget {
    private let rate: InflowRate
    /// In thousandths; below zero it is a debt.
    private var level: Int64
    /// Milliseconds of a clock that never goes back.
    private var at: UInt64

    init(_ rate: InflowRate, at now: UInt64) {
        self.rate = rate
        level = rate.burst * 1000
        at = now
    }

    mutating func take(_ count: Int, at now: UInt64) {
        refill(at: now)
        level -= Int64(count) * 1000
    }

    /// Whether something is left.
    mutating func hasRoom(at now: UInt64) -> Bool {
        refill(at: now)
        return level > 0
    }

    private mutating func refill(at now: UInt64) {
        // An hour pays every debt; the product stays within 64 bits.
        let elapsed = Int64(min(now - min(now, at), 3_600_000))
        at = max(at, now)
        level = min(rate.burst * 1000, level + elapsed * rate.perSecond)
    }
}

/// What may come of guests, of one or of all together.
struct GuestInflow {
    private var frames: InflowBudget
    private var bytes: InflowBudget

    init(frames: InflowRate, bytes: InflowRate, at now: UInt64) {
        self.frames = InflowBudget(frames, at: now)
        self.bytes = InflowBudget(bytes, at: now)
    }

    mutating func take(_ frame: Frame, at now: UInt64) {
        frames.take(1, at: now)
        bytes.take(frame.payload.count, at: now)
    }

    mutating func hasRoom(at now: UInt64) -> Bool {
        frames.hasRoom(at: now) && bytes.hasRoom(at: now)
    }
}
