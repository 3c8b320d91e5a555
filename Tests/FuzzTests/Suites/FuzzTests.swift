import Foundation
import Testing

/// The kept inputs and mutations of them, in the usual build; `tools/fuzz` searches further.
@Suite(.serialized) struct FuzzTests {
    private static let names = FuzzTarget.all.map(\.name)
    private static let seed: UInt64 = 1

    private func target(_ name: String) throws -> FuzzTarget {
        try #require(FuzzTarget.all.first { $0.name == name })
    }

    @Test("every kept input keeps the rules", arguments: names)
    func replay(name: String) throws {
        let target = try target(name)
        let entries = try Corpus.entries(of: target)
        #expect(!entries.isEmpty)
        for entry in entries {
            do {
                _ = try target.check(entry.bytes)
            } catch {
                Issue.record("\(name)/\(entry.name): \(error)")
            }
        }
    }

    @Test("what the seeds are made of is accepted", arguments: names)
    func seeds(name: String) throws {
        let target = try target(name)
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        for seed in seeds {
            #expect(seed.bytes.count <= target.bytesMax, "\(name)/\(seed.name)")
            #expect(try target.check(seed.bytes), "\(name)/\(seed.name)")
        }
    }

    @Test("mutations of kept inputs keep the rules", arguments: names)
    func mutations(name: String) throws {
        let target = try target(name)
        let entries = try Corpus.entries(of: target).map(\.bytes)
        var mutator = Mutator(seed: FuzzTests.seed, others: entries)
        // A trap ends the process: the input that it met lies here then.
        let last = FileManager.default.temporaryDirectory.appending(path: "offpeak-fuzz-\(name)")
        print("mutations of \(name), seed \(FuzzTests.seed); the last one is in \(last.path)")
        for round in 0..<FuzzTests.rounds {
            let bytes = mutator.mutated(
                entries[round % entries.count], bytesMax: target.bytesMax)
            try Data(bytes).write(to: last)
            do {
                _ = try target.check(bytes)
            } catch {
                Issue.record("\(name), round \(round): \(error)")
                return
            }
        }
        try FileManager.default.removeItem(at: last)
    }

    #if DEBUG
        private static let roundsUsual = 40
    #else
        private static let roundsUsual = 400
    #endif

    /// Of each target; `OFFPEAK_FUZZ_ROUNDS` asks for more.
    private static let rounds: Int =
        ProcessInfo.processInfo.environment["OFFPEAK_FUZZ_ROUNDS"].flatMap { Int($0) }
        ?? roundsUsual
}
