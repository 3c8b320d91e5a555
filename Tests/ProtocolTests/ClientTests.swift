import Foundation
import Primitives
import TestSupport
import Testing

/// A client written from the protocol document alone agrees with the node's code, byte for byte.
/// One run of it at a time: a test that waits for a process holds a thread that others need.
@Suite("The Python client and the code write the same bytes", .serialized)
struct ClientTests {
    private static let network = NetworkPrefix.example
    private static let payer = Person(seed: 7)
    private static let payee = Person(seed: 8)
    private static let arbiter = Person(seed: 9)
    private static let escrow = EscrowID(bytes: Array(0..<32)) ?? .zero
    private static let hashlock = Bytes32(Array(64..<96)) ?? .zero

    private let client: PythonTool

    init() throws { client = try PythonTool("tools/client.py") }

    private static func text(_ person: Person) -> String { person.address.text(in: network) }

    /// What `command` says off-line for the payer at sequence 5.
    private func run(_ command: [String], _ options: [String] = []) throws -> PythonTool.Result {
        try client.run(
            [
                "--offline", "--prefix", Self.network.text, "--chain", exampleChain.description,
                "--sequence", "5", "--valid-until", "1767225600000", "--max-fee", "123456",
                "--seed", Hex.encode(repeatElement(7, count: 32)),
            ] + options + command)
    }

    private func transaction(_ operation: Primitives.Operation) -> Transaction {
        Transaction(
            chainID: exampleChain, sender: Self.payer.address, sequence: 5,
            validUntil: 1_767_225_600_000, maxFee: 123_456, operations: [operation])
    }

    private func expectEqual(_ result: PythonTool.Result, _ signed: SignedTransaction) throws {
        #expect(result.status == 0, "\(result.errors)")
        let lines = [Hex.encode(signed.bcsBytes), signed.id.text(in: Self.network)]
        #expect(result.output == lines)
        let bytes = try #require(result.output.first.flatMap { Hex.decode($0) })
        #expect(Verified.check(try SignedTransaction(bcs: bytes)) != nil)
    }

    static let cases: [(name: String, command: [String], operation: Primitives.Operation)] = [
        (
            "transfer", ["pay", "--to", text(payee), "--amount", "18446744073709551615"],
            .transfer(Transfer(to: payee.address, amount: Amount(.max)))
        ),
        (
            "top-up", ["escrow-top-up", "--escrow", escrow.text(in: network), "--amount", "300"],
            .escrowTopUp(EscrowTopUp(escrow: escrow, amount: 300))
        ),
        (
            "release",
            [
                "escrow-decide", "--escrow", escrow.text(in: network), "--round", "2", "--amount",
                "7",
            ],
            .escrowDecide(
                EscrowDecision(escrow: escrow, round: 2, direction: .release, amount: 7))
        ),
        (
            "refund with a preimage",
            [
                "escrow-decide", "--escrow", escrow.text(in: network), "--round", "0",
                "--direction", "refund", "--amount", "1", "--preimage", "00ff10",
            ],
            .escrowDecide(
                EscrowDecision(
                    escrow: escrow, round: 0, direction: .refund, amount: 1,
                    preimage: [0x00, 0xFF, 0x10]))
        ),
        (
            "dispute", ["escrow-dispute", "--escrow", escrow.text(in: network)],
            .escrowDispute(escrow)
        ),
        (
            "arbitration",
            [
                "escrow-arbitrate", "--escrow", escrow.text(in: network), "--round", "4",
                "--to-payee", "60", "--to-payer", "40",
            ],
            .escrowArbitrate(
                EscrowArbitration(escrow: escrow, round: 4, toPayee: 60, toPayer: 40))
        ),
        (
            "unbond", ["unbond", "--verifier", key, "--amount", "7"],
            .unbond(Unbond(key: payee.key.publicKey, amount: 7))
        ),
        ("close a stream", ["close-stream", "--number", "65535"], .closeStream(65535)),
        ("withdraw", ["withdraw", "--verifier", key], .withdraw(payee.key.publicKey)),
        (
            "candidacy", ["declare-candidate", "--verifier", key],
            .declareCandidate(payee.key.publicKey)
        ),
        (
            "no candidacy", ["withdraw-candidacy", "--verifier", key],
            .withdrawCandidacy(payee.key.publicKey)
        ),
    ]

