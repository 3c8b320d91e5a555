internal import ArgumentParser
@_spi(Simulation) internal import Consensus
internal import Simulator

/// Runs scenarios of twins; exits 0 only if none found a violation.
struct TwinsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "twins",
        abstract: "Run validators as two engines with one key, in given partitions of each view.",
        discussion: """
            Half of the scenarios are spread evenly over all of four validators with one twin, the \
            other half is drawn from the seeds: 4 or 7 validators, up to F twins, up to 8 views, \
            three sides, restarts, messages out of order. --all runs every one of the first kind, \
            --repeat a single one as it was printed.
            """)

    @Option(help: "Scenarios, half of them drawn from seeds.")
    var scenarios = 20_000

    @Option(help: "Only scenarios drawn from these seeds, as 1..500.")
    var seeds: SeedRange?

    @Option(help: "Views with partitions, 1...4, in those that aren't drawn.")
    var views = 3

    @Option(help: "Sides that a partition has at most, 2 or 3, in those that aren't drawn.")
    var sides = 2

    @Flag(help: "Run every scenario of these views and sides.")
    var all = false

    @Option(name: .customLong("repeat"), help: "A scenario as it was printed.")
    var repeated: String?

    @Option(help: "Runs at one time.")
    var jobs = 2

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Print every step; for --repeat.")
    var trace = false

    @Option(help: .private)
    var bug: String?

    func validate() throws {
        guard (1...4).contains(views) else {
            throw ValidationError("--views \(views): 1...4 wanted")
        }
        guard (2...3).contains(sides) else {
            throw ValidationError("--sides \(sides): 2 or 3 wanted")
        }
        guard (1...10_000_000).contains(scenarios) else {
            throw ValidationError("--scenarios \(scenarios): 1...10000000 wanted")
        }
        guard (1...64).contains(jobs) else {
            throw ValidationError("--jobs \(jobs): 1...64 wanted")
        }
        if let repeated, TwinsScenario(repeated) == nil {
            throw ValidationError("--repeat \(repeated): no scenario")
        }
        if trace, repeated == nil { throw ValidationError("--trace needs --repeat") }
        try BugOption.validate(bug)
    }

    func run() throws {
        let started = ContinuousClock.now
        let bug = BugOption.value(bug)
        let reports: [TwinsReport]
        if let scenario = repeated.flatMap({ TwinsScenario($0) }) {
            reports = [runTraced(scenario, bug)]
        } else {
            reports = ParallelRuns.map(chosen(), jobs: jobs) { scenario in
                var simulation = TwinsSimulation(scenario, bug: bug)
                return simulation.run()
            }
        }
        let summary = TwinsSummary(
            reports: reports, wall: ContinuousClock.now - started, jobs: jobs)
        print(json ? summary.json : summary.text)
        if !summary.failing.isEmpty { throw ExitCode.failure }
    }

    private func runTraced(_ scenario: TwinsScenario, _ bug: PlantedBug?) -> TwinsReport {
        var simulation = TwinsSimulation(scenario, bug: bug, tracing: trace)
        let report = simulation.run()
        for line in simulation.traceLines { print(line) }
        return report
    }

    private func chosen() -> [TwinsScenario] {
        if let seeds { return seeds.range.map { TwinsScenario(seed: $0) } }
        let space = TwinsSpace(views: views, sidesMax: sides)
        if all { return space.spread(.max) }
        let systematic = space.spread(scenarios / 2)
        let drawn = UInt64(scenarios - systematic.count)
        return systematic + (0..<drawn).map { TwinsScenario(seed: $0 + 1) }
    }
}

/// What the scenarios gave together.
struct TwinsSummary {
    /// Violations that are printed; the first ones say enough.
    private static let printedMax = 10

    let reports: [TwinsReport]
    let wall: Duration
    let jobs: Int

    var failing: [TwinsReport] { reports.filter { $0.violation != nil } }

    private var milliseconds: UInt64 { max(1, Summary.milliseconds(wall)) }
    private var perSecond: UInt64 { UInt64(reports.count) * 1_000 / milliseconds }
    private var perSecondAndJob: UInt64 { perSecond / UInt64(max(1, min(jobs, reports.count))) }
    private var events: Int { reports.reduce(0) { $0 + $1.events } }
    private var evidence: Int { reports.reduce(0) { $0 + $1.evidence } }
    private var blocks: UInt64 { reports.reduce(0) { $0 + $1.blocks } }
    private var restarts: Int { reports.reduce(0) { $0 + $1.restarts } }
    private var recovery: UInt64 { reports.compactMap(\.recoveryMilliseconds).max() ?? 0 }
    private var traceHash: String { Summary.hash(reports.map(\.traceHash)) }

    /// The number of the first scenario that failed, counted from 1.
    private var first: Int? { reports.firstIndex { $0.violation != nil }.map { $0 + 1 } }

    var text: String {
        let failures = failing.prefix(TwinsSummary.printedMax).map {
            "\($0.violation ?? ""): offpeak-sim twins --repeat \($0.scenario)"
        }
        let found = first.map { ", the first at scenario \($0)" } ?? ""
        let last = """
            \(reports.count) scenarios, \(failing.count) violations\(found), \(blocks) blocks, \
            \(restarts) restarts, \(evidence) proofs of equivocation, slowest recovery \
            \(Summary.seconds(recovery)) s, \(events) events in \
            \(Summary.seconds(milliseconds)) s, \(perSecond) scenarios a second, \
            \(perSecondAndJob) for each job, trace \(traceHash)
            """
        return (failures + [last]).joined(separator: "\n")
    }

    var json: String {
        let failures = failing.prefix(TwinsSummary.printedMax).map {
            "{\"scenario\":\"\($0.scenario)\","
                + "\"violation\":\"\(Summary.escape($0.violation ?? ""))\"}"
        }
        let fields = [
            "\"scenarios\":\(reports.count)", "\"violations\":\(failing.count)",
            "\"firstViolations\":[\(failures.joined(separator: ","))]", "\"blocks\":\(blocks)",
            "\"restarts\":\(restarts)", "\"evidence\":\(evidence)", "\"events\":\(events)",
            "\"slowestRecoverySeconds\":\(Summary.seconds(recovery))",
            "\"wallSeconds\":\(Summary.seconds(milliseconds))",
            "\"scenariosPerSecond\":\(perSecond)",
            "\"scenariosPerSecondAndJob\":\(perSecondAndJob)", "\"traceHash\":\"\(traceHash)\"",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }
}
