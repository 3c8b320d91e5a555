package import Primitives

/// What was seen of the machine over a stretch of time.
package struct ShareSample: Hashable, Sendable {
    /// How long the stretch was.
    package var milliseconds: UInt64
    /// The share of all cores' time that other processes used, in thousandths; nil if unknown.
    package var loadPermille: Int?
    /// The share of the time in which other processes waited for processor, memory or disk (the
    /// largest of the three), in thousandths; nil where the system doesn't tell.
    package var pressurePermille: Int?

    package init(milliseconds: UInt64, loadPermille: Int?, pressurePermille: Int?) {
        self.milliseconds = milliseconds
        self.loadPermille = loadPermille
        self.pressurePermille = pressurePermille
    }
}

/// What may be used of the machine now.
package struct ShareDecision: Hashable, Sendable {
    /// Why the machine is lent or not.
    package enum Reason: String, CaseIterable, Sendable {
        case lending
        /// The owner lends nothing.
        case off
        /// It isn't the time of the day.
        case hours
        /// Other programs use the cores.
        case load
        /// Other programs wait for processor, memory or disk.
        case pressure
        /// Nobody wants the machine, but not yet for long enough.
        case settling
        /// The system doesn't tell what others do.
        case unknown
    }

    package let reason: Reason
    /// Cores that may be used, 0 unless the machine is lent.
    package let cores: Int
    /// The share of these cores' time, in thousandths, 1...1000.
    package let dutyPermille: Int

    package var isLending: Bool { reason == .lending }
}

/// Decides when the machine is lent: steps back at once when its owner wants it, and comes back
/// only after a quiet time.
///
/// Upon a sample in mode `idle`:
/// - while lending, if over the last `windowMilliseconds` the load of others was above `loadMax`,
///   or their waiting above `pressureMax`: step back;
/// - while stepped back, if both stayed below three quarters of their ceilings for the whole quiet
///   time: lend again. Who steps back after having lent for less than `steadyMilliseconds` doubles
///   its quiet time, up to a maximum: an owner who works in bursts isn't disturbed by each pause.
/// The hours of the day hold in every mode but `off`. Without a figure of the load `idle` never
/// lends: whom nobody sees nobody can make room for.
///
/// Pure: time and samples are given.
package struct ShareGovernor: Sendable {
    /// Short enough to step back within a second, long enough that the start of a program or the
    /// clock's ticks (10 ms) aren't taken for work.
    package static let windowMilliseconds: UInt64 = 400
    package static let quietMillisecondsMin: UInt64 = 3_000
    package static let quietMillisecondsMax: UInt64 = 120_000
    package static let steadyMilliseconds: UInt64 = 60_000

    private enum Phase: Hashable, Sendable {
        case lending(since: Instant)
        /// `quietSince` is nil while something speaks against lending.
        case away(quietSince: Instant?)
    }

    private let mode: ShareMode
    private let settings: ShareSettings
    private let lentCores: Int
    private var phase = Phase.away(quietSince: nil)
    private var window: [ShareSample] = []
    private var quietMilliseconds = ShareGovernor.quietMillisecondsMin
    /// How often a machine that was lent was wanted.
    package private(set) var stepBacks: UInt64 = 0

    /// - Parameter machineCores: the cores of the machine, at least 1.
    package init(mode: ShareMode, settings: ShareSettings, machineCores: Int) {
        precondition(machineCores > 0, "a machine with \(machineCores) cores")
        self.mode = mode
        self.settings = settings
        lentCores = settings.lentCores(of: machineCores)
    }

    /// Takes a sample that ends now, at a minute of the local day, 0...1439.
    package mutating func take(
        _ sample: ShareSample, at now: Instant, minuteOfDay: Int
    ) -> ShareDecision {
        remember(sample)
        switch phase {
        case .lending(let since):
            guard let reason = objection(minuteOfDay, ceilingPercent: 100) else { break }
            stepBack(after: now.millisecondsSince(since), because: reason)
            return decision(reason)
        case .away(let quietSince):
            if let reason = objection(minuteOfDay, ceilingPercent: 75) {
                phase = .away(quietSince: nil)
                return decision(reason)
            }
            let since = quietSince ?? now
            phase = .away(quietSince: since)
            let needed = mode == .idle ? quietMilliseconds : 0
            guard now.millisecondsSince(since) >= needed else { return decision(.settling) }
            phase = .lending(since: now)
        }
        return decision(.lending)
    }

    private mutating func remember(_ sample: ShareSample) {
        guard sample.milliseconds > 0 else { return }
        window.append(sample)
        var length = window.reduce(0) { $0 &+ $1.milliseconds }
        while let first = window.first, window.count > 1,
            length &- first.milliseconds >= ShareGovernor.windowMilliseconds
        {
            length &-= first.milliseconds
            window.removeFirst()
        }
    }

    private mutating func stepBack(after lent: UInt64, because reason: ShareDecision.Reason) {
        phase = .away(quietSince: nil)
        guard reason != .hours else { return }
        stepBacks += 1
        quietMilliseconds =
            lent < ShareGovernor.steadyMilliseconds
            ? min(2 * quietMilliseconds, ShareGovernor.quietMillisecondsMax)
            : ShareGovernor.quietMillisecondsMin
    }

    /// What speaks against lending now, with ceilings at a percentage of those configured.
    private func objection(_ minuteOfDay: Int, ceilingPercent: Int) -> ShareDecision.Reason? {
        if mode == .off { return .off }
        if !settings.hours.isEmpty, !settings.hours.contains(where: { $0.contains(minuteOfDay) }) {
            return .hours
        }
        guard mode == .idle else { return nil }
        guard let load = mean(\.loadPermille), window.last?.loadPermille != nil else {
            return .unknown
        }
        // Percent of percent to thousandths: divided by ten.
        if load > settings.loadMax * ceilingPercent / 10 { return .load }
        let pressure = mean(\.pressurePermille) ?? 0
        return pressure > settings.pressureMax * ceilingPercent / 10 ? .pressure : nil
    }

    /// The mean over the window, weighted by time; nil if no sample has the figure.
    private func mean(_ figure: KeyPath<ShareSample, Int?>) -> Int? {
        var (sum, time) = (0.0, 0.0)
        for sample in window {
            guard let value = sample[keyPath: figure] else { continue }
            sum += Double(value) * Double(sample.milliseconds)
            time += Double(sample.milliseconds)
        }
        return time > 0 ? Int((sum / time).rounded()) : nil
    }

    private func decision(_ reason: ShareDecision.Reason) -> ShareDecision {
        ShareDecision(
            reason: reason, cores: reason == .lending ? lentCores : 0,
            dutyPermille: 10 * settings.cpuPercent)
    }
}
