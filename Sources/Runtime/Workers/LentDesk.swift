internal import DequeModule
internal import Dispatch
internal import Synchronization

/// Gives jobs to lent threads and answers for them; runs on a thread of usual priority.
struct LentDesk {
    private let lock: WaitLock
    private let shared: LentThreads.Shared
    private let bell: DispatchSemaphore
    private let yields: Bool
    private var places: [Place] = []

    /// A lent thread, as the desk sees it.
    private struct Place {
        let slot: LentSlot
        let thread: WorkerThread
        var state = State.free
    }

    private enum State {
        case free
        case working(LentThreads.Job)
        /// The job was handed back; its result will be dropped.
        case abandoned
        case resting(until: UInt64)

        /// Whether the thread has a job.
        var isBusy: Bool {
            switch self {
            case .free, .resting: false
            case .working, .abandoned: true
            }
        }

        /// Whether the job waits for its answer.
        var isOpen: Bool {
            if case .working = self { true } else { false }
        }
    }

    /// What the desk found when it looked.
    private struct Orders {
        var allowance: LentThreads.Allowance
        var steppedBackAt: UInt64?
        var isStopping: Bool
    }

    init(
        lock: WaitLock, shared: LentThreads.Shared, bell: DispatchSemaphore, yields: Bool
    ) {
        self.lock = lock
        self.shared = shared
        self.bell = bell
        self.yields = yields
    }

    /// Works until the owner of the threads stops them.
    mutating func run() {
        while true {
            let orders = lock.locked {
                Orders(
                    allowance: shared.allowance, steppedBackAt: shared.steppedBackAt,
                    isStopping: shared.isStopping)
            }
            collect(orders.allowance)
            if orders.isStopping { break }
            settle(orders)
            hire(orders.allowance.threads)
            give(orders.allowance)
            wait(orders)
        }
        end()
    }

    /// Takes the results of those that are done.
    private mutating func collect(_ allowance: LentThreads.Allowance) {
        for index in places.indices where places[index].state.isBusy {
            guard let result = places[index].slot.takeResult() else { continue }
            let isOpen = places[index].state.isOpen
            let now = Monotonic.nanoseconds
            let missing = UInt64(1000 - allowance.dutyPermille)
            let pause = result.nanoseconds / UInt64(allowance.dutyPermille) &* missing
            places[index].state = pause == 0 ? .free : .resting(until: now &+ pause)
            lock.locked {
                if isOpen { shared.counters.jobsDone += 1 }
                shared.counters.threadsBusy -= 1
                shared.counters.processorNanoseconds &+= result.nanoseconds
            }
            if isOpen { result.answer() }
        }
    }

    /// After a step back: hands back what takes too long, and notes when all is answered.
    private mutating func settle(_ orders: Orders) {
        guard let since = orders.steppedBackAt else { return }
        let passed = Monotonic.nanoseconds &- since
        if passed >= LentThreads.handBackMilliseconds * 1_000_000 { handBack() }
        guard !places.contains(where: \.state.isOpen) else { return }
        lock.locked {
            guard shared.steppedBackAt == since else { return }
            shared.steppedBackAt = nil
            shared.counters.lastStepBackNanoseconds = Monotonic.nanoseconds &- since
        }
    }

    private mutating func handBack() {
        for index in places.indices {
            guard case .working(let job) = places[index].state else { continue }
            places[index].state = .abandoned
            lock.locked { shared.counters.jobsDeclined += 1 }
            job.decline()
        }
    }

    /// Starts threads that are allowed for the first time.
    private mutating func hire(_ count: Int) {
        while places.count < count {
            let slot = LentSlot(desk: bell)
            let yields = yields
            let thread = WorkerThread(name: "lent-\(places.count)") {
                if yields { WorkerThread.yieldToAll() }
                slot.work()
            }
            places.append(Place(slot: slot, thread: thread))
        }
    }

    private mutating func give(_ allowance: LentThreads.Allowance) {
        endPauses()
        for index in places.indices.prefix(allowance.threads) {
            guard case .free = places[index].state else { continue }
            guard let job = take() else { return }
            places[index].state = .working(job)
            places[index].slot.begin(job.work)
        }
    }

    private mutating func endPauses() {
        let now = Monotonic.nanoseconds
        for index in places.indices {
            guard case .resting(let until) = places[index].state, until <= now else { continue }
            places[index].state = .free
        }
    }

    /// The next job, unless there is none or no thread may be used any more.
    private func take() -> LentThreads.Job? {
        lock.locked {
            guard shared.allowance.threads > 0, let job = shared.queue.popFirst() else {
                return nil
            }
            shared.counters.threadsBusy += 1
            return job
        }
    }

    /// Waits for something to do: a job, a result, other orders, the end of a pause, or the time to
    /// hand back.
    private func wait(_ orders: Orders) {
        var deadline: UInt64?
        for place in places {
            guard case .resting(let until) = place.state else { continue }
            deadline = min(deadline ?? .max, until)
        }
        if let since = orders.steppedBackAt, places.contains(where: \.state.isOpen) {
            deadline = min(deadline ?? .max, since &+ LentThreads.handBackMilliseconds * 1_000_000)
        }
        guard let deadline else { return bell.wait() }
        let now = Monotonic.nanoseconds
        let left = deadline > now ? deadline - now : 0
        _ = bell.wait(timeout: .now() + .nanoseconds(Int(clamping: left)))
    }

    /// Lets every thread end; one that is held up is answered for and left behind, since it holds
    /// nothing that anybody waits for.
    private mutating func end() {
        let deadline = DispatchTime.now() + .milliseconds(Int(LentThreads.handBackMilliseconds))
        let duty = LentThreads.Allowance(threads: 0)
        while places.contains(where: \.state.isBusy), bell.wait(timeout: deadline) == .success {
            collect(duty)
        }
        collect(duty)
        handBack()
        for place in places {
            place.slot.end()
            if place.state.isBusy { place.thread.detach() } else { place.thread.join() }
        }
    }
}

/// Where the desk and one lent thread hand each other a job and its result.
// SAFETY: the desk writes `job` before it rings, the thread reads it after the bell; the thread
// writes `result` before it sets `isDone`, the desk reads it after it saw that. Neither touches
// them at another time.
private final class LentSlot: @unchecked Sendable {
    struct Result {
        let answer: LentThreads.Answer
        /// The thread's time on the cores.
        let nanoseconds: UInt64
    }

    private let bell = DispatchSemaphore(value: 0)
    private let desk: DispatchSemaphore
    private let isDone = Atomic(false)
    private var job: (@Sendable () -> LentThreads.Answer)?
    private var result: Result?

    init(desk: DispatchSemaphore) { self.desk = desk }

    // MARK: The desk's side

    func begin(_ work: @escaping @Sendable () -> LentThreads.Answer) {
        job = work
        bell.signal()
    }

    /// What the thread found since `begin`, once; nil while it works.
    func takeResult() -> Result? {
        guard isDone.exchange(false, ordering: .acquiring) else { return nil }
        defer { result = nil }
        return result
    }

    /// Lets the thread end after the job it has.
    func end() { bell.signal() }

    // MARK: The thread's side

    func work() {
        while true {
            bell.wait()
            guard let work = job else { return }
            let start = Monotonic.threadNanoseconds
            let answer = work()
            job = nil
            result = Result(answer: answer, nanoseconds: Monotonic.threadNanoseconds &- start)
            isDone.store(true, ordering: .releasing)
            desk.signal()
        }
    }
}
