@_spi(Simulation) import Consensus
import Simulator
import Testing

@Suite struct ExploreTests {
    private func run(
        views: Int, restarts: Bool = true, statesMax: Int = 1_000_000, bug: PlantedBug? = nil
    ) -> [ExplorationReport] {
        ExplorationScope.all(
            views: views, restarts: restarts, statesMax: statesMax, bug: bug
        ).map { scope in
            var exploration = Exploration(scope)
            return exploration.run()
        }
    }

    @Test func `no state of two views breaks a rule, whoever leads`() {
        let reports = run(views: 2)
        #expect(reports.count == 5)
        for report in reports {
            #expect(report.violation == nil, "\(report.leaders): \(report.path)")
            #expect(report.isComplete, "\(report.leaders)")
        }
    }

    @Test func `the same scope gives the same states in the same order`() {
        #expect(run(views: 1) == run(views: 1))
    }

    @Test func `a bound on the states is told`() {
        let reports = run(views: 2, statesMax: 100)
        #expect(reports.allSatisfy { !$0.isComplete && $0.states <= 101 })
    }
}