    private static let key = payee.key.publicKey.text(in: network)

    @Test("operations", arguments: cases.map(\.name))
    func operations(name: String) throws {
        let sample = try #require(Self.cases.first { $0.name == name })
        let signed = SignedTransaction(
            signing: transaction(sample.operation), by: [Self.payer.key])
        try expectEqual(try run(sample.command), signed)
    }

    @Test func `a new escrow with the usual quorums`() throws {
        let terms = EscrowTerms(
            payee: Self.payee.address, amount: 9000, release: try .one(Self.payer.address),
            refund: try .one(Self.payee.address), deadline: 1_767_229_200_000)
        let command = [
            "escrow-create", "--payee", Self.text(Self.payee), "--amount", "9000", "--deadline",
            "1767229200000",
        ]
        let signed = SignedTransaction(
            signing: transaction(.escrowCreate(terms)), by: [Self.payer.key])
        try expectEqual(try run(command), signed)
    }

    @Test func `a new escrow with everything`() throws {
        let both = try Quorum(
            members: [
                Quorum.Member(address: Self.payer.address, weight: 2),
                Quorum.Member(address: Self.payee.address, weight: 300),
            ], threshold: 301)
        let terms = EscrowTerms(
            payee: Self.payee.address, amount: 1, release: both, refund: both,
            arbitration: try .one(Self.arbiter.address), hashlock: Self.hashlock, notBefore: 11,
            deadline: 12, onDeadline: .release, arbitrationDeadline: 13)
        let quorum = "301:\(Self.text(Self.payer))=2,\(Self.text(Self.payee))=300"
        let command = [
            "escrow-create", "--payee", Self.text(Self.payee), "--amount", "1", "--release", quorum,
            "--refund", quorum, "--arbitration", "1:\(Self.text(Self.arbiter))", "--hashlock",
            Self.hashlock.description, "--not-before", "11", "--deadline", "12", "--on-deadline",
            "release", "--arbitration-deadline", "13",
        ]
        let signed = SignedTransaction(
            signing: transaction(.escrowCreate(terms)), by: [Self.payer.key])
        try expectEqual(try run(command), signed)
    }

    @Test func `a new policy`() throws {
        let signers = [Self.payee, Self.payer, Self.arbiter].enumerated().map {
            Policy.Signer(publicKey: $0.element.key.publicKey, weight: UInt16($0.offset + 1))
        }
        let policy = try Policy(signers: signers, spend: 3, admin: 5)
        let names = signers.map { "\($0.publicKey.text(in: Self.network))=\($0.weight)" }
        let command = [
            "set-policy", "--signers", names.joined(separator: ","), "--spend", "3", "--admin", "5",
        ]
        let signed = SignedTransaction(
            signing: transaction(.setPolicy(policy)), by: [Self.payer.key])
        try expectEqual(try run(command), signed)
    }

    @Test func `several signers, cosigners, a stream, a tip, a memo and a revealed policy`() throws
    {
        let memo = String(repeating: "é", count: 128)
        let transaction = Transaction(
            chainID: exampleChain, sender: Self.payer.address, stream: 513, sequence: 5,
            validUntil: 1_767_225_600_000, maxFee: 123_456, tip: 77,
            cosigners: [Self.payee.address, Self.arbiter.address], memo: Array(memo.utf8),
            operations: [.transfer(Transfer(to: Self.payee.address, amount: 1))])
        let people = [Self.payer, Self.payee, Self.arbiter]
        let signed = SignedTransaction(
            signing: transaction, policies: [Self.payer.policy], by: people.map(\.key))
        let options =
            people.dropFirst().flatMap { person in
                ["--seed", Hex.encode(repeatElement(person.seed, count: 32))]
                    + ["--cosigner", Self.text(person)]
            } + ["--stream", "513", "--tip", "77", "--memo", memo, "--reveal"]
        let command = ["pay", "--to", Self.text(Self.payee), "--amount", "1"]
        try expectEqual(try run(command, options), signed)
    }

