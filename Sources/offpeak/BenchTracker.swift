internal import Histogram
internal import Synchronization

/// Which transfers are sent, which are final, and how long that took.
///
/// Tasks share it; every function is short.
final class BenchTracker: Sendable {
    typealias Moment = ContinuousClock.Instant

    /// Counts at one moment.
    struct Counts: Sendable {
        var submitted = 0
        var finalized = 0
        /// Those of `finalized` that became final in the measured time.
        var measured = 0
        /// Transfers that were refused or couldn't be sent, by reason.
        var failures: [String: Int] = [:]
        /// Sent, not final and not failed.
        var inFlight = 0
    }

    private struct State: Sendable {
        var counts = Counts()
        /// The intended moment of each transfer that is under way, by key.
        var underWay: [UInt64: Moment] = [:]
        var latencies = Histogram<UInt64>(
            highestTrackableValue: BenchTracker.latencyMicrosecondsMax)
        var measuredFrom: Moment?
        var measuredUntil: Moment?
        /// When a transfer was final last.
        var progress = ContinuousClock.now
        /// Transfers finalized in each tenth of a second of the measured time.
        var steps: [Int] = []
        /// Ids of transfers that may have cost more than their fee, by key.
        var costly: [UInt64: String] = [:]

        mutating func count(measuredAt moment: Moment) {
            counts.measured += 1
            guard let measuredFrom else { return }
            let passed = (moment - measuredFrom) / .seconds(1)
            let step = Int(passed * Double(BenchOutage.stepsPerSecond))
            if step >= steps.count {
                steps += Array(repeating: 0, count: step + 1 - steps.count)
            }
            steps[step] += 1
        }

        func isMeasured(_ moment: Moment) -> Bool {
            guard let measuredFrom, moment >= measuredFrom else { return false }
            return measuredUntil.map { moment < $0 } ?? true
        }
    }

    /// Ten minutes: a longer latency counts as this.
    private static let latencyMicrosecondsMax: UInt64 = 600_000_000

    private let state = Mutex(State())

    var counts: Counts { state.withLock { $0.counts } }

    /// Seconds since a transfer was final last.
    var idleSeconds: Double {
        state.withLock { (ContinuousClock.now - $0.progress) / .seconds(1) }
    }

    /// Takes room for `count` transfers; false if more than `limit` would be under way.
    func reserve(_ count: Int, limit: Int) -> Bool {
        state.withLock { state in
            guard state.counts.inFlight + count <= limit else { return false }
            state.counts.inFlight += count
            return true
        }
    }

    /// Gives back room that wasn't needed.
    func giveBack(_ count: Int) { state.withLock { $0.counts.inFlight -= count } }

    /// Notes transfers with room reserved, before they are sent.
    func sending(_ transfers: [(key: UInt64, intended: Moment)]) {
        state.withLock { state in
            state.counts.submitted += transfers.count
            for transfer in transfers { state.underWay[transfer.key] = transfer.intended }
        }
    }

    /// Notes that a transfer came to nothing.
    func failed(_ key: UInt64, _ reason: String) {
        state.withLock { state in
            guard state.underWay.removeValue(forKey: key) != nil else { return }
            state.counts.inFlight -= 1
            state.counts.failures[reason, default: 0] += 1
        }
    }

    /// Notes transfers that were seen final at `moment`. A key that isn't under way is of another
    /// sender, or was seen before.
    ///
    /// Throughput counts what became final in the measured time, latency what was intended in it.
    func finalized(_ keys: [UInt64], at moment: Moment) {
        state.withLock { state in
            for key in keys {
                guard let intended = state.underWay.removeValue(forKey: key) else { continue }
                state.counts.inFlight -= 1
                state.counts.finalized += 1
                state.progress = moment
                if state.isMeasured(moment) { state.count(measuredAt: moment) }
                guard state.isMeasured(intended) else { continue }
                let microseconds = UInt64(max(0, (moment - intended) / .microseconds(1)))
                _ = state.latencies.record(
                    min(microseconds, BenchTracker.latencyMicrosecondsMax))
            }
        }
    }

    /// Notes transfers that a block carried itself, which costs more.
    func costly(_ transfers: [(key: UInt64, id: String)]) {
        guard !transfers.isEmpty else { return }
        state.withLock { state in
            for transfer in transfers { state.costly[transfer.key] = transfer.id }
        }
    }

    /// Ids of transfers that may have cost more than their fee, by key.
    var costly: [UInt64: String] { state.withLock { $0.costly } }

    /// The measured time begins.
    func begin(at moment: Moment) { state.withLock { $0.measuredFrom = moment } }
    /// The measured time ends.
    func end(at moment: Moment) { state.withLock { $0.measuredUntil = moment } }

    /// Transfers finalized in each tenth of a second of the measured time, up to the last.
    var steps: [Int] { state.withLock { $0.steps } }

    /// The latency that `percent` of the transfers of the measured time stayed within, in
    /// milliseconds; nil without any.
    func latencyMilliseconds(percent: Double) -> Double? {
        state.withLock { state in
            guard state.latencies.totalCount > 0 else { return nil }
            return Double(state.latencies.valueAtPercentile(percent)) / 1000
        }
    }
}
