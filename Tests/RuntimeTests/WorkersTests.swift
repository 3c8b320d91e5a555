import Foundation
import Synchronization
import Testing

@testable import Runtime

@Suite("Verifier pool")
struct VerifierPoolTests {
    @Test("Every job runs once, from many submitters, and is counted")
    func allRun() {
        let pool = VerifierPool(threadCount: 3)
        let done = DispatchSemaphore(value: 0)
        let sum = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 4) { submitter in
            for number in 0..<500 {
                let priority: VerifierPool.Priority = number % 2 == 0 ? .consensus : .bulk
                let isTaken = pool.submit(priority) {
                    sum.withLock { $0 += submitter * 500 + number }
                    done.signal()
                }
                #expect(isTaken)
            }
        }
        for _ in 0..<2000 { #expect(done.wait(timeout: .now() + 20) == .success) }
        #expect(sum.withLock { $0 } == 2000 * 1999 / 2)
        pool.stop()
        #expect(pool.counters.jobsDone == 2000)
        #expect(pool.counters.jobsWaiting == 0)
    }

    /// A pool of one thread that is held until the semaphore is signalled.
    private func held() -> (VerifierPool, DispatchSemaphore) {
        let pool = VerifierPool(threadCount: 1)
        let started = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        _ = pool.submit(.bulk) {
            started.signal()
            release.wait()
        }
        started.wait()
        return (pool, release)
    }

    @Test("Consensus jobs go before bulk jobs that came earlier")
    func priority() {
        let (pool, release) = held()
        let order = Mutex<[String]>([])
        let done = DispatchSemaphore(value: 0)
        func job(_ name: String) -> VerifierPool.Job {
            {
                order.withLock { $0.append(name) }
                done.signal()
            }
        }
        _ = pool.submit(.bulk, jobs: [job("bulk 1"), job("bulk 2")])
        _ = pool.submit(.consensus, jobs: [job("consensus 1"), job("consensus 2")])
        release.signal()
        for _ in 0..<4 { done.wait() }
        #expect(order.withLock { $0 } == ["consensus 1", "consensus 2", "bulk 1", "bulk 2"])
        pool.stop()
    }

    @Test("A full queue refuses, and only that priority's")
    func bound() {
        let (pool, release) = held()
        let jobs = [VerifierPool.Job](repeating: {}, count: VerifierPool.waitingMax + 5)
        #expect(pool.submit(.bulk, jobs: jobs) == VerifierPool.waitingMax)
        #expect(!pool.submit(.bulk) {})
        #expect(pool.submit(.consensus) {})
        #expect(pool.counters.jobsRefused == 6)
        #expect(pool.counters.jobsWaiting == VerifierPool.waitingMax + 1)
        release.signal()
        pool.stop()
    }

    @Test("A pool that stops waits for the job under way and takes no more")
    func stop() {
        let (pool, release) = held()
        let ran = Mutex(false)
        _ = pool.submit(.bulk) { ran.withLock { $0 = true } }
        DispatchQueue.global().async { release.signal() }
        pool.stop()
        #expect(!pool.submit(.consensus) {})
        pool.stop()
    }

    @Test("Without a number there is a thread for each core")
    func threads() {
        let pool = VerifierPool()
        #expect(pool.threadCount == VerifierPool.coreCount)
        pool.stop()
    }
}
