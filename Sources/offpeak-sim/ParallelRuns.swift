internal import ArgumentParser
@_spi(Simulation) internal import Consensus
internal import Dispatch
internal import Synchronization

/// Pure runs side by side: they share nothing but the list of results.
enum ParallelRuns {
    /// The results in the order of `inputs`.
    static func map<Input: Sendable, Result: Sendable>(
        _ inputs: [Input], jobs: Int, _ run: @Sendable (Input) -> Result
    ) -> [Result] {
        let results = Mutex<[(Int, Result)]>([])
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: min(jobs, inputs.count)) { _ in
            while true {
                let place = next.add(1, ordering: .relaxed).oldValue
                guard place < inputs.count else { return }
                let result = run(inputs[place])
                results.withLock { $0.append((place, result)) }
            }
        }
        return results.withLock { $0.sorted { $0.0 < $1.0 }.map(\.1) }
    }
}

/// The name of a planted bug, as a command takes it.
enum BugOption {
    static func validate(_ name: String?) throws {
        guard let name, PlantedBug(rawValue: name) == nil else { return }
        let names = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--bug \(name): one of \(names) wanted")
    }

    static func value(_ name: String?) -> PlantedBug? { name.flatMap(PlantedBug.init) }
}
