internal import Execution
internal import Logging
internal import NodeCore
package import Primitives
internal import Synchronization

/// How far the scrubber is, for readers on other threads.
package struct ScrubStatus: Hashable, Sendable {
    /// Passes over everything that found no damage, since the node started.
    package var passes: UInt64 = 0
    package var bytesRead: UInt64 = 0
    package var rowsRead: UInt64 = 0
    /// Milliseconds of work.
    package var workMilliseconds: UInt64 = 0
    /// What is being read.
    package var column = ""
    /// When the last whole pass ended; nil before the first.
    package var passedAt: Instant?
    /// What was found wrong, last.
    package var damage: String?
}

/// Reads the whole store again, over and over, slowly: what rots on the disk is found while other
/// nodes still have it.
///
/// Every step takes a few rows of a snapshot of its own, past the cache: RocksDB compares the
/// blocks' checksums, `ChainAudit` what the rows say. Damage that a second look confirms stops the
/// node: what it would answer can't be trusted, and the others have everything that it needs.
final class Scrubber: Sendable {
    struct Parts: Sendable {
        let store: RocksStore
        let genesis: Genesis
        /// Above 0.
        let periodMilliseconds: UInt64
        let logger: Logger
        /// Gets what is damaged, once; the thread ends then.
        let damaged: @Sendable (String) -> Void
    }

    private let parts: Parts
    private let lock = WaitLock()
    private let isStopping = Atomic(false)
    private let thread = Mutex<WorkerThread?>(nil)
    private let published = Mutex(ScrubStatus())

    init(_ parts: Parts) { self.parts = parts }

    var status: ScrubStatus { published.withLock { $0 } }

    func start() {
        thread.withLock { thread in
            thread = WorkerThread(name: "scrub") { [self] in
                WorkerThread.yieldToAll()
                run()
            }
        }
    }

    /// Ends the thread after the step it is in.
    func stop() {
        lock.locked { isStopping.store(true, ordering: .relaxed) }
        lock.wakeAll()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    private func run() {
        var pace = ScrubPace(
            periodMilliseconds: parts.periodMilliseconds, storeBytes: parts.store.sizeOnDisk,
            at: SystemClock.now)
        // A node that is started often still gets everywhere: each life begins elsewhere.
        var first = Column.allCases.randomElement() ?? .meta
        do throws(StorageFault) {
            while try pass(from: first, &pace) {
                first = .meta
                finishPass()
                guard sleep(pace.endPass(at: SystemClock.now)) else { return }
            }
        } catch {
            published.withLock { $0.damage = "\(error)" }
            parts.damaged("\(error)")
        }
    }

    /// One pass; false if it was stopped.
    private func pass(
        from first: Column, _ pace: inout ScrubPace
    ) throws(StorageFault) -> Bool {
        var walk = StoreWalk(from: first)
        while walk.column != nil {
            let start = SystemClock.now
            let bytes = try step(&walk)
            let end = SystemClock.now
            let took = end.millisecondsSince(start)
            published.withLock { $0.workMilliseconds += took }
            guard sleep(pace.wait(bytes: bytes, took: took, at: end)) else { return false }
        }
        return true
    }

    /// Reads and checks the next rows.
    /// - Throws: `StorageFault` for damage that a second look, at another moment, confirms.
    private func step(_ walk: inout StoreWalk) throws(StorageFault) -> UInt64 {
        let before = walk
        do throws(StorageFault) {
            return try look(&walk)
        } catch {
            parts.logger.warning("a look at the store failed", metadata: ["reason": "\(error)"])
            published.withLock { $0.damage = "\(error)" }
        }
        walk = before
        let bytes = try look(&walk)
        published.withLock { $0.damage = nil }
        return bytes
    }

    private func look(_ walk: inout StoreWalk) throws(StorageFault) -> UInt64 {
        let snapshot = parts.store.snapshot(keepsCache: true)
        guard let step = try walk.step(on: snapshot) else { return 0 }
        var audit = try ChainAudit(of: snapshot, genesis: parts.genesis, depth: .linked)
        try audit.checkHead()
        for row in step.rows { try audit.check(row, in: step.column) }
        published.withLock { status in
            status.column = step.column.rawValue
            status.bytesRead += UInt64(step.byteCount)
            status.rowsRead += UInt64(step.rows.count)
        }
        return UInt64(step.byteCount)
    }

    private func finishPass() {
        let status = published.withLock { status in
            status.passes += 1
            status.passedAt = SystemClock.now
            return status
        }
        parts.logger.info(
            "everything in the store was read again and is whole",
            metadata: [
                "rows": "\(status.rowsRead)", "bytes": "\(status.bytesRead)",
                "workMilliseconds": "\(status.workMilliseconds)",
            ])
    }

    /// False when it is time to end.
    private func sleep(_ milliseconds: UInt64) -> Bool {
        let deadline = SystemClock.now.advanced(byMilliseconds: milliseconds)
        return lock.locked { () -> Bool in
            while !isStopping.load(ordering: .relaxed) {
                if SystemClock.now >= deadline || !lock.wait(until: deadline) {
                    return !isStopping.load(ordering: .relaxed)
                }
            }
            return false
        }
    }
}

/// The scrubber's figures for Prometheus.
enum ScrubMetrics {
    static func register(_ metrics: Metrics, status: @escaping @Sendable () -> ScrubStatus) {
        metrics.counter(
            "offpeak_scrub_passes_total", "Times that the whole store was read again and was whole."
        ) { Double(status().passes) }
        metrics.counter("offpeak_scrub_bytes_total", "Bytes that the scrubber has read again.") {
            Double(status().bytesRead)
        }
        metrics.counter("offpeak_scrub_work_seconds_total", "Time that the scrubber has worked.") {
            Double(status().workMilliseconds) / 1000
        }
        metrics.gauge("offpeak_scrub_damage", "1 if the scrubber has met damage in the store.") {
            status().damage == nil ? 0 : 1
        }
    }
}
