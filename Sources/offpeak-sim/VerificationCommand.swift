internal import ArgumentParser
internal import Simulator

/// Mempools and verifiers alone, with real signatures and liars up to the bound or beyond it.
struct VerificationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verification",
        abstract: "Run mempools and verifiers in place of whole nodes.",
        discussion: """
            Validators and verifiers without a vote, of whom bonds of at most F_U lie. With \
            --collude over it is F_U + 1, and the run succeeds if it finds a transaction executed \
            that nobody signed. With --table the signatures that nodes check are counted.
            """)

    @OptionGroup var options: RunOptions

    @Option(help: "Bonds that lie: within (at most F_U) or over (F_U + 1).")
    var collude = "within"

    @Flag(help: "Count checks for 4, 10, 31 and 100 validators.")
    var table = false

    func validate() throws {
        guard VerificationScenario.Collusion(rawValue: collude) != nil else {
            throw ValidationError("--collude \(collude): within or over wanted")
        }
    }

    func run() throws {
        if table { return TableText.printTable(json: options.json) }
        let collusion = VerificationScenario.Collusion(rawValue: collude) ?? .within
        let started = ContinuousClock.now
        let reports =
            options.trace
            ? [traced(collusion)]
            : options.parallel { seed in
                var simulation = VerificationSimulation(
                    VerificationScenario(seed: seed, collusion: collusion))
                return simulation.run()
            }
        let summary = VerificationSummary(
            reports: reports, collusion: collusion, wall: ContinuousClock.now - started,
            tellsDraw: options.seed != nil)
        print(options.json ? summary.json : summary.text)
        if !summary.isGood { throw ExitCode.failure }
    }

    private func traced(_ collusion: VerificationScenario.Collusion) -> VerificationReport {
        var simulation = VerificationSimulation(
            VerificationScenario(seed: options.all[0], collusion: collusion), tracing: true)
        let report = simulation.run()
        for line in simulation.traceLines { print(line) }
        return report
    }
}
