internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Primitives

/// All links of the node: lives on the network thread and is used nowhere else.
///
/// - upon a connection, theirs or ours: count it, or refuse it; TLS checks the certificate.
/// - upon `hello` (at the end with the lower peer id): a link to the same process is in use: close
///   the new one; to an earlier process: the new one takes its place; none: welcome it.
/// - upon the end of a link or a dial to a configured peer: dial again after a wait.
final class NetworkLoop {
    let chainID: ChainID
    let own: PeerID
    /// Drawn at the start of the process, for `hello`.
    let start = UInt64.random(in: .min ... .max)
    let handler: any NetworkHandler
    let zstd = Zstd()

    private let settings: NetworkSettings
    private let limits: NetworkLimits
    private let eventLoop: any EventLoop
    private let directory: PeerDirectory
    private let figures: NetworkFigures
    private let log: Logger
    private let serverTLS: NIOSSLContext
    private let clientTLS: NIOSSLContext

    private var links: [ObjectIdentifier: Link] = [:]
    private var openLinks: [PeerID: Link] = [:]
    private var linksByHost: [String: Int] = [:]
    private var dials: [PeerID: Dial] = [:]
    private var scores = PeerScores<PeerID>()
    private var guestsInflow: GuestInflow
    private var ticking: RepeatedTask?
    private var listener: (any Channel)?
    private var isStopping = false

    private struct Dial {
        var address: NetworkAddress
        var backoff: Backoff
        var isWaiting = false
    }

    init(
        _ settings: NetworkSettings, identity: SecretKey, chainID: ChainID,
        handler: any NetworkHandler, eventLoop: any EventLoop, directory: PeerDirectory
    ) throws {
        self.settings = settings
        self.chainID = chainID
        self.handler = handler
        self.eventLoop = eventLoop
        self.directory = directory
        limits = settings.limits
        guestsInflow = GuestInflow(
            frames: limits.allGuestsFrames, bytes: limits.allGuestsInflow,
            at: NetworkLoop.milliseconds)
        own = PeerID(identity.publicKey)
        log = settings.log
        figures = NetworkFigures(settings.metrics)
        let certificate = try LinkCertificate(identity: identity, chainID: chainID)
        serverTLS = try NIOSSLContext(configuration: LinkTLS.server(certificate))
        clientTLS = try NIOSSLContext(configuration: LinkTLS.client(certificate))
    }

    /// Milliseconds of a clock that never goes back.
    var milliseconds: UInt64 { NetworkLoop.milliseconds }
    private static var milliseconds: UInt64 { NIODeadline.now().uptimeNanoseconds / 1_000_000 }
    var microseconds: UInt64 { NIODeadline.now().uptimeNanoseconds / 1_000 }

