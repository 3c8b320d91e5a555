internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import Primitives

/// One TCP connection to a peer, behind its TLS handler; lives on the network thread.
///
/// Connected → TLS done: `hello` sent → `hello` received: the lower peer id decides → open. Every
/// way out ends in `close`, once, with a reason.
final class Link: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase: Hashable {
        /// Up to the end of the TLS handshake.
        case securing
        /// `hello` was sent.
        case greeting
        /// The peer's `hello` arrived, its `welcome` is awaited.
        case awaitingWelcome
        case open
        case closed
    }

    let direction: LinkDirection
    /// Host and port of the other end.
    let address: String
    /// The host alone, to count links by.
    let host: String
    /// Whom the dialler wants to reach.
    let expected: PeerID?
    let startedAt: UInt64
    private(set) var phase = Phase.securing
    /// Known after the certificate was checked.
    private(set) var peerID: PeerID?
    /// What the peer's process drew at its start.
    private(set) var peerStart: UInt64 = 0
    private(set) var openedAt: UInt64?
    private var counters: LinkCounters?

    /// Owns the link and outlives it: the node keeps it until the network thread has ended, and
    /// with it every callback of a channel.
    private unowned let network: NetworkLoop
    private var context: ChannelHandlerContext?
    private var decoder = FrameDecoder()
    private var queue = SendQueue()
    private var refusal: LinkRefusal?
    private var lastReceivedAt: UInt64
    private var lastPingAt: UInt64
    /// Bytes that arrived and aren't a whole frame yet.
    private(set) var heldBytes = 0
    /// What may come of a guest.
    private var inflow: GuestInflow
    private var isPaused = false
    private var isPumping = false

    init(
        network: NetworkLoop, direction: LinkDirection, host: String, port: Int, expected: PeerID?,
        inflow: GuestInflow
    ) {
        self.inflow = inflow
        self.network = network
        self.direction = direction
        self.expected = expected
        self.host = host
        address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        startedAt = network.milliseconds
        lastReceivedAt = startedAt
        lastPingAt = startedAt
    }

    // MARK: Events of the connection

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent, phase == .securing {
            guard peerID != nil else { return close(.badCertificate) }
            phase = .greeting
            say(.hello(version: LinkMessage.version, start: network.start))
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase != .closed else { return }
        lastReceivedAt = network.milliseconds
        decoder.receive(unwrapInboundIn(data))
        do throws(FrameFault) {
            while phase != .closed, let frame = try decoder.next(network.zstd) {
                count(frame)
                try receive(frame)
            }
            hold(decoder.heldBytes)
        } catch {
            close(.badFrame(error))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        counters?.received(decoder.byteCounts)
        if !isPaused, !mayRead { pause() }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The verification's own verdict says more than TLS's text.
        let reason =
            phase == .securing ? LinkRefusal.handshake("\(error)") : .connectionLost("\(error)")
        close(refusal ?? reason)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let reason: LinkRefusal =
            phase == .securing
            ? .handshake("the peer closed the connection")
            : .connectionLost("closed by the peer")
        close(refusal ?? reason)
        context.fireChannelInactive()
    }

    // MARK: Verification and greeting

    /// Checks the certificate that the peer showed; called by TLS during the handshake.
    func verify(_ certificates: [NIOSSLCertificate]) -> NIOSSLVerificationResult {
        do throws(LinkRefusal) {
            guard let der = try? certificates.first?.toDERBytes() else { throw .badCertificate }
            let peer = try LinkCertificate.peer(of: der, chainID: network.chainID)
            try network.admit(peer, expected: expected)
            peerID = peer
            return .certificateVerified
        } catch {
            refusal = error
            return .failed
        }
    }

    private func receive(_ frame: Frame) throws(FrameFault) {
        guard frame.kind != .control else { return try receiveControl(frame.payload) }
        guard phase == .open, let peerID else { throw .outOfTurn(frame.kind) }
        network.handler.received(frame, from: peerID)
    }

    private func receiveControl(_ payload: [UInt8]) throws(FrameFault) {
        let message: LinkMessage
        do throws(BCSError) {
            message = try LinkMessage(bcs: payload)
        } catch {
            throw .badControl(error.description)
        }
        switch (message, phase) {
        case (.hello(let version, let start), .greeting): greet(version, start)
        case (.welcome, .awaitingWelcome): network.open(self)
        case (.ping(let number), .open): say(.pong(number))
        case (.pong(let sentAt), .open): measure(sentAt)
        case (.goodbye(let reason), _): close(.goodbye(reason))
        default: throw .outOfTurn(.control)
        }
    }

    private func greet(_ version: UInt16, _ start: UInt64) {
        guard version == LinkMessage.version else { return close(.otherVersion(version)) }
        guard let peerID else { return close(.badCertificate) }
        peerStart = start
        if network.decides(over: peerID) {
            network.decide(self)
        } else {
            phase = .awaitingWelcome
        }
    }

    private func measure(_ sentAt: UInt64) {
        let now = network.microseconds
        guard sentAt <= now else { return }
        counters?.measured(roundTripMicroseconds: now - sentAt)
    }

    // MARK: What the network asks for

    /// The link carries frames from now on; `welcoming` tells the peer so first.
    func becomeOpen(_ counters: LinkCounters, welcoming: Bool) {
        phase = .open
        openedAt = network.milliseconds
        self.counters = counters
        if welcoming { say(.welcome) }
    }

    /// Queues a frame; `pump` writes it.
    func add(_ frame: PreparedFrame) {
        guard phase == .open else { return }
        if queue.add(frame) {
            counters?.sent(frame.bytes.count + FrameFormat.headerBytes, of: frame.kind)
        } else if frame.kind.closesLinkWhenFull {
            close(.tooSlow(frame.kind))
        } else {
            network.countDropped(frame.kind)
        }
    }

    /// Writes what is queued as far as the system takes it, the most urgent first.
    func pump() {
        guard let context, phase != .closed, !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        // Four records, then a look whether the system still takes more.
        while phase != .closed, context.channel.isWritable, !queue.isEmpty {
            for _ in 0..<4 {
                guard let record = queue.nextRecord() else { break }
                context.write(wrapOutboundOut(record), promise: nil)
            }
            context.flush()
        }
    }

    /// Looks at the link's times.
    func tick(_ limits: NetworkLimits, now: UInt64) {
        guard phase == .open else {
            if phase != .closed, now - startedAt >= limits.handshakeMilliseconds {
                close(.handshakeTimeout)
            }
            return
        }
        if isPaused { return }
        let silence = now - lastReceivedAt
        if silence >= limits.silenceMilliseconds { return close(.silent(milliseconds: silence)) }
        guard now - lastPingAt >= limits.pingMilliseconds else { return }
        lastPingAt = now
        say(.ping(network.microseconds))
    }

    private func say(_ message: LinkMessage) {
        let frame = OutgoingFrame(.control, message.bcsBytes)
        guard queue.add(PreparedFrame(frame, network.zstd)) else {
            return close(.tooSlow(.control))
        }
        pump()
    }

    // MARK: Back-pressure

    /// Whether this is a link with a stranger.
    var isGuest: Bool { peerID.map { network.isGuest($0) } ?? false }

    /// Whether the core has room, and a guest hasn't sent too much.
    private var mayRead: Bool {
        if network.handler.isSaturated { return false }
        guard isGuest else { return true }
        return inflow.hasRoom(at: network.milliseconds) && network.guestsHaveRoom
    }

    private func count(_ frame: Frame) {
        guard isGuest else { return }
        inflow.take(frame, at: lastReceivedAt)
        network.countGuest(frame)
    }

    /// Notes what lies here; what fits a chunk isn't looked at.
    private func hold(_ count: Int) {
        let hasGrown = count > heldBytes
        heldBytes = count
        if hasGrown, count > FrameFormat.chunkBytesMax, isGuest { network.boundHeldBytes() }
    }

    /// Reads nothing more until the core has room: the peer's writes then wait at its end.
    private func pause() {
        isPaused = true
        setReading(false)
        network.resumeLater(self)
    }

    /// Reads on if it may.
    func resume() {
        guard isPaused, phase != .closed else { return }
        guard mayRead else { return network.resumeLater(self) }
        isPaused = false
        lastReceivedAt = network.milliseconds
        setReading(true)
    }

    private func setReading(_ isOn: Bool) {
        try? context?.channel.syncOptions?.setOption(.autoRead, value: isOn)
    }

    // MARK: The end

    /// Done when the connection has ended.
    var end: EventLoopFuture<Void>? { context?.channel.closeFuture }

    /// Closes the link; only the first call counts.
    func close(_ reason: LinkRefusal) {
        guard phase != .closed else { return }
        let wasOpen = phase == .open
        if let farewell = farewell(reason) { write(farewell) }
        phase = .closed
        heldBytes = 0
        decoder.forget()
        network.closed(self, wasOpen: wasOpen, reason)
        context?.close(mode: .all, promise: nil)
    }

    /// What the peer is told: nothing before TLS is done, nor when it closed the link itself.
    private func farewell(_ reason: LinkRefusal) -> LinkMessage? {
        if phase == .securing { return nil }
        switch reason {
        case .goodbye, .connectionLost, .silent: return nil
        default: return .goodbye(reason.description)
        }
    }

    /// Writes past the queue, as the last thing on the link.
    private func write(_ message: LinkMessage) {
        var last = SendQueue()
        _ = last.add(PreparedFrame(OutgoingFrame(.control, message.bcsBytes), network.zstd))
        guard let context, let record = last.nextRecord() else { return }
        context.writeAndFlush(wrapOutboundOut(record), promise: nil)
    }
}
