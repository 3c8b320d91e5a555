internal import Primitives

/// A rate in bytes that holds over time: what comes at once may exceed it, and is made up for.
struct ByteBucket: Sendable {
    /// Bytes a millisecond: 125 for each megabit a second.
    private let bytesPerMillisecond: Int64
    /// What may come at once after a pause: a second's worth.
    private let bytesMax: Int64
    private var bytes: Int64
    private var filledAt: Instant

    /// - Parameter megabits: a second, 1...100,000.
    init(megabits: Int, at now: Instant) {
        precondition((1...100_000).contains(megabits), "\(megabits) megabits")
        bytesPerMillisecond = Int64(megabits) * 125
        bytesMax = bytesPerMillisecond * 1000
        bytes = bytesMax
        filledAt = now
    }

    /// Takes `count` bytes unless earlier ones aren't made up for yet. The last may go into debt,
    /// so that none is too large ever to be taken.
    mutating func take(_ count: Int, at now: Instant) -> Bool {
        fill(at: now)
        guard bytes > 0 else { return false }
        bytes -= Int64(clamping: count)
        return true
    }

    /// Kilobits a second that may still come: the rate, as far as the bucket is full.
    mutating func kilobits(at now: Instant) -> Int {
        fill(at: now)
        // A byte a millisecond is eight kilobits a second.
        return Int(8 * max(0, bytes) / 1000)
    }

    private mutating func fill(at now: Instant) {
        // A bucket is full after a second for each second's worth of debt; a day is beyond any.
        let passed = Int64(min(now.millisecondsSince(filledAt), 86_400_000))
        filledAt = max(filledAt, now)
        bytes = min(bytesMax, bytes + passed * bytesPerMillisecond)
    }
}
