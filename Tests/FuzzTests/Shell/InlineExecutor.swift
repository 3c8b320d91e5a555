import Dispatch
import Synchronization

/// Runs asynchronous code on the calling thread alone, so that an input meets no other.
final class InlineExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        arrived.signal()
    }

    /// What `work` gives.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
        let executor = InlineExecutor()
        let box = Box<Value>()
        Task(executorPreference: executor) {
            let value = await work()
            box.value.withLock { $0 = value }
        }
        while true {
            executor.arrived.wait()
            executor.runNext()
            if let value = box.value.withLock({ $0 }) { return value }
        }
    }

    private func runNext() {
        let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        job?.runSynchronously(on: asUnownedTaskExecutor())
    }

    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}
