internal import Glibc
internal import Synchronization

/// Clears up before the process ends by Ctrl-C, `kill` or a closed terminal.
///
/// While a value is in force, those signals call its closure on a thread of its own and then end
/// the process with 128 plus the signal's number. The closure may run while the main flow is at
/// work, but no node is started any more. At most one value is in force at a time.
final class InterruptGuard: Sendable {
    private let cleanUp: @Sendable () -> Void
    /// Set when a signal has come: the process is about to end.
    private let isInterrupted = Mutex(false)
    private let reading: Int32
    private let writing: Int32

    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    /// Where the handler writes the signal's number: all that a handler may do.
    private static let pipe = Atomic<Int32>(-1)

    init(_ cleanUp: @escaping @Sendable () -> Void) throws(CommandFault) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw CommandFault("pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        self.cleanUp = cleanUp
        reading = ends[0]
        writing = ends[1]
        InterruptGuard.pipe.store(writing, ordering: .sequentiallyConsistent)
        startThread()
        for number in InterruptGuard.signals { signal(number, InterruptGuard.handler) }
    }

    private static let handler: @convention(c) (Int32) -> Void = { number in
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(InterruptGuard.pipe.load(ordering: .sequentiallyConsistent), &byte, 1)
    }

    private func startThread() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(&thread, nil, InterruptGuard.body, context)
        pthread_detach(thread)
    }

    private static let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        { context in
            guard let context else { return nil }
            Unmanaged<InterruptGuard>.fromOpaque(context).takeRetainedValue().wait()
            return nil
        }

    /// Until a signal comes, or 0: the value is no longer in force.
    private func wait() {
        var byte: UInt8 = 0
        while read(reading, &byte, 1) < 0, errno == EINTR {}
        guard byte != 0 else { return }
        isInterrupted.withLock { $0 = true }
        TestnetProcess.refuseStarts()
        cleanUp()
        exit(128 + Int32(byte))
    }

    /// Gives the signals back their usual effect. After a signal it never returns: what the main
    /// flow makes of nodes that vanish under it isn't the reason why the process ends.
    func cancel() {
        while isInterrupted.withLock({ $0 }) { pause() }
        for number in InterruptGuard.signals { signal(number, SIG_DFL) }
        var end: UInt8 = 0
        _ = write(writing, &end, 1)
    }
}
