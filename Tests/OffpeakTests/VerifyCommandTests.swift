import Consensus
import Execution
import LightClient
import Primitives
import ProofSupport
import RPC
import TestSupport
import Testing

@testable import offpeak

@Suite("Proofs from a node, checked against a genesis")
struct VerifyCommandTests {
    private let program: WalletProgram
    private let node = WalletNode()
    private let fixture: ProofFixture
    private let views: LedgerViews
    private let account: SubjectText
    private let answer: ProofInfo

    init() async throws {
        program = try WalletProgram()
        fixture = try ProofFixture()
        views = LedgerViews(prefix: WalletSamples.prefix)
        account = try SubjectText(
            fixture.payee.text(in: WalletSamples.prefix), in: WalletSamples.prefix)
        let proof = try fixture.reader.proof(of: StateKey(.account, fixture.payee))
        answer = views.proof(fixture.anchored(.value(proof)))
        node.add(answer, of: .account(fixture.payee))
        try await write(GenesisText.text(of: fixture.genesis), to: "genesis.json")
    }

    /// Writes a file into the program's folder.
    private func write(_ text: String, to name: String) async throws {
        try TextFile.write(text, to: "\(program.folder)/\(name)")
    }

    private func query(_ arguments: [String]) async throws -> ProgramResult {
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

    @Test("what a node proves is shown as the proof has it, and only that")
    func roundTrip() async throws {
        let asked = try await query(["query", "proof", account.text])
        #expect(asked.exitCode == 0, "\(asked.errors)")
        try await write(asked.output, to: "answer.json")
        let arguments = ["verify", "answer.json", account.text, "--genesis", "genesis.json"]
        let verified = try await program.run(arguments + ["--json"])
        #expect(verified.exitCode == 0, "\(verified.errors)")
        #expect(verified["kind"]?.text == "account" && verified["isPresent"] == .bool(true))
        #expect(verified["height"] == .number("3") && verified["blockHeight"] == .number("5"))
        #expect(verified["account"]?["address"]?.text == account.text)
        let people = try await program.run(arguments)
        #expect(people.output.hasPrefix("holds\n"), "\(people.output)")
        #expect(people.output.contains("balance"))
        // The same with JSON-RPC's wrapping, from stdin.
        let wrapped = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\(asked.output)}"
        let piped = try await program.run(
            ["verify", "-", account.text, "--genesis", "genesis.json"], input: wrapped)
        #expect(piped.exitCode == 0, "\(piped.errors)")
    }

    @Test("receipts, absent escrows, validators and parameters are proven too")
    func kinds() async throws {
        let id = fixture.transactions[0].id
        let receipt = try #require(try fixture.reader.receiptProof(of: id))
        let cases: [(String, AnchoredProof.Claim, String)] = [
            (id.text(in: WalletSamples.prefix), .receipt(receipt), "executed in"),
            (
                EscrowID.zero.text(in: WalletSamples.prefix),
                .value(try fixture.reader.proof(of: StateKey(.escrow, EscrowID.zero))),
                "holds: no such escrow"
            ),
            (
                "validator:1", .value(try fixture.reader.proof(of: .validator(ValidatorIndex(1)))),
                "voting key"
            ),
            ("parameters", .value(try fixture.reader.proof(of: .parameters)), "base fee"),
            (
                ProofFixture.validator(2).publicKey.text(in: WalletSamples.prefix),
                .value(
                    try fixture.reader.proof(
                        of: StateKey(.verifier, ProofFixture.validator(2).publicKey))), "bonded"
            ),
        ]
        for (place, (subject, claim, words)) in cases.enumerated() {
            let file = "answer\(place).json"
            try await write(
                OutputFormat.json(views.proof(fixture.anchored(claim))), to: file)
            let result = try await program.run([
                "verify", file, subject, "--genesis", "genesis.json",
            ])
            #expect(result.exitCode == 0 && result.output.contains(words), "\(result)")
        }
    }

