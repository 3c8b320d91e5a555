import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("The signature rule on the command line")
struct SignatureCommandTests {
    /// RFC 8032, section 7.1, test 2, and numbers 0, 4 and 11 of ed25519-speccheck.
    private static let key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    private static let signature =
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    private static let mixedOrder = (
        key: "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        message: "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        signature: "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
            + "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"
    )
    private static let smallOrder = (
        key: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        message: "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        signature: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
            + String(repeating: "0", count: 64)
    )

    private static func test(
        _ number: Int, _ message: String, _ signature: String, _ result: String
    ) -> String {
        """
        {"tcId": \(number), "comment": "case \(number)", "flags": [], "msg": "\(message)",
         "sig": "\(signature)", "result": "\(result)"}
        """
    }

    /// A file in Wycheproof's format with the key under either of its names.
    private static func file(smallOrder expectation: String = "invalid") -> String {
        let usual = [
            test(1, "72", signature, "valid"), test(2, "73", signature, "invalid"),
            test(3, "72", String(signature.dropLast(2)), "invalid"),
            test(4, "72", signature + "00", "invalid"), test(5, "72", "", "invalid"),
            test(6, "72", signature, "acceptable"), test(7, "", signature, "acceptable"),
        ]
        let mixed = test(8, mixedOrder.message, mixedOrder.signature, "valid")
        let small = test(9, smallOrder.message, smallOrder.signature, expectation)
        let curve = "\"curve\": \"edwards25519\", \"keySize\": 255"
        return """
            {"algorithm": "EDDSA", "numberOfTests": 9, "header": ["made by hand"], "testGroups": [
            {"type": "EddsaVerify", "publicKey": {\(curve), "pk": "\(key)"},
             "tests": [\(usual.joined(separator: ","))]},
            {"key": {\(curve), "pk": "\(mixedOrder.key)"}, "tests": [\(mixed)]},
            {"key": {"pk": "\(smallOrder.key)"}, "tests": [\(small)]}]}
            """
    }

    @Test("vectors are judged alone and together")
    func verdicts() async throws {
        let program = try WalletProgram()
        let result = try await program.run(["check", "signatures", "-"], input: Self.file())
        #expect(result.exitCode == 0)
        #expect(result.output.contains("9 vectors, 9 as expected, 0 not"))
        let json = try await program.run(
            ["check", "signatures", "-", "--json"], input: Self.file())
        #expect(json["total"] == .number("9") && json["different"] == .number("0"))
        guard case .array(let tests)? = json["tests"] else {
            Issue.record("no tests in \(json.output)")
            return
        }
        let accepted = tests.map { $0["single"] == .bool(true) }
        #expect(accepted == [true, false, false, false, false, true, false, true, false])
        let same = tests.map { $0["single"] == $0["batch"] }
        #expect(same == [Bool](repeating: true, count: 9))
    }

    @Test("a verdict other than the expected one is told, with exit code 1")
    func difference() async throws {
        let program = try WalletProgram()
        let result = try await program.run(
            ["check", "signatures", "-"], input: Self.file(smallOrder: "valid"))
        #expect(result.exitCode == 1)
        #expect(result.output.contains("9 vectors, 8 as expected, 1 not"))
        #expect(result.errors.contains("1 of 9 verdicts aren't the expected ones"))
    }

    @Test(
        "faults in a file are told with their place",
        arguments: [
            ("{", "isn't JSON: byte 1"), ("[]", "$: an array where an object is wanted"),
            ("{}", "$: \"testGroups\" is missing"),
            (#"{"testGroups": {}}"#, "$.testGroups: an object where an array is wanted"),
            (#"{"testGroups": [{"tests": []}]}"#, "$.testGroups[0]: \"key\" is missing"),
            (
                #"{"testGroups": [{"key": {"pk": 7}, "tests": []}]}"#,
                "$.testGroups[0].key.pk: a number where a string is wanted"
            ),
            (
                #"{"testGroups": [{"key": {"pk": "0"}, "tests": []}]}"#,
                "$.testGroups[0].key.pk: an even number of hexadecimal digits is wanted"
            ),
            (
                #"{"testGroups": [{"key": {"curve": "edwards448", "pk": ""}, "tests": []}]}"#,
                "$.testGroups[0].key.curve: only edwards25519 is checked"
            ),
            (
                #"{"testGroups": [{"key": {"pk": ""}, "tests": [{"result": "maybe"}]}]}"#,
                "$.testGroups[0].tests[0].result: \"maybe\" isn't valid, invalid or acceptable"
            ),
            (
                #"{"testGroups": [{"key": {"pk": ""}, "tests": [{"result": "valid"}]}]}"#,
                "$.testGroups[0].tests[0]: \"tcId\" is missing"
            ),
        ])
    func faults(text: String, message: String) throws {
        let fault = #expect(throws: CommandFault.self) {
            try SignatureVectorFile.vectors(in: Array(text.utf8), file: "a.json")
        }
        #expect(fault?.description.contains(message) == true, "\(String(describing: fault))")
    }

    @Test("the measurement gives a figure for each size")
    func measurement() async throws {
        let program = try WalletProgram()
        let arguments = ["bench", "signatures", "--sizes", "1", "8", "--rounds", "1", "--json"]
        let result = try await program.run(arguments)
        #expect(result.exitCode == 0)
        guard case .array(let sizes)? = result["sizes"] else {
            Issue.record("no sizes in \(result.output)")
            return
        }
        #expect(sizes.map { $0["signatures"] } == [.number("1"), .number("8")])
        let refused = try await program.run(["bench", "signatures", "--sizes", "0"])
        #expect(refused.exitCode == 2)
        let neither = try await program.run(["bench", "--seconds", "1"])
        #expect(neither.exitCode == 2)
        #expect(neither.errors.contains("either --local N or --validators"))
    }
}
