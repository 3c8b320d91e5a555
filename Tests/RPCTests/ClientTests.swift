import NIOCore
import NIOPosix
import Primitives
import Testing

@testable import RPC

@Suite("Client")
struct ClientTests {
    @Test("reads every method's answer with its type")
    func methods() async throws {
        let backend = try MockBackend(waitsReturn: true)
        let address = Address.zero.text(in: backend.prefix)
        let id = TransactionID.zero.text(in: backend.prefix)
        let escrow = EscrowID.zero.text(in: backend.prefix)
        let block = HumanID.text(.zero, as: .block, in: backend.prefix)
        try await withServer(backend) { endpoint in
            let client = RPCClient(endpoint)
            #expect(try await client.nodeStatus() == Samples.nodeStatus)
            #expect(try await client.chainHead() == Samples.chainHead)
            #expect(try await client.block(height: 7) == Samples.block)
            #expect(try await client.block(digest: block) == Samples.block)
            #expect(try await client.account(address) == Samples.account)
            #expect(try await client.escrow(escrow) == Samples.escrow)
            #expect(try await client.escrows(of: address, limit: 3).next == "limit 3")
            #expect(try await client.escrows(of: address, after: escrow).next == nil)
            #expect(try await client.guarded(by: address, limit: 3).next == "limit 3")
            #expect(try await client.guarded(by: address, after: address).next == nil)
            let key = PublicKey.zero.text(in: backend.prefix)
            #expect(try await client.verifier(key) == Samples.verifier)
            #expect(try await client.validators() == Samples.validators)
            #expect(try await client.peers() == Samples.peers)
            #expect(try await client.verifiers() == Samples.verifiers)
            #expect(try await client.mempoolStatus() == Samples.mempool)
            #expect(try await client.verificationStatus() == Samples.verification)
            #expect(try await client.genesis() == Samples.genesis)
            #expect(try await client.transaction(id).receipt == Samples.receipt)
            #expect(try await client.wait(for: id, atMostMilliseconds: 5).note == "waited 5")
            #expect(try await client.wait(for: id).note == "waited 60000")
            let transaction = Samples.transaction()
            let result = try await client.submit(transaction)
            #expect(result.id == transaction.id.text(in: backend.prefix))
            #expect(try await client.get("/health").text == "ok\n")
            await client.close()
        }
    }

    @Test("submits twenty at a time, and gives each its outcome")
    func batches() async throws {
        let backend = try MockBackend()
        let transactions = (0..<20).map { Samples.transaction(sequence: SequenceNumber($0)) }
        try await withServer(backend) { endpoint in
            let client = RPCClient(endpoint, connectionsMax: 1)
            let outcomes = try await client.submit(transactions)
            let ids = try outcomes.map { try $0.get().id }
            #expect(ids == transactions.map { $0.id.text(in: backend.prefix) })
            await client.close()
        }
        #expect(backend.submissions == [transactions])
    }

