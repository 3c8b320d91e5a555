internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Keeps a connection from being held for ever, and tells the table of connections whether it waits
/// for its client. Upon a request's head: it has `bodyMilliseconds` to be complete, or is answered
/// 408 and closed; upon one too many without an answer: closed. Upon an answer of which the client
/// takes nothing for `answerMilliseconds`: closed. Upon an answer with `Connection: close`: the
/// output is closed, the input is dropped for a second, so that the answer isn't lost to a reset,
/// then all is closed. Upon a server that stops: `stopMilliseconds`, then closed.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long input is dropped after the last answer.
    private static let lingering = TimeAmount.seconds(1)

    struct Times {
        /// From the head of a request to its end.
        let body: TimeAmount
        /// In which a client must take something of an answer.
        let answer: TimeAmount
        /// From the server's stop to the end of all connections.
        let stop: TimeAmount
    }

    private let times: Times
    private let table: ConnectionTable
    /// Whether a request has begun and not ended.
    private var isReading = false
    /// Requests begun whose answers haven't ended.
    private var unanswered = 0
    private var deadline: Scheduled<Void>?
    /// The end of a client that takes nothing of its answer.
    private var stalling: Scheduled<Void>?
    /// Whether the answer that is being written is the last.
    private var isLastAnswer = false
    private var isClosing = false

    init(_ times: Times, _ table: ConnectionTable) {
        self.times = times
        self.table = table
    }

    func handlerAdded(context: ChannelHandlerContext) { table.opened(context.channel) }

    func handlerRemoved(context: ChannelHandlerContext) { table.closed(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isClosing { return }
        switch unwrapInboundIn(data) {
        case .head:
            isReading = true
            unanswered += 1
            guard unanswered <= RPCLimits.pipelinedMax else { return end(context) }
        case .body: break
        case .end:
            isReading = false
            table.works(context.channel)
            deadline?.cancel()
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    /// A request that came whole never gets here unfinished, and costs no timer.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isReading, deadline == nil, !isClosing {
            deadline = schedule(times.body, context) { $0.bodyIsLate($1) }
        }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isLastAnswer = head.headerFields[.connection] == "close"
            table.waits(context.channel)
            context.write(data, promise: promise)
        case .body:
            table.waits(context.channel)
            context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            if unanswered > 0, !isReading { table.works(context.channel) }
            guard isLastAnswer else { return context.write(data, promise: promise) }
            context.writeAndFlush(data, promise: promise)
            linger(context)
        }
    }

    /// What was written lies here until the client takes it.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalling?.cancel()
        stalling = nil
        if !context.channel.isWritable {
            stalling = schedule(times.answer, context) { $0.end($1) }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            _ = schedule(times.stop, context) { $1.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        stalling?.cancel()
        context.fireChannelInactive()
    }

    /// Closes without another word.
    private func end(_ context: ChannelHandlerContext) {
        isClosing = true
        context.close(promise: nil)
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
