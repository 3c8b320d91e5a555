internal import ArgumentParser
@_spi(Simulation) internal import Consensus
internal import Foundation
internal import Primitives
internal import Simulator

/// Crashes at every storage write of a run; exits 0 only if all of them are survived.
struct CrashesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crashes",
        abstract: "Number the storage writes of a run, and crash at each of them in four ways.",
        discussion: """
            A run without other faults numbers what reaches the disks: of one validator, and of \
            all nodes. At each write the run crashes before it and after it, with torn and with \
            lost writes; the one or all of them start again, and everything must come to its end \
            soon. A violation is printed with the command that repeats it from the beginning.
            """)

    @Option(help: "What the network is drawn from.")
    var seed: UInt64 = 1

    @Option(help: "Finalized blocks of the run that is numbered, at least 10.")
    var blocks: UInt64 = 50

    @Option(help: "Validators, 4...10.")
    var validators = 4

    @Option(help: "Who crashes: one, the first validator, or all; both in turn if not given.")
    var victim: CrashPoint.Victim?

    @Option(help: "Crash at every so many-th write, and at the first three of each kind.")
    var step = 1

    @Option(help: "Finalized blocks after the crash.")
    var after: UInt64 = 3

    @Option(help: "Crash at the write of this number only; needs --victim and --mode.")
    var point: Int?

    @Option(help: "How: before, after, torn or lost; needs --point.")
    var mode: CrashPoint.Mode?

    @Option(help: "Runs at one time.")
    var jobs = 2

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Print each point before its run: the last ones tell where one trapped.")
    var verbose = false

    @Flag(help: "Fail if no run crashed at some kind of write.")
    var marks = false

    @Flag(help: "Print every step; needs --point.")
    var trace = false

    @Option(help: .private)
    var plant: String?

    func validate() throws {
        guard (4...10).contains(validators) else {
            throw ValidationError("--validators \(validators): 4...10 wanted")
        }
        guard (10...10_000).contains(blocks) else {
            throw ValidationError("--blocks \(blocks): 10...10000 wanted")
        }
        guard step > 0 else { throw ValidationError("--step \(step): at least 1 wanted") }
        guard (1...1_000).contains(after) else {
            throw ValidationError("--after \(after): 1...1000 wanted")
        }
        guard (1...64).contains(jobs) else {
            throw ValidationError("--jobs \(jobs): 1...64 wanted")
        }
        guard (point == nil) == (mode == nil), point == nil || victim != nil else {
            throw ValidationError("--point needs --victim and --mode, and --mode needs --point")
        }
        if trace, point == nil { throw ValidationError("--trace needs --point") }
        if let plant, CrashesCommand.plant(plant) == nil {
            throw ValidationError("--plant \(plant): no such fault")
        }
    }

    func run() throws {
        if let point, let mode, let victim { return try `repeat`(point, mode, victim) }
        let started = ContinuousClock.now
        let victims = victim.map { [$0] } ?? CrashPoint.Victim.allCases
        let reports = victims.map(explore)
        let summary = CrashesSummary(
            reports: reports, wall: ContinuousClock.now - started, command: command,
            mustMeetAll: marks)
        print(json ? summary.json : summary.text)
        if !summary.holds { throw ExitCode.failure }
    }

    private func explore(_ victim: CrashPoint.Victim) -> CrashReport {
        let exploration = CrashExploration(scenario, victim: victim, blocksAfter: after)
        let parts = ParallelRuns.map(Array(0..<jobs), jobs: jobs) {
            exploration.run(step: step, part: $0, of: jobs, trying: tell(victim))
        }
        var whole = parts[0]
        for part in parts.dropFirst() { whole.add(part) }
        return whole
    }

    private func tell(_ victim: CrashPoint.Victim) -> @Sendable (CrashPoint) -> Void {
        guard verbose else { return { _ in } }
        let start = "try \(command) --victim \(victim.rawValue)"
        return { point in
            print("\(start) --point \(point.number) --mode \(point.mode.rawValue)")
            fflush(nil)
        }
    }

    private var scenario: NodeScenario {
        var scenario = NodeScenario(
            seed: seed, blocks: blocks, validators: validators, quiet: true)
        switch plant.flatMap(CrashesCommand.plant) {
        case .node(let fault): scenario.planted = fault
        case .consensus(let bug): scenario.plantedBug = bug
        case nil: break
        }
        return scenario
    }

    private static func plant(_ name: String) -> BugHunt.Bug? {
        BugHunt.Bug.all.first { $0.name == name }
    }

    /// What repeats one of the runs, but for the point.
    private var command: String {
        var command = "offpeak-sim crashes --seed \(seed) --blocks \(blocks)"
        command += " --validators \(validators) --after \(after)"
        if let plant { command += " --plant \(plant)" }
        return command
    }

    private func `repeat`(
        _ point: Int, _ mode: CrashPoint.Mode, _ victim: CrashPoint.Victim
    ) throws {
        let exploration = CrashExploration(scenario, victim: victim, blocksAfter: after)
        let (report, lines) = exploration.repeated(point, mode, tracing: trace)
        for line in lines { print(line) }
        let recovery = report.recoveryMilliseconds.map { Summary.seconds($0) + " s" } ?? "never"
        print(
            "\(report.violation ?? "no violation"), \(report.restarts) restarts, "
                + "recovery \(recovery), trace \(Summary.hash([report.traceHash]))")
        guard report.violation == nil, report.restarts > 0 else { throw ExitCode.failure }
    }
}

extension CrashPoint.Mode: ExpressibleByArgument {}
extension CrashPoint.Victim: ExpressibleByArgument {}
