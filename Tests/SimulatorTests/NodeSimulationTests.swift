@_spi(Simulation) import Consensus
import Primitives
import Simulator
import Testing

/// Whole nodes under faults; long rows of seeds are `offpeak-sim`'s.
@Suite struct NodeSimulationTests {
    private func run(
        _ seed: UInt64, blocks: UInt64 = 40, shortEpochs: Bool = false,
        elections: Bool? = nil, change: (inout NodeScenario) -> Void = { _ in }
    ) -> NodeReport {
        var scenario = NodeScenario(
            seed: seed, blocks: blocks, shortEpochs: shortEpochs, changingCommittees: elections)
        change(&scenario)
        var simulation = NodeSimulation(scenario)
        return simulation.run()
    }

    @Test(arguments: UInt64(1)...12)
    func `no seed breaks a rule`(seed: UInt64) {
        let report = run(seed)
        #expect(report.violation == nil, "seed \(seed)")
        #expect(report.blocks >= 40 && report.transactions > 20, "seed \(seed)")
    }

    /// Each found a fault of the product once, with so many blocks.
    @Test(arguments: [
        // Final, asked about again after its time, and called expired.
        (UInt64(36), UInt64(40)),
        // Blocks that weren't final filled the execution lag, and the chain stood still.
        (378, 60),
        // An owner sealed after the last block of an epoch, and was blamed for it.
        (66, 40),
    ])
    func `kept seeds hold`(seed: UInt64, blocks: UInt64) {
        #expect(run(seed, blocks: blocks).violation == nil, "seed \(seed)")
    }

    @Test func `without faults nobody is blamed and nothing has to be repaired`() {
        var simulation = NodeSimulation(NodeScenario(seed: 3, blocks: 40, quiet: true))
        let report = simulation.run()
        #expect(report.violation == nil && report.restarts == 0 && report.firedFaults.isEmpty)
        #expect(report.marks.count(.rotFound) == 0)
    }

    @Test func `the same seed gives the same trace, another one doesn't`() {
        let first = run(8)
        #expect(run(8).traceHash == first.traceHash)
        #expect(run(9).traceHash != first.traceHash)
    }

    /// The hash of every build, debug or release, and of every process.
    @Test func `the trace of a kept seed is the one that was written down`() {
        #expect(String(run(2, blocks: 20).traceHash, radix: 16) == "241a6de8863722ce")
    }

    /// One from each part of the node, at a seed that shows it; all of them are
    /// `offpeak-sim bugs`.
    @Test(arguments: [
        (PlantedFault.feeByHashOrder, UInt64(1)), (.weightIgnored, 2), (.deadlineIgnored, 2),
        (.ackForgotten, 15), (.finalTooEarly, 1), (.syncErrorIgnored, 5),
    ])
    func `a planted fault is seen`(fault: PlantedFault, seed: UInt64) {
        let report = run(seed) { $0.planted = fault }
        #expect(report.violation != nil, "\(fault) at seed \(seed)")
    }

    @Test func `a planted fault of epochs is seen where they are short`() {
        #expect(run(2, shortEpochs: true).violation == nil)
        let report = run(2, shortEpochs: true) { $0.planted = .committeeUnsaved }
        #expect(report.violation != nil)
    }

    @Test func `committees change under faults, and newcomers vote and propose`() {
        var marks = Marks()
        for seed in UInt64(1)...4 {
            let report = run(seed, elections: true)
            #expect(report.violation == nil, "seed \(seed)")
            marks.add(report.marks)
        }
        let wanted: [Mark] = [.committeeChanged, .memberLeft, .newcomerVoted, .newcomerProposed]
        for mark in wanted { #expect(marks.count(mark) > 0, "\(mark)") }
    }

    @Test func `who signs unasked in a new epoch is seen, and who commits tails`() {
        #expect(run(1, elections: true) { $0.planted = .entryUnasked }.violation != nil)
        let report = run(15, elections: true) { $0.plantedBug = .commitTails }
        #expect(report.violation?.contains("commits a tail block") == true)
    }

    @Test func `a failing run is made shorter, and still fails`() throws {
        var scenario = NodeScenario(seed: 2, blocks: 40)
        scenario.planted = .weightIgnored
        let least = try #require(NodeMinimizer(scenario).run(progress: { _ in }))
        #expect(least.faults.count < least.before, "\(least)")
        scenario.allowed = Set(least.faults)
        var simulation = NodeSimulation(scenario)
        #expect(simulation.run().violation == least.violation)
    }

    @Test func `a trace has a column for each node`() {
        var simulation = NodeSimulation(
            NodeScenario(seed: 2, blocks: 10, validators: 4), tracing: true)
        _ = simulation.run()
        let lines = simulation.traceLines
        let columns = lines.map { $0.count { $0 == "|" } }
        #expect(lines.count > 100 && columns.allSatisfy { $0 == columns[0] })
        #expect(lines.contains { $0.contains("notarize") })
    }
}
