import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Runtime

@Suite("Lent threads")
struct LentThreadsTests {
    /// Counts what became of jobs; waits for all of them.
    private final class Tally: Sendable {
        let done = Mutex<[Int: Int]>([:])
        let declined = Mutex<[Int: Int]>([:])
        private let answered = DispatchSemaphore(value: 0)

        func answer(_ number: Int, _ result: Int?) {
            if let result {
                done.withLock { $0[result, default: 0] += 1 }
            } else {
                declined.withLock { $0[number, default: 0] += 1 }
            }
            answered.signal()
        }

        func wait(for count: Int) -> Bool {
            (0..<count).allSatisfy { _ in answered.wait(timeout: .now() + 60) == .success }
        }

        var doneCount: Int { done.withLock { $0.values.reduce(0, +) } }
        var declinedCount: Int { declined.withLock { $0.values.reduce(0, +) } }

        /// Whether each of `count` jobs was answered exactly once.
        func isExact(_ count: Int) -> Bool {
            let done = done.withLock { $0 }
            let declined = declined.withLock { $0 }
            return (0..<count).allSatisfy { (done[$0] ?? 0) + (declined[$0] ?? 0) == 1 }
        }
    }

    private func submit(
        _ number: Int, to lent: LentThreads, _ tally: Tally,
        work: @escaping @Sendable () -> Void = {}
    ) {
        lent.submit {
            work()
            return number
        } answer: {
            tally.answer(number, $0)
        }
    }

    @Test("Nothing runs before something is lent: every job is handed back at once")
    func nothingLent() {
        let lent = LentThreads()
        let tally = Tally()
        for number in 0..<10 { submit(number, to: lent, tally) }
        #expect(tally.declinedCount == 10)
        lent.stop()
        #expect(lent.counters.jobsDeclined == 10 && lent.counters.jobsDone == 0)
    }

    @Test("While threads are lent every job is done once")
    func allDone() {
        let lent = LentThreads()
        lent.allow(.init(threads: 2))
        let tally = Tally()
        for number in 0..<200 { submit(number, to: lent, tally) }
        #expect(tally.wait(for: 200))
        #expect(tally.isExact(200) && tally.doneCount == 200)
        lent.stop()
        let counters = lent.counters
        #expect(counters.jobsDone == 200 && counters.jobsDeclined == 0)
        #expect(counters.jobsWaiting == 0 && counters.threadsBusy == 0)
        #expect(counters.processorNanoseconds > 0)
    }

    /// Threads that hold one job until the semaphore is signalled, with `waiting` more behind it.
    private func held(_ tally: Tally, waiting: Int) -> (LentThreads, DispatchSemaphore) {
        let lent = LentThreads()
        lent.allow(.init(threads: 1))
        let started = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        submit(0, to: lent, tally) {
            started.signal()
            release.wait()
        }
        started.wait()
        for number in 1..<(1 + waiting) { submit(number, to: lent, tally) }
        return (lent, release)
    }

    @Test("A step back hands back what waits before it returns, and soon what was begun")
    func stepBack() {
        let tally = Tally()
        let (lent, release) = held(tally, waiting: 5)
        #expect(lent.counters.jobsWaiting == 5 && lent.counters.threadsBusy == 1)
        lent.allow(.init(threads: 0))
        #expect(tally.declined.withLock { Set($0.keys) }.isSuperset(of: 1...5))
        // The first is held up, as by an owner's programs, and handed back all the same.
        #expect(tally.wait(for: 6))
        #expect(tally.declinedCount == 6 && tally.isExact(6))
        // Noted by the desk's thread after it handed back.
        while lent.counters.lastStepBackNanoseconds == 0 { sched_yield() }
        #expect(lent.counters.lastStepBackNanoseconds >= 150_000_000)
        // Its thread takes part again, and its late result goes nowhere.
        release.signal()
        lent.allow(.init(threads: 1))
        submit(6, to: lent, tally)
        #expect(tally.wait(for: 1))
        #expect(tally.isExact(7) && tally.doneCount == 1)
        lent.stop()
    }

