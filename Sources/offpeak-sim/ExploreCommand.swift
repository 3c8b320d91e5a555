internal import ArgumentParser
@_spi(Simulation) internal import Consensus
internal import Simulator

/// Explores all states of a small scope; exits 0 only if none breaks a rule.
struct ExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore",
        abstract: "Visit every state that four validators, one a liar, can reach in a few views.",
        discussion: """
            One exploration for each order of leaders, L for the liar. A violation is printed with \
            the steps that lead there; --leaders runs that order alone again.
            """)

    @Option(help: "Views, 1...4.")
    var views = 2

    @Option(help: "One order of leaders, as it was printed.")
    var leaders: String?

    @Flag(inversion: .prefixedNo, help: "Let honest nodes stop and start again.")
    var restarts = false

    @Option(help: "States that are visited at most for each order.")
    var states = 20_000_000

    @Option(help: "Explorations at one time.")
    var jobs = 1

    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(help: .private)
    var bug: String?

    func validate() throws {
        guard (1...4).contains(views) else {
            throw ValidationError("--views \(views): 1...4 wanted")
        }
        guard (1...1_000_000_000).contains(states) else {
            throw ValidationError("--states \(states): 1...1000000000 wanted")
        }
        guard (1...64).contains(jobs) else {
            throw ValidationError("--jobs \(jobs): 1...64 wanted")
        }
        try BugOption.validate(bug)
    }

    func run() throws {
        let started = ContinuousClock.now
        let scopes = ExplorationScope.all(
            views: views, restarts: restarts, statesMax: states, bug: BugOption.value(bug)
        ).filter { leaders == nil || $0.description == leaders }
        guard !scopes.isEmpty else {
            throw ValidationError("--leaders \(leaders ?? ""): no such order of \(views) leaders")
        }
        let reports = ParallelRuns.map(scopes, jobs: jobs) { scope in
            var exploration = Exploration(scope)
            return exploration.run()
        }
        let summary = ExploreSummary(reports: reports, wall: ContinuousClock.now - started)
        print(json ? summary.json : summary.text)
        if !summary.failing.isEmpty { throw ExitCode.failure }
    }
}

/// What the explorations gave together.
struct ExploreSummary {
    let reports: [ExplorationReport]
    let wall: Duration

    var failing: [ExplorationReport] { reports.filter { $0.violation != nil } }

    private var isComplete: Bool { reports.allSatisfy { $0.isComplete && $0.violation == nil } }
    private var states: Int { reports.reduce(0) { $0 + $1.states } }
    private var steps: Int { reports.reduce(0) { $0 + $1.steps } }
    private var localStates: Int { reports.reduce(0) { $0 + $1.localStates } }
    private var engineCalls: Int { reports.reduce(0) { $0 + $1.engineCalls } }
    private var traceHash: String { Summary.hash(reports.map(\.traceHash)) }

    var text: String {
        let rows = reports.map { report in
            let end = report.isComplete && report.violation == nil ? "all" : "not all"
            let line = """
                leaders \(report.leaders): \(report.states) states, \(end), \(report.steps) \
                steps, \(report.localStates) states of nodes, \(report.engineCalls) calls
                """
            guard let violation = report.violation else { return line }
            let steps = report.path.map { "    " + $0 }
            return ([line, "  \(violation), after"] + steps).joined(separator: "\n")
        }
        let last = """
            \(reports.count) orders of leaders, \(failing.count) violations, \(states) states, \
            \(isComplete ? "every one there is" : "not every one"), \(steps) steps in \
            \(Summary.seconds(Summary.milliseconds(wall))) s, trace \(traceHash)
            """
        return (rows + [last]).joined(separator: "\n")
    }

    var json: String {
        let failures = failing.map {
            "{\"leaders\":\"\($0.leaders)\",\"states\":\($0.states),"
                + "\"violation\":\"\(Summary.escape($0.violation ?? ""))\"}"
        }
        let fields = [
            "\"orders\":\(reports.count)", "\"violations\":[\(failures.joined(separator: ","))]",
            "\"complete\":\(isComplete)", "\"states\":\(states)", "\"steps\":\(steps)",
            "\"statesOfNodes\":\(localStates)", "\"engineCalls\":\(engineCalls)",
            "\"wallSeconds\":\(Summary.seconds(Summary.milliseconds(wall)))",
            "\"traceHash\":\"\(traceHash)\"",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }
}
