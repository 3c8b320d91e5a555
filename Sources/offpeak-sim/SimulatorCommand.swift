internal import ArgumentParser
@_spi(Simulation) internal import Consensus
internal import Dispatch
internal import Simulator
internal import Synchronization

/// Runs seeded simulations; exits 0 only if none found a violation.
@main
struct SimulatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offpeak-sim",
        abstract: "Run the engines in simulated networks with seeded faults and liars.",
        discussion: """
            Each seed is a network in virtual time: loss, delay, duplication, partitions, crashes \
            and lying validators, then healing. The same seed and code give the same trace hash.

            With --verification mempools run instead of consensus engines: validators and \
            verifiers without a vote, of whom bonds of at most F_U lie. With --collude over it is \
            F_U + 1, and the run succeeds if it finds a transaction executed that nobody signed. \
            With --table the signatures that nodes check are counted.
            """)

    @Option(help: "A seed, or a range of them as 1..500.")
    var seeds = SeedRange(1...100)

    @Option(help: "A single seed.")
    var seed: UInt64?

    @Option(help: "Validators: 4 or 7; chosen by the seed if not given.")
    var nodes: Int?

    @Option(help: "Finalized blocks in each run.")
    var blocks: UInt64 = 200

    @Option(help: "Runs at one time.")
    var jobs = 2

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Print every step; for a single seed.")
    var trace = false

    @Flag(help: "Run mempools and verifiers in place of consensus engines.")
    var verification = false

    @Option(help: "With --verification, bonds that lie: within (at most F_U) or over (F_U + 1).")
    var collude = "within"

    @Flag(help: "With --verification, count checks for 4, 10, 31 and 100 validators.")
    var table = false

    @Option(help: .private)
    var bug: String?

    func validate() throws {
        if let nodes, nodes != 4, nodes != 7 {
            throw ValidationError("--nodes \(nodes): 4 or 7 wanted")
        }
        guard (1...100_000).contains(blocks) else {
            throw ValidationError("--blocks \(blocks): 1...100000 wanted")
        }
        guard (1...64).contains(jobs) else {
            throw ValidationError("--jobs \(jobs): 1...64 wanted")
        }
        if let bug, PlantedBug(rawValue: bug) == nil {
            let names = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--bug \(bug): one of \(names) wanted")
        }
        if trace, seed == nil { throw ValidationError("--trace needs --seed") }
        guard VerificationScenario.Collusion(rawValue: collude) != nil else {
            throw ValidationError("--collude \(collude): within or over wanted")
        }
        if table, !verification { throw ValidationError("--table needs --verification") }
    }

    func run() throws {
        if verification { return try runVerification() }
        let started = ContinuousClock.now
        let range = seed.map { $0...$0 } ?? seeds.range
        let reports = trace ? [runTraced(range.lowerBound)] : runAll(Array(range))
        let wall = ContinuousClock.now - started
        let summary = Summary(reports: reports, wall: wall)
        print(json ? summary.json : summary.text)
        if !summary.failing.isEmpty { throw ExitCode.failure }
    }

    private func scenario(_ seed: UInt64) -> Scenario {
        Scenario(seed: seed, nodes: nodes, blocks: blocks, bug: bug.flatMap(PlantedBug.init))
    }

    private func runTraced(_ seed: UInt64) -> SimulationReport {
        var simulation = Simulation(scenario(seed), tracing: true)
        let report = simulation.run()
        for line in simulation.traceLines { print(line) }
        return report
    }

    private func runAll(_ seeds: [UInt64]) -> [SimulationReport] {
        parallel(seeds) { seed in
            var simulation = Simulation(scenario(seed))
            return simulation.run()
        }
    }

    /// Each run is pure, so they share nothing but the list of results.
    func parallel<Report: Sendable>(
        _ seeds: [UInt64], _ run: @Sendable (UInt64) -> Report
    ) -> [Report] {
        let results = Mutex<[(UInt64, Report)]>([])
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: min(jobs, seeds.count)) { _ in
            while true {
                let place = next.add(1, ordering: .relaxed).oldValue
                guard place < seeds.count else { return }
                let report = run(seeds[place])
                results.withLock { $0.append((seeds[place], report)) }
            }
        }
        return results.withLock { $0.sorted { $0.0 < $1.0 }.map(\.1) }
    }
}

/// Seeds from the first to the last, both included.
struct SeedRange: ExpressibleByArgument, CustomStringConvertible {
    let range: ClosedRange<UInt64>

    init(_ range: ClosedRange<UInt64>) { self.range = range }

    init?(argument: String) {
        if let single = UInt64(argument) {
            self.init(single...single)
            return
        }
        guard let dots = argument.firstRange(of: "..") else { return nil }
        let last = argument[dots.upperBound...].drop { $0 == "." }
        guard let first = UInt64(argument[..<dots.lowerBound]), let last = UInt64(last),
            first <= last, last - first < 10_000_000
        else { return nil }
        self.init(first...last)
    }

    var description: String { "\(range.lowerBound)..\(range.upperBound)" }
}
