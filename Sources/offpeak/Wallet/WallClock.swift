internal import Primitives
internal import Runtime

/// The system's clocks, for commands only.
enum WallClock {
    /// Milliseconds since 1970.
    static var now: Timestamp { SystemClock.moment.wall }

    /// For measuring how long something takes.
    static var instant: Instant { SystemClock.now }
}
