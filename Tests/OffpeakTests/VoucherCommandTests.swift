import Execution
import LightClient
import Primitives
import ProofSupport
import RPC
import TestSupport
import Testing

@testable import offpeak

@Suite("Vouchers: made and checked without a node, submitted with one")
struct VoucherCommandTests {
    private let program: WalletProgram
    private let node = WalletNode()
    private let fixture: ProofFixture
    /// The fixture's blocks are of 1970.
    private static let anyAge = ["--max-age", "4000w"]

    init() async throws {
        program = try WalletProgram()
        var fixture = try ProofFixture()
        try fixture.pay(on: 9)
        self.fixture = fixture
        try program.write(GenesisText.text(of: fixture.genesis), to: "genesis.json")
        try program.write(VoucherCommandTests.keyFile, to: "payer.key")
        try program.setMode(0o600, of: "payer.key")
        try program.write(try reserve().text, to: "trip.reserve")
    }

    /// The file of the fixture's payer.
    private static var keyFile: String {
        var generator = SeededGenerator(seed: ProofFixture.seed &+ 50 &* 0x1_0000)
        var seed: [UInt8] = []
        for _ in 0..<4 { seed += withUnsafeBytes(of: generator.next()) { Array($0) } }
        let line = "offpeak-key-1 wallet seed \(Hex.encode(seed))"
        let checksum = Digest.hash(.keyFile, Array(line.utf8)).bytes.prefix(8)
        return "\(line) \(Hex.encode(checksum))\n"
    }

    private var payer: Address { Policy.single(fixture.payer.publicKey).address }
    private var payee: String { fixture.payee.text(in: WalletSamples.prefix) }

    private func reserve(_ other: ProofFixture? = nil) throws -> ReserveFile {
        let fixture = other ?? fixture
        let proof = try fixture.reader.proof(of: StateKey(.account, payer))
        return ReserveFile(
            try NetworkContext(fixture.genesis, now: 0),
            account: payer.text(in: WalletSamples.prefix), stream: 7, nextSequence: 0,
            amount: 10_000, maxFee: 2000, holdingDeposit: 1,
            proof: LedgerViews(prefix: WalletSamples.prefix)
                .proof(fixture.anchored(.value(proof))))
    }

    private func pay(
        _ amount: Int, _ out: String, _ more: [String] = []
    ) async throws -> ProgramResult {
        try await program.run(
            [
                "pay", "--offline", "--reserve", "trip.reserve", "--key", "payer.key", "--to",
                payee, "--amount", "\(amount)", "--out", out, "--json",
            ] + more)
    }

    private func check(_ voucher: String, _ more: [String] = anyAge) async throws -> ProgramResult {
        try await program.run(["voucher", "check", voucher, "--genesis", "genesis.json"] + more)
    }

