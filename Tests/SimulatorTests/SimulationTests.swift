@_spi(Simulation) import Consensus
import Simulator
import Testing

@Suite struct SimulationTests {
    private func run(
        _ seed: UInt64, nodes: Int? = nil, blocks: UInt64 = 30, bug: PlantedBug? = nil
    ) -> SimulationReport {
        var simulation = Simulation(
            Scenario(seed: seed, nodes: nodes, blocks: blocks, bug: bug))
        return simulation.run()
    }

    @Test(arguments: UInt64(1)...40)
    func `no seed breaks a rule`(seed: UInt64) {
        let report = run(seed)
        #expect(report.violation == nil, "seed \(seed)")
        #expect(report.blocks >= 30, "seed \(seed)")
    }

    @Test(arguments: [4, 7])
    func `the same seed gives the same trace, another one doesn't`(nodes: Int) {
        let first = run(5, nodes: nodes)
        #expect(first == run(5, nodes: nodes))
        #expect(first.traceHash != run(6, nodes: nodes).traceHash)
    }

    /// The first seed of each bug; a change of the simulator may move it.
    @Test(arguments: [
        (PlantedBug.finalizeAfterNullify, UInt64(2)), (.noSkipCheck, 6), (.sendBeforePersist, 1),
        (.forgetVotes, 7), (.unprovenFinalization, 22), (.nullifyAfterFinalize, 7),
        (.rebuildFinalize, 4), (.notarizeSecond, 2),
        (.voteAfterAmnesia, 4),
    ])
    func `a planted bug is found`(bug: PlantedBug, seed: UInt64) {
        #expect(run(seed, blocks: 60, bug: bug).violation != nil, "\(bug.rawValue), seed \(seed)")
    }

    @Test func `faults of every kind come up`() {
        // The last loses disks.
        let reports = (1...12).map { run(UInt64($0)) } + [run(58, blocks: 60)]
        #expect(reports.contains { $0.restarts > 0 })
        #expect(reports.contains { $0.evidence > 0 })
        #expect(reports.contains { $0.synced > 0 })
        #expect(reports.contains { $0.nullifications > 0 })
        #expect(reports.contains { $0.lostDisks > 0 })
        #expect(reports.contains { $0.recoveredKeys > 0 })
    }
}
