internal import Mempool
internal import NodeCore
internal import Synchronization

/// Joins clients that wait with the core's replies: each request is answered exactly once.
final class RequestBroker: Sendable {
    private struct State {
        var last: UInt64 = 0
        var open: [RequestID: CheckedContinuation<NodeReply?, Never>] = [:]
    }

    private let state = Mutex(State())

    var openCount: Int { state.withLock { $0.open.count } }

    func newRequest() -> RequestID {
        state.withLock { state in
            state.last += 1
            return RequestID(state.last)
        }
    }

    func register(_ id: RequestID, _ continuation: CheckedContinuation<NodeReply?, Never>) {
        state.withLock { $0.open[id] = continuation }
    }

    /// Answers a request that is still open; nil means that no answer came.
    func answer(_ id: RequestID, _ reply: NodeReply?) {
        let continuation = state.withLock { $0.open.removeValue(forKey: id) }
        continuation?.resume(returning: reply)
    }

    /// Answers a request with nothing if it is still open after `milliseconds`, and calls `late`.
    func expire(
        _ id: RequestID, afterMilliseconds milliseconds: UInt64,
        late: @escaping @Sendable () -> Void
    ) -> RequestDeadline {
        RequestDeadline(milliseconds) { [self] in
            let wasOpen = state.withLock { $0.open[id] != nil }
            guard wasOpen else { return }
            answer(id, nil)
            late()
        }
    }

    /// Answers everybody with nothing: the node stops.
    func close() {
        let open = state.withLock { state in
            defer { state.open = [:] }
            return state.open
        }
        for continuation in open.values { continuation.resume(returning: nil) }
    }
}

/// A deadline that can be taken back.
struct RequestDeadline: Sendable {
    private let item: Task<Void, Never>

    init(_ milliseconds: UInt64, _ body: @escaping @Sendable () -> Void) {
        item = Task {
            do {
                try await Task.sleep(for: .milliseconds(milliseconds))
                body()
            } catch {
                // Taken back.
            }
        }
    }

    func cancel() { item.cancel() }
}
