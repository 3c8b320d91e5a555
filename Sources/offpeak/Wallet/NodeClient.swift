internal import Primitives
internal import RPC

/// A node as commands see it: calls whose errors say what to do.
struct NodeClient: Sendable {
    let rpc: RPCClient
    /// How long a transaction is waited for. A single call has as long, but never less than
    /// `RPCClient.timeoutDefault`.
    let timeout: TimeSpan

    /// - Throws: `CommandFault` for text that is no address.
    init(_ address: String, timeout: TimeSpan = .seconds(30)) throws(CommandFault) {
        do throws(RPCEndpoint.Fault) {
            let endpoint = try RPCEndpoint(address)
            rpc = RPCClient(
                endpoint,
                timeoutMilliseconds: max(
                    RPCClient.timeoutDefault, Int64(clamping: timeout.milliseconds)),
                connectionsMax: 2)
        } catch {
            throw .usage("--node: \(error)")
        }
        self.timeout = timeout
    }

    /// The answer to one call.
    /// - Throws: `CommandFault` with the address that was tried, or what the node refused.
    func call<Answer>(
        _ method: (RPCClient) async throws(RPCClientFault) -> Answer
    ) async throws(CommandFault) -> Answer {
        do throws(RPCClientFault) {
            return try await answer(method)
        } catch {
            throw CommandFault(error)
        }
    }

    /// Milliseconds between two tries where the node names none.
    private static let retryMilliseconds: UInt64 = 200
    /// Milliseconds: a node that names less isn't pressed, one that names more is asked anyway.
    private static let retryMillisecondsRange: ClosedRange<UInt64> = 50...60_000

    /// Milliseconds until the next try: as many as the node names, within bounds.
    /// - Parameter rest: Milliseconds that are left; never more than these.
    static func retryDelay(after fault: RPCFault?, rest: UInt64) -> UInt64 {
        var wanted = retryMilliseconds
        if case .number(let digits)? = fault?.data?["retryAfterMilliseconds"] {
            wanted = UInt64(digits) ?? retryMilliseconds
        }
        let range = retryMillisecondsRange
        return min(max(wanted, range.lowerBound), range.upperBound, rest)
    }

    /// Waits until a node that couldn't answer yet may be asked again.
    /// - Returns: False if the timeout is over since `start`, or the task was cancelled.
    func mayRetry(after fault: RPCFault? = nil, since start: Instant) async -> Bool {
        let passed = WallClock.instant.millisecondsSince(start)
        guard passed < timeout.milliseconds else { return false }
        let delay = NodeClient.retryDelay(after: fault, rest: timeout.milliseconds - passed)
        return (try? await Task.sleep(for: .milliseconds(delay))) != nil
    }

    /// The answer of a node that may be busy at first.
    private func answer<Answer>(
        _ method: (RPCClient) async throws(RPCClientFault) -> Answer
    ) async throws(RPCClientFault) -> Answer {
        let start = WallClock.instant
        while true {
            do throws(RPCClientFault) {
                return try await method(rpc)
            } catch {
                guard case .fault(let fault) = error,
                    fault.code == RPCFault.Code.overloaded.rawValue,
                    await mayRetry(after: fault, since: start)
                else { throw error }
            }
        }
    }

    /// The answer to one call, or nil where the node knows nothing by that name.
    func find<Answer>(
        _ method: (RPCClient) async throws(RPCClientFault) -> Answer
    ) async throws(CommandFault) -> Answer? {
        do throws(RPCClientFault) {
            return try await answer(method)
        } catch {
            if case .fault(let fault) = error, fault.code == RPCFault.Code.notFound.rawValue {
                return nil
            }
            throw CommandFault(error)
        }
    }

    /// The network that the node belongs to, with what it costs now.
    func context(_ level: FeeLevel = .standard) async throws(CommandFault) -> NetworkContext {
        let genesis = try await call { rpc throws(RPCClientFault) in try await rpc.genesis() }
        let estimate = try await call { rpc throws(RPCClientFault) in
            try await rpc.feeEstimate()
        }
        return try NetworkContext(genesis, estimate, level, now: WallClock.now)
    }
}

extension CommandFault {
    /// What went wrong between the command and its node.
    init(_ fault: RPCClientFault) {
        switch fault {
        case .fault(let fault): self.init(fault)
        case .unreachable(let address, let cause):
            self.init(
                """
                no node answers at \(address) (\(cause)). Start one with `offpeak node` or \
                `offpeak testnet up`, or name another with --node http://HOST:PORT or \
                \(NodeAddress.variable)
                """,
                data: [JSONMember("address", .string(address))])
        default: self.init(fault.description)
        }
    }
}
