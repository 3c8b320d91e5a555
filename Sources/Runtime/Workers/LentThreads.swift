internal import DequeModule
internal import Dispatch
internal import Glibc

/// Threads that work for others, where nobody else wants the cores.
///
/// Each job is answered exactly once: with what it found, or with nothing when it is handed back.
/// Nothing is handed back late: when no thread may be used any more, what waits is handed back by
/// the call that said so, and what a thread has begun `handBackMilliseconds` later, unless it is
/// done by then.
///
/// Unless they were told otherwise the threads run at the system's lowest priority, so that one of
/// them can be held up at any point for as long as the owner's programs like. Therefore they hold
/// no lock that others wait for: a thread of usual priority, the desk, gives each its job in a slot
/// of its own, and answers for it.
package final class LentThreads: Sendable {
    package typealias Answer = @Sendable () -> Void

    /// A job in two steps, since only the first runs on a lent thread.
    package struct Job: Sendable {
        /// Does the work and gives back what tells of it. Some milliseconds at most; no locks.
        let work: @Sendable () -> Answer
        /// Hands the job back.
        let decline: Answer
    }

    /// What was done and what is under way.
    package struct Counters: Hashable, Sendable {
        package var jobsDone: UInt64 = 0
        /// Jobs handed back.
        package var jobsDeclined: UInt64 = 0
        package var jobsWaiting = 0
        /// Threads with a job.
        package var threadsBusy = 0
        /// Time on the cores that the jobs took, summed.
        package var processorNanoseconds: UInt64 = 0
        /// How long it took to finish or hand back everything when no thread might be used any
        /// more, the last time.
        package var lastStepBackNanoseconds: UInt64 = 0
    }

    /// How many threads may be used, and for which part of the time.
    package struct Allowance: Hashable, Sendable {
        /// 0...`threadsMax`; with 0 every job is handed back.
        package var threads: Int
        /// Thousandths, 1...1000. After each job a thread pauses for what is missing to a whole.
        package var dutyPermille: Int

        package init(threads: Int, dutyPermille: Int = 1000) {
            precondition((0...LentThreads.threadsMax).contains(threads), "\(threads) threads")
            precondition((1...1000).contains(dutyPermille), "a duty of \(dutyPermille)")
            self.threads = threads
            self.dutyPermille = dutyPermille
        }
    }

    /// More cores than any machine lends.
    package static let threadsMax = 256
    /// Jobs that may wait: a second of work of a large machine. Beyond it they are handed back.
    package static let waitingMax = 4_096
    /// A job takes a few milliseconds, so only one that the owner's programs hold up takes longer.
    package static let handBackMilliseconds: UInt64 = 150

    private let lock = WaitLock()
    private let shared = Shared()
    private let bell = DispatchSemaphore(value: 0)
    private let desk: WorkerThread

    // SAFETY: every property is read and written with the lock held only.
    final class Shared: @unchecked Sendable {
        var queue: Deque<Job> = []
        var allowance = Allowance(threads: 0)
        /// When the last thread was taken away.
        var steppedBackAt: UInt64?
        var counters = Counters()
        var isStopping = false
    }

    /// - Parameter yielding: false for a machine that is there for this work: then the threads have
    ///   the usual priority.
    package init(yielding: Bool = true) {
        desk = WorkerThread(name: "lent-desk") { [lock, shared, bell] in
            var desk = LentDesk(lock: lock, shared: shared, bell: bell, yields: yielding)
            desk.run()
        }
    }

    /// Hands over a job; `answer` is called once: with its result by the desk's thread, or with
    /// nil by any thread, perhaps before this returns.
    package func submit<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, answer: @escaping @Sendable (Result?) -> Void
    ) {
        let job = Job(
            work: {
                let result = work()
                return { answer(result) }
            }, decline: { answer(nil) })
        let isTaken = lock.locked { () -> Bool in
            guard !shared.isStopping, shared.allowance.threads > 0,
                shared.queue.count < LentThreads.waitingMax
            else {
                shared.counters.jobsDeclined += 1
                return false
            }
            shared.queue.append(job)
            return true
        }
        if isTaken { bell.signal() } else { job.decline() }
    }

    /// Says what may be used from now on. With no thread, what waits is handed back before this
    /// returns.
    package func allow(_ allowance: Allowance) {
        let declined = lock.locked { () -> Deque<Job> in
            let isStepBack = allowance.threads == 0 && shared.allowance.threads > 0
            if isStepBack { shared.steppedBackAt = Monotonic.nanoseconds }
            if allowance.threads > 0 { shared.steppedBackAt = nil }
            shared.allowance = allowance
            return allowance.threads == 0 ? shared.takeAll() : []
        }
        for job in declined { job.decline() }
        bell.signal()
    }

    package var counters: Counters {
        lock.locked {
            var counters = shared.counters
            counters.jobsWaiting = shared.queue.count
            return counters
        }
    }

    /// Hands back what waits, and what isn't done soon; ends the threads. Once, and not from an
    /// answer.
    package func stop() {
        let (isFirst, declined) = lock.locked { () -> (Bool, Deque<Job>) in
            defer { shared.isStopping = true }
            return (!shared.isStopping, shared.takeAll())
        }
        for job in declined { job.decline() }
        bell.signal()
        if isFirst { desk.join() }
    }
}

extension LentThreads.Shared {
    /// Empties the queue of jobs that will be handed back.
    func takeAll() -> Deque<LentThreads.Job> {
        defer { queue = [] }
        counters.jobsDeclined += UInt64(queue.count)
        return queue
    }
}

/// The monotonic clock in nanoseconds, and the calling thread's time on the cores.
enum Monotonic {
    static var nanoseconds: UInt64 { read(CLOCK_MONOTONIC) }
    static var threadNanoseconds: UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }
    static var processNanoseconds: UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