    @Test("sends further requests on a full pool without waiting, and keeps answers apart")
    func pipelining() async throws {
        let backend = try MockBackend()
        try await withServer(backend) { endpoint in
            let client = RPCClient(endpoint, connectionsMax: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        let transaction = Samples.transaction(
                            sequence: SequenceNumber(UInt64(index)))
                        let result = try await client.submit(transaction)
                        #expect(result.id == transaction.id.text(in: backend.prefix))
                    }
                }
                try await group.waitForAll()
            }
            await client.close()
        }
    }

    @Test("never has more requests on a connection than a node takes")
    func fullConnections() async throws {
        let backend = try MockBackend()
        let id = TransactionID.zero.text(in: backend.prefix)
        try await withServer(backend) { endpoint in
            let client = RPCClient(endpoint, connectionsMax: 2)
            // These never get an answer: both connections fill up, the last ones find no room.
            let faults = await withTaskGroup(of: RPCClientFault?.self) { group in
                for _ in 0..<(2 * RPCLimits.pipelinedMax + 3) {
                    group.addTask {
                        do throws(RPCClientFault) {
                            _ = try await client.call(
                                "transaction_wait", [JSONMember("id", .string(id))],
                                timeoutMilliseconds: 500)
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(faults.count == 2 * RPCLimits.pipelinedMax + 3)
            // Of those that find room at the last moment some have no time left to connect, or get
            // a connection that another one's time-out closes; the node closes none.
            for fault in faults {
                let words = try #require(fault).description
                #expect(!words.contains("other side"), "\(words)")
            }
            let next = try await client.chainHead()
            #expect(next == Samples.chainHead, "there is room again")
            await client.close()
        }
    }

    @Test("gives the node's faults as they are")
    func faults() async throws {
        try await withServer(try MockBackend()) { endpoint in
            let client = RPCClient(endpoint)
            let fault = await #expect(throws: RPCClientFault.self) {
                try await client.block(height: 8)
            }
            #expect(fault == .fault(.notFound(kind: "block", id: "8")))
            #expect(fault?.description == "no block 8")
            await client.close()
        }
    }

    @Test("says which address nobody answers at, and what to do")
    func unreachable() async throws {
        let endpoint = try await withServer(try MockBackend()) { $0 }
        let fault = await #expect(throws: RPCClientFault.self) {
            try await RPCClient(endpoint).chainHead()
        }
        #expect(
            fault?.description
                == "no node answers at \(endpoint) (connection refused): start one with \"offpeak "
                + "node\", or name another's RPC address as HOST:PORT")
    }

    @Test("ends a call at its deadline")
    func timeout() async throws {
        let backend = try MockBackend()
        let id = TransactionID.zero.text(in: backend.prefix)
        try await withServer(backend) { endpoint in
            let client = RPCClient(endpoint)
            let first = try await client.chainHead()
            #expect(first == Samples.chainHead, "there is a connection that can be used")
            let fault = await #expect(throws: RPCClientFault.self) {
                try await client.call(
                    "transaction_wait", [JSONMember("id", .string(id))], timeoutMilliseconds: 50)
            }
            #expect(fault == .timedOut(method: "transaction_wait", milliseconds: 50))
            let next = try await client.chainHead()
            #expect(next == Samples.chainHead, "the next call goes on")
            await client.close()
        }
    }

    @Test("sends a call again when its kept connection turns out closed")
    func reconnects() async throws {
        let server = try await serve { OneAnswer() }
        let client = RPCClient(RPCEndpoint(port: server.localAddress?.port ?? 0))
        for _ in 0..<5 {
            let result = try await client.call("chain_head")
            #expect(result == .number("7"))
        }
        await client.close()
        try await server.close()
    }

    @Test(
        "says so when the other side isn't a node",
        arguments: [
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx", "answered HTTP status 404"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "other than JSON-RPC (byte 0"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "neither result nor error"),
            ("SSH-2.0-OpenSSH_9.2\r\n", "ended the connection"),
            ("", "ended the connection"),
        ])
    func notANode(answer: String, part: String) async throws {
        let server = try await serve { FixedAnswer(answer) }
        let endpoint = RPCEndpoint(port: server.localAddress?.port ?? 0)
        let fault = await #expect(throws: RPCClientFault.self) {
            try await RPCClient(endpoint).chainHead()
        }
        #expect(fault?.description.contains(part) == true, "\(fault.map { "\($0)" } ?? "none")")
        try await server.close()
    }
}

/// Listens on a free port; each connection has a handler of its own.
private func serve(
    _ handler: @escaping @Sendable () -> some ChannelHandler
) async throws -> any Channel {
    try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(handler())
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
}

/// Answers one request on a connection, and closes it upon the next.
private final class OneAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var hasAnswered = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let request = String(buffer: unwrapInboundIn(data))
        if hasAnswered { return context.close(promise: nil) }
        guard request.hasSuffix("}") else { return }
        hasAnswered = true
        let body = #"{"jsonrpc":"2.0","result":7,"id":1}"#
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }
}

/// Answers the first bytes with a text, and closes.
private final class FixedAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: String

    init(_ answer: String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        context.close(promise: nil)
    }
}
