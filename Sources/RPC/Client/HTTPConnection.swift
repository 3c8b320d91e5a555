internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One connection to a node. Requests may be sent before earlier answers are there; answers come in
/// the order of the requests. After any fault the connection is closed, since what is still to come
/// on it could belong to anything.
final class HTTPConnection: Sendable {
    /// An answer's status and body.
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
    }

    /// Why a request on this connection had no answer.
    enum Fault: Error {
        case timedOut
        case closed(String)
        case bodyTooLarge
    }

    private let channel: any Channel
    private let host: String

    private init(channel: any Channel, host: String) {
        self.channel = channel
        self.host = host
    }

    /// Opens a connection before `deadline`.
    /// - Throws: an error of NIO if nobody answers.
    static func open(
        _ endpoint: RPCEndpoint, before deadline: NIODeadline, on group: any EventLoopGroup
    ) async throws -> HTTPConnection {
        let channel = try await ClientBootstrap(group: group)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(max(deadline - .now(), .milliseconds(1)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(AnswerCollector())
                }
            }
            .connect(host: endpoint.host, port: endpoint.port).get()
        return HTTPConnection(channel: channel, host: endpoint.description)
    }

    /// Whether requests can still be sent.
    var isOpen: Bool { channel.isActive }

    /// Posts a body to `/`.
    /// - Throws: `Fault`.
    func post(_ body: [UInt8], before deadline: NIODeadline) async throws -> Answer {
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: "/",
            headers: [
                "Host": host, "Content-Type": "application/json",
                "Content-Length": String(body.count),
            ])
        return try await send(head, body, before: deadline)
    }

    /// Reads a path by GET.
    /// - Throws: `Fault`.
    func get(_ path: String, before deadline: NIODeadline) async throws -> Answer {
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: path, headers: ["Host": host])
        return try await send(head, [], before: deadline)
    }

    private func send(
        _ head: HTTPRequestHead, _ body: [UInt8], before deadline: NIODeadline
    ) async throws -> Answer {
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        let request = AnswerCollector.Request(
            head: head, body: ByteBuffer(bytes: body), deadline: deadline,
            promise: promise)
        channel.writeAndFlush(request).cascadeFailure(to: promise)
        do {
            return try await promise.futureResult.get()
        } catch let error as ChannelError {
            throw Fault.closed("\(error)")
        }
    }

    func close() async { try? await channel.close().get() }
}
