internal import Glibc
internal import Primitives

/// A lock with a condition, for threads that wait for work.
// SAFETY: the pointees are made in `init`, freed in `deinit`, and used only through pthread calls,
// which are made for use from any thread.
final class WaitLock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` with the lock held.
    func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Gives the lock back until a wake-up; only with the lock held.
    func wait() { pthread_cond_wait(condition, mutex) }

    /// As `wait`, but not beyond `deadline` of the monotonic clock; false when it has come.
    func wait(until deadline: Instant) -> Bool {
        let milliseconds = min(deadline.milliseconds, UInt64(Int64.max / 1000))
        var time = timespec(
            tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        return pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT
    }

    /// Wakes at most `count` waiting threads.
    func wake(_ count: Int) {
        for _ in 0..<count { pthread_cond_signal(condition) }
    }

    func wakeAll() { pthread_cond_broadcast(condition) }
}

/// A thread of the system that runs one closure and can be waited for.
// SAFETY: the handle is written once, in `init`, before the reference is shared.
final class WorkerThread: @unchecked Sendable {
    private let handle: pthread_t

    private final class Body {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }

        /// Names the calling thread, for those who look at it with `top -H`; a comfort only.
        func setName() {
            guard let file = try? PosixFile("/proc/thread-self/comm", flags: O_WRONLY) else {
                return
            }
            try? file.write(Array(name.utf8.prefix(15)))
        }
    }

    /// Starts the thread; `name` has at most 15 characters.
    init(name: String, run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var handle = pthread_t()
        let status = pthread_create(
            &handle, nil,
            { pointer in
                guard let pointer else { return nil }
                let body = Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue()
                body.setName()
                body.run()
                return nil
            }, body.toOpaque())
        precondition(status == 0, "the system gave no thread for \(name): error \(status)")
        self.handle = handle
    }

    /// Waits until the closure returned; once.
    func join() { pthread_join(handle, nil) }

    /// Lets the thread end when it may, without waiting; once, instead of `join`.
    func detach() { pthread_detach(handle) }

    /// Makes the calling thread one that runs only where a core has nothing else to do.
    ///
    /// Linux's class for that is SCHED_IDLE; where it is refused, the lowest nice value is the
    /// nearest. Without either the thread works all the same.
    static func yieldToAll() {
        var parameters = sched_param()
        guard sched_setscheduler(0, WorkerThread.idleClass, &parameters) != 0 else { return }
        // Linux takes a thread for the process here.
        setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19)
    }

    /// SCHED_IDLE of the kernel's interface, see sched(7); the C library hides it from Swift.
    private static let idleClass: Int32 = 5
}
