import Primitives
import Testing

@testable import RPC

@Suite("Server on real sockets")
struct ServerTests {
    private func post(_ body: String, extra: String = "Connection: close\r\n") -> String {
        "POST / HTTP/1.1\r\nHost: x\r\n\(extra)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func get(_ path: String, method: String = "GET") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    }

    private func status(_ answer: String) -> String {
        String(answer.prefix { $0 != "\r\n" })
    }

    private func body(_ answer: String) -> String {
        answer.firstRange(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) } ?? ""
    }

    private let read = #"{"jsonrpc":"2.0","id":1,"method":"chain_head"}"#

    @Test("GET gives the same result as POST")
    func getEqualsPost() async throws {
        let backend = try MockBackend(waitsReturn: true)
        let address = Address.zero.text(in: backend.prefix)
        let id = TransactionID.zero.text(in: backend.prefix)
        let calls = [
            ("node_status", "", "{}"), ("chain_head", "", "{}"),
            ("block_get", "?height=7", "{\"height\":7}"),
            ("account_get", "?address=\(address)", "{\"address\":\"\(address)\"}"),
            ("escrow_list", "?address=\(address)&limit=3", "[\"\(address)\",null,3]"),
            ("transaction_wait", "?id=\(id)&timeoutMilliseconds=9", "[\"\(id)\",9]"),
            ("validator_list", "", "[]"), ("verifier_list", "", "[]"), ("peer_list", "", "[]"),
            ("mempool_status", "", "[]"), ("verification_status", "", "[]"),
            ("genesis_get", "", "[]"), ("transaction_get", "?id=\(id)", "[\"\(id)\"]"),
        ]
        try await withServer(backend) { endpoint in
            for (method, query, params) in calls {
                let plain = try await exchange(endpoint, [get("/\(method)\(query)")])
                let request =
                    #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
                let posted = try await exchange(endpoint, [post(request)])
                #expect(status(plain) == "HTTP/1.1 200 OK", "\(method): \(plain)")
                #expect(
                    body(posted) == #"{"jsonrpc":"2.0","result":"# + body(plain) + #","id":1}"#)
            }
        }
    }

    @Test("GET turns faults into statuses")
    func getFaults() async throws {
        let backend = try MockBackend()
        let unknown = Address(Digest.hash(.transaction, [1]).bytes32).text(in: backend.prefix)
        try await withServer(backend) { endpoint in
            for (path, wanted) in [
                ("/foo", "404"), ("/account_get", "400"), ("/account_get?address=1", "400"),
                ("/account_get?address=\(unknown)", "404"), ("/block_get?height=-7", "400"),
                ("/block_get?height=7&height=7", "400"), ("/block_get?height=8", "404"),
                ("/block_get?height=%2B7", "400"), ("/transaction_submit", "405"), ("/", "405"),
            ] {
                let answer = try await exchange(endpoint, [get(path)])
                #expect(status(answer).contains(" \(wanted) "), "\(path): \(answer)")
            }
            let put = try await exchange(endpoint, [get("/chain_head", method: "DELETE")])
            #expect(status(put) == "HTTP/1.1 405 Method Not Allowed")
        }
    }

    @Test("health, readiness, metrics and the OpenRPC document have their paths")
    func paths() async throws {
        try await withServer(try MockBackend()) { endpoint in
            #expect(body(try await exchange(endpoint, [get("/health")])) == "ok\n")
            let ready = try await exchange(endpoint, [get("/ready")])
            #expect(status(ready) == "HTTP/1.1 200 OK")
            #expect(body(ready) == #"{"ready":true,"reasons":[]}"#)
            let metrics = try await exchange(endpoint, [get("/metrics")])
            #expect(metrics.lowercased().contains("content-type: text/plain; version=0.0.4"))
            #expect(body(metrics).hasSuffix("offpeak_height 7\n"))
            let document = try await exchange(endpoint, [get("/openrpc.json")])
            #expect(Array(body(document).utf8) == OpenRPC.document(version: "0.1.0"))
        }
    }

    @Test("a node that isn't ready says 503 and why")
    func notReady() async throws {
        try await withServer(try MockBackend(isReady: false)) { endpoint in
            let answer = try await exchange(endpoint, [get("/ready")])
            #expect(status(answer) == "HTTP/1.1 503 Service Unavailable")
            #expect(
                body(answer) == #"{"ready":false,"reasons":["2 of 4 validators are connected"]}"#)
        }
    }

    @Test("a notification has an empty answer with status 204")
    func notification() async throws {
        try await withServer(try MockBackend()) { endpoint in
            let request = #"{"jsonrpc":"2.0","method":"chain_head"}"#
            let answer = try await exchange(endpoint, [post(request)])
            #expect(status(answer) == "HTTP/1.1 204 No Content")
            #expect(body(answer).isEmpty)
        }
    }

