internal import ArgumentParser
internal import Dispatch
internal import Foundation
internal import Simulator
internal import Synchronization

/// Plants each fault and looks whether some layer finds it.
struct BugsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bugs",
        abstract: "Plant faults one by one; fail if no layer finds one of them.",
        discussion: """
            A fault is looked for in the cheapest layer that can see it, seed after seed, in a \
            process of its own: a trap is a finding too. --markdown prints the table of \
            Tests/README.md.
            """)

    @Option(help: "Only this fault.")
    var only: String?

    @Option(help: "Seeds to try in a layer.")
    var seeds: UInt64 = 200

    @Option(help: "Faults looked for at one time.")
    var jobs = 2

    @Flag(help: "Print the table as Markdown.")
    var markdown = false

    /// The process that looks for one fault: it tells each run before it begins.
    @Flag(help: .private)
    var inner = false

    func validate() throws {
        guard seeds > 0 else { throw ValidationError("--seeds 0: at least 1 wanted") }
        guard (1...64).contains(jobs) else {
            throw ValidationError("--jobs \(jobs): 1...64 wanted")
        }
        if let only, !BugHunt.Bug.all.contains(where: { $0.name == only }) {
            let names = BugHunt.Bug.all.map(\.name).joined(separator: ", ")
            throw ValidationError("--only \(only): one of \(names) wanted")
        }
    }

    func run() throws {
        let bugs = BugHunt.Bug.all.filter { only == nil || $0.name == only }
        if inner { return bugs.forEach(look) }
        let rows = lookForAll(bugs.map(\.name))
        if markdown {
            print("| planted fault | found by | seed | time | what was seen |")
            print("| --- | --- | --- | --- | --- |")
        }
        for row in rows { print(markdown ? row.markdown : row.text) }
        let lost = rows.filter { !$0.isFound }
        print("\n\(rows.count - lost.count) of \(rows.count) planted faults found")
        if !lost.isEmpty { throw ExitCode.failure }
    }

    private func look(for bug: BugHunt.Bug) {
        let finding = BugHunt(seedsMax: seeds).find(bug) { layer, seed in
            print("try \(layer.rawValue) \(seed)")
            fflush(nil)
        }
        if let finding { print("found \(finding.violation)") }
    }

    private func lookForAll(_ names: [String]) -> [BugRow] {
        let rows = Mutex<[(Int, BugRow)]>([])
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: min(jobs, names.count)) { _ in
            while true {
                let place = next.add(1, ordering: .relaxed).oldValue
                guard place < names.count else { return }
                let began = ContinuousClock.now
                let (lines, trapped) = output(of: names[place])
                let time = Summary.milliseconds(ContinuousClock.now - began)
                let row = BugRow(
                    name: names[place], lines: lines, trapped: trapped, milliseconds: time)
                rows.withLock { $0.append((place, row)) }
            }
        }
        return rows.withLock { $0.sorted { $0.0 < $1.0 }.map(\.1) }
    }

    /// What the process that looks for one fault prints, and whether a signal ended it.
    private func output(of name: String) -> (lines: [Substring], trapped: Bool) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["bugs", "--inner", "--only", name, "--seeds", "\(seeds)"]
        process.environment = ["SWIFT_BACKTRACE": "enable=no"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil,
            let data = try? pipe.fileHandleForReading.readToEnd()
        else { return ([], false) }
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
        return (text.split(separator: "\n"), process.terminationReason == .uncaughtSignal)
    }
}

/// What became of one planted fault.
struct BugRow: Sendable {
    let name: String
    /// The last run, as "layer seed".
    private let layer: String
    private let seed: String
    private let seen: String?
    private let time: String

    init(name: String, lines: [Substring], trapped: Bool, milliseconds: UInt64) {
        self.name = name
        let last = lines.last { $0.hasPrefix("try ") }?.split(separator: " ") ?? []
        layer = last.count == 3 ? String(last[1]) : ""
        seed = last.count == 3 ? String(last[2]) : ""
        let found = lines.first { $0.hasPrefix("found ") }?.dropFirst(6)
        seen = trapped ? "the node traps" : found.map { String($0.prefix(90)) }
        time = "\(Summary.seconds(milliseconds)) s"
    }

    var isFound: Bool { seen != nil }

    var markdown: String {
        guard let seen else { return "| \(name) | nothing | | \(time) | |" }
        return "| \(name) | \(layer) | \(seed) | \(time) | \(seen) |"
    }

    var text: String {
        guard let seen else { return "\(name): NOT FOUND in \(time)" }
        return "\(name): \(layer), seed \(seed), \(time): \(seen)"
    }
}
