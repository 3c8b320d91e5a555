import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("Commands that need no node")
struct WalletCommandTests {
    private let program: WalletProgram

    init() throws { program = try WalletProgram() }

    @Test(
        "wrong usage ends with 2 and says what would be right",
        arguments: [
            (["nonsense"], "nonsense"), (["pay", "--amount", "5"], "--to"),
            (["pay", "--to", "x", "--key", "k", "--amount", "-5"], "can't be negative"),
            (["pay", "--to", "x", "--key", "k", "--amount", "1.5"], "whole number"),
            (["pay", "--to", "x", "--key", "k", "--amount", "0"], "at least 1"),
            (
                ["pay", "--to", "x", "--key", "k", "--amount", "18446744073709551616"],
                "the largest amount"
            ),
            (["pay", "--to", "x", "--amount", "5"], "--key is missing"),
            (["pay", "--to", "x", "--key", "k", "--amount", "5", "--offline"], "--sequence"),
            (
                ["pay", "--to", "x", "--key", "k", "--amount", "5", "--valid-for", "soon"],
                "\"soon\""
            ),
            (["escrow", "decide", "e", "--key", "k"], "--release or --refund"),
            (
                ["escrow", "create", "--to", "x", "--key", "k", "--amount", "1"],
                "--deadline"
            ),
            (["key", "new", "a.key", "--words", "13"], "12, 15, 18, 21 or 24"),
            (["tx", "merge", "one", "--out", "two"], "two files"),
            (["query", "status", "--node", "ftp://x"], "HOST:PORT"),
            (["genesis", "new", "--network", "x", "--validator", "opkpub1q"], "No such file"),
        ])
    func wrongUsage(arguments: [String], wanted: String) async throws {
        let result = try await program.run(arguments)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains(wanted), "\(result.errors)")
        #expect(result.exitCode == (wanted == "No such file" ? 1 : 2))
    }

    @Test("errors are JSON on stderr where JSON is asked for")
    func errorsAsJSON() async throws {
        let usage = try await program.run(["pay", "--json"])
        #expect(usage.exitCode == 2)
        #expect(usage.errorMessage?.contains("--to") == true)
        let failure = try await program.run(["key", "show", "none.key", "--json"])
        #expect(failure.exitCode == 1)
        #expect(failure.output.isEmpty)
        #expect(failure.errorMessage?.contains("none.key can't be opened") == true)
    }

    @Test("help and version are answers")
    func help() async throws {
        for arguments in [["--help"], ["help", "pay"], ["escrow", "create", "--help"]] {
            let result = try await program.run(arguments)
            #expect(result.exitCode == 0)
            #expect(result.output.contains("USAGE"))
            #expect(result.errors.isEmpty)
        }
        #expect(try await program.run(["--version"]).output == "\(Program.version)\n")
    }

    @Test("no node: the address that was tried, and what to do")
    func noNode() async throws {
        let result = try await program.run(
            ["query", "status"], environment: ["OFFPEAK_NODE": "http://127.0.0.1:1"])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("127.0.0.1:1"))
        #expect(result.errors.contains("`offpeak node`"))
    }

    @Test("no colours outside a terminal")
    func noColours() async throws {
        let key = try await program.run(
            ["key", "new", "a.key"], environment: ["TERM": "xterm-256color"])
        #expect(key.exitCode == 0)
        #expect(!key.output.contains("\u{1B}"))
        #expect(!key.errors.contains("\u{1B}"))
    }

    @Test("a new key's words make the same key again, on another machine too")
    func wordsRoundTrip() async throws {
        let made = try await program.run(["key", "new", "a.key", "--json", "--words", "12"])
        let words = try #require(made["mnemonic"]?.text)
        #expect(words.split(separator: " ").count == 12)
        #expect(try program.mode(of: "a.key") == 0o600)
        let again = try await program.run(
            ["key", "import", "b.key", "--json"], input: words.uppercased() + "\n")
        #expect(again.exitCode == 0, "\(again.errors)")
        #expect(again["publicKey"] == made["publicKey"])
        #expect(try program.read("a.key") == program.read("b.key"))
        let other = try await program.run(
            ["key", "import", "c.key", "--json", "--account", "1"], input: words)
        #expect(other["publicKey"] != made["publicKey"])
        let shown = try await program.run(["key", "export", "b.key", "--mnemonic", "--json"])
        #expect(shown["mnemonic"]?.text == words)
    }

    @Test("wrong words are refused with a hint, and no file is made")
    func wrongWords() async throws {
        let words = Array(repeating: "abandon", count: 10).joined(separator: " ")
        let misspelt = try await program.run(
            ["key", "import", "a.key"], input: words + " abandon abuot")
        #expect(misspelt.exitCode == 1)
        #expect(misspelt.errors.contains("word 12"))
        #expect(misspelt.errors.contains("about"))
        let wrong = try await program.run(
            ["key", "import", "a.key"], input: words + " abandon abandon")
        #expect(wrong.errors.contains("don't belong together"))
        #expect(throws: (any Error).self) { try program.read("a.key") }
    }

    @Test("a key that others can read is refused with the command that mends it")
    func openKeyFile() async throws {
        _ = try await program.makeKey("a.key")
        for mode in [0o644, 0o640, 0o604, 0o660] {
            try program.setMode(mode, of: "a.key")
            let result = try await program.run(["key", "show", "a.key"])
            #expect(result.exitCode == 1)
            #expect(result.errors.contains("chmod 600 a.key"))
        }
        try program.setMode(0o600, of: "a.key")
        #expect(try await program.run(["key", "show", "a.key"]).exitCode == 0)
    }

    @Test("a damaged key file is refused, and nothing of it is quoted")
    func damagedKeyFile() async throws {
        _ = try await program.makeKey("a.key")
        let text = try program.read("a.key")
        let secret = try #require(text.split(separator: " ").dropFirst(3).first)
        let other = String(secret.reversed())
        let damaged = text.split(separator: secret).joined(separator: other)
        try program.write(damaged, to: "b.key")
        try program.setMode(0o600, of: "b.key")
        let result = try await program.run(["key", "show", "b.key"])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("checksum"))
        #expect(!result.errors.contains(other))
    }

    @Test("a key file is never overwritten")
    func noOverwriting() async throws {
        _ = try await program.makeKey("a.key")
        let before = try program.read("a.key")
        let result = try await program.run(["key", "new", "a.key"])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("isn't overwritten"))
        #expect(try program.read("a.key") == before)
    }

    @Test("a keystore opens with its password only, and signs like the key")
    func keystores() async throws {
        let key = try await program.makeKey("a.key")
        for (name, password) in [("right", "correct horse\n"), ("wrong", "battery staple")] {
            try program.write(password, to: name)
            try program.setMode(0o600, of: name)
        }
        let export = [
            "key", "export", "a.key", "--out", "a.keystore", "--passphrase-file", "right",
        ]
        #expect(try await program.run(export).exitCode == 0)
        #expect(try program.mode(of: "a.keystore") == 0o600)
        #expect(!(try program.read("a.keystore")).contains("wallet"))
        let shown = try await program.run(
            ["key", "show", "a.keystore", "--json"], input: "correct horse")
        #expect(shown["address"]?.text == key.address)
        let wrong = try await program.run(
            ["key", "import", "b.key", "--keystore", "a.keystore", "--passphrase-file", "wrong"])
        #expect(wrong.exitCode == 1)
        #expect(wrong.errors.contains("password is wrong"))
        let right = try await program.run(
            ["key", "import", "b.key", "--keystore", "a.keystore", "--passphrase-file", "right"])
        #expect(right.exitCode == 0)
        #expect(try program.read("b.key") == program.read("a.key"))
    }

    @Test("a home is made with keys for its owner only, and never twice")
    func homes() async throws {
        let made = try await program.run(["init", "node0", "--json"])
        #expect(made.exitCode == 0, "\(made.errors)")
        #expect(made["peerID"]?.text?.hasPrefix("opknod1") == true)
        #expect(made["votingKey"]?.text?.hasPrefix("opkpub1") == true)
        for name in ["identity", "validator"] {
            #expect(try program.mode(of: "node0/keys/\(name).key") == 0o600)
        }
        #expect(try program.read("node0/config.yaml").contains("8645"))
        let before = try program.read("node0/keys/identity.key")
        let again = try await program.run(["init", "node0"])
        #expect(again.exitCode == 1)
        #expect(again.errors.contains("already set up"))
        #expect(try program.read("node0/keys/identity.key") == before)
        let wallet = try await program.run(
            [
                "pay", "--key", "node0/keys/validator.key", "--to", "x", "--amount", "1",
                "--offline",
                "--sequence", "0", "--chain-id", String(repeating: "0", count: 64),
            ])
        #expect(wallet.errors.contains("the key of a wallet is wanted"))
        let observer = try await program.run(["init", "node1", "--observer", "--json"])
        #expect(observer["votingKey"] == nil)
        let verifier = try await program.run(["init", "node2", "--role", "verifier", "--json"])
        #expect(verifier["votingKey"] != nil)
        #expect(try program.read("node2/config.yaml").contains("role: verifier"))
        let both = try await program.run(["init", "node3", "--observer", "--role", "verifier"])
        #expect(both.exitCode == 2)
    }

    @Test("a 2-of-3 account is signed off-line in any order, and every order gives one file")
    func offlineSigning() async throws {
        var signers: [String] = []
        for name in ["a", "b", "c"] {
            signers += ["--signer", try await program.makeKey(name).publicKey]
        }
        let policy = try await program.run(
            ["account", "policy", "new", "--spend", "2", "-o", "ours", "--json"] + signers)
        #expect(policy.exitCode == 0, "\(policy.errors)")
        let address = try #require(policy["address"]?.text)
        let pay = [
            "pay", "--policy", "ours", "--to", address, "--amount", "5", "--unsigned", "--offline",
            "--sequence", "0", "--chain-id", String(repeating: "ab", count: 32), "--out", "tx",
        ]
        #expect(try await program.run(pay).exitCode == 0)
        for name in ["a", "b", "c"] {
            let sign = ["tx", "sign", "tx", "--key", name, "-o", "tx-\(name)", "--json"]
            #expect(try await program.run(sign).exitCode == 0)
        }
        let orders = [
            ["tx-a", "tx-c", "tx-b"], ["tx-b", "tx-a", "tx-c"], ["tx-c", "tx-b", "tx-a"],
        ]
        for (place, order) in orders.enumerated() {
            #expect(
                try await program.run(["tx", "merge", "-o", "all\(place)"] + order).exitCode == 0)
        }
        #expect(try program.read("all0") == program.read("all1"))
        #expect(try program.read("all0") == program.read("all2"))
        let shown = try await program.run(["tx", "show", "all0"])
        #expect(shown.output.contains("3 of 2 for \(address)"))
        _ = try await program.makeKey("d")
        let stranger = try await program.run(["tx", "sign", "tx", "--key", "d"])
        #expect(stranger.exitCode == 1)
        #expect(stranger.errors.contains("may not sign"))
    }

    @Test("off-line escrows know times, quorums and their round")
    func offlineEscrow() async throws {
        let alice = try await program.makeKey("a")
        let bob = try await program.makeKey("b")
        let common = [
            "--key", "a", "--offline", "--sequence", "3", "--chain-id",
            String(repeating: "0", count: 64), "--json",
        ]
        let made = try await program.run(
            [
                "escrow", "create", "--to", bob.address, "--amount", "900", "--deadline",
                "2100-01-01", "--arbiter", bob.address, "--release",
                "\(alice.address):2,\(bob.address)@2", "--out", "e",
            ] + common)
        #expect(made.exitCode == 0, "\(made.errors)")
        guard case .array(let operations)? = made["transaction"]?["operations"] else {
            Issue.record("no operations in \(made.output)")
            return
        }
        let values = operations.first?["values"]
        #expect(values?["deadline"]?.text == "4102444800000")
        #expect(values?["release"]?.text?.hasSuffix("@2") == true)
        #expect(values?["refund"]?.text == "\(bob.address):1@1")
        #expect(values?["arbitrationDeadline"]?.text != nil)
        #expect(values?["onDeadline"]?.text == "refund")
        let id = EscrowID(WalletSamples.bytes32(1)).text(in: WalletSamples.prefix)
        let noRound = try await program.run(["escrow", "decide", id, "--release", "5"] + common)
        #expect(noRound.errorMessage?.contains("--round") == true)
        let past = try await program.run(
            ["escrow", "create", "--to", bob.address, "--amount", "9", "--deadline", "2001-09-10"]
                + common)
        #expect(past.errorMessage?.contains("has passed") == true)
        #expect(past.exitCode == 2)
    }
}
