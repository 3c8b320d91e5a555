internal import Primitives
internal import RPC
internal import Synchronization

/// Sends signed transfers to nodes: at a fixed rate, or as fast as they become final.
///
/// An account's transfers all go to one node, in order. At a rate every transfer has its intended
/// moment, and latency counts from there even if it is sent late: a slow network can't hide behind
/// a load generator that waits for it (open loop).
struct BenchLoad: Sendable {
    /// How much is sent when.
    enum Pace: Hashable, Sendable {
        /// As much as keeps so many transfers under way.
        case saturation(inFlight: Int)
        /// Transfers each second, whatever becomes of them.
        case rate(Double)
    }

    let clients: [RPCClient]
    let pace: Pace
    /// Requests under way to each node.
    let connections: Int
    let tracker: BenchTracker
    private let queues: [BenchQueue]

    /// Up to this rate each transfer is waited for by a call of its own, which tells its latency
    /// exactly and costs the nodes little; above it, blocks are read.
    static let waitRateMax = 500.0
    private static let attemptsMax = 40
    private static let retryDelay = Duration.milliseconds(50)
    /// How long a sender waits that has nothing to send: at saturation some transfers are always
    /// under way, and at a rate none should be late.
    private var restDelay: Duration {
        if case .saturation = pace { .milliseconds(8) } else { .milliseconds(2) }
    }

    /// - Parameter accounts: how many accounts `transfers` go round.
    init(
        clients: [RPCClient], transfers: [PreparedTransfer], accounts: Int, pace: Pace,
        connections: Int, tracker: BenchTracker
    ) {
        self.clients = clients
        self.pace = pace
        self.connections = connections
        self.tracker = tracker
        var queues = clients.map { _ in [BenchQueue.Entry]() }
        for (place, transfer) in transfers.enumerated() {
            queues[place % accounts % clients.count].append((place, transfer))
        }
        self.queues = queues.map { BenchQueue($0) }
    }

    /// Whether every transfer was sent.
    var isExhausted: Bool { queues.allSatisfy(\.isExhausted) }

    /// Whether finality is learned by one call for each transfer.
    var waitsForEach: Bool {
        if case .rate(let rate) = pace { rate <= BenchLoad.waitRateMax } else { false }
    }

    /// Sends from `start` on until `end`, or until nothing is left.
    func run(from start: ContinuousClock.Instant, until end: ContinuousClock.Instant) async {
        await withDiscardingTaskGroup { group in
            for (queue, client) in zip(queues, clients) {
                guard !waitsForEach else {
                    group.addTask { await sendEach(queue, client, start, end) }
                    continue
                }
                for _ in 0..<connections {
                    group.addTask { await sendBatches(queue, client, start, end) }
                }
            }
        }
    }

    /// When a transfer should be sent; nil for as soon as there is room.
    private func intended(
        _ place: Int, from start: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        guard case .rate(let rate) = pace else { return nil }
        return start.advanced(by: .seconds(Double(place) / rate))
    }
}

// Batches, as many at once as RPC takes.
extension BenchLoad {
    private func sendBatches(
        _ queue: BenchQueue, _ client: RPCClient, _ start: ContinuousClock.Instant,
        _ end: ContinuousClock.Instant
    ) async {
        let clock = ContinuousClock()
        while clock.now < end, !queue.isExhausted, !Task.isCancelled {
            let batch = take(from: queue, start)
            if batch.isEmpty {
                try? await clock.sleep(for: restDelay)
            } else {
                await submit(batch.map(\.transfer), to: client)
            }
        }
    }

    /// The next transfers that are due and have room, noted as sent.
    private func take(
        from queue: BenchQueue, _ start: ContinuousClock.Instant
    ) -> ArraySlice<BenchQueue.Entry> {
        let now = ContinuousClock.now
        let room: Int
        if case .saturation(let inFlight) = pace { room = inFlight } else { room = .max }
        guard tracker.reserve(RPCLimits.batchMax, limit: room) else { return [] }
        let batch = queue.take(RPCLimits.batchMax) { place in
            intended(place, from: start).map { $0 <= now } ?? true
        }
        tracker.giveBack(RPCLimits.batchMax - batch.count)
        tracker.sending(
            batch.map { ($0.transfer.key, intended($0.place, from: start) ?? now) })
        return batch
    }

