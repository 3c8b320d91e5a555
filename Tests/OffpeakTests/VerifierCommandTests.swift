import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("Commands about bonds")
struct VerifierCommandTests {
    private let program: WalletProgram
    private let node = WalletNode()
    private let voting = SecretKey.random()
    private let identity = SecretKey.random()

    init() throws {
        program = try WalletProgram()
        try KeyStoreFile.create(
            program.folder + "/voting.key",
            StoredKey(role: .voting, material: .secretKey(voting)))
        try KeyStoreFile.create(
            program.folder + "/identity.key",
            StoredKey(role: .identity, material: .secretKey(identity)))
    }

    private var verifier: String { voting.publicKey.text(in: WalletSamples.prefix) }

    private func run(_ arguments: [String]) async throws -> ProgramResult {
        let (program, node) = (program, node)
        let results = AsyncStream.makeStream(of: ProgramResult.self)
        try await node.serve { address in
            results.continuation.yield(
                try await program.run(arguments, environment: ["OFFPEAK_NODE": address]))
        }
        results.continuation.finish()
        var iterator = results.stream.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    /// The account of a new key that the node knows.
    private func account() async throws -> Address {
        let made = try await program.makeKey("a")
        let address = try Address(text: made.address, in: WalletSamples.prefix)
        node.add(address)
        return address
    }

    private func isBond(_ bond: Bond, of sender: Address) -> Bool {
        bond.key == voting.publicKey && bond.peerID == PeerID(identity.publicKey)
            && bond.isProven(chainID: WalletSamples.chainID, sender: sender)
    }

    @Test("bonding proves both keys to the account, whose fee counts the proofs")
    func bond() async throws {
        let sender = try await account()
        let result = try await run([
            "verifier", "bond", "--verifier-key", "voting.key", "--identity-key", "identity.key",
            "--amount", "1000000", "--key", "a", "--json",
        ])
        #expect(result.exitCode == 0, "\(result.errors)")
        let sent = try #require(node.submitted.first)
        guard case .bond(let bond)? = sent.transaction.operations.first else {
            Issue.record("\(sent.transaction.operations)")
            return
        }
        #expect(bond.amount == 1_000_000 && isBond(bond, of: sender))
        let fee = FeeRule.standard.fee(bytes: sent.byteCount, signatures: 3, operations: 1)
        #expect(sent.transaction.maxFee.rawValue == 2 * (fee?.rawValue ?? 0))
    }

    @Test("a home folder has both keys")
    func home() async throws {
        let sender = try await account()
        let made = try await program.run(["init", "node5"])
        #expect(made.exitCode == 0, "\(made.errors)")
        let result = try await run([
            "verifier", "bond", "--home", "node5", "--amount", "7", "--key", "a", "--json",
        ])
        #expect(result.exitCode == 0, "\(result.errors)")
        guard case .bond(let bond)? = node.submitted.first?.transaction.operations.first else {
            Issue.record("\(node.submitted)")
            return
        }
        #expect(bond.isProven(chainID: WalletSamples.chainID, sender: sender))
    }

    @Test("part of a bond or all of it is unbonded, and what is due withdrawn")
    func unbond() async throws {
        _ = try await account()
        node.add(voting.publicKey, bonded: 5000)
        for (amount, expected) in [("17", 17), ("all", 5000)] as [(String, Amount)] {
            let result = try await run([
                "verifier", "unbond", verifier, "--amount", amount, "--key", "a", "--json",
            ])
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(
                node.submitted.last?.transaction.operations
                    == [.unbond(Unbond(key: voting.publicKey, amount: expected))])
        }
        let result = try await run(["verifier", "withdraw", verifier, "--key", "a", "--json"])
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(
            node.submitted.last?.transaction.operations == [.withdraw(voting.publicKey)])
    }

    @Test("a verifier is shown for people and for programs, a stranger isn't there")
    func show() async throws {
        node.add(voting.publicKey, bonded: 5000)
        let json = try await run(["verifier", "show", verifier, "--json"])
        #expect(json["bonded"]?.text == "5000" && json["rewards"]?.text == "7")
        let text = try await run(["verifier", "show", verifier])
        for part in [verifier, "5000", "3 from height 1030", "below height 99"] {
            #expect(text.output.contains(part), "\(text.output)")
        }
        let stranger = identity.publicKey.text(in: WalletSamples.prefix)
        let missing = try await run(["verifier", "show", stranger])
        #expect(missing.exitCode == 1)
    }

    @Test(
        "keys that are missing or for another purpose are refused",
        arguments: [
            ["--amount", "5"], ["--amount", "5", "--verifier-key", "voting.key"],
            ["--amount", "0", "--verifier-key", "voting.key", "--identity-key", "identity.key"],
            ["--amount", "5", "--verifier-key", "identity.key", "--identity-key", "voting.key"],
        ])
    func refused(options: [String]) async throws {
        _ = try await account()
        let result = try await run(["verifier", "bond", "--key", "a"] + options)
        #expect(result.exitCode != 0 && node.submitted.isEmpty)
    }
}
