internal import NIOCore
internal import Synchronization

/// The way to an event loop for other threads, up to its end: what comes later is dropped, since
/// NIO takes nothing after a loop's end.
final class LoopGate: Sendable {
    private let eventLoop: any EventLoop
    private let isOpen = Mutex(true)

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Has `task` run on the loop; drops it once the gate is closed.
    func execute(_ task: @escaping @Sendable () -> Void) {
        // With the lock held: the loop can't end between the look and the call.
        isOpen.withLock { isOpen in
            if isOpen { eventLoop.execute(task) }
        }
    }

    /// Lets nothing through any more; whether it was open.
    func close() -> Bool {
        isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
    }
}
