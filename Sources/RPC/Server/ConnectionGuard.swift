internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Keeps a connection from being held for ever. Upon a request's head: it has `bodyMilliseconds` to
/// be complete, or is answered 408 and closed. Upon an answer with `Connection: close`: the output
/// is closed, the input is dropped for a second, so that the answer isn't lost to a reset, then all
/// is closed. Upon a server that stops: `stopMilliseconds`, then closed.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long input is dropped after the last answer.
    private static let lingering = TimeAmount.seconds(1)

    private let bodyTime: TimeAmount
    private let stopTime: TimeAmount
    /// Whether a request has begun and not ended.
    private var isReading = false
    /// Requests begun whose answers haven't ended.
    private var unanswered = 0
    private var deadline: Scheduled<Void>?
    /// Whether the answer that is being written is the last.
    private var isLastAnswer = false
    private var isClosing = false

    init(bodyTime: TimeAmount, stopTime: TimeAmount) {
        self.bodyTime = bodyTime
        self.stopTime = stopTime
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isClosing { return }
        switch unwrapInboundIn(data) {
        case .head:
            isReading = true
            unanswered += 1
        case .body: break
        case .end:
            isReading = false
            deadline?.cancel()
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    /// A request that came whole never gets here unfinished, and costs no timer.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isReading, deadline == nil, !isClosing {
            deadline = schedule(bodyTime, context) { $0.bodyIsLate($1) }
        }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isLastAnswer = head.headerFields[.connection] == "close"
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            guard isLastAnswer else { return context.write(data, promise: promise) }
            context.writeAndFlush(data, promise: promise)
            linger(context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            _ = schedule(stopTime, context) { $1.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    private func bodyIsLate(_ context: ChannelHandlerContext) {
        guard isReading, !isClosing else { return }
        guard unanswered == 1 else { return context.close(promise: nil) }
        let head = HTTPResponse(
            status: .requestTimeout, headerFields: [.connection: "close", .contentLength: "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }

    private func linger(_ context: ChannelHandlerContext) {
        isClosing = true
        deadline?.cancel()
        context.close(mode: .output, promise: nil)
        deadline = schedule(ConnectionGuard.lingering, context) { $1.close(promise: nil) }
    }

    private func schedule(
        _ time: TimeAmount, _ context: ChannelHandlerContext,
        _ action: @escaping (ConnectionGuard, ChannelHandlerContext) -> Void
    ) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            guard context.channel.isActive else { return }
            action(self, context)
        }
    }
}