    private func ask(_ arguments: [String]) async throws -> ProgramResult {
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

    @Test("what a payer makes, a merchant takes, and is told what he can't know")
    func lifecycle() async throws {
        let made = try await pay(250, "a.voucher", ["--stream", "7", "--svg", "a.svg"])
        #expect(made.exitCode == 0, "\(made.errors)")
        #expect(made["codeHasProof"] == .bool(true))
        #expect(try program.read("a.svg").hasPrefix("<svg "))
        let text = try program.read("a.voucher")
        #expect(made["text"]?.text.map { $0 + "\n" } == text)
        let agreed = ["--to", payee, "--amount", "250"]
        let people = try await check("a.voucher", Self.anyAge + agreed)
        #expect(people.exitCode == 0, "\(people.errors)")
        #expect(people.output.hasPrefix("good, as far as can be known here\n"))
        #expect(people.output.contains("whom else the payer gave"), "\(people.output)")
        for form in [String(text.dropLast()), text.dropLast().uppercased()] {
            let typed = try await check(form, Self.anyAge + agreed + ["--json"])
            #expect(typed.exitCode == 0, "\(typed.errors)")
            #expect(typed["payments"] != nil && typed["checked"]?["nextSequence"] == .number("0"))
        }
        let shown = try await program.run(["voucher", "show", "a.voucher", "--qr"])
        #expect(shown.exitCode == 0 && shown.output.contains("█"))
        let cases = [
            (["--to", payee], "s old"), (Self.anyAge + ["--to", payee, "--amount", "251"], "251"),
            (
                Self.anyAge + ["--to", payer.text(in: WalletSamples.prefix), "--amount", "1"],
                "it pays nothing to the receiver"
            ),
        ]
        for (options, words) in cases {
            let refused = try await check("a.voucher", options)
            #expect(refused.exitCode == 1 && refused.errors.contains(words), "\(refused)")
        }
        // The payer may hand over the file that the proof came in.
        let taken = try await check("a.voucher", Self.anyAge + ["--reserve", "trip.reserve"])
        #expect(taken.exitCode == 0, "\(taken.errors)")
        let strange = try ProofFixture(network: "strange")
        try program.write(GenesisText.text(of: strange.genesis), to: "strange.json")
        let foreign = try await program.run(
            ["voucher", "check", "a.voucher", "--genesis", "strange.json"] + Self.anyAge)
        #expect(foreign.exitCode == 1 && foreign.errors.contains("wrongChain"), "\(foreign)")
    }

    @Test("a reserve of a later epoch is taken with the steps there")
    func epochs() async throws {
        let epochs = try EpochFixture()
        let proof = try epochs.proofs.reader.proof(of: StateKey(.account, payer))
        let later = LedgerViews(prefix: WalletSamples.prefix)
            .proof(epochs.anchored(.value(proof), in: 2))
        let steps = EpochProofs(
            steps: epochs.steps.map {
                EpochProof(epoch: $0.epoch, proof: Base64.encode($0.bcsBytes))
            }, epoch: 4)
        try program.write(OutputFormat.json(later), to: "later.json")
        try program.write(OutputFormat.json(steps), to: "epochs.json")
        #expect(try await pay(250, "a.voucher").exitCode == 0)
        let options = Self.anyAge + ["--reserve", "later.json"]
        let unknown = try await check("a.voucher", options)
        #expect(unknown.exitCode == 1, "\(unknown)")
        #expect(unknown.errors.contains("offpeak query epochs"), "\(unknown)")
        let known = try await check("a.voucher", options + ["--epochs", "epochs.json"])
        #expect(known.exitCode == 0, "\(known)")
    }

    @Test("a reserve moves on with each voucher, and ends")
    func reserves() async throws {
        #expect(try await pay(250, "a.voucher").exitCode == 0)
        #expect(try await pay(300, "b.voucher").exitCode == 0)
        let kept = try ReserveFile.read("\(program.folder)/trip.reserve")
        #expect(kept.nextSequence == 2 && kept.amount == 5450)
        #expect(try program.read("b.voucher") == kept.last + "\n")
        let early = try await check("b.voucher")
        #expect(early.exitCode == 1 && early.errors.contains("not at hand"), "\(early)")
        let blind = try await check("b.voucher", Self.anyAge + ["--before", "1"])
        #expect(blind.exitCode == 1 && blind.output.hasPrefix("not known"), "\(blind)")
        let shown = try await check("b.voucher", Self.anyAge + ["--with", "a.voucher", "--json"])
        #expect(shown.exitCode == 0 && shown["checked"]?["missing"] == .number("0"), "\(shown)")
        guard case .array(let covers)? = shown["checked"]?["covers"] else {
            Issue.record("no covers: \(shown.output)")
            return
        }
        #expect(covers.first?["neededBefore"]?.text == "2250")
        // What is refused takes no sequence.
        let refusals: [(Int, String, [String], String)] = [
            (4000, "c.voucher", [], "of the reserve is left"),
            (1, "a.voucher", [], "exists"), (1, "c.voucher", ["--stream", "8"], "stream 7"),
            (1, "c.voucher", ["--sequence", "1"], "handed out"),
            (1, "c.voucher", ["--unsigned"], "--unsigned"),
        ]
        for (amount, out, more, words) in refusals {
            let refused = try await pay(amount, out, more)
            #expect(refused.exitCode != 0 && refused.errors.contains(words), "\(refused)")
        }
        let after = try ReserveFile.read("\(program.folder)/trip.reserve")
        #expect(after == kept)
    }

    @Test("what the payer's limit has no room for uses up no sequence")
    func limits() async throws {
        var limited = fixture
        let policy = try Policy(
            signers: [fixture.payer, WalletSamples.key(9)].map {
                .init(publicKey: $0.publicKey, weight: 1)
            }, spend: 1, admin: 2)
        let limit = SpendingLimit(asset: .native, amount: 300, windowMilliseconds: 3_600_000)
        guard
            case .executed(let receipt)? = try limited.run([
                .setPolicy(policy), .setSafeguards(SafeguardTerms(limits: [limit])),
            ]), receipt.outcome == .success
        else {
            Issue.record("not executed")
            return
        }
        try program.write(try reserve(limited).text, to: "trip.reserve")
        let refused = try await pay(301, "a.voucher")
        #expect(refused.exitCode == 1, "\(refused)")
        #expect(refused.errorMessage?.contains("limit leaves 300") == true, "\(refused)")
        let paid = try await pay(300, "a.voucher")
        #expect(paid.exitCode == 0 && paid["voucher"]?["sequence"] == .number("0"), "\(paid)")
    }

    @Test("a voucher that nobody would take uses up no sequence")
    func strangers() async throws {
        _ = try await program.makeKey("other.key")
        let before = try program.read("trip.reserve")
        for keys in [["other.key"], ["payer.key", "other.key"]] {
            let refused = try await program.run(
                ["pay", "--offline", "--reserve", "trip.reserve", "--to", payee, "--amount", "5"]
                    + keys.flatMap { ["--key", $0] })
            #expect(refused.exitCode == 1, "\(refused)")
            let words = keys.count == 1 ? "the signatures weigh 0 of the 1" : "may not sign for"
            #expect(refused.errors.contains(words), "\(refused.errors)")
            #expect(try program.read("trip.reserve") == before)
        }
    }

    @Test("two payments from one reserve at once don't get one sequence")
    func oneAtATime() async throws {
        let lock = try FileLock(for: "\(program.folder)/trip.reserve", refusal: "taken")
        let second = try await pay(250, "a.voucher")
        #expect(second.exitCode == 1 && second.errors.contains("under way"), "\(second)")
        lock.release()
        let results = try await withThrowingTaskGroup(of: ProgramResult.self) { group in
            for place in 0..<4 {
                group.addTask { try await pay(100 + place, "\(place).voucher") }
            }
            return try await group.reduce(into: [ProgramResult]()) { $0.append($1) }
        }
        let sequences = results.filter { $0.exitCode == 0 }.compactMap {
            $0["voucher"]?["sequence"]
        }
        #expect(Set(sequences.map { "\($0)" }).count == sequences.count, "\(sequences)")
        let kept = try ReserveFile.read("\(program.folder)/trip.reserve")
        #expect(kept.nextSequence == UInt64(sequences.count) && !sequences.isEmpty)
    }

    @Test("an asset can be demanded, and is named as people know it")
    func assets() async throws {
        let asset = AssetID(WalletSamples.bytes32(3)).text(in: WalletSamples.prefix)
        #expect(try await pay(250, "a.voucher").exitCode == 0)
        let wrong = try await check(
            "a.voucher", Self.anyAge + ["--to", payee, "--asset", asset, "--amount", "5"])
        #expect(wrong.exitCode == 1, "\(wrong)")
        let words = "it pays nothing of asset \(asset) to the receiver"
        #expect(wrong.errors.contains(words), "\(wrong.errors)")
        let before = try program.read("trip.reserve")
        let poor = try await pay(5, "b.voucher", ["--asset", asset])
        #expect(poor.exitCode == 1, "\(poor)")
        #expect(
            poor.errorMessage?.contains("5 of asset \(asset), 0 of what was held is left") == true,
            "\(poor)")
        #expect(try program.read("trip.reserve") == before)
        let nobody = try await check("a.voucher", Self.anyAge + ["--asset", asset])
        #expect(nobody.exitCode == 2, "\(nobody)")
    }

