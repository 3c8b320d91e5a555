internal import NIOCore

/// The connections of a client. A request takes an idle one; else a new one; else, at the limit,
/// the one with the fewest requests ahead of it.
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

    init(endpoint: RPCEndpoint, connectionsMax: Int, group: any EventLoopGroup) {
        self.endpoint = endpoint
        self.connectionsMax = connectionsMax
        self.group = group
    }

    /// A connection for one request; each needs one `giveBack`.
    func take(before deadline: NIODeadline) async throws -> HTTPConnection {
        members.removeAll { !$0.connection.isOpen }
        if let index = leastLoaded, members[index].load == 0 || isFull {
            members[index].load += 1
            return members[index].connection
        }
        opening += 1
        defer { opening -= 1 }
        let connection = try await HTTPConnection.open(
            endpoint, before: deadline, on: group)
        members.append(Member(connection: connection, load: 1))
        return connection
    }

    func giveBack(_ connection: HTTPConnection) {
        guard let index = members.firstIndex(where: { $0.connection === connection }) else {
            return
        }
        members[index].load -= 1
    }

    func close() async {
        let closing = members
        members = []
        for member in closing { await member.connection.close() }
    }

    private var isFull: Bool { members.count + opening >= connectionsMax }

    private var leastLoaded: Int? {
        members.indices.min { members[$0].load < members[$1].load }
    }
}
