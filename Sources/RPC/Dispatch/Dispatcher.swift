internal import Primitives
internal import ServiceLifecycle

/// Carries out what bodies ask for. Upon a body: read it whole; refuse what isn't a request; hand
/// all its transactions to the node together, so that a batch costs the core one event; then carry
/// out everything else side by side. Answers are in the order of the requests.
package struct Dispatcher: Sendable {
    private let backend: any RPCBackend
    private let waits: Gate

    /// At most `waitsMax` calls of `transaction_wait` at once; others are told to come back.
    package init(backend: any RPCBackend, waitsMax: Int) {
        self.backend = backend
        waits = Gate(maximum: waitsMax)
    }

    /// The answer to a body; nil if it holds nothing but notifications.
    package func answer(to body: [UInt8]) async -> [UInt8]? {
        do throws(RPCFault) {
            switch try Dispatcher.read(body) {
            case .array(let elements):
                return RPCAnswer.batch(await answers(to: try Dispatcher.batch(elements)))
            case let single:
                return await answers(to: [ReadRequest(single)]).first
            }
        } catch {
            return RPCAnswer.failure(error, id: .null)
        }
    }

    /// The result of one read, for GET: `query` holds texts by name.
    package func result(
        of method: Method, query: [(name: String, text: String)]
    ) async throws(RPCFault) -> [UInt8] {
        var members: [JSONMember] = []
        for (name, text) in query {
            guard !members.contains(where: { $0.name == name }) else {
                throw .invalidParameter(name, "given twice")
            }
            let parameter = method.parameters.first { $0.name == name }
            let isNumber = parameter?.kind.isNumber ?? false
            members.append(JSONMember(name, isNumber ? .number(text) : .string(text)))
        }
        return try await call(method, .object(members))
    }

    private static func read(_ body: [UInt8]) throws(RPCFault) -> JSONValue {
        do throws(JSONFault) {
            return try JSONReader.parse(body)
        } catch {
            throw RPCFault(error)
        }
    }

    private static func batch(_ elements: [JSONValue]) throws(RPCFault) -> [ReadRequest] {
        guard !elements.isEmpty else {
            throw .invalidRequest("emptyBatch", "a batch holds at least one request")
        }
        guard elements.count <= RPCLimits.batchMax else {
            throw .invalidRequest(
                "batchTooLong",
                "\(elements.count) requests in a batch, at most \(RPCLimits.batchMax) allowed")
        }
        return elements.map { ReadRequest($0) }
    }
}

// Carrying out.
extension Dispatcher {
    private func answers(to requests: [ReadRequest]) async -> [[UInt8]] {
        var answers = [[UInt8]?](repeating: nil, count: requests.count)
        await submit(requests, into: &answers)
        await callOthers(requests, into: &answers)
        return answers.compactMap { $0 }
    }

    /// Fills in the answers to all submissions, and to what is no request.
    private func submit(_ requests: [ReadRequest], into answers: inout [[UInt8]?]) async {
        var transactions: [SignedTransaction] = []
        var places: [(index: Int, id: JSONValue?)] = []
        for (index, request) in requests.enumerated() {
            switch request {
            case .fault(let fault, let id):
                answers[index] = id.map { RPCAnswer.failure(fault, id: $0) }
            case .request(let request):
                guard case .submit = request.method.action else { continue }
                do throws(RPCFault) {
                    transactions.append(try transaction(of: request))
                    places.append((index, request.id))
                } catch {
                    answers[index] = request.id.map { RPCAnswer.failure(error, id: $0) }
                }
            }
        }
        guard !transactions.isEmpty else { return }
        let results = await backend.submit(transactions)
        for (offset, place) in places.enumerated() {
            let result = offset < results.count ? results[offset] : .failure(.internalError)
            answers[place.index] = place.id.map { Dispatcher.answer(with: result, id: $0) }
        }
    }

    private static func answer(
        with result: Result<SubmitResult, RPCFault>, id: JSONValue
    ) -> [UInt8] {
        switch result {
        case .success(let result): RPCAnswer.success(result.encoded, id: id)
        case .failure(let fault): RPCAnswer.failure(fault, id: id)
        }
    }

    private func transaction(of request: RPCRequest) throws(RPCFault) -> SignedTransaction {
        let arguments = try Arguments(
            request.parameters, for: request.method.parameters, in: backend.prefix)
        return try arguments.signedTransaction("transaction")
    }

    /// Fills in the answers to everything but submissions. Notifications among them have no effect
    /// that anybody could see, and aren't carried out.
    private func callOthers(_ requests: [ReadRequest], into answers: inout [[UInt8]?]) async {
        var calls: [(index: Int, request: RPCRequest, id: JSONValue)] = []
        for (index, request) in requests.enumerated() {
            guard case .request(let request) = request, request.method.isRead, let id = request.id
            else { continue }
            calls.append((index, request, id))
        }
        if calls.count == 1, let call = calls.first {
            answers[call.index] = await answer(to: call.request, id: call.id)
            return
        }
        await withTaskGroup(of: (Int, [UInt8]).self) { group in
            for call in calls {
                group.addTask { (call.index, await answer(to: call.request, id: call.id)) }
            }
            for await (index, answer) in group { answers[index] = answer }
        }
    }

    private func answer(to request: RPCRequest, id: JSONValue) async -> [UInt8] {
        do throws(RPCFault) {
            return RPCAnswer.success(
                try await call(request.method, request.parameters), id: id)
        } catch {
            return RPCAnswer.failure(error, id: id)
        }
    }

    private func call(_ method: Method, _ given: JSONValue?) async throws(RPCFault) -> [UInt8] {
        let arguments = try Arguments(given, for: method.parameters, in: backend.prefix)
        switch method.action {
        case .read(let read): return try await read(arguments, backend)
        case .wait(let wait):
            guard waits.enter() else { throw .overloaded(retryAfterMilliseconds: 1000) }
            defer { waits.leave() }
            return try await endingWithService { () async throws(RPCFault) in
                try await wait(arguments, backend)
            }
        case .submit: throw .internalError
        }
    }

    /// Cancels `wait` when the server stops, so that no client keeps it from stopping.
    private func endingWithService(
        _ wait: @escaping @Sendable () async throws(RPCFault) -> [UInt8]
    ) async throws(RPCFault) -> [UInt8] {
        do {
            return try await cancelWhenGracefulShutdown { try await wait() }
        } catch let fault as RPCFault {
            throw fault
        } catch {
            throw .unavailable(["the node is stopping"])
        }
    }
}

extension RPCFault {
    /// What a client is told of a body that isn't JSON within limits.
    init(_ fault: JSONFault) {
        switch fault.reason {
        case .nestingTooDeep: self = .invalidRequest("nestingTooDeep", fault.description)
        case .tooManyMembers: self = .invalidRequest("tooManyMembers", fault.description)
        case .tooManyElements: self = .invalidRequest("tooManyElements", fault.description)
        default:
            self.init(
                .parseError, "not JSON: \(fault.description)",
                data: [JSONMember("offset", .number(String(fault.offset)))])
        }
    }
}
