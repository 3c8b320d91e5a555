internal import Logging
package import Primitives
internal import Synchronization

/// What is lent of this machine now, for readers on other threads.
package struct ShareStatus: Hashable, Sendable {
    package var mode: ShareMode
    package var decision: ShareDecision
    /// Thousandths of all cores' time; nil where the system doesn't tell.
    package var loadPermille: Int?
    package var pressurePermille: Int?
    /// How often the machine was wanted while it was lent.
    package var stepBacks: UInt64 = 0
    package var capacity = Capacity()
    package var jobs = LentThreads.Counters()
}

/// Watches the machine on a thread of its own, lends what its owner leaves, and tells what others
/// can expect.
///
/// Every `sampleMilliseconds`: read, decide, set what the lent threads may use, tell.
final class ShareLoop: Sendable {
    /// With the governor's window it bounds the delay of a step back to well below a second.
    private static let sampleMilliseconds: UInt64 = 100

    /// What the loop works with.
    struct Parts: Sendable {
        let mode: ShareMode
        let settings: ShareSettings
        let lent: LentThreads
        /// Time that the core waited for the disk.
        let diskTime: TimeCount
        let logger: Logger
    }

    private let parts: Parts
    private let probe = MachineProbe()
    private let lock = WaitLock()
    private let isStopping = Atomic(false)
    private let thread = Mutex<WorkerThread?>(nil)
    private let published: Mutex<ShareStatus>
    private let bucket: Mutex<ByteBucket?>

    init(_ parts: Parts) {
        self.parts = parts
        let decision = parts.mode == .off ? ShareDecision.off : .notYet
        published = Mutex(ShareStatus(mode: parts.mode, decision: decision))
        let megabits = parts.settings.megabits
        bucket = Mutex(
            megabits == 0 ? nil : ByteBucket(megabits: megabits, at: SystemClock.now))
    }

    var status: ShareStatus {
        var status = published.withLock { $0 }
        status.jobs = parts.lent.counters
        return status
    }

    /// Whether work that came with so many bytes may be taken; counts them if so.
    func mayReceiveAssignment(bytes: Int) -> Bool {
        let now = SystemClock.now
        return bucket.withLock { $0?.take(bytes, at: now) ?? true }
    }

    /// Starts to watch; a machine that lends nothing isn't watched.
    /// - Parameter tell: gets the advert when it changed, on the loop's thread.
    func start(tell: @escaping @Sendable (Capacity) -> Void) {
        guard parts.mode != .off else { return }
        thread.withLock { thread in
            thread = WorkerThread(name: "share") { [self] in run(tell) }
        }
    }

    /// Ends the thread and takes back what is lent.
    func stop() {
        lock.locked { isStopping.store(true, ordering: .relaxed) }
        lock.wakeAll()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        parts.lent.allow(.init(threads: 0))
    }

    private func run(_ tell: (Capacity) -> Void) {
        var watch = ShareWatch(
            mode: parts.mode, settings: parts.settings, machineCores: VerifierPool.coreCount,
            speed: CheckSpeed.measure(), first: read(), at: SystemClock.now)
        while sleep() {
            let now = SystemClock.now
            if watch.take(read(), at: now, minuteOfDay: LocalTime.minuteOfDay) {
                parts.lent.allow(.init(watch.decision))
                log(watch)
            }
            if watch.mustMeasure(at: now) { watch.setSpeed(CheckSpeed.measure(), at: now) }
            let jobs = parts.lent.counters
            let advert = watch.advert(
                at: now, queue: jobs.queueMilliseconds(watch.decision),
                bandwidth: bucket.withLock { $0?.kilobits(at: now) })
            if let advert { tell(advert) }
            publish(watch)
        }
    }

    private func read() -> MachineReading {
        let own = OwnTimes(
            processor: Monotonic.processNanoseconds,
            lent: parts.lent.counters.processorNanoseconds, disk: parts.diskTime.nanoseconds)
        return probe.reading(own: own, withPressure: parts.mode == .idle)
    }

    private func publish(_ watch: ShareWatch) {
        published.withLock { status in
            status.decision = watch.decision
            status.loadPermille = watch.sample?.loadPermille
            status.pressurePermille = watch.sample?.pressurePermille
            status.stepBacks = watch.stepBacks
            status.capacity = watch.told
        }
    }

    private func log(_ watch: ShareWatch) {
        let decision = watch.decision
        let sample = watch.sample
        func figure(_ permille: Int?) -> String { permille.map { "\($0 / 10)%" } ?? "unknown" }
        parts.logger.info(
            decision.isLending ? "the machine is lent" : "the machine isn't lent",
            metadata: [
                "reason": "\(decision.reason.rawValue)", "cores": "\(decision.cores)",
                "load": "\(figure(sample?.loadPermille))",
                "pressure": "\(figure(sample?.pressurePermille))",
            ])
    }

    /// False when it is time to end.
    private func sleep() -> Bool {
        let deadline = SystemClock.now.advanced(byMilliseconds: ShareLoop.sampleMilliseconds)
        return lock.locked { () -> Bool in
            while !isStopping.load(ordering: .relaxed) {
                if !lock.wait(until: deadline) { return true }
            }
            return false
        }
    }
}

extension LentThreads.Allowance {
    init(_ decision: ShareDecision) {
        self.init(
            threads: min(decision.cores, LentThreads.threadsMax),
            dutyPermille: decision.dutyPermille)
    }
}

extension LentThreads.Counters {
    /// How long a job that comes now waits, by the mean of those done; 0 before the first.
    func queueMilliseconds(_ decision: ShareDecision) -> Double {
        guard jobsDone > 0, decision.isLending else { return 0 }
        let each = Double(processorNanoseconds) / Double(jobsDone) / 1e6
        let atOnce = Double(decision.cores) * Double(decision.dutyPermille) / 1000
        return Double(jobsWaiting) * each / atOnce
    }
}
