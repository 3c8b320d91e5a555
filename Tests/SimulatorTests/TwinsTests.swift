@_spi(Simulation) import Consensus
import Simulator
import Testing

@Suite struct TwinsTests {
    private func run(_ scenario: TwinsScenario, bug: PlantedBug? = nil) -> TwinsReport {
        var simulation = TwinsSimulation(scenario, bug: bug)
        return simulation.run()
    }

    @Test func `scenarios spread over the whole space break no rule`() {
        for scenario in TwinsSpace(views: 3, sidesMax: 2).spread(300) {
            #expect(run(scenario).violation == nil, "\(scenario)")
        }
    }

    @Test func `scenarios drawn from seeds break no rule`() {
        for seed in UInt64(1)...300 {
            let scenario = TwinsScenario(seed: seed)
            #expect(run(scenario).violation == nil, "seed \(seed): \(scenario)")
        }
    }

    @Test func `the same scenario gives the same trace, another one doesn't`() {
        let first = run(TwinsScenario(seed: 5))
        #expect(first == run(TwinsScenario(seed: 5)))
        #expect(first.traceHash != run(TwinsScenario(seed: 6)).traceHash)
    }

    /// A scenario for each bug that this layer sees; a change of the simulator may move it.
    @Test(arguments: [
        PlantedBug.sendBeforePersist, .skipPersist, .quorumOf2F, .countTwice,
        .notarizeAfterNullify, .notarizeSecond, .proposeOverGap, .enterWithoutCertificate,
    ])
    func `a planted bug is found`(bug: PlantedBug) {
        let isFound = TwinsSpace(views: 3, sidesMax: 2).spread(500).contains {
            run($0, bug: bug).violation != nil
        }
        #expect(isFound, "\(bug.rawValue)")
    }

    @Test func `a scenario can be repeated from its text`() throws {
        for seed in UInt64(1)...50 {
            let scenario = TwinsScenario(seed: seed)
            #expect(try #require(TwinsScenario(scenario.description)) == scenario)
        }
        for text in ["", "4/3/0/01/0/", "4/3,2/0/010101/0/", "5/3/0/010101/0/", "4/3/0/01010"] {
            #expect(TwinsScenario(text) == nil, "\(text)")
        }
    }

    @Test func `what differs in names only is run once`() {
        let space = TwinsSpace(views: 1, sidesMax: 2)
        let all = space.spread(.max)
        #expect(all.count < space.count)
        // One view that the twin leads, or another: 15 partitions and the whole.
        #expect(space.count == 2 * 16)
        // The twin leads: by the number of others with the first one, or with both, or neither.
        #expect(Set(all).count == all.count)
    }

    @Test func `twins equivocate and everything else comes up`() {
        let reports = (UInt64(1)...100).map { run(TwinsScenario(seed: $0)) }
        #expect(reports.contains { $0.evidence > 0 })
        #expect(reports.contains { $0.restarts > 0 })
        #expect(reports.contains { $0.scenario.validators == 7 && $0.scenario.twins.count == 2 })
        #expect(reports.contains { $0.views > 5 })
        #expect(reports.allSatisfy { $0.blocks > 0 })
    }
}
