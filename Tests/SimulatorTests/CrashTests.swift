import Primitives
import Simulator
import Testing

/// Crashes at storage writes; all points of a longer run are `offpeak-sim crashes`.
@Suite struct CrashTests {
    private func exploration(
        _ victim: CrashPoint.Victim, seed: UInt64 = 1, planting fault: PlantedFault? = nil
    ) -> CrashExploration {
        var scenario = NodeScenario(seed: seed, blocks: 10, validators: 4, quiet: true)
        scenario.planted = fault
        return CrashExploration(scenario, victim: victim)
    }

    @Test(arguments: CrashPoint.Victim.allCases)
    func `a crash at any write is survived`(victim: CrashPoint.Victim) {
        let report = exploration(victim).run(step: 37)
        #expect(report.violation == nil && report.points > 100)
        #expect(report.runs.count >= report.points / 37 * CrashPoint.Mode.allCases.count)
        #expect(report.writes.keys.allSatisfy { !report.missed.contains($0) })
        #expect(report.failing.isEmpty, "\(report.failing.first?.violation ?? "")")
        #expect(report.recoveries.count == report.runs.count)
    }

    @Test(arguments: CrashPoint.Victim.allCases)
    func `a run that split off is the run from the beginning`(victim: CrashPoint.Victim) {
        let exploration = exploration(victim)
        let split = exploration.run(step: 101).runs
        #expect(Set(split.map(\.traceHash)).count > split.count / 2)
        for run in split {
            let (report, _) = exploration.repeated(run.point.number, run.point.mode)
            #expect(report.traceHash == run.traceHash, "\(run.point)")
            #expect(report.recoveryMilliseconds == run.recoveryMilliseconds, "\(run.point)")
        }
    }

    /// Nothing is wrong with it until a crash comes at the right moment.
    @Test func `a fault that only a crash shows is seen`() {
        let report = exploration(.all, planting: .writesSplit).run(step: 31)
        #expect(report.violation == nil && !report.failing.isEmpty)
    }

    @Test func `parts of an exploration are the whole`() {
        let exploration = exploration(.one)
        var parts = exploration.run(step: 83, part: 0, of: 2)
        parts.add(exploration.run(step: 83, part: 1, of: 2))
        let whole = exploration.run(step: 83)
        #expect(parts.runs.count == whole.runs.count && Set(parts.runs) == Set(whole.runs))
        #expect(parts.points == whole.points && parts.writes == whole.writes)
    }
}
