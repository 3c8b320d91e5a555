internal import NIOCore

/// The connections of a client. A request takes an idle one; else a new one; else, at the limit,
/// the one with the fewest requests ahead of it; and where all have as many as a node takes, it
/// waits for an answer to one of them.
actor ConnectionPool {
    private struct Member {
        let connection: HTTPConnection
        /// Requests on it without an answer yet.
        var load: Int
    }

    private let endpoint: RPCEndpoint
    private let connectionsMax: Int
    private let group: any EventLoopGroup
    private var members: [Member] = []
    private var opening = 0
    /// Requests that wait for room, the earliest first.
    private var waiting: [(ticket: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
    private var nextTicket: UInt64 = 0
    private var isClosed = false

    init(endpoint: RPCEndpoint, connectionsMax: Int, group: any EventLoopGroup) {
        self.endpoint = endpoint
        self.connectionsMax = connectionsMax
        self.group = group
    }

    /// A connection for one request; each needs one `giveBack`.
    /// - Throws: `HTTPConnection.Fault.timedOut` where there was no room before the deadline.
    func take(before deadline: NIODeadline) async throws -> HTTPConnection {
        var isInTurn = false
        while true {
            guard !isClosed else { throw HTTPConnection.Fault.closed("the client is closed") }
            members.removeAll { !$0.connection.isOpen }
            // Who comes later doesn't overtake those that wait.
            if isInTurn || waiting.isEmpty {
                guard isFull else { break }
                if let index = leastLoaded, members[index].load < RPCLimits.pipelinedMax {
                    return place(at: index)
                }
            }
            guard deadline > .now(), !Task.isCancelled else {
                wakeNext()
                throw HTTPConnection.Fault.timedOut
            }
            await waitForRoom(until: deadline, inFront: isInTurn)
            isInTurn = true
        }
        if let index = leastLoaded, members[index].load == 0 { return place(at: index) }
        guard deadline > .now() else {
            wakeNext()
            throw HTTPConnection.Fault.timedOut
        }
        opening += 1
        defer {
            opening -= 1
            wakeNext()
        }
        let connection = try await HTTPConnection.open(
            endpoint, before: deadline, on: group)
        guard !isClosed else {
            await connection.close()
            throw HTTPConnection.Fault.closed("the client is closed")
        }
        members.append(Member(connection: connection, load: 1))
        return connection
    }

    /// Gives a place of a connection away; whoever waits next may find one too.
    private func place(at index: Int) -> HTTPConnection {
        members[index].load += 1
        wakeNext()
        return members[index].connection
    }

    func giveBack(_ connection: HTTPConnection) {
        defer { wakeNext() }
        guard let index = members.firstIndex(where: { $0.connection === connection }) else {
            return
        }
        members[index].load -= 1
    }

    /// Until an answer comes, a connection opens or fails, or the time is over.
    /// - Parameter inFront: For one that was woken, and found its place taken.
    private func waitForRoom(until deadline: NIODeadline, inFront: Bool) async {
        nextTicket += 1
        let ticket = nextTicket
        let timer = Task {
            let left = deadline - .now()
            try? await Task.sleep(for: .nanoseconds(max(0, left.nanoseconds)))
            wake(ticket)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiting.insert((ticket, continuation), at: inFront ? 0 : waiting.count)
            }
        } onCancel: {
            Task { await wake(ticket) }
        }
        timer.cancel()
    }

    private func wake(_ ticket: UInt64) {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return }
        waiting.remove(at: index).continuation.resume()
    }

    private func wakeNext() {
        guard !waiting.isEmpty else { return }
        waiting.removeFirst().continuation.resume()
    }

    func close() async {
        let closing = members
        members = []
        isClosed = true
        for entry in waiting { entry.continuation.resume() }
        waiting = []
        for member in closing { await member.connection.close() }
    }

    private var isFull: Bool { members.count + opening >= connectionsMax }

    private var leastLoaded: Int? {
        members.indices.min { members[$0].load < members[$1].load }
    }
}
