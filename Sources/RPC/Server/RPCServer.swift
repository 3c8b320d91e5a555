internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
package import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// Serves RPC over HTTP/1.1 until its service group stops it: POST `/` for JSON-RPC, GET for reads,
/// `/health`, `/ready`, `/metrics` and `/openrpc.json`. No upgrade to another protocol is possible.
package struct RPCServer: Service {
    /// Why the server can't listen.
    package struct ListenFault: Error, CustomStringConvertible {
        package let description: String
    }

    private let configuration: RPCServerConfiguration
    private let responder: HTTPRoutes
    private let logger: Logger
    private let group: any EventLoopGroup
    private let onListening: @Sendable (Int) async -> Void

    /// A server of `version`, told by `/openrpc.json`. `onListening` gets the port once clients can
    /// connect.
    package init(
        configuration: RPCServerConfiguration, backend: any RPCBackend, version: String,
        logger: Logger, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.group = group
        self.onListening = onListening
        responder = HTTPRoutes(
            backend: backend,
            dispatcher: Dispatcher(backend: backend, waitsMax: configuration.waitsMax),
            requestsMax: configuration.requestsMax, version: version)
    }

    /// Serves until stopped.
    /// - Throws: `ListenFault` if the address can't be bound.
    package func run() async throws {
        let application = Application(
            responder: responder, server: connections,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                // Those that were told to close may still be open for a moment.
                availableConnectionsDelegate: .maximum(
                    configuration.connectionsMax + RPCServerConfiguration.closingMax,
                    logger: logger)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(group), logger: logger)
        do {
            try await application.run()
        } catch let error as IOError {
            throw ListenFault(error, configuration)
        } catch let error as SocketAddressError.UnknownHost {
            throw ListenFault(error, configuration)
        }
    }

    private var connections: HTTPServerBuilder {
        let times = ConnectionGuard.Times(
            body: .milliseconds(configuration.bodyMilliseconds),
            answer: .milliseconds(configuration.answerMilliseconds),
            stop: .milliseconds(configuration.stopMilliseconds))
        let table = ConnectionTable(maximum: configuration.connectionsMax)
        return .http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionGuard(times, table)],
                idleTimeout: .milliseconds(configuration.idleMilliseconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: RPCLimits.headBytesMax,
                    maxHeaderListSize: RPCLimits.headBytesMax,
                    maxHeaderFieldCount: RPCLimits.headFieldsMax)))
    }
}

extension RPCServer.ListenFault {
    fileprivate init(
        _ error: SocketAddressError.UnknownHost, _ configuration: RPCServerConfiguration
    ) {
        description =
            "RPC can't listen on \(configuration.host):\(configuration.port): there is no host of "
            + "this name; name an address of this machine"
    }

    fileprivate init(_ error: IOError, _ configuration: RPCServerConfiguration) {
        let address = "\(configuration.host):\(configuration.port)"
        description =
            switch error.errnoCode {
            case EADDRINUSE:
                "RPC can't listen on \(address): the port is taken; choose another or stop its user"
            case EADDRNOTAVAIL:
                "RPC can't listen on \(address): this machine has no such address"
            case EACCES:
                "RPC can't listen on \(address): not permitted; choose a port above 1023"
            default: "RPC can't listen on \(address): \(error)"
            }
    }
}
