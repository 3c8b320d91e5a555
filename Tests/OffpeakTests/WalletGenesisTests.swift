import Execution
import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("Genesis on the command line")
struct WalletGenesisTests {
    private let program: WalletProgram
    private let account = Address(WalletSamples.bytes32(4)).text(in: WalletSamples.prefix)

    init() throws { program = try WalletProgram() }

    @discardableResult
    private func new(_ arguments: [String]) async throws -> ProgramResult {
        try await program.run(
            ["genesis", "new", "--network", "tests", "--time", "2027-01-15", "--json"] + arguments)
    }

    private var keys: String {
        let voting = WalletSamples.key(1).publicKey.text(in: WalletSamples.prefix)
        let peer = PeerID(WalletSamples.key(2).publicKey).text(in: WalletSamples.prefix)
        return "\(voting),\(peer)"
    }

    @Test("homes and keys become validators, and the file checks")
    func newAndCheck() async throws {
        try await program.run(["init", "node0"])
        let made = try await new([
            "--validator", "node0", "--validator", "\(keys),3000000,\(account)", "--account",
            "\(account)=5000", "--parameter", "fees.baseFee=3", "--parameter",
            "consensus.idleMilliseconds=250", "--out", "genesis.json",
        ])
        #expect(made.exitCode == 0, "\(made.errors)")
        let checked = try await program.run(["genesis", "check", "genesis.json", "--json"])
        #expect(checked["chainID"] == made["chainID"])
        #expect(checked["supply"]?.text == "4005000")
        let genesis = try GenesisText.parse(
            Array(try program.read("genesis.json").utf8), file: "genesis.json")
        #expect(genesis.parameters.fees.baseFee == 3)
        #expect(genesis.parameters.consensus.idleMilliseconds == 250)
        #expect(genesis.validators[1].stake == 3_000_000)
        #expect(genesis.validators[1].rewardAddress.bytes32 == WalletSamples.bytes32(4))
        #expect(genesis.time == 1_799_971_200_000)
        let shown = try await program.run(["genesis", "show", "genesis.json"])
        #expect(shown.output.contains(account))
        let home = try await program.run(
            ["init", "node1", "--genesis", "genesis.json", "--json"])
        #expect(home["chainID"] == made["chainID"])
        #expect(try program.read("node1/genesis.json") == program.read("genesis.json"))
    }

    @Test("a smaller stake is fine where the parameters say so")
    func smallStake() async throws {
        let small = ["--validator", "\(keys),70", "--account", "\(account)=1"]
        let refused = try await new(small)
        #expect(refused.errorMessage?.contains("validators[0].stake: 70 is below") == true)
        let made = try await new(
            small + ["--parameter", "stake.minimum=70", "--parameter", "stake.unit=7"])
        #expect(made.exitCode == 0, "\(made.errors)")
    }

    @Test("off-line payments take network and fees from the genesis file")
    func offlineFromGenesis() async throws {
        try await new([
            "--validator", keys, "--account", "\(account)=5000", "--parameter", "fees.baseFee=1000",
            "--out", "genesis.json",
        ])
        _ = try await program.makeKey("a")
        let paid = try await program.run([
            "pay", "--key", "a", "--to", account, "--amount", "5", "--offline", "--sequence", "0",
            "--genesis", "genesis.json", "--out", "tx",
        ])
        #expect(paid.exitCode == 0, "\(paid.errors)")
        let file = try TransactionFile(bytes: Array(try program.read("tx").utf8), file: "tx")
        let genesis = try GenesisText.parse(
            Array(try program.read("genesis.json").utf8), file: "genesis.json")
        #expect(file.transaction.chainID == genesis.chainID)
        #expect(file.transaction.maxFee > 1_000_000)
    }

    @Test("faults are told with what would be right")
    func faults() async throws {
        let sound = ["--validator", keys, "--account", "\(account)=1"]
        let faults: [([String], Int32, String)] = [
            (sound + ["--account", "\(account)=2"], 1, "is already accounts[0]"),
            (sound + ["--parameter", "consensus.idle=5"], 2, "known are deltaBaseMilliseconds"),
            (sound + ["--parameter", "consensus=5"], 2, "name one of its parts"),
            (sound + ["--parameter", "fees"], 2, "name=value"),
            (
                sound + ["--parameter", "consensus.idleMilliseconds=-5"], 1,
                "\"-5\" where a whole number"
            ),
            (
                ["--validator", keys, "--account", "\(account)=18446744073709551615"], 1,
                "a supply above"
            ),
            (["--validator", keys, "--account", "\(account)=-1"], 2, "can't be negative"),
            (["--validator", keys, "--account", account], 2, "address=balance"),
            (["--validator", "\(keys),1,\(account),x"], 2, "too many parts"),
            (sound + ["--prefix", "Opk"], 2, "small letters"),
        ]
        for (arguments, exitCode, wanted) in faults {
            let result = try await new(arguments)
            #expect(result.exitCode == exitCode, "\(result)")
            #expect(result.errorMessage?.contains(wanted) == true, "\(result.errors)")
        }
    }

    @Test("a misspelt key is told with its line and the right one")
    func misspeltKey() async throws {
        try await new([
            "--validator", keys, "--account", "\(account)=1", "--out", "genesis.json",
        ])
        let text = try program.read("genesis.json")
        let line = text.split(separator: "\n", omittingEmptySubsequences: false)
            .firstIndex { $0.contains("idleMilliseconds") }
        try program.write(
            text.split(separator: "idleMilliseconds").joined(separator: "idleMiliseconds"),
            to: "wrong.json")
        let result = try await program.run(["genesis", "check", "wrong.json"])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("wrong.json:\((line ?? -2) + 1)"))
        #expect(result.errors.contains("did you mean \"idleMilliseconds\"?"))
    }
}