    @Test("a voucher that isn't taken yet is told why")
    func refusals() async throws {
        #expect(try await pay(250, "a.voucher").exitCode == 0)
        func refuse(_ reason: String, _ text: String, mayRetry: Bool = true) {
            node.refuse(
                RPCFault(
                    .refused, text,
                    data: [
                        JSONMember("reason", .string(reason)),
                        JSONMember("mayRetry", .bool(mayRetry)),
                    ]))
        }
        for reason in ["overspent", "limitReached", "insufficientForFee", "feeTooLow"] {
            refuse(reason, "with all that waits", mayRetry: reason == "overspent")
            let poor = try await ask(["voucher", "submit", "a.voucher", "--json"])
            #expect(poor.exitCode == 1, "\(poor)")
            let message = poor.errorMessage ?? ""
            let why = reason == "feeTooLow" ? "a higher fee" : "the payer can't pay it now"
            #expect(message.contains(why) && message.contains("It isn't lost"), "\(poor)")
        }
        refuse("sequenceAhead", "an earlier sequence is missing")
        let early = try await ask(["voucher", "submit", "a.voucher", "--timeout", "1ms", "--json"])
        #expect(early.errorMessage == "an earlier sequence is missing", "\(early)")
        node.refuse(.overloaded(retryAfterMilliseconds: 1))
        let busy = try await ask(["voucher", "submit", "a.voucher", "--timeout", "1ms", "--json"])
        #expect(busy.errorMessage?.contains("too busy") == true, "\(busy)")
        node.refuse(.overloaded(retryAfterMilliseconds: 1), times: 0)
        node.answer { receipt in
            TransactionStatus(id: receipt.transaction, state: .skipped, reason: "limitReached")
        }
        let limited = try await ask(["voucher", "submit", "a.voucher", "--json"])
        #expect(limited.exitCode == 1, "\(limited)")
        #expect(limited.errorMessage?.contains("It isn't lost") == true, "\(limited)")
    }

