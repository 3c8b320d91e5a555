internal import Mempool
internal import Execution
internal import Primitives

/// Clients that wait for a transaction's fate, and the fates that left no receipt.
struct Waiting: Sendable {
    private var requests: [TransactionID: [RequestID]] = [:]
    private var transactions: [RequestID: TransactionID] = [:]
    /// Two generations of skipped transactions: the older goes when the newer is full.
    private var skipped: [TransactionID: SkipReason] = [:]
    private var skippedBefore: [TransactionID: SkipReason] = [:]

    /// Fates remembered in a generation.
    static let skippedMax = 16_384

    var count: Int { transactions.count }

    func skipReason(_ id: TransactionID) -> SkipReason? { skipped[id] ?? skippedBefore[id] }

    mutating func add(_ request: RequestID, for id: TransactionID) {
        requests[id, default: []].append(request)
        transactions[request] = id
    }

    mutating func cancel(_ request: RequestID) {
        guard let id = transactions.removeValue(forKey: request) else { return }
        requests[id]?.removeAll { $0 == request }
        if requests[id]?.isEmpty ?? false { requests[id] = nil }
    }

    mutating func take(_ id: TransactionID) -> [RequestID] {
        let waiting = requests.removeValue(forKey: id) ?? []
        for request in waiting { transactions[request] = nil }
        return waiting
    }

    mutating func remember(_ id: TransactionID, _ reason: SkipReason) {
        if skipped.count >= Waiting.skippedMax {
            skippedBefore = skipped
            skipped = [:]
        }
        skipped[id] = reason
    }
}

extension NodeCore {
    mutating func wait(_ request: RequestID, for id: TransactionID) throws(StorageFault) {
        switch try fate(of: id) {
        case .final: effects.append(.reply(request, .settled(id, .final)))
        case .skipped(let reason):
            effects.append(.reply(request, .settled(id, .skipped(reason))))
        case .pending, .unknown: waiting.add(request, for: id)
        }
    }

    /// Whether a transaction took its sequence in a finalized block.
    private func hasReceipt(_ id: TransactionID) throws(StorageFault) -> Bool {
        if freshReceipts.contains(id) { return true }
        return try LedgerReader(store.source).receipt(id) != nil
    }

    func fate(of id: TransactionID) throws(StorageFault) -> Fate {
        if try hasReceipt(id) { return .final }
        if mempool.isFollowing(id) || mempool.isPooled(id) { return .pending }
        if let reason = waiting.skipReason(id) { return .skipped(reason) }
        return .unknown
    }

    /// Answers a submission; what is final already was accepted, however often it comes and
    /// whatever would be wrong with it by now: its sequence is used, its time may be over.
    mutating func reply(
        _ request: RequestID, _ id: TransactionID, _ outcome: SubmitOutcome
    ) throws(StorageFault) {
        let isEarly = outcome == .accepted && configuration.planted == .finalTooEarly
        let isFinal = outcome == .accepted ? isEarly : try hasReceipt(id)
        if isFinal {
            effects.append(.reply(request, .settled(id, .final)))
        } else {
            effects.append(.reply(request, .submitted(id, outcome)))
        }
    }

    /// Tells who waits for a transaction that the state doesn't allow any more.
    mutating func settleWaiting(
        _ id: TransactionID, gone reason: SkipReason
    ) throws(StorageFault) {
        let fate: Fate = try hasReceipt(id) ? .final : .skipped(reason)
        if fate != .final { waiting.remember(id, reason) }
        for request in waiting.take(id) {
            effects.append(.reply(request, .settled(id, fate)))
        }
    }

    mutating func settleWaiting(_ executed: ExecutedTransaction) throws(StorageFault) {
        let fate: Fate
        if let reason = executed.skipped {
            guard !reason.mayRetry, try !hasReceipt(executed.id),
                executed.isDefinite || mempool.cares(for: executed.signed)
            else { return }
            waiting.remember(executed.id, reason)
            fate = .skipped(reason)
        } else {
            fate = .final
            freshReceipts.insert(executed.id)
        }
        for request in waiting.take(executed.id) {
            effects.append(.reply(request, .settled(executed.id, fate)))
        }
    }
}
