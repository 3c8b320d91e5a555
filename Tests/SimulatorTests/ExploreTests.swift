@_spi(Simulation) import Consensus
import Simulator
import Testing

@Suite struct ExploreTests {
    private func run(
        views: Int, restarts: Bool = false, statesMax: Int = 1_000_000, bug: PlantedBug? = nil
    ) -> [ExplorationReport] {
        ExplorationScope.all(
            views: views, restarts: restarts, statesMax: statesMax, bug: bug
        ).map { scope in
            var exploration = Exploration(scope)
            return exploration.run()
        }
    }

    @Test(arguments: [(views: 2, restarts: false, orders: 5), (1, true, 2)])
    func `no state breaks a rule, whoever leads`(views: Int, restarts: Bool, orders: Int) {
        let reports = run(views: views, restarts: restarts)
        #expect(reports.count == orders)
        for report in reports {
            #expect(report.violation == nil, "\(report.leaders): \(report.path)")
            #expect(report.isComplete, "\(report.leaders)")
        }
    }

    @Test func `the same scope gives the same states in the same order`() {
        #expect(run(views: 1) == run(views: 1))
    }

    /// What one view shows, and what takes two.
    @Test(arguments: [
        (PlantedBug.finalizeAfterNullify, 1), (.quorumOf2F, 1), (.countTwice, 1),
        (.unprovenFinalization, 1), (.notarizeAfterNullify, 1), (.noSkipCheck, 2),
        (.noParentCheck, 2),
    ])
    func `a planted bug is found`(bug: PlantedBug, views: Int) {
        let reports = run(views: views, bug: bug)
        #expect(reports.contains { $0.violation != nil }, "\(bug.rawValue)")
    }

    @Test func `a bound on the states is told`() {
        let reports = run(views: 2, statesMax: 100)
        #expect(reports.allSatisfy { !$0.isComplete && $0.states <= 101 })
    }
}
