package import Mempool
package import Primitives

/// What was counted of signatures over the last minutes: a sample every few seconds.
package struct CheckHistory: Sendable {
    /// What was counted since some time ago.
    package struct Recent: Hashable, Sendable {
        package let minutes: UInt64
        /// How far back the samples go, if that is less.
        package let milliseconds: UInt64
        package let counts: SignatureTally
    }

    /// Minutes that are told of.
    package static let windows: [UInt64] = [1, 5, 15]
    /// Milliseconds between two samples.
    private static let interval: UInt64 = 5_000
    /// Samples kept: one more than a quarter of an hour has intervals.
    private static let samplesMax = 181

    private var samples: [(at: Instant, counts: SignatureTally)] = []

    package init() {}

    /// Takes a sample if it is time for one.
    package mutating func note(_ counts: SignatureTally, at now: Instant) {
        if let last = samples.last, now.millisecondsSince(last.at) < CheckHistory.interval {
            return
        }
        samples.append((now, counts))
        if samples.count > CheckHistory.samplesMax { samples.removeFirst() }
    }

    /// What was counted until `counts` in each window, from the newest sample that isn't younger.
    package func recent(_ counts: SignatureTally, at now: Instant) -> [Recent] {
        CheckHistory.windows.map { minutes in
            let old = samples.last { now.millisecondsSince($0.at) >= minutes * 60_000 }
            guard let base = old ?? samples.first else {
                return Recent(minutes: minutes, milliseconds: 0, counts: SignatureTally())
            }
            return Recent(
                minutes: minutes, milliseconds: now.millisecondsSince(base.at),
                counts: counts.since(base.counts))
        }
    }
}
