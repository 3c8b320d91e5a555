internal import Mempool
internal import NodeCore
internal import Primitives
internal import Synchronization

/// Joins clients that wait with the core's replies: each request is answered exactly once.
final class RequestBroker: Sendable {
    private struct State {
        var last: UInt64 = 0
        var open: [RequestID: Request] = [:]
        /// Not after the earliest deadline of an open request.
        var nextDeadline = Instant(milliseconds: .max)
        var isClosed = false
    }

    private struct Request {
        let id: RequestID
        let deadline: Instant
        let continuation: CheckedContinuation<NodeReply?, Never>
    }

    private let state = Mutex(State())

    var openCount: Int { state.withLock { $0.open.count } }
    /// Whether the node stops: then nothing is answered but with nothing.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func newRequest() -> RequestID {
        state.withLock { state in
            state.last += 1
            return RequestID(state.last)
        }
    }

    /// Takes a request in; once closed it is answered with nothing instead, and false returned.
    func register(
        _ id: RequestID, until deadline: Instant,
        _ continuation: CheckedContinuation<NodeReply?, Never>
    ) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.open[id] = Request(id: id, deadline: deadline, continuation: continuation)
            state.nextDeadline = min(state.nextDeadline, deadline)
            return true
        }
        if !isTaken { continuation.resume(returning: nil) }
        return isTaken
    }

    /// Answers a request that is still open; nil means that no answer came.
    func answer(_ id: RequestID, _ reply: NodeReply?) {
        let request = state.withLock { $0.open.removeValue(forKey: id) }
        request?.continuation.resume(returning: reply)
    }

    /// Answers with nothing whoever has waited beyond its deadline; returns them in order.
    func expire(at now: Instant) -> [RequestID] {
        let due = state.withLock { state in
            guard state.nextDeadline <= now else { return [Request]() }
            let due = state.open.values.filter { $0.deadline <= now }
            for request in due { state.open[request.id] = nil }
            state.nextDeadline =
                state.open.values.map(\.deadline).min() ?? Instant(milliseconds: .max)
            return due.sorted { $0.id < $1.id }
        }
        for request in due { request.continuation.resume(returning: nil) }
        return due.map(\.id)
    }

    /// Answers everybody with nothing, now and later: the node stops.
    func close() {
        let open = state.withLock { state in
            defer { state.open = [:] }
            state.isClosed = true
            return state.open
        }
        for request in open.values { request.continuation.resume(returning: nil) }
    }
}
