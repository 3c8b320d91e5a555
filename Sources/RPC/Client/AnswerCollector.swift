internal import NIOCore
internal import NIOHTTP1

/// Joins answers to the requests that wait for them, first to first.
final class AnswerCollector: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Request
    typealias OutboundOut = HTTPClientRequestPart

    /// A request with the promise of its answer.
    struct Request: Sendable {
        let head: HTTPRequestHead
        let body: ByteBuffer
        let deadline: NIODeadline
        let promise: EventLoopPromise<HTTPConnection.Answer>
    }

    private struct Waiting {
        let promise: EventLoopPromise<HTTPConnection.Answer>
        let deadline: Scheduled<Void>
    }

    /// Bytes of an answer: the largest is a page of epoch steps whose last one has all the tails
    /// that there may be, 17 MB in base64.
    private static let bodyBytesMax = 32 << 20

    private var waiting = CircularBuffer<Waiting>()
    private var status = 0
    private var body = ByteBuffer()

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        let deadline = context.eventLoop.assumeIsolated().scheduleTask(
            deadline: request.deadline
        ) {
            self.fail(HTTPConnection.Fault.timedOut, context)
        }
        waiting.append(Waiting(promise: request.promise, deadline: deadline))
        context.write(wrapOutboundOut(.head(request.head)), promise: nil)
        if request.body.readableBytes > 0 {
            context.write(wrapOutboundOut(.body(.byteBuffer(request.body))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = Int(head.status.code)
            body = ByteBuffer()
        case .body(let part):
            guard body.readableBytes + part.readableBytes <= AnswerCollector.bodyBytesMax else {
                return fail(HTTPConnection.Fault.bodyTooLarge, context)
            }
            body.writeImmutableBuffer(part)
        case .end:
            guard let first = waiting.popFirst() else { return context.close(promise: nil) }
            first.deadline.cancel()
            first.promise.succeed(
                HTTPConnection.Answer(status: status, body: Array(body.readableBytesView)))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(HTTPConnection.Fault.closed("closed by the other side"), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(HTTPConnection.Fault.closed("\(error)"), context)
    }

    /// Fails the first request with `error`, those behind it as closed, and closes.
    private func fail(_ error: HTTPConnection.Fault, _ context: ChannelHandlerContext) {
        var error = error
        while let next = waiting.popFirst() {
            next.deadline.cancel()
            next.promise.fail(error)
            error = .closed("another request on the connection had no answer")
        }
        context.close(promise: nil)
    }
}