    private static func keyFile(_ person: Person, _ role: StoredKey.Role) throws -> TemporaryFile {
        let stored = StoredKey(role: role, material: .secretKey(person.key))
        let line = KeyFile.encode(stored).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        return try TemporaryFile(line)
    }

    @Test func `a bond with the proofs of both its keys`() throws {
        let voting = try Self.keyFile(Self.payee, .voting)
        let identity = try Self.keyFile(Self.arbiter, .identity)
        let bond = Bond(
            amount: 7, chainID: exampleChain, sender: Self.payer.address, key: Self.payee.key,
            peerKey: Self.arbiter.key)
        let files = ["--verifier-key", voting.path, "--node-key", identity.path]
        let signed = SignedTransaction(signing: transaction(.bond(bond)), by: [Self.payer.key])
        try expectEqual(try run(["bond", "--amount", "7"] + files), signed)
        let swapped = ["--verifier-key", identity.path, "--node-key", voting.path]
        let refused = try run(["bond", "--amount", "7"] + swapped)
        #expect(refused.status == 1 && refused.errors.contains("a voting seed is wanted"))
    }

    @Test func `evidence from a file`() throws {
        let text = String(repeating: "proof", count: 60)
        let file = try TemporaryFile(text)
        let signed = SignedTransaction(
            signing: transaction(.reportEvidence(Array(text.utf8))), by: [Self.payer.key])
        try expectEqual(try run(["report-evidence", "--evidence", file.path]), signed)
    }

    @Test func `a key file opens the same account`() throws {
        let stored = StoredKey(role: .wallet, material: .secretKey(Self.payer.key))
        let line = KeyFile.encode(stored).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let key = Self.payer.key.publicKey.text(in: Self.network)
        let file = try TemporaryFile(line)
        let result = try client.run(["--offline", "--key", file.path, "address"])
        #expect(result.output == [key, Self.text(Self.payer)], "\(result.errors)")

        let open = try TemporaryFile(line, mode: 0o644)
        let refused = try client.run(["--offline", "--key", open.path, "address"])
        #expect(refused.status == 1 && refused.errors.contains("chmod 600"))

        let digit = line.contains("seed 07") ? "seed 17" : "seed 07"
        let damaged = try TemporaryFile(line.replacing("seed 07", with: digit))
        let unread = try client.run(["--offline", "--key", damaged.path, "address"])
        #expect(unread.status == 1 && unread.errors.contains("checksum"))
    }

    @Test func `ids that are damaged or of another kind or network are refused`() throws {
        let good = Self.text(Self.payee)
        let other = try NetworkPrefix("abc")
        let wrong = [
            Self.payee.key.publicKey.text(in: Self.network): "a public key",
            Self.payee.address.text(in: other): "an address",
            String(good.dropLast()) + (good.hasSuffix("q") ? "p" : "q"): "checksum",
            Self.payee.address.description: "hexadecimal",
            "nonsense": "not an id",
        ]
        for (text, sentence) in wrong.sorted(by: { $0.key < $1.key }) {
            let result = try run(["pay", "--to", text, "--amount", "1"])
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(result.errors.contains(sentence), "\(result.errors)")
        }
    }

    @Test(
        "amounts that aren't",
        arguments: ["-1", "1.5", "18446744073709551616", "", "1e3", "ten"])
    func amounts(text: String) throws {
        let result = try run(["pay", "--to", Self.text(Self.payee), "--amount=\(text)"])
        #expect(result.status == 2 && result.output.isEmpty)
    }

    @Test func `a node that isn't there is named`() throws {
        // Port 1 is reserved: nothing listens on it.
        let result = try client.run(
            [
                "--node", "http://127.0.0.1:1/", "--seed", Hex.encode(repeatElement(7, count: 32)),
                "pay", "--to", Self.text(Self.payee), "--amount", "1",
            ])
        #expect(result.status == 1 && result.errors.contains("http://127.0.0.1:1/"))
    }
}

extension NetworkPrefix {
    /// The prefix of the examples.
    fileprivate static let example: NetworkPrefix = {
        guard let prefix = try? NetworkPrefix("opk") else { preconditionFailure("opk") }
        return prefix
    }()
}
