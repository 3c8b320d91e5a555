import Execution
import Logging
import NodeCore
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import Runtime

@Suite("Reading everything again")
struct ScrubTests {
    /// Walks a pass in virtual time: a step every time the pace allows, each of `bytes` and taking
    /// `took` milliseconds. Returns when the pass was done, and how much of that was work.
    private func pass(
        _ pace: inout ScrubPace, steps: Int, bytes: UInt64, took: UInt64, from start: UInt64
    ) -> (end: UInt64, work: UInt64) {
        var now = start
        var work: UInt64 = 0
        for _ in 0..<steps {
            now += took
            work += took
            now += pace.wait(bytes: bytes, took: took, at: Instant(milliseconds: now))
        }
        return (now, work)
    }

    @Test("A pass takes the period, whatever the steps' sizes are")
    func period() {
        let week: UInt64 = 7 * 24 * 3_600_000
        for (steps, bytes) in [(100, UInt64(1 << 20)), (10_000, 50_000), (3, 17)] {
            let total = UInt64(steps) * bytes
            var pace = ScrubPace(
                periodMilliseconds: week, storeBytes: total, at: Instant(milliseconds: 0))
            let done = pass(&pace, steps: steps, bytes: bytes, took: 1, from: 0)
            #expect(done.end >= week - week / 100 && done.end <= week + week / 100)
            #expect(done.work * 1_000 < done.end)
        }
    }

    @Test("However short the period, a fiftieth of the time and 4 MiB a second aren't passed")
    func limits() {
        var pace = ScrubPace(
            periodMilliseconds: 1, storeBytes: 1 << 40, at: Instant(milliseconds: 0))
        let slow = pass(&pace, steps: 100, bytes: 10, took: 40, from: 0)
        #expect(slow.work * 1_000 <= slow.end * ScrubPace.timePermilleMax)
        var other = ScrubPace(
            periodMilliseconds: 1, storeBytes: 1 << 40, at: Instant(milliseconds: 0))
        let fast = pass(&other, steps: 100, bytes: 1 << 20, took: 0, from: 0)
        #expect(100 << 20 <= ScrubPace.bytesPerSecondMax * fast.end / 1_000)
    }

    @Test("The second pass goes by what the first one read, and begins when its period does")
    func secondPass() {
        let period: UInt64 = 1_000_000
        // The files are a hundredth of what is in them.
        var pace = ScrubPace(
            periodMilliseconds: period, storeBytes: 1_000, at: Instant(milliseconds: 0))
        let first = pass(&pace, steps: 100, bytes: 1_000, took: 0, from: 0)
        let rest = pace.endPass(at: Instant(milliseconds: first.end))
        let start = first.end + rest
        #expect(start >= period && start <= period + 1_000)
        let second = pass(&pace, steps: 100, bytes: 1_000, took: 0, from: start)
        #expect(second.end >= start + period * 99 / 100 && second.end <= start + period)
    }

    @Test("No figure of a store or a period leaves 64 bits")
    func extremes() {
        for period: UInt64 in [1, UInt64.max / 2] {
            for size: UInt64 in [0, 1, UInt64.max] {
                var pace = ScrubPace(
                    periodMilliseconds: period, storeBytes: size, at: Instant(milliseconds: 5))
                for bytes: UInt64 in [0, 1 << 30, 1 << 40] {
                    _ = pace.wait(bytes: bytes, took: 3, at: Instant(milliseconds: 9))
                }
                _ = pace.endPass(at: Instant(milliseconds: 1_000))
                _ = pace.wait(bytes: 0, took: 0, at: Instant(milliseconds: 1_001))
            }
        }
    }

    // MARK: A store that is open

    private struct Found {
        let damage: [String]
        let status: ScrubStatus
        let milliseconds: UInt64
    }

    /// Lets a scrubber read until it has found something or made `passes` passes.
    private func scrub(
        _ store: RocksStore, _ genesis: Genesis, passes: UInt64, periodMilliseconds: UInt64
    ) async throws -> Found {
        let damage = Mutex<[String]>([])
        let scrubber = Scrubber(
            .init(
                store: store, genesis: genesis, periodMilliseconds: periodMilliseconds,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                damaged: { text in damage.withLock { $0.append(text) } }))
        let start = SystemClock.now
        scrubber.start()
        while damage.withLock({ $0.isEmpty }), scrubber.status.passes < passes {
            try #require(SystemClock.now.millisecondsSince(start) < 60_000, "no end in sight")
            try await Task.sleep(for: .milliseconds(5))
        }
        let took = SystemClock.now.millisecondsSince(start)
        scrubber.stop()
        return Found(
            damage: damage.withLock { $0 }, status: scrubber.status, milliseconds: took)
    }

    @Test("A whole store is read in its period and costs less than its share")
    func wholeStore() async throws {
        let home = try DamagedHome(seed: 1, accounts: 400)
        let store = try RocksStore(folder: home.data)
        let found = try await scrub(store, home.genesis, passes: 2, periodMilliseconds: 1_500)
        #expect(found.damage == [])
        #expect(found.status.passes >= 2)
        var rows = 0
        for column in Column.allCases {
            rows += try store.pairs(in: column, from: [], before: nil, limit: .max).count
        }
        #expect(found.status.rowsRead >= UInt64(2 * rows))
        // Two passes end when the second has: one period and what the second took.
        #expect(found.milliseconds >= 1_500)
        let limit = found.milliseconds * ScrubPace.timePermilleMax / 1_000 + 10
        #expect(found.status.workMilliseconds <= limit)
    }

    @Test(
        "A byte that flips under a running store is found within a pass", arguments: [1, 2, 3, 4])
    func rot(seed: UInt64) async throws {
        let home = try DamagedHome(seed: seed, accounts: 400)
        let store = try RocksStore(folder: home.data)
        var generator = SeededGenerator(seed: seed)
        // Cold data: the largest table file, in the blocks and not in what describes them.
        let file = try #require(
            try home.files().filter { $0.hasSuffix(".sst") }.max {
                try! home.bytes($0).count < home.bytes($1).count
            })
        let count = try home.bytes(file).count
        let place = Int.random(in: 0..<count * 3 / 4, using: &generator)
        try home.flip(file, at: place, bit: 3)
        let found = try await scrub(store, home.genesis, passes: 1, periodMilliseconds: 2_000)
        #expect(found.damage.count == 1, "seed \(seed): \(file) at \(place) of \(count)")
        #expect(found.damage.first?.contains(file) == true)
        #expect(found.damage.first?.contains("offpeak db repair --home") == true)
        #expect(found.status.passes == 0)
    }

    @Test("A row that says what it didn't say is found, although its checksum holds")
    func wrongRow() async throws {
        let home = try DamagedHome(seed: 9, accounts: 60)
        let store = try RocksStore(folder: home.data)
        let row = try #require(
            try store.pairs(in: .state, from: [0x40], before: nil, limit: 1).first)
        var value = row.value
        value[value.count - 1] ^= 1
        var writes = WriteSet()
        writes.put(value, in: .state, for: row.key)
        try store.apply(writes)
        let found = try await scrub(store, home.genesis, passes: 1, periodMilliseconds: 500)
        #expect(found.damage.count == 1)
    }
}
