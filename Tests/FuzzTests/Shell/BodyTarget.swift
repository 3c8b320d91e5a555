import Primitives

@testable import RPC

extension FuzzTarget {
    /// The body of a JSON-RPC request.
    static let body = FuzzTarget(name: "body", bytesMax: 4 << 10) {
        bodySeeds
    } check: { bytes in
        let value = try? JSONReader.parse(bytes)
        if let value { try checkValue(value) }
        let answer = InlineExecutor.run {
            await Dispatcher(backend: EmptyBackend(), waitsMax: 4).answer(to: bytes)
        }
        guard let answer else { return value != nil }
        guard let read = try? JSONReader.parse(answer, within: .answer) else {
            throw Violation("an answer that isn't JSON: \(String(decoding: answer, as: UTF8.self))")
        }
        try checkAnswer(read, to: value)
        return value != nil
    }

    /// What is written again is read as the same, and is written the same.
    private static func checkValue(_ value: JSONValue) throws(Violation) {
        var writer = JSONWriter()
        writer.append(value)
        let again = try? JSONReader.parse(writer.bytes)
        try expect(again == value, "JSON that is another when it is written")
    }

    /// Each answer has the id of its request.
    private static func checkAnswer(
        _ answer: JSONValue, to request: JSONValue?
    ) throws(Violation) {
        guard case .array(let answers) = answer else {
            try expect(answer["jsonrpc"] == .string("2.0"), "an answer of another version")
            let id = answer["id"]
            try expect(id == request?["id"] || id == .null, "an answer to something else")
            return
        }
        guard case .array(let requests)? = request else {
            throw Violation("a batch of answers to one request")
        }
        try expect(answers.count <= requests.count, "\(answers.count) answers")
    }

    private static var bodySeeds: [FuzzSeed] {
        let transaction = FuzzWorld.shared.transactions[0].transaction.bcsBytes
        let id = FuzzWorld.shared.transactions[0].transaction.id
        let address = Bech32m.encode(prefix: "opkacc", FuzzWorld.shared.keys.address(0).bytes)
        let text = Bech32m.encode(prefix: "opktxn", id.bytes)
        let bodies: [(String, String)] = [
            ("status", call("node_status", "[]")),
            ("submit", call("transaction_submit", "[\"\(Base64.encode(transaction))\"]")),
            ("wait", call("transaction_wait", "{\"id\":\"\(text)\",\"timeoutMilliseconds\":5}")),
            ("account", call("account_get", "{\"address\":\"\(address)\"}")),
            ("block", call("block_get", "{\"height\":7}")),
            ("escrows", call("escrow_list", "[\"\(address)\",null,100]")),
            (
                "batch",
                "[" + call("chain_head", "{}") + "," + call("nothing", "[]") + ",7,{\"id\":1}]"
            ),
            ("escapes", "{\"a\":\"\\u0041\\ud83d\\ude00\\n\\/\",\"b\":[-0.5e+3,true,null]}"),
            ("notification", "{\"jsonrpc\":\"2.0\",\"method\":\"node_status\"}"),
        ]
        return bodies.map { FuzzSeed($0.0, Array($0.1.utf8)) }
    }

    private static func call(_ method: String, _ parameters: String) -> String {
        "{\"jsonrpc\":\"2.0\",\"method\":\"\(method)\",\"params\":\(parameters),\"id\":\"x\"}"
    }
}
