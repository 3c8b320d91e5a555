internal import NIOCore
internal import NIOPosix
package import Primitives

/// Calls a node. Connections are kept and shared; each call has a deadline. Every method may be
/// called again safely, so a call whose kept connection turns out dead is sent once more.
package struct RPCClient: Sendable {
    /// Milliseconds that a call may take where nothing else is said.
    package static let timeoutDefault: Int64 = 10_000

    package let endpoint: RPCEndpoint
    private let timeoutMilliseconds: Int64
    private let pool: ConnectionPool

    /// A client with at most `connectionsMax` connections (at least 1); beyond it requests follow
    /// each other on the same connection without waiting for answers.
    package init(
        _ endpoint: RPCEndpoint, timeoutMilliseconds: Int64 = RPCClient.timeoutDefault,
        connectionsMax: Int = 16
    ) {
        precondition(connectionsMax > 0, "at least one connection, not \(connectionsMax)")
        self.endpoint = endpoint
        self.timeoutMilliseconds = timeoutMilliseconds
        pool = ConnectionPool(
            endpoint: endpoint, connectionsMax: connectionsMax,
            group: MultiThreadedEventLoopGroup.singleton)
    }

    /// Closes the connections. Later calls open new ones.
    package func close() async { await pool.close() }

    /// Calls any method with parameters by name.
    package func call(
        _ method: String, _ parameters: [JSONMember] = [], timeoutMilliseconds: Int64? = nil
    ) async throws(RPCClientFault) -> JSONValue {
        let request = RPCClient.request(method, parameters, id: 1)
        let answer = try await post(
            request.encoded, for: method, milliseconds: timeoutMilliseconds)
        return try result(of: answer)
    }

    /// Reads a path other than `/` by GET, for `/metrics` and its like: status and text.
    package func get(_ path: String) async throws(RPCClientFault) -> (status: Int, text: String) {
        let answer = try await exchange(for: path, timeoutMilliseconds) {
            try await $0.get(path, before: $1)
        }
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    private static func request(
        _ method: String, _ parameters: [JSONMember], id: Int
    ) -> JSONValue {
        .object([
            JSONMember("jsonrpc", .string("2.0")), JSONMember("id", .number(String(id))),
            JSONMember("method", .string(method)), JSONMember("params", .object(parameters)),
        ])
    }

    /// The result of an answer to one request.
    private func result(of answer: JSONValue) throws(RPCClientFault) -> JSONValue {
        if let result = answer["result"] { return result }
        guard let fault = answer["error"].flatMap({ RPCFault(json: $0) }) else {
            throw .malformed("neither result nor error", address: endpoint.description)
        }
        throw .fault(fault)
    }
}

// Batches of transactions.
extension RPCClient {
    /// Hands over 1...20 transactions in one batch: one outcome for each, in the same order.
    package func submit(
        _ transactions: [SignedTransaction]
    ) async throws(RPCClientFault) -> [Result<SubmitResult, RPCFault>] {
        try await submit(
            encoded: transactions.map { Base64.encode($0.bcsBytes) })
    }

    /// The same for the base64 texts of transactions, so that a load generator encodes them ahead.
    package func submit(
        encoded transactions: [String]
    ) async throws(RPCClientFault) -> [Result<SubmitResult, RPCFault>] {
        precondition(
            1...RPCLimits.batchMax ~= transactions.count,
            "1...\(RPCLimits.batchMax) transactions in a batch, not \(transactions.count)")
        let requests = transactions.enumerated().map { index, transaction in
            RPCClient.request(
                "transaction_submit", [JSONMember("transaction", .string(transaction))], id: index)
        }
        let answer = try await post(
            JSONValue.array(requests).encoded, for: "transaction_submit", milliseconds: nil)
        guard case .array(let answers) = answer, answers.count == requests.count else {
            if case .object = answer { _ = try result(of: answer) }
            throw .malformed("another number of answers", address: endpoint.description)
        }
        var outcomes: [Result<SubmitResult, RPCFault>] = []
        for (index, answer) in answers.enumerated() {
            guard answer["id"] == .number(String(index)) else {
                throw .malformed("answers in another order", address: endpoint.description)
            }
            outcomes.append(try outcome(of: answer))
        }
        return outcomes
    }

    private func outcome(
        of answer: JSONValue
    ) throws(RPCClientFault) -> Result<SubmitResult, RPCFault> {
        if let fault = answer["error"].flatMap({ RPCFault(json: $0) }) { return .failure(fault) }
        guard let result = answer["result"], let id = result["id"]?.text,
            let state = result["state"]?.text.flatMap({ TransactionState(rawValue: $0) })
        else { throw .malformed("no id and state", address: endpoint.description) }
        return .success(SubmitResult(id: id, state: state))
    }
}

// Sending.
extension RPCClient {
    private func post(
        _ body: [UInt8], for method: String, milliseconds: Int64?
    ) async throws(RPCClientFault) -> JSONValue {
        let milliseconds = milliseconds ?? timeoutMilliseconds
        let answer = try await exchange(for: method, milliseconds) {
            try await $0.post(body, before: $1)
        }
        do throws(JSONFault) {
            return try JSONReader.parse(answer.body, within: .answer)
        } catch {
            guard answer.status == 200 else {
                throw .unexpectedStatus(answer.status, address: endpoint.description)
            }
            throw .malformed(error.description, address: endpoint.description)
        }
    }

    /// Sends on a connection, and once more on another if the first one was closed meanwhile.
    private func exchange(
        for method: String, _ milliseconds: Int64,
        _ send: (HTTPConnection, NIODeadline) async throws -> HTTPConnection.Answer
    ) async throws(RPCClientFault) -> HTTPConnection.Answer {
        let deadline = NIODeadline.now() + .milliseconds(milliseconds)
        do throws(Failure) {
            do throws(Failure) {
                return try await exchangeOnce(before: deadline, send)
            } catch .connection(.closed) {
                return try await exchangeOnce(before: deadline, send)
            }
        } catch {
            throw fault(of: error, in: method, milliseconds)
        }
    }

    private func exchangeOnce(
        before deadline: NIODeadline,
        _ send: (HTTPConnection, NIODeadline) async throws -> HTTPConnection.Answer
    ) async throws(Failure) -> HTTPConnection.Answer {
        let connection: HTTPConnection
        do {
            connection = try await pool.take(before: deadline)
        } catch HTTPConnection.Fault.timedOut {
            throw .connection(.timedOut)
        } catch {
            throw .unreachable(RPCClient.cause(of: error))
        }
        do {
            let answer = try await send(connection, deadline)
            await pool.giveBack(connection)
            return answer
        } catch {
            await pool.giveBack(connection)
            throw Failure(error)
        }
    }

    /// Why an exchange came to nothing, without what only its caller knows.
    private enum Failure: Error {
        case unreachable(String)
        case connection(HTTPConnection.Fault)

        init(_ error: any Error) {
            self = .connection(error as? HTTPConnection.Fault ?? .closed("\(error)"))
        }
    }

    private func fault(
        of failure: Failure, in method: String, _ milliseconds: Int64
    ) -> RPCClientFault {
        let address = endpoint.description
        switch failure {
        case .unreachable(let cause): return .unreachable(address: address, cause: cause)
        case .connection(.timedOut): return .timedOut(method: method, milliseconds: milliseconds)
        case .connection(.closed(let cause)):
            return .disconnected(address: address, cause: cause)
        case .connection(.bodyTooLarge): return .malformed("too long", address: address)
        }
    }

    private static func cause(of error: any Error) -> String {
        guard let connection = error as? NIOConnectionError else { return text(of: error) }
        if let dns = connection.dnsAError ?? connection.dnsAAAAError { return "\(dns)" }
        guard let first = connection.connectionErrors.first?.error else { return "no address" }
        return text(of: first)
    }

    private static func text(of error: any Error) -> String {
        if case .connectTimeout? = error as? ChannelError { return "nothing came back in time" }
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED {
            return "connection refused"
        }
        return "\(error)"
    }
}
