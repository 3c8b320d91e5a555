internal import ArgumentParser
internal import Glibc
internal import Logging
internal import RPC
internal import Runtime
internal import ServiceLifecycle
internal import UnixSignals

/// `offpeak node`
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Run a node in the foreground.",
        discussion: """
            Everything comes from the home folder: config.yaml, genesis.json and keys/. The log \
            goes to stderr. SIGTERM and Ctrl-C stop it cleanly within 5 seconds.

            Exit codes: 0 stopped on request, 70 a broken invariant, 74 a fault of the disk, 75 \
            the home is in use, 77 somebody else signs with this validator's key, 78 a fault in \
            the configuration, the genesis or the keys.
            """)

    @Option(help: "The home folder, as `offpeak init` makes it.")
    var home: String

    @Option(
        help: ArgumentHelp(
            "When this machine works for others: off, idle (while nothing else wants it), always.",
            discussion: """
                Instead of `share.mode` in config.yaml. idle suits a desktop: the work runs at the \
                lowest priority and is handed back within a second when the machine is wanted.
                """))
    var share: ShareMode?

    func run() async throws {
        let home = Home(home)
        let settings = try Configuration.load(home.configuration)
        Log.start(level: settings.logLevel, format: settings.logFormat)
        let logger = Logger(label: "node")
        let connections = try NodeCommand.reserveFiles(settings, logger)
        let node = try RunningNode(home: home, logger: logger, shareMode: share) { code, reason in
            logger.critical("the node stops", metadata: ["reason": "\(reason)"])
            // Other threads still run: no destructor may run beside them.
            _exit(code.rawValue)
        }
        try node.start()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: try NodeCommand.services(
                    node, settings, connections: connections, logger),
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try await group.run()
        } catch let fault as RPCServer.ListenFault {
            node.stop()
            throw HomeFault("\(home.configuration): rpc.listen: \(fault)")
        } catch {
            node.stop()
            throw error
        }
        node.stop()
        logger.notice("stopped")
    }

    /// The connections that RPC may have, once links and files have what they need.
    private static func reserveFiles(
        _ settings: Configuration, _ logger: Logger
    ) throws -> Int {
        let wanted = RPCServerConfiguration().connectionsMax
        let found = try OpenFiles.reserve(
            links: settings.limits.connections, connections: wanted)
        if found < wanted {
            logger.warning(
                "few files may be open: RPC takes fewer connections (raise ulimit -n)",
                metadata: ["connections": "\(found)", "wanted": "\(wanted)"])
        }
        return found
    }

    /// They stop one after the other, the last one first: clients are answered before the server
    /// waits for the end of their requests.
    private static func services(
        _ node: RunningNode, _ settings: Configuration, connections: Int, _ logger: Logger
    ) throws -> [ServiceGroupConfiguration.ServiceConfiguration] {
        var services = [
            ServiceGroupConfiguration.ServiceConfiguration(
                service: NodeReporter(node: node, logger: logger))
        ]
        if let address = settings.rpcListen {
            services.append(
                .init(
                    service: try server(node, address, connections, logger),
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup))
        }
        return services + [.init(service: RequestEnd(node: node))]
    }

    private static func server(
        _ node: RunningNode, _ address: NetworkAddress, _ connections: Int, _ logger: Logger
    ) throws -> RPCServer {
        var configuration = RPCServerConfiguration()
        configuration.host = address.host
        configuration.port = Int(address.port)
        configuration.connectionsMax = connections
        return RPCServer(
            configuration: configuration, backend: try NodeBackend(node),
            version: Program.version, logger: Logger(label: "rpc"),
            onListening: { port in
                logger.notice(
                    "RPC listens", metadata: ["url": "http://\(address.host):\(port)"])
            })
    }
}

/// Has clients answered when the node is asked to stop.
private struct RequestEnd: Service {
    let node: RunningNode

    func run() async throws {
        // Cancelled or asked to stop: it is the end both times.
        try? await gracefulShutdown()
        node.endRequests()
    }
}

/// Tells the log when the node takes part, and every minute how it stands.
private struct NodeReporter: Service {
    let node: RunningNode
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await watch() }
    }

    private func watch() async {
        let readiness = NodeReadiness(node)
        var wasReady = false
        var ticks = 0
        while !Task.isCancelled {
            let state = readiness.now
            if state.ready != wasReady {
                wasReady = state.ready
                logger.notice(
                    state.ready ? "ready" : "not ready",
                    metadata: ["reasons": "\(state.reasons.joined(separator: "; "))"])
            }
            if ticks % 120 == 0 { report() }
            ticks += 1
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    private func report() {
        let status = node.status
        logger.info(
            "status",
            metadata: [
                "height": "\(status.finalizedHeight)", "view": "\(status.view)",
                "peers": "\(node.peers.count)", "stateRoot": "\(status.stateRoot)",
                "executed": "\(status.transactionsExecuted)",
            ])
    }
}

extension ShareMode: ExpressibleByArgument {}
