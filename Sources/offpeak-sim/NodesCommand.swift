internal import ArgumentParser
internal import Primitives
internal import Simulator

/// Whole nodes: consensus, mempool, ledger and store, with users, accidents and liars.
struct NodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes",
        abstract: "Run whole nodes with users; this is what runs without a subcommand.",
        discussion: """
            A phase in which things break, then one in which all works again: nothing wrong may \
            happen in the first, everything must come to its end in the second. --minimize looks \
            for the fewest faults with which a failing seed still fails, and prints the command \
            that repeats it.
            """)

    @OptionGroup var options: RunOptions

    @Option(help: "Validators, 4...10; chosen by the seed if not given.")
    var validators: Int?

    @Option(help: "Finalized blocks in each run, at least 10.")
    var blocks: UInt64 = 200

    @Flag(help: "Nothing breaks and nobody lies.")
    var quiet = false

    @Flag(
        inversion: .prefixedNo,
        help: "Committees change from epoch to epoch; chosen by the seed if not given.")
    var elections: Bool?

    @Flag(help: "Look for the fewest faults with which a single seed still fails.")
    var minimize = false

    @Option(help: "Only these fault decisions take effect, as --minimize prints them: 12,40,7.")
    var faults: String?

    @Flag(help: "Fail if something that should happen in some run never did.")
    var marks = false

    @Option(help: .private)
    var plant: String?

    func validate() throws {
        if let validators, !(4...10).contains(validators) {
            throw ValidationError("--validators \(validators): 4...10 wanted")
        }
        guard (10...100_000).contains(blocks) else {
            throw ValidationError("--blocks \(blocks): 10...100000 wanted")
        }
        if minimize, options.seed == nil { throw ValidationError("--minimize needs --seed") }
        if faults != nil, options.seed == nil { throw ValidationError("--faults needs --seed") }
        if let faults, faults.split(separator: ",").contains(where: { Int($0) == nil }) {
            throw ValidationError("--faults \(faults): numbers with commas wanted, as 12,40,7")
        }
        if let plant, PlantedFault(rawValue: plant) == nil {
            let names = PlantedFault.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--plant \(plant): one of \(names) wanted")
        }
    }

    func run() throws {
        if minimize { return try shorten() }
        let started = ContinuousClock.now
        let reports =
            options.trace ? [traced()] : options.parallel { NodesCommand.report(scenario($0)) }
        let summary = NodesSummary(
            reports: reports, wall: ContinuousClock.now - started,
            draw: options.seed.map { scenario($0).drew })
        print(options.json ? summary.json : summary.text)
        let missing = marks ? summary.marks.missing : []
        if !missing.isEmpty {
            print("never reached: " + missing.map(\.rawValue).joined(separator: ", "))
        }
        if !summary.failing.isEmpty || !missing.isEmpty { throw ExitCode.failure }
    }

    private func scenario(_ seed: UInt64) -> NodeScenario {
        var scenario = NodeScenario(
            seed: seed, blocks: blocks, validators: validators, quiet: quiet,
            changingCommittees: elections)
        scenario.planted = plant.flatMap(PlantedFault.init)
        scenario.allowed = faults.map { Set($0.split(separator: ",").compactMap { Int($0) }) }
        return scenario
    }

    static func report(_ scenario: NodeScenario) -> NodeReport {
        var simulation = NodeSimulation(scenario)
        return simulation.run()
    }

    private func traced() -> NodeReport {
        var simulation = NodeSimulation(scenario(options.all[0]), tracing: true)
        let report = simulation.run()
        for line in simulation.traceLines { print(line) }
        return report
    }

    private func shorten() throws {
        let whole = scenario(options.all[0])
        guard let least = NodeMinimizer(whole).run(progress: { print($0) }) else {
            return print("seed \(whole.seed) doesn't fail")
        }
        let list = least.faults.map(String.init).joined(separator: ",")
        print("seed \(whole.seed): \(least.violation)")
        print("\(least.faults.count) of \(least.before) faults are needed; repeat it with")
        var command = "offpeak-sim --seed \(whole.seed) --blocks \(blocks) --faults \"\(list)\""
        if let validators { command += " --validators \(validators)" }
        if let elections { command += elections ? " --elections" : " --no-elections" }
        if let plant { command += " --plant \(plant)" }
        print(command + " --trace")
        throw ExitCode.failure
    }
}