    @Test("no answer with one byte changed passes, whether in the proof or beside it")
    func mutations() throws {
        let bytes = Array(OutputFormat.json(answer).utf8)
        func check(_ bytes: [UInt8]) throws {
            _ = try VerifyCommand.check(
                try ProofFile.parse(bytes, name: "answer"), account,
                try ProofTrust(genesis: fixture.genesis), views,
                file: "answer")
        }
        try check(bytes)
        let blanks = Array(" \n\t\r".utf8)
        var generator = SeededGenerator(seed: 11)
        for place in bytes.indices {
            for change in [1, UInt8(generator.next() % 255 + 1)] {
                var changed = bytes
                changed[place] ^= change
                // One blank for another is the same JSON.
                if blanks.contains(changed[place]), blanks.contains(bytes[place]) { continue }
                #expect(throws: CommandFault.self, "byte \(place) ^ \(change), seed 11") {
                    try check(changed)
                }
            }
        }
    }

    @Test("a trusted block takes the place of the genesis, and an old answer can be refused")
    func trust() async throws {
        try await write(OutputFormat.json(answer), to: "answer.json")
        func verify(_ options: [String]) async throws -> ProgramResult {
            try await program.run(["verify", "answer.json", account.text] + options)
        }
        let digest = fixture.header().digest
        let zero = Digest.zero
        let genesis = ["--genesis", "genesis.json"]
        for options in [
            ["--trusted", "5:\(digest)"], ["--trusted", "5:\(views.block(digest))"],
            ["--trusted", "5:\(digest)"] + genesis,
            genesis + ["--max-age", "4000w"],
        ] {
            let held = try await verify(options)
            #expect(held.exitCode == 0, "\(options): \(held.errors)")
        }
        for (options, code, words) in [
            (["--trusted", "5:\(zero)"], Int32(1), "trusted"),
            (["--trusted", "4:\(digest)"], 1, "trusted"),
            (["--trusted", "5:\(zero)"] + genesis, 1, "trusted"),
            (["--trusted", "6:\(digest)"] + genesis, 1, "trusted"),
            // An earlier block, be it of this chain or not: nothing shows it.
            (
                ["--trusted", "4:\(zero)"] + genesis, 1,
                "query block \(fixture.genesis.epochs.last(of: 0))"
            ),
            (genesis + ["--max-age", "1d"], 1, "--max-age"),
            (["--trusted", "0:\(digest)"], 2, "above 0"), (["--trusted", "5"], 2, "colon"),
            (["--trusted", "5:xyz"], 2, "--trusted"), ([], 2, "whom to trust"),
        ] {
            let refused = try await verify(options)
            #expect(refused.exitCode == code, "\(options): \(refused)")
            #expect(refused.errors.contains(words), "\(options): \(refused.errors)")
        }
    }

    @Test("a proof of a later epoch holds with the steps there, which a node has")
    func epochs() async throws {
        let epochs = try EpochFixture()
        let claim = AnchoredProof.Claim.value(
            try fixture.reader.proof(of: StateKey(.account, fixture.payee)))
        let later = views.proof(epochs.anchored(claim, in: 3))
        try await write(OutputFormat.json(later), to: "later.json")
        let steps = epochs.steps.map {
            EpochProof(epoch: $0.epoch, proof: Base64.encode($0.bcsBytes))
        }
        node.add(steps)
        for (options, words) in [
            (["--out", "all.json"], "4 steps, up to epoch 4"),
            (["--limit", "1", "--out", "first.json"], "1 step, up to epoch 1"),
            (["--from", "1", "--out", "rest.json"], "3 steps, up to epoch 4"),
            (["--from", "4", "--out", "none.json"], "no steps yet"),
        ] {
            let asked = try await query(["query", "epochs"] + options)
            #expect(asked.exitCode == 0 && asked.output.contains(words), "\(asked)")
        }
        let printed = try await query(["query", "epochs"])
        #expect(printed.output == (try program.read("all.json")))
        let again = try await query(["query", "epochs", "--out", "all.json"])
        #expect(again.exitCode == 1 && again.errors.contains("exists"), "\(again)")
        try await write("{\"id\":1,\"result\":\(printed.output)}", to: "rpc.json")
        let misplaced = EpochProofs(
            steps: steps.map { EpochProof(epoch: 0, proof: $0.proof) }, epoch: 4)
        try await write(OutputFormat.json(misplaced), to: "misplaced.json")
        let byGenesis = ["--genesis", "genesis.json"]
        func verify(
            _ files: [String], trusting trust: [String] = byGenesis
        ) async throws -> ProgramResult {
            try await program.run(
                ["verify", "later.json", account.text] + trust
                    + files.flatMap { ["--epochs", $0] })
        }
        for files in [["all.json"], ["first.json", "rest.json"], ["rpc.json"]] {
            let held = try await verify(files)
            #expect(held.exitCode == 0 && held.output.hasPrefix("holds\n"), "\(held)")
        }
        for (files, words) in [
            ([], "offpeak query epochs"), (["first.json"], "up to epoch 1"),
            (["rest.json"], "out of epoch 0"), (["first.json", "all.json"], "out of epoch 1"),
            (["misplaced.json"], "beside it"), (["later.json"], "unknown member"),
            (["absent.json"], "absent.json"),
        ] {
            let refused = try await verify(files)
            #expect(refused.exitCode == 1 && refused.errors.contains(words), "\(refused)")
        }
        let block = ["--trusted", "5:\(Digest.zero)"]
        #expect(try await verify(["all.json"], trusting: block).exitCode == 2)
        // Through the last block of an epoch, or from there on.
        func trusting(_ block: Block) -> [String] {
            byGenesis + ["--trusted", "\(block.height):\(block.digest)"]
        }
        for (block, files) in [
            (0, ["all.json"]), (1, ["all.json"]), (0, ["all.json"]), (1, ["rest.json"]),
        ] {
            let held = try await verify(files, trusting: trusting(epochs.boundaries[block]))
            #expect(held.exitCode == 0, "\(block) \(files): \(held)")
        }
        let forged = EpochFixture.boundary(fixture.genesis, epoch: 0, naming: epochs.records[2])
        for (block, files, words) in [
            (forged, ["all.json"], "forged chain"),
            (epochs.boundaries[0], ["rest.json"], "out of epoch 1"),
            (epochs.boundaries[3], ["all.json"], "doesn't come after it"),
        ] {
            let refused = try await verify(files, trusting: trusting(block))
            #expect(refused.exitCode == 1 && refused.errors.contains(words), "\(refused)")
        }
        let printedLast = try await query([
            "query", "epochs", "--limit", "2", "--out", "two.json",
        ])
        let last = epochs.boundaries[1]
        #expect(printedLast.output.contains("\(last.height):\(last.digest)"), "\(printedLast)")
    }

    @Test("what was kept of the history is what a later answer begins with, or it was rewritten")
    func earlierAnswers() async throws {
        func answer(_ fixture: ProofFixture, _ from: Height, _ to: Height) throws -> ProofInfo {
            let proof = try #require(try fixture.reader.consistencyProof(from: from, to: to))
            return views.proof(fixture.anchored(.consistency(proof)))
        }
        let kept = try ProofFixture(blocks: 2)
        try await write(OutputFormat.json(try answer(kept, 2, 2)), to: "kept.json")
        let now = try answer(fixture, 2, 3)
        node.add(now, of: .consistency(from: 2, to: nil))
        let asked = try await query(["query", "consistency", "--from", "2"])
        #expect(asked.exitCode == 0, "\(asked.errors)")
        try await write(asked.output, to: "now.json")
        func verify(_ arguments: String...) async throws -> ProgramResult {
            try await program.run(["verify"] + arguments + ["--genesis", "genesis.json"])
        }
        for subject in ["history", "history:2-3"] {
            let result = try await verify("now.json", subject, "--earlier", "kept.json")
            #expect(result.exitCode == 0 && result.output.contains("height 2"), "\(result)")
        }
        #expect(try await verify("now.json", "history:1-3").exitCode == 1)
        for subject in ["history:", "history:0-1", "history:3-2", "history:1", "history:1-2-3"] {
            #expect(try await verify("now.json", subject).exitCode == 2, "\(subject)")
        }
        try await write(OutputFormat.json(try answer(fixture, 1, 3)), to: "gap.json")
        let gap = try await verify("gap.json", "history", "--earlier", "kept.json")
        #expect(gap.exitCode == 1 && gap.errors.contains("--from 2"), "\(gap)")
        // The same validators sign another past.
        var other = try ProofFixture(blocks: 0)
        try other.skip()
        for _ in 0..<2 { try other.pay() }
        try await write(OutputFormat.json(try answer(other, 2, 3)), to: "other.json")
        #expect(try await verify("other.json", "history").exitCode == 0)
        let forged = try await verify("other.json", "history", "--earlier", "kept.json")
        #expect(forged.exitCode == 1 && forged.errors.contains("rewritten"), "\(forged)")
        let wrong = try await verify("now.json", "history", "--earlier", "other.json")
        #expect(wrong.exitCode == 1, "\(wrong)")
        try await write(OutputFormat.json(self.answer), to: "account.json")
        let use = try await verify("account.json", account.text, "--earlier", "kept.json")
        #expect(use.exitCode == 2, "\(use)")
    }

    @Test("faults say what is wrong")
    func faults() async throws {
        try await write(OutputFormat.json(answer), to: "answer.json")
        try await write("{\"error\":{\"code\":-32003,\"message\":\"later\"}}", to: "error.json")
        let other = Address.zero.text(in: WalletSamples.prefix)
        let strange = try ProofFixture(network: "strange")
        try await write(GenesisText.text(of: strange.genesis), to: "strange.json")
        let cases = [
            (["answer.json", other], 1, "something else than what was asked"),
            (["error.json", other], 1, "an error, not a proof"),
            (["none.json", other], 1, "none.json"),
            (["genesis.json", other], 1, "unknown member"),
            (["answer.json", "validator:512"], 2, "from 0 to 511"),
            (["answer.json", "nonsense"], 2, "opk"),
            (["answer.json", account.text, "--genesis", "strange.json"], 1, "is of chain"),
        ]
        for (arguments, code, words) in cases {
            let genesis = arguments.contains("--genesis") ? [] : ["--genesis", "genesis.json"]
            let result = try await program.run(["verify"] + arguments + genesis)
            #expect(result.exitCode == code, "\(arguments): \(result)")
            #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
        }
        let unasked = try await query(["query", "proof", "nonsense"])
        #expect(unasked.exitCode == 2)
        let early = try await query(["query", "proof", "parameters"])
        #expect(early.exitCode == 1 && early.errors.contains("names a state"), "\(early)")
    }
}