    /// Sends, and sends again what the node was too busy for.
    private func submit(_ transfers: [PreparedTransfer], to client: RPCClient) async {
        var left = transfers
        for _ in 0..<BenchLoad.attemptsMax {
            left = await attempt(left, client)
            if left.isEmpty || Task.isCancelled { return }
            try? await Task.sleep(for: BenchLoad.retryDelay)
        }
        for transfer in left { tracker.failed(transfer.key, "overloaded") }
    }

    /// - Returns: what may be sent again: a second time is safe.
    private func attempt(
        _ transfers: [PreparedTransfer], _ client: RPCClient
    ) async -> [PreparedTransfer] {
        do throws(RPCClientFault) {
            let outcomes = try await client.submit(encoded: transfers.map(\.text))
            var again: [PreparedTransfer] = []
            for (transfer, outcome) in zip(transfers, outcomes) {
                guard case .failure(let fault) = outcome else { continue }
                if BenchLoad.isPassing(fault) {
                    again.append(transfer)
                } else {
                    tracker.failed(transfer.key, fault.message)
                }
            }
            return again
        } catch .fault(let fault) where !BenchLoad.isPassing(fault) {
            for transfer in transfers { tracker.failed(transfer.key, fault.message) }
            return []
        } catch {
            return transfers
        }
    }

    /// Whether the same may be accepted a moment later.
    private static func isPassing(_ fault: RPCFault) -> Bool {
        [RPCFault.Code.overloaded, .unavailable].contains { $0.rawValue == fault.code }
    }
}

// One by one, each followed until it is final.
extension BenchLoad {
    private func sendEach(
        _ queue: BenchQueue, _ client: RPCClient, _ start: ContinuousClock.Instant,
        _ end: ContinuousClock.Instant
    ) async {
        let clock = ContinuousClock()
        await withDiscardingTaskGroup { group in
            while let entry = queue.take(1, where: { _ in true }).first {
                let intended = intended(entry.place, from: start) ?? start
                guard intended < end else { return }
                try? await clock.sleep(until: intended, tolerance: .zero)
                guard !Task.isCancelled else { return }
                group.addTask { await follow(entry.transfer, intended, client) }
            }
        }
    }

    private func follow(
        _ transfer: PreparedTransfer, _ intended: ContinuousClock.Instant, _ client: RPCClient
    ) async {
        _ = tracker.reserve(1, limit: .max)
        tracker.sending([(transfer.key, intended)])
        do throws(RPCClientFault) {
            let result = try await client.submit(encoded: [transfer.text])
            guard case .success(let submitted)? = result.first else {
                return tracker.failed(transfer.key, "refused")
            }
            let status = try await client.wait(for: submitted.id)
            guard status.receipt?.outcome == .success else {
                return tracker.failed(transfer.key, status.reason ?? status.state.rawValue)
            }
            tracker.costly([(transfer.key, submitted.id)])
            tracker.finalized([transfer.key], at: .now)
        } catch {
            tracker.failed(transfer.key, error.description)
        }
    }
}

/// The transfers for one node, in order.
final class BenchQueue: Sendable {
    typealias Entry = (place: Int, transfer: PreparedTransfer)

    private let entries: [Entry]
    private let next = Mutex(0)

    init(_ entries: [Entry]) { self.entries = entries }

    var isExhausted: Bool { next.withLock { $0 } >= entries.count }

    /// Takes up to `maximum` entries for as long as `condition` holds for their places.
    func take(_ maximum: Int, where condition: (Int) -> Bool) -> ArraySlice<Entry> {
        next.withLock { next in
            let start = next
            let limit = min(entries.count, start + maximum)
            while next < limit, condition(entries[next].place) { next += 1 }
            return entries[start..<next]
        }
    }
}
