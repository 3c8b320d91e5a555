internal import Primitives

/// A machine's clocks: a monotonic one that runs a little too fast or too slow, and a wall clock
/// that is off and may jump.
struct NodeClock {
    /// Millionths by which it runs too fast; negative for too slow.
    private let drift: Int64
    /// Milliseconds that the wall clock is ahead of the monotonic one, on top of the epoch.
    private(set) var offset: Int64

    init(drift: Int64, offset: Int64) {
        self.drift = drift
        self.offset = offset
    }

    mutating func jump(by milliseconds: Int64) { offset += milliseconds }

    /// As a time service does it.
    mutating func correct(to offset: Int64) { self.offset = offset }

    func moment(at now: UInt64) -> Moment {
        let local = Int64(now) + Int64(now) * drift / 1_000_000
        let wall = Int64(Simulation.epochMilliseconds) + Int64(now) + offset
        return Moment(
            now: Instant(milliseconds: UInt64(max(0, local))),
            wall: Timestamp(UInt64(max(0, wall))))
    }

    /// True milliseconds until the local clock shows `deadline`; at least 0.
    func delay(until deadline: Instant, at now: UInt64) -> UInt64 {
        let local = moment(at: now).now.milliseconds
        guard deadline.milliseconds > local else { return 0 }
        let left = deadline.milliseconds - local
        guard left < 1 << 40 else { return left }
        // Rounded up, so that it isn't too early by a millisecond for ever.
        return left * 1_000_000 / UInt64(1_000_000 + drift) + 1
    }
}