    @Test("text that isn't a whole voucher is refused, and never taken for a file")
    func damaged() async throws {
        #expect(try await pay(250, "a.voucher").exitCode == 0)
        let text = String(try program.read("a.voucher").dropLast())
        let cases = [
            String(text.dropLast()), text + "q", "opk" + text, "opkvou1", "opkvou1qqqqqqqq",
            "xyz" + text.dropFirst(3),
        ]
        for damaged in cases {
            let refused = try await check(damaged)
            #expect(refused.exitCode != 0, "\(damaged.prefix(20))")
            #expect(!refused.errors.contains("No such file"), "\(refused.errors)")
        }
        #expect(try await check("none.voucher").errors.contains("No such file"))
    }

    @Test("a voucher that is first is paid; the other one gets the proof of it")
    func race() async throws {
        #expect(try await pay(250, "a.voucher").exitCode == 0)
        let paid = try await ask(["voucher", "submit", "a.voucher", "--json"])
        #expect(paid.exitCode == 0 && paid["state"]?.text == "final", "\(paid.errors)")
        // Another payment with the stream and sequence of this one was executed before.
        let winner = try #require(fixture.transactions.last)
        node.add(use: winner)
        let receipt = try #require(try fixture.reader.receiptProof(of: winner.id))
        node.add(
            LedgerViews(prefix: WalletSamples.prefix).proof(fixture.anchored(.receipt(receipt))),
            of: .transaction(winner.id))
        node.answer { receipt in
            TransactionStatus(id: receipt.transaction, state: .skipped, reason: "sequenceUsed")
        }
        let late = SignedTransaction(
            signing: Transaction(
                chainID: fixture.genesis.chainID, sender: payer, stream: 9, sequence: 0,
                validUntil: Timestamp(.max), maxFee: 1,
                operations: [.transfer(Transfer(to: fixture.payee, amount: 1))]),
            by: [fixture.payer])
        let voucher = Voucher(late, reserve: nil).text(in: WalletSamples.prefix)
        for command in ["submit", "status"] {
            let lost = try await ask(
                ["voucher", command, voucher, "--proof", "\(command).json", "--json"])
            #expect(lost.exitCode == 1, "\(lost)")
            let id = winner.id.text(in: WalletSamples.prefix)
            #expect(lost.errorMessage?.contains("\(id) used stream 9, sequence 0") == true)
            let verified = try await program.run([
                "verify", "\(command).json", id, "--genesis", "genesis.json", "--json",
            ])
            #expect(verified.exitCode == 0, "\(verified.errors)")
            #expect(verified["executed"]?["sequence"] == .number("0"))
            #expect(verified["executed"]?["stream"] == .number("9"))
        }
        // Another transaction beside the proof is noticed.
        let text = try program.read("submit.json")
        try program.write(
            text.replacing(
                Base64.encode(winner.bcsBytes), with: Base64.encode(late.bcsBytes)),
            to: "submit.json")
        let swapped = try await program.run([
            "verify", "submit.json", winner.id.text(in: WalletSamples.prefix), "--genesis",
            "genesis.json",
        ])
        #expect(swapped.exitCode == 1 && swapped.errors.contains("isn't the one"), "\(swapped)")
    }

    @Test("a reserve is taken along from a node, if the account covers it")
    func takeAlong() async throws {
        let alice = try await program.makeKey("alice.key")
        let address = try Address(text: alice.address, in: WalletSamples.prefix)
        node.add(address)
        node.add(try reserve().proof, of: .account(address))
        let arguments = ["voucher", "reserve", "--key", "alice.key", "--stream", "3", "--json"]
        let taken = try await ask(arguments + ["--amount", "900000", "--out", "r"])
        #expect(taken.exitCode == 0, "\(taken.errors)")
        #expect(taken["nextSequence"] == .number("0") && taken["amount"]?.text == "900000")
        let tooMuch = try await ask(arguments + ["--amount", "900001", "--out", "s"])
        #expect(tooMuch.exitCode == 1 && tooMuch.errors.contains("new stream"), "\(tooMuch)")
        let zero = try await program.run([
            "voucher", "reserve", "--key", "alice.key", "--stream", "0", "--amount", "1", "--out",
            "r",
        ])
        #expect(zero.exitCode == 2)
    }

    @Test("an idle stream is closed by name")
    func close() async throws {
        let alice = try await program.makeKey("alice.key")
        node.add(try Address(text: alice.address, in: WalletSamples.prefix))
        let closed = try await ask(
            ["account", "stream", "close", "7", "--key", "alice.key", "--json"])
        #expect(closed.exitCode == 0, "\(closed.errors)")
        #expect(node.submitted.last?.transaction.operations == [.closeStream(7)])
        for arguments in [["0"], ["7", "--stream", "7"]] {
            let refused = try await program.run(
                ["account", "stream", "close", "--key", "alice.key"] + arguments)
            #expect(refused.exitCode == 2, "\(arguments)")
        }
    }
}
