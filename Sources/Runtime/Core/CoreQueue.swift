internal import DequeModule
internal import NodeCore
internal import Primitives

/// What waits for the core: bounded, from any thread, taken by one.
// SAFETY: every property but the lock is read and written with `lock` held only.
final class CoreQueue: @unchecked Sendable {
    /// Events beyond which peers aren't read any more; their links hold the rest back.
    static let saturation = 8_192
    /// Events beyond which clients are refused.
    static let clientsMax = 32_768
    /// Events that the core takes at once: bounds how long its effects wait for one another.
    static let takenMax = 1_024

    private let lock = WaitLock()
    private var events: Deque<NodeEvent> = []
    private var isWaiting = false
    private var isStopped = false

    /// Adds an event; everything but clients' requests is always taken, since links and the pool
    /// bound themselves.
    func push(_ event: NodeEvent) {
        let wakes = lock.locked { () -> Bool in
            events.append(event)
            return isWaiting
        }
        if wakes { lock.wake(1) }
    }

    /// Adds a client's request; false if there is no room.
    func pushClient(_ event: NodeEvent) -> Bool {
        let (taken, wakes) = lock.locked { () -> (Bool, Bool) in
            guard events.count < CoreQueue.clientsMax, !isStopped else { return (false, false) }
            events.append(event)
            return (true, isWaiting)
        }
        if wakes { lock.wake(1) }
        return taken
    }

    var count: Int { lock.locked { events.count } }
    var isSaturated: Bool { count >= CoreQueue.saturation }

    /// The next events in order; empty when `deadline` has come, nil after `stop`.
    func take(until deadline: Instant) -> [NodeEvent]? {
        lock.locked { () -> [NodeEvent]? in
            while events.isEmpty, !isStopped {
                isWaiting = true
                let isLate = !lock.wait(until: deadline)
                isWaiting = false
                if isLate { break }
            }
            if isStopped { return nil }
            let count = min(events.count, CoreQueue.takenMax)
            let taken = Array(events.prefix(count))
            events.removeFirst(count)
            return taken
        }
    }

    func stop() {
        lock.locked { isStopped = true }
        lock.wakeAll()
    }
}
