internal import Gossip
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Primitives
internal import Synchronization

/// The gossip engine with its socket and its timer: lives on the gossip thread and is used nowhere
/// else.
final class GossipLoop: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private var engine: GossipEngine
    private var generator = SystemRandomNumberGenerator()
    private let listener: any GossipListener
    private let log: Logger
    private let view: GossipView
    private let eventLoop: any EventLoop
    private var names: NameTable
    private var channel: (any Channel)?
    private var wake: (at: Instant, task: Scheduled<Void>)?
    private var hasChanged = false
    private var reviewAt = Instant(milliseconds: 0)
    private var publishAt = Instant(milliseconds: 0)
    private var farewell: EventLoopPromise<Void>?
    private var hasUnflushed = false

    /// Milliseconds between two reviews of all members without any change.
    private static let reviewPeriod: UInt64 = 2_000
    /// Milliseconds between two looks at the figures for other threads.
    private static let publishPeriod: UInt64 = 200
    /// Milliseconds that a farewell may take, the engine's own limit included.
    private static let farewellMax: Int64 = 1_500

    init(
        _ settings: GossipSettings, identity: SecretKey, listener: any GossipListener, log: Logger,
        view: GossipView, eventLoop: any EventLoop, gate: LoopGate, resolver: NIOThreadPool
    ) {
        engine = GossipEngine(
            settings: settings, identity: identity, at: SystemClock.moment, using: &generator)
        self.listener = listener
        self.log = log
        self.view = view
        self.eventLoop = eventLoop
        names = NameTable(eventLoop: eventLoop, gate: gate, pool: resolver)
    }

    func begin(_ channel: any Channel) {
        self.channel = channel
        tell(.tick)
    }

    // MARK: Events

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var envelope = unwrapInboundIn(data)
        guard let host = envelope.remoteAddress.ipAddress,
            let port = envelope.remoteAddress.port.flatMap(UInt16.init(exactly:)),
            let source = Endpoint(host: host, port: port),
            let bytes = envelope.data.readBytes(length: envelope.data.readableBytes)
        else { return }
        handle(.datagram(bytes, from: source))
    }

    func channelReadComplete(context: ChannelHandlerContext) { settle() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An address that refused a datagram says so here: the engine's own times find that out.
        log.debug("gossip socket", metadata: ["error": "\(error)"])
    }

    func tell(_ event: GossipEvent) {
        handle(event)
        settle()
    }

    private func handle(_ event: GossipEvent) {
        let effects = engine.handle(event, at: SystemClock.moment, using: &generator)
        for effect in effects { carryOut(effect) }
    }

    private func carryOut(_ effect: GossipEffect) {
        switch effect {
        case .send(let bytes, let endpoint): send(bytes, to: endpoint)
        case .changed(let status):
            hasChanged = true
            logChange(status)
        case .forgotten: hasChanged = true
        case .capacity(let peer, let capacity): listener.advertised(peer, capacity)
        case .left: farewell?.succeed()
        }
    }

    private func logChange(_ status: MemberStatus) {
        let address = status.record.addresses.first.map { $0.endpoint.description }
        log.info(
            "member \(status.state.rawValue)",
            metadata: [
                "peer": "\(status.peerID)", "address": "\(address ?? "none")",
                "roles": "\(status.record.roles.names.joined(separator: " "))",
            ])
    }

    private func send(_ bytes: [UInt8], to endpoint: Endpoint) {
        guard let channel, let address = names.address(of: endpoint) else { return }
        let envelope = AddressedEnvelope(
            remoteAddress: address, data: channel.allocator.buffer(bytes: bytes))
        channel.write(envelope, promise: nil)
        hasUnflushed = true
    }

    /// After a few events: sends what they want sent, shows what changed, sets the timer.
    private func settle() {
        if hasUnflushed { channel?.flush() }
        hasUnflushed = false
        let now = SystemClock.now
        if hasChanged || publishAt <= now { publish(at: now) }
        if hasChanged || reviewAt <= now { review(at: now) }
        hasChanged = false
        setWake()
    }

    private func publish(at now: Instant) {
        publishAt = now.advanced(byMilliseconds: GossipLoop.publishPeriod)
        let figures = engine.figures
        let health = engine.health
        let members = engine.statuses
        view.state.withLock { state in
            state.members = members
            state.figures = figures
            state.health = health
        }
    }

    private func review(at now: Instant) {
        reviewAt = now.advanced(byMilliseconds: GossipLoop.reviewPeriod)
        listener.reviewed(engine.statuses, at: now)
    }

    /// Wakes no later than the engine wants; an earlier timer does no harm.
    private func setWake() {
        let deadline = engine.nextDeadline
        if let wake, wake.at <= deadline { return }
        wake?.task.cancel()
        let wait = deadline.millisecondsSince(SystemClock.now)
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(in: .milliseconds(Int64(max(1, min(wait, 60_000))))) {
            this.value.wake = nil
            this.value.tell(.tick)
        }
        wake = (deadline, task)
    }

    // MARK: The end

    /// Says farewell and closes the socket.
    func leave() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        farewell = promise
        let limit = eventLoop.scheduleTask(in: .milliseconds(GossipLoop.farewellMax)) {
            promise.succeed()
        }
        tell(.leave)
        tell(.tick)
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        return promise.futureResult.flatMap {
            limit.cancel()
            this.value.wake?.task.cancel()
            this.value.farewell = nil
            guard let channel = this.value.channel else {
                return this.eventLoop.makeSucceededVoidFuture()
            }
            this.value.channel = nil
            return channel.close().recover { _ in }
        }
    }
}

/// Addresses by endpoint. Names are looked up on another thread: what is sent meanwhile is lost, as
/// a datagram may be.
struct NameTable {
    private let gate: LoopGate
    private let pool: NIOThreadPool
    private let found: NIOLoopBoundBox<[Endpoint: Entry]>

    private struct Entry {
        var address: SocketAddress?
        var until: NIODeadline
    }

    /// Endpoints that are remembered; beyond it all are forgotten.
    private static let countMax = 4_096
    /// How long a name's address, or its absence, is believed.
    private static let validity = TimeAmount.seconds(60)
    private static let retry = TimeAmount.seconds(5)

    /// On the event loop.
    init(eventLoop: any EventLoop, gate: LoopGate, pool: NIOThreadPool) {
        self.gate = gate
        self.pool = pool
        found = NIOLoopBoundBox([:], eventLoop: eventLoop)
    }

    /// The address of an endpoint if it is known; otherwise it is looked for.
    func address(of endpoint: Endpoint) -> SocketAddress? {
        if let entry = found.value[endpoint], entry.until > .now() { return entry.address }
        if found.value.count >= NameTable.countMax { found.value = [:] }
        if let numeric = try? SocketAddress(
            ipAddress: endpoint.host, port: Int(endpoint.port))
        {
            found.value[endpoint] = Entry(address: numeric, until: .distantFuture)
            return numeric
        }
        let old = found.value[endpoint]?.address
        found.value[endpoint] = Entry(address: old, until: .now() + NameTable.retry)
        look(for: endpoint)
        return old
    }

    private func look(for endpoint: Endpoint) {
        let (found, gate) = (found, gate)
        pool.submit { state in
            guard case .active = state,
                let address = try? SocketAddress.makeAddressResolvingHost(
                    endpoint.host, port: Int(endpoint.port))
            else { return }
            gate.execute {
                found.value[endpoint] = Entry(
                    address: address, until: .now() + NameTable.validity)
            }
        }
    }
}