    @Test("What was begun and is done in time counts after a step back too")
    func doneInTime() {
        let tally = Tally()
        let (lent, release) = held(tally, waiting: 0)
        release.signal()
        lent.allow(.init(threads: 0))
        #expect(tally.wait(for: 1))
        #expect(tally.isExact(1))
        lent.stop()
    }

    @Test("A stop hands everything back and doesn't wait for a thread that is held up")
    func stop() {
        let tally = Tally()
        let (lent, release) = held(tally, waiting: 3)
        lent.stop()
        #expect(tally.wait(for: 4))
        #expect(tally.declinedCount == 4 && tally.isExact(4))
        submit(4, to: lent, tally)
        #expect(tally.declinedCount == 5)
        lent.stop()
        release.signal()
    }

    @Test("A full queue hands back")
    func bound() {
        let tally = Tally()
        let count = LentThreads.waitingMax
        let (lent, release) = held(tally, waiting: count + 7)
        #expect(tally.declinedCount == 7)
        #expect(lent.counters.jobsWaiting == count)
        lent.stop()
        #expect(tally.wait(for: count + 8))
        #expect(tally.isExact(count + 8) && tally.declinedCount == count + 8)
        release.signal()
    }

    @Test(
        "Step backs, returns and a stop in any order answer each job exactly once",
        arguments: [
            UInt64(1), 2, 3, 4,
        ])
    func races(seed: UInt64) {
        let lent = LentThreads()
        let tally = Tally()
        let count = 4_000
        DispatchQueue.concurrentPerform(iterations: 3) { role in
            if role == 2 {
                for step in 0..<400 {
                    let threads = Int((seed &* 2_654_435_761 &+ UInt64(step) &* 40_503) >> 4) % 4
                    lent.allow(.init(threads: threads, dutyPermille: step % 3 == 0 ? 500 : 1000))
                    usleep(50)
                }
                lent.stop()
                return
            }
            for number in 0..<count / 2 {
                submit(2 * number + role, to: lent, tally) { if number % 16 == 0 { usleep(20) } }
            }
        }
        #expect(tally.wait(for: count), "seed \(seed)")
        #expect(tally.isExact(count), "seed \(seed)")
        let counters = lent.counters
        #expect(counters.jobsDone == UInt64(tally.doneCount))
        #expect(counters.jobsDeclined == UInt64(tally.declinedCount))
        #expect(counters.jobsDone + counters.jobsDeclined == UInt64(count))
    }

    @Test("A thread works for its part of the time and pauses for the rest")
    func duty() {
        let lent = LentThreads()
        lent.allow(.init(threads: 1, dutyPermille: 100))
        let tally = Tally()
        let start = Monotonic.nanoseconds
        for number in 0..<6 {
            submit(number, to: lent, tally) {
                let start = Monotonic.threadNanoseconds
                while Monotonic.threadNanoseconds - start < 1_000_000 {}
            }
        }
        #expect(tally.wait(for: 6))
        // 6 ms of work, and five pauses of 9 ms between.
        #expect(Monotonic.nanoseconds - start >= 51_000_000)
        lent.stop()
        #expect(lent.counters.processorNanoseconds >= 6_000_000)
    }

    @Test("Lent threads run in the system's lowest class, all others as before")
    func lowest() throws {
        let pool = VerifierPool(threadCount: 1)
        pool.lent.allow(.init(threads: 1))
        let found = Mutex<[String: String]>([:])
        let done = DispatchSemaphore(value: 0)
        /// Field 41 of proc(5)'s stat is the policy, field 19 the nice value.
        @Sendable func policy() -> String {
            let text =
                (try? String(contentsOfFile: "/proc/thread-self/stat", encoding: .utf8)) ?? ""
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 38 ? "\(fields[38]) \(fields[16])" : "unknown"
        }
        pool.lent.submit(policy) { result in
            found.withLock { $0["lent"] = result }
            done.signal()
        }
        _ = pool.submit(.bulk) {
            found.withLock { $0["bulk"] = policy() }
            done.signal()
        }
        done.wait()
        done.wait()
        pool.stop()
        #expect(["5 0", "0 19"].contains(found.withLock { $0["lent"] }))
        #expect(found.withLock { $0["bulk"] } == "0 0")
    }
}
