import Primitives
import Testing

@testable import RPC

@Suite("What clients may hold of a server")
struct BoundTests {
    private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n" }

    private func post(_ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
            + "\(body.utf8.count)\r\n\r\n\(body)"
    }

    private let read = #"{"jsonrpc":"2.0","id":1,"method":"chain_head"}"#

    private func wait(for id: String, padding: Int = 0) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"transaction_wait","params":["\#(id)",60000]}"#
            + String(repeating: " ", count: padding)
    }

    @Test("one connection too many closes the one that waits for its client the longest")
    func longestWaiting() async throws {
        try await withServer(try MockBackend()) {
            $0.connectionsMax = 2
        } body: { endpoint in
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    // Closed before or after it could write.
                    group.addTask {
                        (try? await exchange(endpoint, ["POST / HTTP/1.1\r\nHost:"])) ?? ""
                    }
                }
                for _ in 0..<6 {
                    let answer = try await group.next()
                    #expect(answer == "", "six of eight gave way")
                }
                let answer = try await exchange(endpoint, [post(read)])
                #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
                group.cancelAll()
            }
        }
    }

    @Test("a connection whose request is carried out stays, and the new one is closed")
    func busy() async throws {
        let backend = try MockBackend()
        let id = TransactionID.zero.text(in: backend.prefix)
        try await withServer(backend) {
            $0.connectionsMax = 1
        } body: { endpoint in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await exchange(endpoint, [post(wait(for: id))]) }
                var begun = backend.waitsBegun.makeAsyncIterator()
                await begun.next()
                // Closed before or after it could write.
                let answer = (try? await exchange(endpoint, [post(read)])) ?? ""
                #expect(answer == "")
                group.cancelAll()
            }
        }
    }

    @Test("a connection with too many requests without an answer is closed")
    func pipeline() async throws {
        let backend = try MockBackend()
        let id = TransactionID.zero.text(in: backend.prefix)
        try await withServer(backend) { endpoint in
            let first = get("/transaction_wait?id=\(id)")
            let many = String(repeating: get("/health"), count: RPCLimits.pipelinedMax)
            let answer = (try? await exchange(endpoint, [first + many])) ?? ""
            #expect(answer == "")
            let few = String(repeating: get("/health"), count: RPCLimits.pipelinedMax - 1)
            let answers = try await exchange(endpoint, [few], closing: true)
            #expect(answers.ranges(of: "200 OK").count == RPCLimits.pipelinedMax - 1)
        }
    }

    @Test("bodies that would hold too much together are answered 429, small ones never")
    func heldBytes() async throws {
        let backend = try MockBackend()
        let id = TransactionID.zero.text(in: backend.prefix)
        let large = wait(for: id, padding: RPCLimits.bodyBytesMax - 200)
        let count = RPCLimits.heldBytesMax / RPCLimits.bodyBytesMax / RPCLimits.readingFactor
        try await withServer(backend) { endpoint in
            try await withThrowingTaskGroup(of: String.self) { group in
                var begun = backend.waitsBegun.makeAsyncIterator()
                for _ in 0..<count {
                    group.addTask { try await exchange(endpoint, [post(large)]) }
                    await begun.next()
                }
                let refused = try await exchange(endpoint, [post(large)])
                #expect(refused.hasPrefix("HTTP/1.1 429"))
                #expect(refused.lowercased().contains("retry-after: 1\r\n"))
                let small = try await exchange(endpoint, [post(read)])
                #expect(small.hasPrefix("HTTP/1.1 200 OK"))
                group.cancelAll()
            }
        }
    }

    @Test("what a request held is given back with its end")
    func givenBack() {
        let budget = ByteBudget(maximum: 100_000)
        var held: HeldBytes? = HeldBytes(budget)
        #expect(held?.grow(to: RPCLimits.freeBytesMax) == true)
        #expect(budget.count == 0)
        #expect(held?.grow(to: 90_000) == true)
        #expect(held?.grow(to: 50_000) == true, "it has them already")
        let other = HeldBytes(budget)
        #expect(!other.grow(to: 20_000))
        #expect(budget.count == 90_000)
        held = nil
        #expect(budget.count == 0)
        #expect(other.grow(to: 20_000))
    }

    @Test("an id above its limit is refused, and not repeated")
    func longID() async throws {
        try await withServer(try MockBackend()) { endpoint in
            for count in [RPCLimits.idBytesMax, RPCLimits.idBytesMax + 1] {
                let isTaken = count <= RPCLimits.idBytesMax
                let id = String(repeating: "i", count: count)
                let body = #"{"jsonrpc":"2.0","id":"\#(id)","method":"chain_head"}"#
                let answer = try await exchange(endpoint, [post(body)])
                #expect(answer.contains(id) == isTaken)
                #expect(answer.contains(#""reason":"id""#) != isTaken)
            }
        }
    }
}
