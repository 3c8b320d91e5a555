import Simulator
import Testing

@Suite struct VerificationTests {
    private func run(
        _ seed: UInt64, _ collusion: VerificationScenario.Collusion = .within
    ) -> VerificationReport {
        var simulation = VerificationSimulation(
            VerificationScenario(seed: seed, collusion: collusion))
        return simulation.run()
    }

    private func run(_ scenario: VerificationScenario) -> VerificationReport {
        var simulation = VerificationSimulation(scenario)
        return simulation.run()
    }

    @Test(arguments: stride(from: UInt64(1), through: 200, by: 10).map { $0 })
    func `bonds within the bound get nothing executed that nobody signed`(first: UInt64) {
        for seed in first..<first + 10 {
            let report = run(seed)
            #expect(report.violation == nil, "seed \(seed): \(report.drew)")
            #expect(report.badExecuted == 0, "seed \(seed)")
        }
    }

    @Test func `with one bond more than the bound something executes that nobody signed`() {
        let reports = (UInt64(1)...12).map { run($0, .over) }
        #expect(reports.allSatisfy { $0.violation == nil })
        #expect(reports.filter { $0.badExecuted > 0 }.count >= 6)
    }

    @Test func `the same seed gives the same trace, another one doesn't`() {
        let first = run(3)
        #expect(first == run(3))
        #expect(first.traceHash != run(4).traceHash)
    }

    @Test func `what can happen does happen`() {
        let reports = (UInt64(1)...60).map { run($0) }
        #expect(reports.contains { $0.restarts > 0 })
        #expect(reports.contains { !$0.offenders.isEmpty })
        #expect(reports.contains { $0.passedOver > 0 })
        #expect(reports.contains { $0.planted > 0 })
        #expect(reports.contains { $0.declined > 0 })
        #expect(reports.contains { $0.comparedJobs > 0 })
    }

    /// Without an answer: 400 ms, a tick of 50, one look at the signature, an appeal; 1,000 ms
    /// and a tick until the complaints; then a block of a leader that is up, at 100 ms each. With a
    /// promise in place of silence the first wait is 2,000 ms. Each liar that the client itself
    /// asks first costs its patience, 3,000 ms. The plan's bound is eight blocks and two terms of
    /// 128, which is 26 s here.
    @Test(arguments: [
        (Trick.censorSilently, UInt64(2_600)), (.censorByPromises, 4_200),
    ])
    func `a censoring owner is passed over, and the censored sender's payments are final`(
        trick: Trick, wait: UInt64
    ) {
        var passedOver = 0
        for seed in UInt64(1)...6 {
            for count in [4, 7, 10] {
                let report = run(.censorship(seed: seed, by: trick, validators: count))
                let bound = wait + 3_000 * UInt64((count - 1) / 3)
                #expect(report.violation == nil, "seed \(seed), \(count) validators")
                #expect(
                    report.victimWaitMilliseconds <= bound + 3_000,
                    "seed \(seed), \(count) validators")
                guard let passed = report.firstPassedOverAt, let since = report.victimSince else {
                    continue
                }
                passedOver += 1
                #expect(
                    passed <= since + bound,
                    "seed \(seed), \(count) validators: tried at \(since), passed over at \(passed)"
                )
            }
        }
        #expect(passedOver >= 12)
    }

    @Test(arguments: [Trick.censorByLies, .censorByBusy])
    func `an owner that turns one sender away keeps it out for no more than one question`(
        trick: Trick
    ) {
        for seed in UInt64(1)...6 {
            let report = run(.censorship(seed: seed, by: trick, validators: 7))
            #expect(report.violation == nil, "seed \(seed)")
            #expect(report.victimWaitMilliseconds <= 6_000, "seed \(seed)")
        }
    }

    @Test(arguments: [4, 10])
    func `owners that change under load lose nothing and are never passed over`(count: Int) {
        for seed in UInt64(1)...4 {
            let report = run(.handovers(seed: seed, validators: count))
            #expect(report.violation == nil, "seed \(seed)")
            #expect(report.passedOver == 0 && report.executed >= 320, "seed \(seed)")
            #expect(report.longestWaitMilliseconds <= 6_000, "seed \(seed)")
        }
    }

    @Test func `with four validators two check each signature, with ten four`() {
        let table = VerificationTable(committees: [4, 10], batches: [64])
        for row in table.rows where row.edges == 0 {
            let needed = UInt64(row.validators - 1) / 3 + 1
            #expect(row.checksPerTransaction == needed * 1000)
        }
        // Verifiers without a vote that hold a third take all but the owner's own check.
        for row in table.rows where row.edges > 0 {
            #expect(row.checksPerValidator * UInt64(row.validators) <= 1_250)
        }
    }
}
