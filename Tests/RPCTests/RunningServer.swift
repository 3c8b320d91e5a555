import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import RPC

/// Runs a server on a free port for as long as `body` runs, then stops it the way a node does.
func withServer<Result: Sendable>(
    _ backend: any RPCBackend, _ configure: (inout RPCServerConfiguration) -> Void = { _ in },
    body: @Sendable @escaping (RPCEndpoint) async throws -> Result
) async throws -> Result {
    var configuration = RPCServerConfiguration()
    configuration.port = 0
    configure(&configuration)
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = RPCServer(
        configuration: configuration, backend: backend, version: "0.1.0", logger: logger
    ) { port in
        listening.yield(port)
    }
    let group = ServiceGroup(
        configuration: ServiceGroupConfiguration(services: [server], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { listening.finish() }
            try await group.run()
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else {
            try await tasks.waitForAll()
            throw ServerDidNotStart()
        }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(RPCEndpoint(port: port)))
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try result.get()
    }
}

struct ServerDidNotStart: Error {}

/// Sends bytes as they are, and gives everything that comes back until the other side closes.
func exchange(
    _ endpoint: RPCEndpoint, _ pieces: [String], closing: Bool = false
) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: endpoint.host, port: endpoint.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        for piece in pieces { try await outbound.write(ByteBuffer(string: piece)) }
        if closing { outbound.finish() }
        var received = ByteBuffer()
        do {
            for try await part in inbound { received.writeImmutableBuffer(part) }
        } catch let reset as IOError where reset.errnoCode == ECONNRESET {
            // A server that answers before it has read everything ends with a reset, which can
            // overtake the answer.
        }
        return String(buffer: received)
    }
}
