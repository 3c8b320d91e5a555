package import Gossip
package import Logging
internal import NIOCore
internal import NIOPosix
package import Primitives
internal import Synchronization

/// What gossip tells the node. Called on the gossip thread, one call at a time: it must not wait
/// for anything.
package protocol GossipListener: Sendable {
    /// What every member is now; after each change, and every few seconds.
    func reviewed(_ members: [MemberStatus], at now: Instant)
    /// A peer's advert changed.
    func advertised(_ peer: PeerID, _ capacity: Capacity)
}

/// Membership over UDP: drives the gossip engine on a thread of its own. Every call may come from
/// any thread; after `stop` none has an effect.
package final class PeerGossip: Sendable {
    /// The port that datagrams arrive at.
    package let port: UInt16

    private let group: MultiThreadedEventLoopGroup
    private let resolver: NIOThreadPool
    private let loop: NIOLoopBound<GossipLoop>
    private let gate: LoopGate
    private let view: GossipView

    /// Binds and begins to ask seeds.
    /// - Throws: `NetworkFault` if the address can't be bound.
    package init(
        listen: NetworkAddress, settings: GossipSettings, identity: SecretKey,
        listener: any GossipListener, log: Logger, metrics: Metrics = Metrics()
    ) throws(NetworkFault) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let resolver = NIOThreadPool(numberOfThreads: 1)
        resolver.start()
        let view = GossipView()
        do {
            let eventLoop = group.next()
            let gate = LoopGate(eventLoop)
            self.gate = gate
            let loop = try eventLoop.submit {
                NIOLoopBound(
                    GossipLoop(
                        settings, identity: identity, listener: listener, log: log, view: view,
                        eventLoop: eventLoop, gate: gate, resolver: resolver),
                    eventLoop: eventLoop)
            }.wait()
            let channel = try PeerGossip.bind(listen, on: eventLoop, loop)
            port = UInt16(channel.localAddress?.port ?? 0)
            try eventLoop.submit { loop.value.begin(channel) }.wait()
            self.loop = loop
        } catch {
            try? resolver.syncShutdownGracefully()
            try? group.syncShutdownGracefully()
            throw NetworkFault(
                description: """
                    can't receive datagrams at \(listen): \(error). Is another node running there? \
                    Choose another network.gossip in config.yaml.
                    """)
        }
        self.group = group
        self.resolver = resolver
        self.view = view
        view.register(in: metrics)
    }

    private static func bind(
        _ listen: NetworkAddress, on eventLoop: any EventLoop, _ loop: NIOLoopBound<GossipLoop>
    ) throws -> any Channel {
        try DatagramBootstrap(group: eventLoop)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: receiveBytes)
            )
            .channelOption(.datagramVectorReadMessageCount, value: datagramsAtOnce)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(loop.value)
                }
            }
            .bind(host: listen.host, port: Int(listen.port))
            .wait()
    }

    /// Datagrams that one call of the system brings, and the room for all of them: one that is too
    /// long is cut off, and refused.
    private static let datagramsAtOnce = 32
    private static let receiveBytes = datagramsAtOnce * 2048

    /// What every member is, by rising peer id; without this node.
    package var members: [MemberStatus] { view.state.withLock { $0.members } }

    package var figures: GossipFigures { view.state.withLock { $0.figures } }

    /// Tells others what this node can lend; noticeable changes at most once a second.
    package func setCapacity(_ capacity: Capacity) { tell(.capacity(capacity)) }

    /// The nodes that must be known whatever strangers there are.
    package func trust(_ peers: Set<PeerID>) { tell(.trust(peers)) }

    /// A link to a peer ended: it is probed next.
    package func linkLost(_ peer: PeerID) { tell(.linkLost(peer)) }

    private func tell(_ event: GossipEvent) {
        gate.execute { [loop] in loop.value.tell(event) }
    }

    /// Says farewell, within half a second or so, and ends the thread. Not from a listener; a
    /// second call does nothing.
    package func stop() {
        guard gate.close() else { return }
        try? loop.eventLoop.flatSubmit { [loop] in loop.value.leave() }.wait()
        try? group.syncShutdownGracefully()
        // A name that is being looked for may take longer than a stop should.
        resolver.shutdownGracefully { _ in }
    }
}

/// What gossip shows to other threads.
final class GossipView: Sendable {
    struct State {
        var members: [MemberStatus] = []
        var figures = GossipFigures()
        var health: UInt64 = 0
    }

    let state = Mutex(State())

    func register(in metrics: Metrics) {
        for member in MemberState.allCases {
            metrics.gauge(
                "offpeak_gossip_members", "Nodes known by gossip, by state.",
                labels: [("state", member.rawValue)]
            ) { [self] in
                Double(state.withLock { $0.members }.count { $0.state == member })
            }
        }
        metrics.gauge(
            "offpeak_gossip_health", "How badly this node hears others, 0 (well) to 8."
        ) { [self] in Double(state.withLock { $0.health }) }
        for reason in GossipRefusal.allCases {
            metrics.counter(
                "offpeak_gossip_refused_total", "Datagrams and records without effect, by reason.",
                labels: [("reason", reason.rawValue)]
            ) { [self] in Double(state.withLock { $0.figures.refused[reason] ?? 0 }) }
        }
        for (name, help, figure) in GossipView.counters {
            metrics.counter("offpeak_gossip_\(name)_total", help) { [self] in
                Double(figure(state.withLock { $0.figures }))
            }
        }
    }

    private static let counters: [(String, String, @Sendable (GossipFigures) -> UInt64)] = [
        ("datagrams_received", "Datagrams that arrived.", { $0.datagramsReceived }),
        ("datagrams_sent", "Datagrams that were sent.", { $0.datagramsSent }),
        ("received_bytes", "Bytes of datagrams that arrived.", { $0.bytesReceived }),
        ("sent_bytes", "Bytes of datagrams that were sent.", { $0.bytesSent }),
        ("challenges", "Addresses that were asked to prove themselves.", { $0.challengesSent }),
        ("agreements", "Key agreements that others caused.", { $0.agreements }),
        ("signatures_checked", "Signatures of records checked.", { $0.signaturesChecked }),
        ("probes", "Members that were asked whether they are there.", { $0.probes }),
        ("probes_failed", "Probes without an answer by any way.", { $0.probesFailed }),
        ("refutations", "Suspicions of this node that it answered.", { $0.refutations }),
    ]
}
