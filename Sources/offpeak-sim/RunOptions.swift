internal import ArgumentParser
internal import Dispatch
internal import Synchronization

/// Which seeds are run, how, and what is printed: the same for every kind of simulation.
struct RunOptions: ParsableArguments {
    @Option(help: "A seed, or a range of them as 1..500.")
    var seeds = SeedRange(1...100)

    @Option(help: "A single seed: also tells what it drew.")
    var seed: UInt64?

    @Option(help: "Runs at one time.")
    var jobs = 2

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Print every step; for a single seed.")
    var trace = false

    func validate() throws {
        guard (1...64).contains(jobs) else {
            throw ValidationError("--jobs \(jobs): 1...64 wanted")
        }
        if trace, seed == nil { throw ValidationError("--trace needs --seed") }
    }

    var all: [UInt64] { Array(seed.map { $0...$0 } ?? seeds.range) }

    /// Each run is pure, so they share nothing but the list of results.
    func parallel<Report: Sendable>(_ run: @Sendable (UInt64) -> Report) -> [Report] {
        let seeds = all
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