    @Test("a body of 1 MiB is read; one byte more is refused with 413, declared or not")
    func bodySize() async throws {
        try await withServer(try MockBackend()) {
            $0.idleMilliseconds = 5_000
        } body: { endpoint in
            let space = String(repeating: " ", count: RPCLimits.bodyBytesMax - read.utf8.count)
            let whole = try await exchange(endpoint, [post(read + space)])
            #expect(status(whole) == "HTTP/1.1 200 OK")
            let size = RPCLimits.bodyBytesMax + 1
            let declared = try await exchange(
                endpoint, ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n"])
            #expect(status(declared) == "HTTP/1.1 413 Payload Too Large")
            #expect(body(declared).contains(#""reason":"bodyTooLarge""#))
            let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            let half = String(repeating: " ", count: 1 << 19)
            let chunk = "80000\r\n\(half)\r\n"
            let chunked = try await exchange(endpoint, [head, chunk, chunk, "1\r\n \r\n0\r\n\r\n"])
            #expect(chunked.isEmpty || status(chunked) == "HTTP/1.1 413 Payload Too Large")
            let after = try await exchange(endpoint, [post(read)])
            #expect(status(after) == "HTTP/1.1 200 OK")
        }
    }

    @Test("a body that doesn't end in time is answered 408, and the connection closed")
    func slowBody() async throws {
        try await withServer(try MockBackend()) {
            $0.bodyMilliseconds = 50
        } body: { endpoint in
            let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
            let answer = try await exchange(endpoint, [head])
            #expect(status(answer) == "HTTP/1.1 408 Request Timeout")
            let after = try await exchange(endpoint, [post(read)])
            #expect(status(after) == "HTTP/1.1 200 OK")
        }
    }

    @Test("an idle connection is closed")
    func idle() async throws {
        try await withServer(try MockBackend()) {
            $0.idleMilliseconds = 50
        } body: { endpoint in
            let answer = try await exchange(endpoint, [])
            #expect(answer.isEmpty)
        }
    }

    @Test("a request above the number at once is answered 429 with Retry-After")
    func tooManyRequests() async throws {
        let backend = try MockBackend()
        let id = TransactionID.zero.text(in: backend.prefix)
        try await withServer(backend) {
            $0.requestsMax = 1
        } body: { endpoint in
            try await withThrowingTaskGroup(of: String.self) { group in
                group.addTask {
                    try await exchange(endpoint, [get("/transaction_wait?id=\(id)")])
                }
                var begun = backend.waitsBegun.makeAsyncIterator()
                await begun.next()
                for request in [post(read), get("/chain_head")] {
                    let answer = try await exchange(endpoint, [request])
                    #expect(status(answer) == "HTTP/1.1 429 Too Many Requests")
                    #expect(answer.lowercased().contains("retry-after: 1\r\n"))
                    #expect(body(answer).contains("-32004"))
                }
                let health = try await exchange(endpoint, [get("/health")])
                #expect(status(health) == "HTTP/1.1 200 OK", "health is answered all the same")
                group.cancelAll()
            }
        }
    }

    @Test("a wait above the number of waits is told to come back, and other calls go on")
    func tooManyWaits() async throws {
        let backend = try MockBackend()
        let id = TransactionID.zero.text(in: backend.prefix)
        try await withServer(backend) {
            $0.waitsMax = 1
        } body: { endpoint in
            try await withThrowingTaskGroup(of: String.self) { group in
                group.addTask {
                    try await exchange(endpoint, [get("/transaction_wait?id=\(id)")])
                }
                var begun = backend.waitsBegun.makeAsyncIterator()
                await begun.next()
                let second = try await exchange(endpoint, [get("/transaction_wait?id=\(id)")])
                #expect(status(second) == "HTTP/1.1 429 Too Many Requests")
                #expect(body(second).contains(#""retryAfterMilliseconds":1000"#))
                let other = try await exchange(endpoint, [post(read)])
                #expect(status(other) == "HTTP/1.1 200 OK")
                group.cancelAll()
            }
        }
    }

    @Test("stopping answers a wait at once instead of sitting it out")
    func stopDuringWait() async throws {
        let backend = try MockBackend()
        let id = TransactionID.zero.text(in: backend.prefix)
        let task = try await withServer(backend) { endpoint in
            let task = Task { try await exchange(endpoint, [get("/transaction_wait?id=\(id)")]) }
            var begun = backend.waitsBegun.makeAsyncIterator()
            await begun.next()
            return task
        }
        #expect(body(try await task.value).contains(#""state":"pending""#))
    }

    @Test("random bytes, an endless header and half a request leave the server unharmed")
    func junk() async throws {
        try await withServer(try MockBackend()) { endpoint in
            let header = String(repeating: "a", count: 200_000)
            for junk in [
                "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "GET / HTTP/1.1\r\n\(header)", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            ] {
                let answer = try? await exchange(endpoint, [junk], closing: true)
                #expect(answer?.contains("200 OK") != true, "\(junk.prefix(40))")
            }
            let after = try await exchange(endpoint, [post(read)])
            #expect(status(after) == "HTTP/1.1 200 OK")
        }
    }

    @Test("an upgrade is not made")
    func upgrade() async throws {
        try await withServer(try MockBackend()) { endpoint in
            let request =
                "GET /health HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            let answer = try await exchange(endpoint, [request], closing: true)
            #expect(status(answer) == "HTTP/1.1 200 OK")
        }
    }

    @Test("a host that can't be found is named, with what to do")
    func unknownHost() async throws {
        let fault = await #expect(throws: RPCServer.ListenFault.self) {
            try await withServer(try MockBackend()) {
                $0.host = "12w.0.0.1"
            } body: { _ in
            }
        }
        #expect(fault?.description.contains("can't listen on 12w.0.0.1:") == true)
        #expect(fault?.description.contains("name an address of this machine") == true)
    }

    @Test("a taken port is named, with what to do")
    func takenPort() async throws {
        try await withServer(try MockBackend()) { endpoint in
            let fault = await #expect(throws: RPCServer.ListenFault.self) {
                try await withServer(try MockBackend()) {
                    $0.port = endpoint.port
                } body: { _ in
                }
            }
            #expect(
                fault?.description == "RPC can't listen on 127.0.0.1:\(endpoint.port): the port is "
                    + "taken; choose another or stop its user")
        }
    }
}
