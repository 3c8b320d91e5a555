internal import ArgumentParser
@_spi(Simulation) internal import Consensus
internal import Simulator

/// Consensus engines alone: thousands of views a second.
struct ConsensusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consensus", abstract: "Run consensus engines without mempools and ledgers.")

    @OptionGroup var options: RunOptions

    @Option(help: "Validators: 4 or 7; chosen by the seed if not given.")
    var nodes: Int?

    @Option(help: "Finalized blocks in each run.")
    var blocks: UInt64 = 200

    @Option(help: .private)
    var bug: String?

    func validate() throws {
        if let nodes, nodes != 4, nodes != 7 {
            throw ValidationError("--nodes \(nodes): 4 or 7 wanted")
        }
        guard (1...100_000).contains(blocks) else {
            throw ValidationError("--blocks \(blocks): 1...100000 wanted")
        }
        if let bug, PlantedBug(rawValue: bug) == nil {
            let names = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--bug \(bug): one of \(names) wanted")
        }
    }

    func run() throws {
        let started = ContinuousClock.now
        let reports = options.trace ? [traced()] : options.parallel { report(scenario($0)) }
        let summary = Summary(reports: reports, wall: ContinuousClock.now - started)
        print(options.json ? summary.json : summary.text)
        if !summary.failing.isEmpty { throw ExitCode.failure }
    }

    private func scenario(_ seed: UInt64) -> Scenario {
        Scenario(seed: seed, nodes: nodes, blocks: blocks, bug: bug.flatMap(PlantedBug.init))
    }

    private func report(_ scenario: Scenario) -> SimulationReport {
        var simulation = Simulation(scenario)
        return simulation.run()
    }

    private func traced() -> SimulationReport {
        var simulation = Simulation(scenario(options.all[0]), tracing: true)
        let report = simulation.run()
        for line in simulation.traceLines { print(line) }
        return report
    }
}
