internal import Glibc
package import Primitives

/// The system's clocks, read by the shell only.
package enum SystemClock {
    /// Milliseconds since the system's start; never goes back.
    package static var now: Instant { Instant(milliseconds: milliseconds(CLOCK_MONOTONIC)) }

    package static var moment: Moment {
        Moment(now: now, wall: Timestamp(milliseconds(CLOCK_REALTIME)))
    }

    private static func milliseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
