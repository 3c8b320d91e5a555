import Primitives
import Testing

@testable import RPC

@Suite("Dispatcher")
struct DispatcherTests {
    let backend: MockBackend
    let dispatcher: Dispatcher

    init() throws {
        backend = try MockBackend(waitsReturn: true)
        dispatcher = Dispatcher(backend: backend, waitsMax: 4)
    }

    private func answer(_ body: String) async throws -> String? {
        await dispatcher.answer(to: Array(body.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func json(_ body: String) async throws -> JSONValue {
        try JSONReader.parse(try #require(await dispatcher.answer(to: Array(body.utf8))))
    }

    private func error(_ body: String) async throws -> RPCFault {
        let error = try #require(try await json(body)["error"])
        return try #require(RPCFault(json: error))
    }

    private func call(_ method: String, _ params: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
    }

    @Test(
        "answers what isn't a request with the right code",
        arguments: [
            ("{", -32700, nil), ("", -32700, nil),
            ("{\"jsonrpc\": \"2.0\", \"method\"", -32700, nil),
            ("[{\"jsonrpc\":\"2.0\",\"method\"]", -32700, nil), ("\u{FEFF}{}", -32700, nil),
            ("1", -32600, "notAnObject"), ("\"x\"", -32600, "notAnObject"),
            ("null", -32600, "notAnObject"), ("[]", -32600, "emptyBatch"),
            ("{}", -32600, "version"),
            (#"{"jsonrpc":"1.0","id":1,"method":"chain_head"}"#, -32600, "version"),
            (#"{"jsonrpc":2.0,"id":1,"method":"chain_head"}"#, -32600, "version"),
            (#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#, -32600, "method"),
            (#"{"jsonrpc":"2.0","id":1}"#, -32600, "method"),
            (#"{"jsonrpc":"2.0","id":{},"method":"chain_head"}"#, -32600, "id"),
            (#"{"jsonrpc":"2.0","id":true,"method":"chain_head"}"#, -32600, "id"),
            (#"{"jsonrpc":"2.0","id":1,"method":"chain_head","params":7}"#, -32600, "params"),
            (#"{"jsonrpc":"2.0","id":1,"method":"chain_head","params":null}"#, -32600, "params"),
            (#"{"jsonrpc":"2.0","id":1,"method":"foo"}"#, -32601, nil),
            (#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"#, -32601, nil),
        ] as [(String, Int, String?)])
    func notARequest(body: String, code: Int, reason: String?) async throws {
        let fault = try await error(body)
        #expect(fault.code == code)
        if let reason { #expect(fault.data?["reason"]?.text == reason) }
    }

    @Test("says where the JSON is wrong")
    func parseErrorOffset() async throws {
        let answer = try await answer("{\"a\" 1}")
        #expect(
            answer
                == #"{"jsonrpc":"2.0","error":{"code":-32700,"message":"not JSON: byte 5: \":\" "#
                + #"wanted","data":{"offset":5}},"id":null}"#)
    }

    @Test("refuses the 33rd level of nesting and accepts the 32nd")
    func nesting() async throws {
        let fault = try await error(String(repeating: "[", count: 33))
        #expect(fault.code == -32600)
        #expect(fault.data?["reason"]?.text == "nestingTooDeep")
        let inside = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
        let deepest = try await error(call("account_get", inside))
        #expect(deepest.code == -32602, "32 levels reach the method")
    }

    @Test(
        "repeats the id exactly",
        arguments: ["1", "-7", "1.50", "18446744073709551616", "\"a\\\"b\"", "\"\"", "null"])
    func ids(id: String) async throws {
        let answer = try await answer(#"{"jsonrpc":"2.0","method":"peer_list","id":\#(id)}"#)
        #expect(answer?.hasSuffix(",\"id\":\(id)}") == true, "\(answer ?? "none")")
        let fault = try await self.answer(#"{"jsonrpc":"2.0","method":"foo","id":\#(id)}"#)
        #expect(fault?.hasSuffix(",\"id\":\(id)}") == true)
    }

    @Test("answers an invalid request under its id if it has a valid one, else under null")
    func idsOfInvalid() async throws {
        #expect(try await json(#"{"id":5,"method":"chain_head"}"#)["id"] == .number("5"))
        #expect(try await json(#"{"id":[],"jsonrpc":"2.0","method":"x"}"#)["id"] == .null)
        #expect(try await json(#"{"method":"chain_head"}"#)["id"] == .null)
    }

    @Test("gives a notification no answer, and carries it out")
    func notification() async throws {
        let text = Base64.encode(Samples.transaction().bcsBytes)
        let params = "[\"\(text)\"]"
        #expect(
            try await answer(
                #"{"jsonrpc":"2.0","method":"transaction_submit","params":\#(params)}"#) == nil)
        #expect(backend.submissions.count == 1)
        for body in [
            #"{"jsonrpc":"2.0","method":"chain_head"}"#, #"{"jsonrpc":"2.0","method":"foo"}"#,
            #"{"jsonrpc":"2.0","method":"account_get","params":[1]}"#,
            #"{"jsonrpc":"2.0","method":"transaction_submit","params":[1]}"#,
            #"[{"jsonrpc":"2.0","method":"chain_head"},{"jsonrpc":"2.0","method":"foo"}]"#,
        ] {
            #expect(try await answer(body) == nil, "\(body)")
        }
    }

    @Test("answers a batch in order, without its notifications")
    func batch() async throws {
        let answer = try await json(
            """
            [{"jsonrpc":"2.0","id":"a","method":"peer_list"}, 1,
             {"jsonrpc":"2.0","method":"peer_list"}, {"jsonrpc":"2.0","id":2,"method":"foo"},
             {"jsonrpc":"2.0","id":"c","method":"mempool_status"}]
            """)
        guard case .array(let answers) = answer else {
            Issue.record("no array: \(answer)")
            return
        }
        #expect(answers.map { $0["id"] } == [.string("a"), .null, .number("2"), .string("c")])
        #expect(answers.map { $0["result"] != nil } == [true, false, false, true])
    }

    @Test("takes batches of 20 and refuses 21 as a whole")
    func batchLength() async throws {
        let one = call("peer_list", "[]")
        let twenty = "[" + [String](repeating: one, count: 20).joined(separator: ",") + "]"
        guard case .array(let answers) = try await json(twenty) else {
            Issue.record("no array")
            return
        }
        #expect(answers.count == 20)
        let more = "[" + [String](repeating: one, count: 21).joined(separator: ",") + "]"
        let fault = try await error(more)
        #expect(fault.code == -32600)
        #expect(fault.data?["reason"]?.text == "batchTooLong")
        #expect(fault.message == "21 requests in a batch, at most 20 allowed")
    }

    @Test("hands all transactions of a batch to the node at once, in order")
    func submitTogether() async throws {
        let transactions = (0..<3).map { Samples.transaction(sequence: SequenceNumber($0)) }
        var requests = transactions.map {
            call("transaction_submit", "{\"transaction\":\"\(Hex.encode($0.bcsBytes))\"}")
        }
        requests.insert(call("chain_head", "{}"), at: 1)
        requests.insert(call("transaction_submit", "{\"transaction\":\"xyz\"}"), at: 2)
        let answer = try await json("[" + requests.joined(separator: ",") + "]")
        guard case .array(let answers) = answer else {
            Issue.record("no array: \(answer)")
            return
        }
        #expect(backend.submissions == [transactions])
        let ids = transactions.map { $0.id.text(in: backend.prefix) }
        #expect(
            answers.map { $0["result"]?["id"]?.text } == [ids[0], nil, nil, ids[1], ids[2]])
        #expect(answers[2]["error"]?["code"] == .number("-32602"))
    }

    @Test("gives a refusal with its stable name")
    func refusal() async throws {
        let fault = RPCFault.refused(.sequenceUsed, "sequence 4 was used; the next is 7")
        let dispatcher = Dispatcher(
            backend: try MockBackend(refusal: fault), waitsMax: 1)
        let text = Base64.encode(Samples.transaction().bcsBytes)
        let body = call("transaction_submit", "[\"\(text)\"]")
        let answer = await dispatcher.answer(to: Array(body.utf8))
        #expect(
            answer.map { String(decoding: $0, as: UTF8.self) }
                == #"{"jsonrpc":"2.0","error":{"code":-32001,"message":"sequence 4 was used; the "#
                + #"next is 7","data":{"reason":"sequenceUsed","code":4,"mayRetry":false}},"id":1}"#
        )
    }
}

@Suite("Parameters")
struct ParameterTests {
    let backend: MockBackend
    let dispatcher: Dispatcher
    let address: String
    let escrow: String
    let key: String

    init() throws {
        backend = try MockBackend(waitsReturn: true)
        dispatcher = Dispatcher(backend: backend, waitsMax: 4)
        address = Address.zero.text(in: backend.prefix)
        escrow = EscrowID.zero.text(in: backend.prefix)
        key = PublicKey.zero.text(in: backend.prefix)
    }

    private func fault(_ method: String, _ params: String) async throws -> RPCFault? {
        let body = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
        let answer = try #require(await dispatcher.answer(to: Array(body.utf8)))
        return try JSONReader.parse(answer)["error"].flatMap { RPCFault(json: $0) }
    }

    @Test(
        "names the wrong parameter and says what would be right",
        arguments: [
            ("block_get", "{}", "height", "exactly one of height and digest"),
            ("block_get", "{\"height\":-1}", "height", "-1 where a whole number"),
            ("block_get", "{\"height\":1.5}", "height", "1.5 where a whole number"),
            ("block_get", "{\"height\":1e3}", "height", "1e3 where a whole number"),
            ("block_get", "{\"height\":-0}", "height", "-0 where a whole number"),
            ("block_get", "{\"height\":\"7\"}", "height", "a string where a whole number"),
            ("block_get", "{\"height\":18446744073709551616}", "height", "18446744073709551615"),
            ("block_get", "{\"height\":[7]}", "height", "an array where a whole number"),
            ("block_get", "{\"digest\":7}", "digest", "a number where bech32m text"),
            ("block_get", "{\"digest\":\"opkblk1\"}", "digest", ""),
            ("block_get", "{\"hight\":7}", "hight", "the method takes height, digest"),
            ("chain_head", "{\"x\":7}", "x", "the method takes none"),
            ("account_get", "{}", "address", "missing; the account's address"),
            ("account_get", "{\"address\":null}", "address", "missing"),
            ("account_get", "{\"address\":7}", "address", "starts with opkacc1"),
            ("account_get", "{\"address\":\"KEY\"}", "address", "this is a public key"),
            ("account_get", "{\"address\":\"\"}", "address", ""),
            ("escrow_list", "{\"address\":\"ADR\",\"limit\":0}", "limit", "1...100 is wanted"),
            ("escrow_list", "{\"address\":\"ADR\",\"limit\":101}", "limit", "1...100 is wanted"),
            ("escrow_list", "{\"address\":\"ADR\",\"after\":\"ADR\"}", "after", "an address"),
            ("transaction_get", "{\"id\":\"ESC\"}", "id", "an escrow id"),
            ("transaction_wait", "{\"id\":false}", "id", "a boolean where"),
            ("transaction_submit", "{\"transaction\":7}", "transaction", "base64 or hexadecimal"),
            ("transaction_submit", "{\"transaction\":\"??\"}", "transaction", "neither base64"),
            ("transaction_submit", "{\"transaction\":\"00\"}", "transaction", "byte 0"),
            ("transaction_submit", "{\"amount\":\"-5\"}", "amount", "unknown"),
        ])
    func wrong(method: String, params: String, parameter: String, part: String) async throws {
        let params = params.replacing("KEY", with: key).replacing("ADR", with: address)
            .replacing("ESC", with: escrow)
        let fault = try #require(try await fault(method, params))
        #expect(fault.code == -32602)
        #expect(fault.data?["parameter"]?.text == parameter, "\(fault.message)")
        #expect(part.isEmpty || fault.message.contains(part), "\(fault.message)")
    }

    @Test("refuses waits above 60 s and values beyond the last position")
    func bounds() async throws {
        let id = TransactionID.zero.text(in: backend.prefix)
        #expect(try await fault("transaction_wait", "[\"\(id)\",60000]") == nil)
        let longer = try #require(try await fault("transaction_wait", "[\"\(id)\",60001]"))
        #expect(longer.data?["parameter"]?.text == "timeoutMilliseconds")
        let surplus = try #require(try await fault("transaction_wait", "[\"\(id)\",1,2]"))
        #expect(surplus.code == -32602)
        #expect(surplus.message == "3 parameters; the method takes id, timeoutMilliseconds")
    }

    @Test("takes parameters by name and by position alike")
    func forms() async throws {
        #expect(try await fault("account_get", "[\"\(address)\"]") == nil)
        #expect(try await fault("account_get", "{\"address\":\"\(address)\"}") == nil)
        #expect(try await fault("block_get", "[7]") == nil)
        #expect(try await fault("block_get", "[7,null]") == nil)
        #expect(try await fault("escrow_list", "[\"\(address)\",\"\(escrow)\",100]") == nil)
    }

    @Test("asks for the proof of what the method and its parameter name")
    func proofs() async throws {
        let transaction = TransactionID.zero.text(in: backend.prefix)
        let key = PublicKey.zero.text(in: backend.prefix)
        #expect(try await fault("account_proof", "[\"\(address)\"]") == nil)
        #expect(try await fault("escrow_proof", "{\"id\":\"\(escrow)\"}") == nil)
        #expect(try await fault("validator_proof", "[511]") == nil)
        #expect(try await fault("verifier_proof", "[\"\(key)\"]") == nil)
        #expect(try await fault("parameters_proof", "[]") == nil)
        #expect(try await fault("transaction_proof", "[\"\(transaction)\"]") == nil)
        #expect(
            backend.proofs == [
                .account(.zero), .escrow(.zero), .validator(ValidatorIndex(511)), .verifier(.zero),
                .parameters, .transaction(.zero),
            ])
        for (method, parameters) in [
            ("validator_proof", "[512]"), ("validator_proof", "[-1]"), ("validator_proof", "[]"),
            ("account_proof", "[]"), ("account_proof", "[\"\(escrow)\"]"),
            ("parameters_proof", "[1]"),
        ] {
            #expect(try await fault(method, parameters)?.code == -32602, "\(method) \(parameters)")
        }
        #expect(backend.proofs.count == 6)
        #expect(try await fault("history_consistency", "[]") == nil)
        #expect(try await fault("history_consistency", "[1,1]") == nil)
        #expect(try await fault("history_consistency", "{\"to\":9}") == nil)
        #expect(
            backend.proofs.suffix(3) == [
                .consistency(from: nil, to: nil), .consistency(from: 1, to: 1),
                .consistency(from: nil, to: 9),
            ])
        for parameters in ["[0]", "[1,0]", "[2,1]", "[-1]", "[1,2,3]", "[\"1\"]"] {
            let fault = try await fault("history_consistency", parameters)
            #expect(fault?.code == -32602, "\(parameters)")
        }
        #expect(backend.proofs.count == 9)
    }

    @Test("asks for the steps that the parameters name, within their bounds")
    func epochs() async throws {
        #expect(try await fault("epoch_proofs", "[]") == nil)
        #expect(try await fault("epoch_proofs", "[18446744073709551615,1]") == nil)
        #expect(try await fault("epoch_proofs", "{\"limit\":64}") == nil)
        #expect(backend.epochs.map(\.from) == [0, Epoch(.max), 0])
        #expect(backend.epochs.map(\.limit) == [64, 1, 64])
        for parameters in ["[-1]", "[0,0]", "[0,65]", "[\"0\"]", "[0,1,2]", "{\"to\":1}"] {
            #expect(try await fault("epoch_proofs", parameters)?.code == -32602, "\(parameters)")
        }
        #expect(backend.epochs.count == 3)
    }

    @Test("asks for the page of a history that the parameters name, within its bounds")
    func histories() async throws {
        #expect(try await fault("account_history", "[\"\(address)\"]") == nil)
        let all =
            "\"asset\":\"native\",\"fromHeight\":3,\"toHeight\":9,\"since\":5,\"before\":7,"
            + "\"order\":\"oldest\",\"after\":\"4-1\",\"limit\":500"
        #expect(
            try await fault("account_history", "{\"address\":\"\(address)\",\(all)}") == nil)
        var wanted = HistoryQuery()
        #expect(wanted.limit == RPCLimits.historyPageDefault && wanted.order == .newest)
        (wanted.asset, wanted.fromHeight, wanted.toHeight) = (.native, 3, 9)
        (wanted.since, wanted.before, wanted.order) = (5, 7, .oldest)
        (wanted.after, wanted.limit) = (PostingPlace(height: 4, index: 1), 500)
        #expect(backend.histories == [HistoryQuery(), wanted])
        for (name, value) in [
            ("limit", "0"), ("limit", "501"), ("limit", "-1"), ("limit", "\"5\""),
            ("order", "\"up\""), ("order", "1"), ("after", "\"4\""), ("after", "\"04-1\""),
            ("after", "\"4-4294967296\""), ("asset", "\"gold\""), ("asset", "\"00\""),
            ("since", "-1"), ("fromHeight", "18446744073709551616"), ("page", "1"),
        ] {
            let fault = try await fault(
                "account_history", "{\"address\":\"\(address)\",\"\(name)\":\(value)}")
            #expect(fault?.code == -32602, "\(name) \(value)")
        }
        for limit in ["1", "2", "499", "500"] {
            let parameters = "{\"address\":\"\(address)\",\"limit\":\(limit)}"
            #expect(try await fault("account_history", parameters) == nil)
        }
    }

    @Test("finds a transaction by its place in a stream, which may be 0")
    func use() async throws {
        let last = UInt64.max
        #expect(try await fault("transaction_find", "[\"\(address)\",65535,\(last)]") == nil)
        #expect(try await fault("transaction_find", "[\"\(address)\",0,\(last)]") == nil)
        #expect(
            try await fault("transaction_find", "[\"\(address)\",1,0]")?.code == -32002)
        for parameters in ["65536,1", "1,-1", "1", "-1,1"] {
            let found = try await fault("transaction_find", "[\"\(address)\",\(parameters)]")
            #expect(found?.code == -32602, "\(parameters)")
        }
    }

    @Test("refuses every truncation and every bit flip of a transaction, or reads another one")
    func damagedTransaction() async throws {
        let bytes = Samples.transaction().bcsBytes
        for count in 0..<bytes.count {
            let text = Base64.encode(Array(bytes.prefix(count)))
            let fault = try await fault("transaction_submit", "[\"\(text)\"]")
            #expect(fault?.code == -32602, "\(count) bytes")
        }
        let larger = Base64.encode(bytes + [0])
        #expect(try await fault("transaction_submit", "[\"\(larger)\"]")?.code == -32602)
        let huge = Hex.encode([UInt8](repeating: 0, count: 32 * 1024 + 1))
        let fault = try #require(try await fault("transaction_submit", "[\"\(huge)\"]"))
        #expect(fault.message.contains("at most 32768 bytes"))
    }
}
