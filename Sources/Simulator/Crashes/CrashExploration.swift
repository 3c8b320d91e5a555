/// Every storage write of a quiet run, and a run for each that crashes there.
///
/// The quiet run stops at each write, becomes the run that crashes there, goes on to that one's
/// end, and comes back: so a point costs what follows it and not what led there. `repeated` runs
/// the same from the beginning, with the same trace.
package struct CrashExploration: Sendable {
    private let scenario: NodeScenario
    private let victim: CrashPoint.Victim
    private let blocksAfter: UInt64

    /// - Parameters:
    ///   - scenario: without faults and liars.
    ///   - blocksAfter: finalized blocks after the crash until a run ends, at least 1.
    package init(
        _ scenario: NodeScenario, victim: CrashPoint.Victim, blocksAfter: UInt64 = 3
    ) {
        precondition(scenario.liars.isEmpty, "crash points of seed \(scenario.seed) with liars")
        self.scenario = scenario
        self.victim = victim
        self.blocksAfter = blocksAfter
    }

    /// Crashes at every `step`-th write and at the first of each kind; of those only at one `part`
    /// of `parts`, for runs side by side.
    /// - Parameter trying: told of each point before the run that crashes there.
    package func run(
        step: Int, part: Int = 0, of parts: Int = 1,
        trying: @escaping @Sendable (CrashPoint) -> Void = { _ in }
    ) -> CrashReport {
        var simulation = NodeSimulation(scenario)
        var plan = CrashPlan(
            victim, .each(step: step, part: part, of: parts), blocksAfter: blocksAfter)
        plan.trying = trying
        simulation.crashes = plan
        let report = simulation.run()
        return CrashReport(
            victim: victim, points: simulation.crashes?.count ?? 0,
            writes: simulation.crashes?.writes ?? [:], runs: simulation.crashes?.runs ?? [],
            violation: report.violation)
    }

    /// The run that crashes at one point, from the beginning.
    package func repeated(
        _ number: Int, _ mode: CrashPoint.Mode, tracing: Bool = false
    ) -> (report: NodeReport, lines: [String]) {
        var simulation = NodeSimulation(scenario, tracing: tracing)
        simulation.crashes = CrashPlan(
            victim, .once(number: number, mode), blocksAfter: blocksAfter)
        let report = simulation.run()
        return (report, tracing ? simulation.traceLines : [])
    }
}

/// What the crash points of one run gave.
package struct CrashReport: Sendable, Hashable {
    package let victim: CrashPoint.Victim
    /// Storage writes that were numbered.
    package let points: Int
    /// How many of each kind.
    package let writes: [StorageWrite: Int]
    /// Those that crashed, in the order of their points.
    package private(set) var runs: [CrashRun]
    /// What went wrong without a crash, or nil.
    package let violation: String?

    /// Joins what was run side by side.
    package mutating func add(_ other: CrashReport) {
        precondition(points == other.points, "\(points) and \(other.points) points of one run")
        runs = (runs + other.runs).sorted {
            ($0.point.number, $0.point.mode.rawValue) < ($1.point.number, $1.point.mode.rawValue)
        }
    }

    package var failing: [CrashRun] { runs.filter { $0.violation != nil } }

    /// Of the runs that recovered, rising.
    package var recoveries: [UInt64] { runs.compactMap(\.recoveryMilliseconds).sorted() }

    /// Kinds of writes at which no run crashed.
    package var missed: [StorageWrite] {
        let met = Set(runs.map(\.point.write))
        return StorageWrite.allCases.filter { !met.contains($0) }
    }
}
