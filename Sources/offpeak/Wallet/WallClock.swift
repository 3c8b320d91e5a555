internal import Glibc
internal import Primitives

/// The system's clocks, for commands only.
enum WallClock {
    /// Milliseconds since 1970.
    static var now: Timestamp { Timestamp(milliseconds(CLOCK_REALTIME)) }

    /// For measuring how long something takes.
    static var instant: Instant { Instant(milliseconds: milliseconds(CLOCK_MONOTONIC)) }

    private static func milliseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) * 1000 + UInt64(max(0, time.tv_nsec)) / 1_000_000
    }
}