    /// Begins with what needs no listener: dials and times.
    func begin(listener: any Channel) {
        self.listener = listener
        let interval = TimeAmount.milliseconds(Int64(limits.tickMilliseconds))
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        ticking = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            this.value.tick()
        }
        for peer in settings.peers { keepLink(to: peer) }
    }

    private func tick() {
        let now = milliseconds
        for link in Array(links.values) { link.tick(limits, now: now) }
    }

    /// Dials `peer` whenever there is no link to it; another address counts from the next dial on,
    /// which comes soon.
    func keepLink(to peer: ConfiguredPeer) {
        guard peer.peerID != own, !isStopping else { return }
        if let dial = dials[peer.peerID] {
            guard dial.address != peer.address else { return }
            dials[peer.peerID]?.address = peer.address
            dials[peer.peerID]?.backoff.reset()
            return
        }
        dials[peer.peerID] = Dial(
            address: peer.address, backoff: Backoff(limits.redialMilliseconds))
        dial(peer.peerID)
    }

    /// Doesn't dial `peer` any more.
    func dropLink(to peer: PeerID) { dials[peer] = nil }

    // MARK: Connections

    /// Prepares a connection that arrived; throws for one too many.
    func accept(_ channel: any Channel) throws {
        let link = Link(
            network: self, direction: .incoming,
            host: channel.remoteAddress?.ipAddress ?? "unknown",
            port: channel.remoteAddress?.port ?? 0, expected: nil, inflow: newInflow)
        do throws(LinkRefusal) {
            try checkRoom(for: link)
        } catch {
            figures.countClosed(error)
            log.debug(
                "link refused", metadata: ["address": "\(link.address)", "reason": "\(error)"])
            throw error
        }
        let tls = NIOSSLServerHandler(context: serverTLS) { certificates, promise in
            promise.succeed(link.verify(certificates))
        }
        try add(link, tls, to: channel)
    }

    private func checkRoom(for link: Link) throws(LinkRefusal) {
        if isStopping { throw .stopping }
        guard links.count < limits.linksMax else { throw .tooManyLinks(links.count) }
        let fromHost = linksByHost[link.host, default: 0]
        guard fromHost < limits.linksPerAddressMax else {
            throw .tooManyFromAddress(link.host, fromHost)
        }
        makeRoomForHandshake()
    }

    /// The longest unfinished handshake gives way to a new one: whoever only opens connections
    /// can't keep others out, since an honest handshake is over within a few round trips.
    private func makeRoomForHandshake() {
        let unfinished = links.values.filter { $0.phase != .open && $0.direction == .incoming }
        guard unfinished.count >= limits.handshakesMax else { return }
        let oldest = unfinished.min { $0.startedAt < $1.startedAt }
        oldest?.close(.tooManyHandshakes(unfinished.count))
    }

    private func prepareDialled(_ channel: any Channel, to peer: PeerID) throws {
        // The channel doesn't know its other end before it is connected.
        let address = dials[peer]?.address
        let link = Link(
            network: self, direction: .outgoing, host: address?.host ?? "unknown",
            port: Int(address?.port ?? 0), expected: peer, inflow: newInflow)
        let tls = try NIOSSLClientHandler(context: clientTLS, serverHostname: nil) {
            certificates, promise in
            promise.succeed(link.verify(certificates))
        }
        try add(link, tls, to: channel)
    }

    private func add(
        _ link: Link, _ tls: some ChannelHandler, to channel: any Channel
    ) throws {
        try channel.pipeline.syncOperations.addHandler(tls)
        try channel.pipeline.syncOperations.addHandler(link)
        links[ObjectIdentifier(link)] = link
        if link.direction == .incoming { linksByHost[link.host, default: 0] += 1 }
    }

    /// Whether a peer whose certificate holds may have a link.
    func admit(_ peer: PeerID, expected: PeerID?) throws(LinkRefusal) {
        guard peer != own else { throw .own }
        if let expected, peer != expected { throw .wrongPeer(expected: expected, found: peer) }
        if isGuest(peer) {
            guard limits.guestsMax > 0 else { throw .unknownPeer(peer) }
            let guests = guestCount
            guard guests < limits.guestsMax else { throw .tooManyGuests(guests) }
        }
        let ban = scores.banRemaining(peer, at: milliseconds)
        guard ban == 0 else { throw .banned(peer, seconds: (ban + 999) / 1000) }
    }

    /// Whether a peer is neither of the committee, nor bonded, nor configured.
    func isGuest(_ peer: PeerID) -> Bool {
        dials[peer] == nil && !settings.isAllowed(peer)
    }

    /// Strangers with a link, those whose greeting isn't over included.
    private var guestCount: Int {
        links.values.count { link in link.peerID.map { isGuest($0) } ?? false }
    }

    // MARK: What guests send

    private var newInflow: GuestInflow {
        GuestInflow(frames: limits.guestFrames, bytes: limits.guestInflow, at: milliseconds)
    }

    /// Whether all guests together haven't sent too much.
    var guestsHaveRoom: Bool { guestsInflow.hasRoom(at: milliseconds) }

    func countGuest(_ frame: Frame) { guestsInflow.take(frame, at: milliseconds) }

    /// Closes the guest's link that holds the most unfinished, if all of them hold too much.
    func boundHeldBytes() {
        let guests = links.values.filter(\.isGuest)
        let held = guests.reduce(0) { $0 + $1.heldBytes }
        guard held > limits.guestBytesMax else { return }
        guard let fullest = guests.max(by: { $0.heldBytes < $1.heldBytes }) else { return }
        fullest.close(.tooMuchUnfinished(fullest.heldBytes))
    }

    // MARK: One link for each peer

    /// Whether this end says which link to `peer` is used.
    func decides(over peer: PeerID) -> Bool { own < peer }

    /// Welcomes a link or closes it for another.
    func decide(_ link: Link) {
        guard let peer = link.peerID else { return link.close(.badCertificate) }
        if let current = openLinks[peer] {
            guard current.peerStart != link.peerStart else { return link.close(.duplicate) }
            current.close(.replaced)
        }
        open(link)
    }

    /// Takes a link into use: this end decided so, or the peer's welcome arrived.
    func open(_ link: Link) {
        guard let peer = link.peerID, !isStopping else { return link.close(.stopping) }
        openLinks[peer]?.close(.replaced)
        let counters = LinkCounters(
            peerID: peer, address: link.address, direction: link.direction,
            since: Timestamp(UTCTime.milliseconds))
        openLinks[peer] = link
        directory.set(counters, for: peer)
        figures.setOpen(openLinks.count)
        link.becomeOpen(counters, welcoming: decides(over: peer))
        guard link.phase == .open else { return }
        log.info(
            "link open",
            metadata: [
                "peer": "\(peer)", "address": "\(link.address)", "direction": "\(link.direction)",
            ])
        handler.connected(peer, address: link.address)
    }

    /// A link's end, told by the link itself.
    func closed(_ link: Link, wasOpen: Bool, _ reason: LinkRefusal) {
        guard links.removeValue(forKey: ObjectIdentifier(link)) != nil else { return }
        if link.direction == .incoming { forgetHost(link.host) }
        figures.countClosed(reason)
        logEnd(of: link, wasOpen, reason)
        guard let peer = link.peerID ?? link.expected else { return }
        if wasOpen, openLinks[peer] === link {
            openLinks[peer] = nil
            directory.set(nil, for: peer)
            figures.setOpen(openLinks.count)
            handler.disconnected(peer, reason: reason)
        }
        if let openedAt = link.openedAt,
            milliseconds - openedAt >= limits.goodLinkMilliseconds
        {
            dials[peer]?.backoff.reset()
        }
        dialLater(peer)
    }

    private func forgetHost(_ host: String) {
        let left = linksByHost[host, default: 1] - 1
        linksByHost[host] = left > 0 ? left : nil
    }

    private func logEnd(of link: Link, _ wasOpen: Bool, _ reason: LinkRefusal) {
        var metadata: Logger.Metadata = [
            "address": "\(link.address)", "reason": "\(reason)", "direction": "\(link.direction)",
        ]
        if let peer = link.peerID ?? link.expected { metadata["peer"] = "\(peer)" }
        switch reason {
        case .otherChain, .wrongPeer, .badFrame, .penalised, .tooSlow:
            log.warning("link closed", metadata: metadata)
        case .duplicate, .replaced, .stopping:
            log.debug("link closed", metadata: metadata)
        default:
            log.log(level: wasOpen ? .info : .debug, "link closed", metadata: metadata)
        }
    }

    // MARK: Dialling

    private func dial(_ peer: PeerID) {
        guard let dial = dials[peer], openLinks[peer] == nil, !isStopping else { return }
        guard scores.banRemaining(peer, at: milliseconds) == 0 else { return dialLater(peer) }
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        LinkTLS.options(ClientBootstrap(group: eventLoop), limits)
            .connectTimeout(.milliseconds(Int64(limits.connectMilliseconds)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try this.value.prepareDialled(channel, to: peer)
                }
            }
            .connect(host: dial.address.host, port: Int(dial.address.port))
            .whenFailure { error in
                this.value.log.debug(
                    "dial failed",
                    metadata: [
                        "peer": "\(peer)", "address": "\(dial.address)", "error": "\(error)",
                    ])
                this.value.dialLater(peer)
            }
    }

    /// Dials again after a wait, unless there is a link by then.
    private func dialLater(_ peer: PeerID) {
        guard var dial = dials[peer], !dial.isWaiting, openLinks[peer] == nil, !isStopping else {
            return
        }
        var generator = SystemRandomNumberGenerator()
        let wait = max(
            dial.backoff.next(using: &generator), scores.banRemaining(peer, at: milliseconds))
        dial.isWaiting = true
        dials[peer] = dial
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(Int64(wait))) {
            this.value.dials[peer]?.isWaiting = false
            this.value.dial(peer)
        }
    }

    // MARK: Sending

    /// Queues and writes deliveries in order; each frame is packed once for all its receivers.
    func deliver(_ deliveries: [Delivery]) {
        var touched: [PeerID: Link] = [:]
        for delivery in deliveries {
            let receivers = receivers(of: delivery)
            if receivers.isEmpty { continue }
            let frame = PreparedFrame(delivery.frame, zstd)
            for (peer, link) in receivers {
                link.add(frame)
                touched[peer] = link
            }
        }
        for link in touched.values { link.pump() }
    }

    private func receivers(of delivery: Delivery) -> [(PeerID, Link)] {
        switch delivery.receivers {
        case .everybody: openLinks.map { ($0.key, $0.value) }
        case .peers(let peers): peers.compactMap { peer in openLinks[peer].map { (peer, $0) } }
        }
    }

    /// Counts a frame that found no room and whose sender goes another way.
    func countDropped(_ kind: FrameKind) { figures.countDropped(kind) }

    // MARK: Misbehaviour, back-pressure, the end

    func penalise(_ peer: PeerID, reason: String, points: Int) {
        let isBanned = scores.penalise(peer, points: points, at: milliseconds)
        figures.countPenalty()
        log.notice(
            "peer penalised",
            metadata: ["peer": "\(peer)", "reason": "\(reason)", "points": "\(points)"])
        if isBanned { openLinks[peer]?.close(.penalised(reason)) }
    }

    func resumeLater(_ link: Link) {
        let bound = NIOLoopBound(link, eventLoop: eventLoop)
        let wait = TimeAmount.milliseconds(Int64(limits.resumeMilliseconds))
        eventLoop.scheduleTask(in: wait) { bound.value.resume() }
    }

    /// Closes everything; no link opens after it. Done when every connection has ended.
    func stop() -> EventLoopFuture<Void> {
        isStopping = true
        ticking?.cancel()
        listener?.close(promise: nil)
        let ends = links.values.compactMap(\.end)
        for link in Array(links.values) { link.close(.stopping) }
        return EventLoopFuture.andAllComplete(ends, on: eventLoop)
    }
}
