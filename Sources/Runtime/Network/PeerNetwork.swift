package import Logging
internal import NIOCore
internal import NIOPosix
package import Primitives
internal import Synchronization

/// What the links tell the node. Called on the network thread, one call at a time: it must not
/// wait for anything.
package protocol NetworkHandler: Sendable {
    /// A frame arrived whole. Never of kind `control`.
    func received(_ frame: Frame, from peer: PeerID)
    /// A link opened; frames may be sent.
    func connected(_ peer: PeerID, address: String)
    /// The link closed; what was sent last may be lost.
    func disconnected(_ peer: PeerID, reason: LinkRefusal)
    /// Whether what arrived before isn't worked off yet: links then stop reading for a while.
    var isSaturated: Bool { get }
}

/// How the node is reached and whom it talks to.
package struct NetworkSettings: Sendable {
    package var listen: NetworkAddress
    /// Nodes that are dialled whenever there is no link to them; they are also let in.
    package var peers: [ConfiguredPeer]
    /// Whether another node may have a link whatever strangers there are: the committee, bonded
    /// verifiers. Asked for each link anew, on the network thread; others are guests.
    package var isAllowed: @Sendable (PeerID) -> Bool
    package var limits: NetworkLimits
    package var log: Logger
    package var metrics: Metrics

    package init(
        listen: NetworkAddress, peers: [ConfiguredPeer] = [],
        isAllowed: @escaping @Sendable (PeerID) -> Bool = { _ in false },
        limits: NetworkLimits = NetworkLimits(), log: Logger, metrics: Metrics = Metrics()
    ) {
        self.listen = listen
        self.peers = peers
        self.isAllowed = isAllowed
        self.limits = limits
        self.log = log
        self.metrics = metrics
    }
}

/// Who gets a frame.
package enum Receivers: Hashable, Sendable {
    case peers([PeerID])
    /// Every peer with an open link.
    case everybody
}

/// A frame with its receivers.
package struct Delivery: Hashable, Sendable {
    package let receivers: Receivers
    package let frame: OutgoingFrame

    package init(_ frame: OutgoingFrame, to receivers: Receivers) {
        self.frame = frame
        self.receivers = receivers
    }
}

/// Why the network can't start.
package struct NetworkFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
}

/// The node's links to other nodes: TCP with TLS 1.3, frames by kind and priority, on a thread of
/// its own. Every call may come from any thread.
///
/// Frames of one kind to one peer arrive in order or not at all; after a link's end, what was sent
/// last may be lost, and nobody sends it again. After `stop` nothing has an effect.
package final class PeerNetwork: Sendable {
    /// This node's identity.
    package let peerID: PeerID
    /// The port that is listened on; the system's choice if the settings said 0.
    package let port: UInt16

    private let group: MultiThreadedEventLoopGroup
    private let loop: NIOLoopBound<NetworkLoop>
    private let gate: LoopGate
    private let directory = PeerDirectory()
    private let inbox = Mutex(Inbox())
    private let deliveriesMax: Int

    private struct Inbox {
        var deliveries: [Delivery] = []
        /// Whether the network thread was told that something lies here.
        var isAnnounced = false
        var dropped: UInt64 = 0
    }

    /// Listens and begins to dial.
    /// - Throws: `NetworkFault` if the address can't be listened on.
    package init(
        settings: NetworkSettings, identity: SecretKey, chainID: ChainID,
        handler: any NetworkHandler
    ) throws(NetworkFault) {
        peerID = PeerID(identity.publicKey)
        deliveriesMax = settings.limits.deliveriesMax
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.group = group
        do {
            let eventLoop = group.next()
            gate = LoopGate(eventLoop)
            let directory = directory
            let loop = try eventLoop.submit {
                try NIOLoopBound(
                    NetworkLoop(
                        settings, identity: identity, chainID: chainID, handler: handler,
                        eventLoop: eventLoop, directory: directory),
                    eventLoop: eventLoop)
            }.wait()
            let listener = try PeerNetwork.listen(settings, on: eventLoop, loop)
            self.loop = loop
            port = UInt16(listener.localAddress?.port ?? 0)
            try eventLoop.submit { loop.value.begin(listener: listener) }.wait()
        } catch {
            try? group.syncShutdownGracefully()
            throw NetworkFault(
                description: """
                    can't listen on \(settings.listen): \(error). Is another node running there? \
                    Choose another network.listen in config.yaml.
                    """)
        }
    }

    private static func listen(
        _ settings: NetworkSettings, on eventLoop: any EventLoop, _ loop: NIOLoopBound<NetworkLoop>
    ) throws -> any Channel {
        try LinkTLS.options(ServerBootstrap(group: eventLoop), settings.limits)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try loop.value.accept(channel) }
            }
            .bind(host: settings.listen.host, port: Int(settings.listen.port))
            .wait()
    }

    /// Sends frames in order to one peer; without an open link to it they are dropped.
    package func send(_ frames: [OutgoingFrame], to peer: PeerID) {
        deliver(frames.map { Delivery($0, to: .peers([peer])) })
    }

    /// Sends frames in order to every peer with an open link; each is packed once.
    package func broadcast(_ frames: [OutgoingFrame]) {
        deliver(frames.map { Delivery($0, to: .everybody) })
    }

    /// Sends frames in order to their receivers, with at most one wake-up of the network thread.
    package func deliver(_ deliveries: [Delivery]) {
        if deliveries.isEmpty { return }
        let mustAnnounce = inbox.withLock { inbox -> Bool in
            guard inbox.deliveries.count + deliveries.count <= deliveriesMax else {
                inbox.dropped += UInt64(deliveries.count)
                return false
            }
            inbox.deliveries += deliveries
            defer { inbox.isAnnounced = true }
            return !inbox.isAnnounced
        }
        guard mustAnnounce else { return }
        gate.execute { [self] in loop.value.deliver(takeInbox()) }
    }

    private func takeInbox() -> [Delivery] {
        inbox.withLock { inbox in
            defer {
                inbox.deliveries = []
                inbox.isAnnounced = false
            }
            return inbox.deliveries
        }
    }

    /// Deliveries dropped because the network thread didn't keep up.
    package var droppedDeliveries: UInt64 { inbox.withLock { $0.dropped } }

    /// The open links, sorted by peer id.
    package var peers: [PeerStatus] { directory.statuses }

    /// Dials `peer` from now on whenever there is no link to it, at its newest address.
    package func keepLink(to peer: ConfiguredPeer) {
        gate.execute { [loop] in loop.value.keepLink(to: peer) }
    }

    /// Doesn't dial `peer` any more; a link that is open stays, as one that the peer dialled would.
    package func dropLink(to peer: PeerID) {
        gate.execute { [loop] in loop.value.dropLink(to: peer) }
    }

    /// Counts points against a peer (100 within a minute or so ban it, longer each time).
    package func penalise(_ peer: PeerID, reason: String, points: Int) {
        gate.execute { [loop] in
            loop.value.penalise(peer, reason: reason, points: points)
        }
    }

    /// Closes every link and ends the network thread; returns when it has ended. Not from a
    /// handler; a second call does nothing.
    package func stop() {
        guard gate.close() else { return }
        // The group's end closes what the loop didn't get to close.
        try? loop.eventLoop.flatSubmit { [loop] in loop.value.stop() }.wait()
        try? group.syncShutdownGracefully()
    }
}
