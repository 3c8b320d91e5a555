internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// Which path answers what.
struct HTTPRoutes: HTTPResponder {
    typealias Context = RPCRequestContext

    private let backend: any RPCBackend
    private let dispatcher: Dispatcher
    private let requests: Gate
    private let memory = ByteBudget(maximum: RPCLimits.heldBytesMax)
    private let openRPC: [UInt8]

    init(backend: any RPCBackend, dispatcher: Dispatcher, requestsMax: Int, version: String) {
        self.backend = backend
        self.dispatcher = dispatcher
        requests = Gate(maximum: requestsMax)
        openRPC = OpenRPC.document(version: version)
    }

    func respond(to request: Request, context: Context) async throws -> Response {
        switch (request.uri.path, request.method) {
        case ("/", .post): try await limited { try await post(request) }
        case ("/", _): HTTPRoutes.notAllowed("POST")
        case (_, .head), (_, .get): await get(request)
        default: HTTPRoutes.notAllowed("GET")
        }
    }

    private func get(_ request: Request) async -> Response {
        switch request.uri.path {
        case "/health": return HTTPRoutes.text("ok\n")
        case "/ready": return await ready()
        case "/metrics":
            return HTTPRoutes.text(
                await backend.metricsText(), type: "text/plain; version=0.0.4; charset=utf-8")
        case "/openrpc.json": return HTTPRoutes.json(openRPC)
        case let path: return await limited { await read(String(path.dropFirst()), request) }
        }
    }

    private func ready() async -> Response {
        let readiness = await backend.readiness()
        do throws(RPCFault) {
            let body = try AnswerCoding.encode(readiness)
            return HTTPRoutes.json(body, status: readiness.ready ? .ok : .serviceUnavailable)
        } catch {
            return HTTPRoutes.failure(error)
        }
    }

    private func read(_ name: String, _ request: Request) async -> Response {
        do throws(RPCFault) {
            let method = try MethodTable.method(name)
            guard method.isRead else { return HTTPRoutes.notAllowed("POST") }
            let query = try Query.items(of: request.uri.query ?? "")
            return answering(try await dispatcher.result(of: method, query: query))
        } catch {
            return HTTPRoutes.failure(error)
        }
    }

    private func post(_ request: Request) async throws -> Response {
        let held = HeldBytes(memory)
        let body: [UInt8]
        do {
            body = try await HTTPRoutes.body(of: request, held)
        } catch BodyFault.tooLarge {
            return HTTPRoutes.tooLarge
        } catch BodyFault.noRoom {
            return HTTPRoutes.closing(HTTPRoutes.tooMany)
        }
        let answer = await dispatcher.answer(to: body)
        // The request holds its part until it is answered.
        return withExtendedLifetime(held) { answer.map(answering) ?? Response(status: .noContent) }
    }

    private enum BodyFault: Error { case tooLarge, noRoom }

    /// The whole body. A declared length above the limit is refused before the first byte.
    private static func body(of request: Request, _ held: HeldBytes) async throws -> [UInt8] {
        let declared = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard declared <= RPCLimits.bodyBytesMax else { throw BodyFault.tooLarge }
        var body: [UInt8] = []
        for try await part in request.body {
            let count = body.count + part.readableBytes
            guard count <= RPCLimits.bodyBytesMax else { throw BodyFault.tooLarge }
            guard count <= RPCLimits.freeBytesMax || held.grow(to: count * RPCLimits.readingFactor)
            else { throw BodyFault.noRoom }
            body.append(contentsOf: part.readableBytesView)
        }
        return body
    }

    /// An answer in pieces, counted until the client has taken the last, or 429 if others hold too
    /// much already.
    private func answering(_ answer: [UInt8]) -> Response {
        guard answer.count > RPCLimits.freeBytesMax else { return HTTPRoutes.json(answer) }
        let held = HeldBytes(memory)
        guard held.grow(to: answer.count) else { return HTTPRoutes.tooMany }
        let body = ResponseBody(contentLength: answer.count) { writer in
            var rest = ByteBuffer(bytes: answer)
            while let piece = rest.readSlice(
                length: min(RPCLimits.pieceBytes, rest.readableBytes)), piece.readableBytes > 0
            {
                try await writer.write(piece)
            }
            try await writer.finish(nil)
            withExtendedLifetime(held) {}
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    /// `answer`'s response, or 429 if too many are being made.
    private func limited(
        _ answer: () async throws -> Response
    ) async rethrows -> Response {
        guard requests.enter() else { return HTTPRoutes.tooMany }
        defer { requests.leave() }
        return try await answer()
    }
}

// Responses.
extension HTTPRoutes {
    private static func json(
        _ body: [UInt8], status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    private static func text(
        _ body: String, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }

    private static func notAllowed(_ method: String) -> Response {
        Response(status: .methodNotAllowed, headers: [.allow: method])
    }

    private static var tooLarge: Response {
        let fault = RPCFault.invalidRequest(
            "bodyTooLarge", "a body has at most \(RPCLimits.bodyBytesMax) bytes")
        return closing(json(RPCAnswer.failure(fault, id: .null), status: .contentTooLarge))
    }

    /// For an answer to a request whose rest nobody wants.
    private static func closing(_ response: Response) -> Response {
        var response = response
        response.headers[.connection] = "close"
        return response
    }

    private static var tooMany: Response {
        let fault = RPCFault.overloaded(retryAfterMilliseconds: 1000)
        var response = json(RPCAnswer.failure(fault, id: .null), status: .tooManyRequests)
        response.headers[.retryAfter] = "1"
        return response
    }

    /// A fault of a plain read.
    private static func failure(_ fault: RPCFault) -> Response {
        var response = json(
            JSONValue.object([JSONMember("error", fault.json)]).encoded, status: status(of: fault))
        if response.status == .tooManyRequests { response.headers[.retryAfter] = "1" }
        return response
    }

    private static func status(of fault: RPCFault) -> HTTPResponse.Status {
        switch RPCFault.Code(rawValue: fault.code) {
        case .parseError, .invalidRequest, .invalidParameters, .refused: .badRequest
        case .methodNotFound, .notFound: .notFound
        case .unavailable: .serviceUnavailable
        case .overloaded: .tooManyRequests
        case .internalError, nil: .internalServerError
        }
    }
}

/// What Hummingbird hands over with each request; nothing of it is needed.
struct RPCRequestContext: InitializableFromSource, Sendable {
    init(source: ApplicationRequestContextSource) {}
}
