package import Primitives

/// When the scrubber reads on: everything once in a period, and never more than a fixed share of
/// time and disk.
///
/// A step of b bytes may take `b / expected bytes of a pass` of the period. What the store holds is
/// only known after a pass; the first one goes by the size of its files. A pass that was done
/// early waits for its period's end.
package struct ScrubPace: Sendable {
    /// Thousandths of a processor's time at most, whatever the period is.
    package static let timePermilleMax: UInt64 = 20
    /// Bytes a second at most, whatever the period is.
    package static let bytesPerSecondMax: UInt64 = 4 << 20

    private let periodMilliseconds: UInt64
    private var passStartedAt: Instant
    private var passBytes: UInt64 = 0
    /// Bytes that the pass is expected to read.
    private var expectedBytes: UInt64

    /// - Parameters:
    ///   - periodMilliseconds: Above 0.
    ///   - storeBytes: The size of the store's files.
    package init(periodMilliseconds: UInt64, storeBytes: UInt64, at now: Instant) {
        self.periodMilliseconds = max(1, periodMilliseconds)
        passStartedAt = now
        expectedBytes = max(1, storeBytes)
    }

    /// How many milliseconds to wait after a step that read `bytes` in `took` milliseconds.
    package mutating func wait(bytes: UInt64, took: UInt64, at now: Instant) -> UInt64 {
        passBytes = passBytes.saturatingAdd(bytes)
        // By the whole pass and not by the step: what was late is caught up with, within limits.
        let part = min(passBytes, expectedBytes)
        let due = ScrubPace.share(of: periodMilliseconds, part, expectedBytes)
        let elapsed = now.millisecondsSince(passStartedAt)
        let byPeriod = due > elapsed ? due - elapsed : 0
        let byTime = took * (1000 - ScrubPace.timePermilleMax) / ScrubPace.timePermilleMax
        let byDisk = bytes * 1000 / ScrubPace.bytesPerSecondMax
        return max(byPeriod, byTime, byDisk)
    }

    /// Ends a pass: how many milliseconds to wait before the next one, which begins then.
    package mutating func endPass(at now: Instant) -> UInt64 {
        let end = passStartedAt.advanced(byMilliseconds: periodMilliseconds)
        let wait = end > now ? end.millisecondsSince(now) : 0
        expectedBytes = max(1, passBytes)
        passBytes = 0
        passStartedAt = now.advanced(byMilliseconds: wait)
        return wait
    }

    /// `whole * part / all`, without leaving 64 bits.
    private static func share(of whole: UInt64, _ part: UInt64, _ all: UInt64) -> UInt64 {
        let product = whole.multipliedFullWidth(by: part)
        // part <= all keeps the quotient within 64 bits.
        return all.dividingFullWidth(product).quotient
    }
}

extension UInt64 {
    fileprivate func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
