internal import DequeModule
internal import Glibc

/// Threads that check signatures, so that the core never waits for one.
///
/// Two queues with a bound each: consensus jobs go before bulk ones. Jobs are handed over and
/// taken in groups, since waking a thread costs as much as half a signature check. What is checked
/// for others has threads of its own, see `lent`.
package final class VerifierPool: Sendable {
    /// What a job is for.
    package enum Priority: Int, CaseIterable, Sendable {
        /// Votes, certificates and blocks: someone waits for the result to vote.
        case consensus
        /// Transactions and batches.
        case bulk
    }

    /// What the pool did and has before it.
    package struct Counters: Hashable, Sendable {
        package var jobsDone: UInt64 = 0
        /// Jobs that found their queue full.
        package var jobsRefused: UInt64 = 0
        package var jobsWaiting = 0
        /// Time that the threads spent in jobs, summed.
        package var busyNanoseconds: UInt64 = 0
    }

    package typealias Job = @Sendable () -> Void

    /// Jobs that may wait for each priority: some seconds of work on one core.
    package static let waitingMax = 65_536
    /// Jobs that a thread takes at once.
    private static let takenMax = 16

    /// Below both priorities: jobs for others, as far as the machine's owner lends it.
    package let lent: LentThreads

    private let lock = WaitLock()
    private let shared: Shared
    private let threads: [WorkerThread]

    // SAFETY: every property is read and written with `lock` held only.
    private final class Shared: @unchecked Sendable {
        var queues = [Deque<Job>](repeating: [], count: Priority.allCases.count)
        var counters = Counters()
        var idleThreads = 0
        var isStopping = false
    }

    /// A pool of `threadCount` threads; 0 for one on each core.
    /// - Parameter lentYields: whether work for others runs only where nothing else wants a core.
    package init(threadCount: Int = 0, lentYields: Bool = true) {
        precondition(threadCount >= 0, "\(threadCount) threads")
        let count = threadCount > 0 ? threadCount : VerifierPool.coreCount
        lent = LentThreads(yielding: lentYields)
        let shared = Shared()
        let lock = lock
        self.shared = shared
        threads = (0..<count).map { index in
            WorkerThread(name: "verifier-\(index)") {
                VerifierPool.work(lock, shared, threadCount: count)
            }
        }
    }

    /// The cores that the process may use.
    package static var coreCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    package var threadCount: Int { threads.count }

    /// Hands over a job; false if its queue is full or the pool stops.
    package func submit(_ priority: Priority, job: @escaping Job) -> Bool {
        submit(priority, jobs: [job]) == 1
    }

    /// Hands over jobs in order with one wake-up; returns how many found room.
    package func submit(_ priority: Priority, jobs: [Job]) -> Int {
        let (taken, wake) = lock.locked { () -> (Int, Int) in
            let room = VerifierPool.waitingMax - shared.queues[priority.rawValue].count
            let taken = shared.isStopping ? 0 : min(room, jobs.count)
            shared.queues[priority.rawValue].append(contentsOf: jobs.prefix(taken))
            shared.counters.jobsRefused += UInt64(jobs.count - taken)
            return (taken, min(taken, shared.idleThreads))
        }
        lock.wake(wake)
        return taken
    }

    package var counters: Counters {
        lock.locked {
            var counters = shared.counters
            counters.jobsWaiting = shared.queues.reduce(0) { $0 + $1.count }
            return counters
        }
    }

    /// Ends the threads after the jobs they hold; what waits is dropped, what is lent is handed
    /// back. Once, and not from a job.
    package func stop() {
        let isFirst = lock.locked { () -> Bool in
            defer { shared.isStopping = true }
            return !shared.isStopping
        }
        lock.wakeAll()
        if isFirst { for thread in threads { thread.join() } }
        lent.stop()
    }

    private static func work(_ lock: WaitLock, _ shared: Shared, threadCount: Int) {
        var busy: UInt64 = 0
        var done = 0
        while true {
            let jobs = lock.locked { () -> [Job] in
                shared.counters.jobsDone += UInt64(done)
                shared.counters.busyNanoseconds += busy
                return take(lock, shared, threadCount: threadCount)
            }
            if jobs.isEmpty { return }
            let start = nanoseconds()
            for job in jobs { job() }
            busy = nanoseconds() - start
            done = jobs.count
        }
    }

    /// The next jobs, or none when the pool stops; waits for them with the lock given back.
    private static func take(_ lock: WaitLock, _ shared: Shared, threadCount: Int) -> [Job] {
        while !shared.isStopping {
            if let queue = shared.queues.firstIndex(where: { !$0.isEmpty }) {
                // A fair share, so that one thread doesn't hold what another could begin.
                let waiting = shared.queues[queue].count
                let count = min(takenMax, (waiting + threadCount - 1) / threadCount)
                let jobs = Array(shared.queues[queue].prefix(count))
                shared.queues[queue].removeFirst(count)
                return jobs
            }
            shared.idleThreads += 1
            lock.wait()
            shared.idleThreads -= 1
        }
        return []
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
