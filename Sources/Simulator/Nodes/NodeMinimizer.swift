internal import Primitives

/// Makes a failing run shorter: looks for the fewest fault decisions with which it still fails in
/// the same way.
///
/// Delta debugging (Zeller and Hildebrandt, 2002) over the decisions that took effect: leave out a
/// part, keep what still fails, make the parts smaller. What a decision hits can change when an
/// earlier one is left out; all that is kept is what was seen to fail.
package struct NodeMinimizer {
    private let scenario: NodeScenario
    /// Runs at most.
    private static let runsMax = 400

    /// The shortest that was found.
    package struct Result: Sendable {
        package let violation: String
        /// Fault decisions that are needed, rising.
        package let faults: [Int]
        /// How many took effect in the whole run.
        package let before: Int
    }

    package init(_ scenario: NodeScenario) { self.scenario = scenario }

    /// Nil if the scenario doesn't fail at all.
    package func run(progress: (String) -> Void) -> Result? {
        let whole = report(scenario.allowed)
        guard let violation = whole.violation else { return nil }
        let kind = NodeMinimizer.kind(of: violation)
        var (kept, last, runs, parts) = (whole.firedFaults, violation, 0, 2)
        while kept.count > 0, runs < NodeMinimizer.runsMax {
            let size = max(1, (kept.count + parts - 1) / parts)
            var isShorter = false
            for start in stride(from: 0, to: kept.count, by: size) where !isShorter {
                let rest = kept.enumerated().filter {
                    $0.offset < start || $0.offset >= start + size
                }.map(\.element)
                runs += 1
                let report = report(Set(rest))
                guard let found = report.violation, NodeMinimizer.kind(of: found) == kind else {
                    continue
                }
                (kept, last, isShorter) = (report.firedFaults, found, true)
                progress("\(kept.count) faults left after \(runs) runs")
            }
            if !isShorter, size == 1 { break }
            parts = isShorter ? max(2, parts - 1) : min(kept.count, parts * 2)
        }
        return Result(violation: last, faults: kept, before: whole.firedFaults.count)
    }

    private func report(_ allowed: Set<Int>?) -> NodeReport {
        var scenario = scenario
        scenario.allowed = allowed
        var simulation = NodeSimulation(scenario)
        return simulation.run()
    }

    /// What is wrong, without numbers of nodes and heights.
    private static func kind(of violation: String) -> String {
        String(violation.filter { !$0.isNumber }.prefix(24))
    }
}
