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

    private static let busyRetry = Duration.milliseconds(200)

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
                    WallClock.instant.millisecondsSince(start) < timeout.milliseconds,
                    (try? await Task.sleep(for: NodeClient.busyRetry)) != nil
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
