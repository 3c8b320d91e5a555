import Foundation
import Primitives
import Testing

@testable import RPC

@Suite("Messages")
struct MessageTests {
    private func roundTrip<Answer: Codable & Equatable>(_ answer: Answer) throws -> JSONValue {
        let json = try JSONReader.parse(try AnswerCoding.encode(answer), within: .answer)
        #expect(try AnswerCoding.decode(Answer.self, from: json) == answer)
        return json
    }

    @Test("every answer reads back from its JSON")
    func roundTrips() throws {
        _ = try roundTrip(Samples.nodeStatus)
        _ = try roundTrip(Samples.chainHead)
        _ = try roundTrip(Samples.block)
        _ = try roundTrip(Samples.account)
        _ = try roundTrip(Samples.escrow)
        _ = try roundTrip(Samples.guarded)
        _ = try roundTrip(Samples.verifier)
        _ = try roundTrip(Samples.validators)
        _ = try roundTrip(Samples.proof)
        _ = try roundTrip(Samples.epochs)
        _ = try roundTrip(Samples.streamUse)
        _ = try roundTrip(Samples.history)
        _ = try roundTrip(Samples.feeEstimate)
        _ = try roundTrip(Samples.peers)
        _ = try roundTrip(Samples.verifiers)
        _ = try roundTrip(Samples.mempool)
        _ = try roundTrip(Samples.verification)
        _ = try roundTrip(Samples.genesis)
        _ = try roundTrip(
            TransactionStatus(id: "opktxn1", state: .final, receipt: Samples.receipt))
    }

    @Test("amounts are strings, heights and sequences are numbers, to the last digit")
    func numbers() throws {
        let json = try roundTrip(Samples.account)
        #expect(json["height"] == .number("7"))
        #expect(json["deposits"] == .string("0"))
        guard case .array(let balances)? = json["balances"],
            case .array(let streams)? = json["streams"]
        else {
            Issue.record("no balances or streams: \(json)")
            return
        }
        #expect(balances.first?["amount"] == .string("18446744073709551615"))
        #expect(streams.first?["nextSequence"] == .number("18446744073709551615"))
    }

    @Test(
        "an amount is read only from digits in quotes",
        arguments: [
            "5", "\"-5\"", "\"1.5\"", "\"+5\"", "\"\"", "\" 5\"", "\"0x5\"", "\"1e3\"",
            "\"18446744073709551616\"", "null", "[]",
        ])
    func wrongAmount(json: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Amount.self, from: Data(json.utf8))
        }
    }

    @Test("the fast text of a submission's answer is the one that the coder gives")
    func submitResult() throws {
        let result = SubmitResult(id: "opktxn1\"\\x", state: .skipped)
        #expect(try AnswerCoding.encode(result) == result.encoded)
    }

    @Test("the codes of faults are those that were promised")
    func codes() {
        let codes = RPCFault.Code.allCases.map { "\($0) \($0.rawValue)" }
        #expect(
            codes == [
                "parseError -32700", "invalidRequest -32600", "methodNotFound -32601",
                "invalidParameters -32602", "internalError -32603", "refused -32001",
                "notFound -32002", "unavailable -32003", "overloaded -32004",
            ])
    }

    @Test("the OpenRPC document has every method with its parameters")
    func openRPC() throws {
        let document = try JSONReader.parse(
            OpenRPC.document(version: "1.2.3"), within: .answer)
        #expect(document["info"]?["version"] == .string("1.2.3"))
        guard case .array(let methods)? = document["methods"] else {
            Issue.record("no methods: \(document)")
            return
        }
        let names = methods.map { $0["name"]?.text }
        #expect(names == MethodTable.methods.map(\.name))
        let promised = [
            "node_status", "chain_head", "block_get", "transaction_submit", "transaction_wait",
            "transaction_get", "transaction_find", "account_get", "escrow_get", "escrow_list",
            "validator_list",
            "verifier_list", "peer_list", "mempool_status", "verification_status", "genesis_get",
            "verifier_get", "account_proof", "escrow_proof", "validator_proof", "verifier_proof",
            "parameters_proof", "transaction_proof", "fee_estimate", "asset_get", "asset_proof",
            "governance_get", "guarded_list", "account_history", "history_consistency",
            "epoch_proofs",
        ]
        #expect(Set(promised) == Set(names.compactMap { $0 }))
        for (method, description) in zip(MethodTable.methods, methods) {
            guard case .array(let parameters)? = description["params"] else {
                Issue.record("\(method.name) has no params")
                continue
            }
            #expect(parameters.map { $0["name"]?.text } == method.parameters.map(\.name))
            #expect(
                parameters.map { $0["required"] }
                    == method.parameters.map { .bool($0.isRequired) })
        }
    }

    @Test("queries are taken apart exactly")
    func queries() throws {
        let items = try Query.items(of: "a=1&b=x%3D+y&c=")
        #expect(items.map(\.name) == ["a", "b", "c"])
        #expect(items.map(\.text) == ["1", "x= y", ""])
        for wrong in ["a", "a=%", "a=%4", "a=%zz", "a=%FF", "%=1"] {
            #expect(throws: RPCFault.self, "\(wrong)") { try Query.items(of: wrong) }
        }
    }

    @Test("endpoints are read from text")
    func endpoints() throws {
        #expect(try RPCEndpoint("127.0.0.1:80") == RPCEndpoint(port: 80))
        #expect(try RPCEndpoint("http://[::1]:80/") == RPCEndpoint(host: "::1", port: 80))
        #expect(try RPCEndpoint("[::1]:80").description == "[::1]:80")
        for wrong in ["", "a", ":80", "a:", "a:0", "a:65536", "a:-1", "::1:80", "https://a:1/x"] {
            #expect(throws: RPCEndpoint.Fault.self, "\(wrong)") { try RPCEndpoint(wrong) }
        }
    }
}
