import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("Commands that talk to a node")
struct WalletNodeTests {
    private let program: WalletProgram
    private let node = WalletNode()

    init() throws { program = try WalletProgram() }

    private func address(_ text: String) throws -> Address {
        try Address(text: text, in: WalletSamples.prefix)
    }

    /// Runs a command with `--json` against the node.
    private func run(_ arguments: [String]) async throws -> ProgramResult {
        let (program, node) = (program, node)
        let results = AsyncStream.makeStream(of: ProgramResult.self)
        try await node.serve { address in
            results.continuation.yield(
                try await program.run(
                    arguments + ["--json"], environment: ["OFFPEAK_NODE": address]))
        }
        results.continuation.finish()
        var iterator = results.stream.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    @Test("a payment finds sequence and network, reveals its policy, and shows the receipt")
    func pay() async throws {
        let key = try await program.makeKey("a")
        let sender = try address(key.address)
        node.add(sender, nextSequence: 4)
        let result = try await run(
            [
                "pay", "--key", "a", "--to", key.address, "--amount", "1500", "--memo", "rent",
                "--tip", "7",
            ])
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result["state"]?.text == "final")
        #expect(result["receipt"]?["fee"]?.text == "640")
        #expect(result["latencyMilliseconds"] != nil)
        let sent = try #require(node.submitted.first)
        #expect(result["transaction"]?.text == sent.id.text(in: WalletSamples.prefix))
        #expect(sent.transaction.chainID == WalletSamples.chainID)
        #expect(sent.transaction.sequence == 4)
        #expect(sent.transaction.memo == Array("rent".utf8))
        #expect(sent.transaction.tip == 7)
        #expect(sent.transaction.operations == [.transfer(Transfer(to: sender, amount: 1500))])
        #expect(sent.policies.map(\.address) == [sender])
        let fee = FeeRule.standard.fee(bytes: sent.byteCount, signatures: 1, operations: 1)
        #expect(sent.transaction.maxFee.rawValue == 2 * (fee?.rawValue ?? 0) + 7)
        let ahead = sent.transaction.validUntil.rawValue - WallClock.now.rawValue
        #expect(ahead <= 600_000)
    }

    @Test("the level decides how much a payment may cost and what it tips")
    func levels() async throws {
        let key = try await program.makeKey("a")
        node.add(try address(key.address), nextSequence: 4)
        let pay = ["pay", "--key", "a", "--to", key.address, "--amount", "5"]
        for (options, factor, tip) in [
            (["--fee-level", "economy"], 1, 0), ([], 2, 0), (["--fee-level", "urgent"], 4, 9),
            (["--fee-level", "urgent", "--tip", "3"], 4, 3),
        ] as [([String], UInt64, UInt64)] {
            #expect(try await run(pay + options).exitCode == 0)
            let sent = try #require(node.submitted.last)
            let fee = FeeRule.standard.fee(bytes: sent.byteCount, signatures: 1, operations: 1)
            #expect(sent.transaction.tip.rawValue == tip)
            #expect(sent.transaction.maxFee.rawValue == factor * (fee?.rawValue ?? 0) + tip)
        }
        // Who names a maximum tips nothing that wasn't asked for.
        #expect(try await run(pay + ["--fee-level", "urgent", "--max-fee", "900"]).exitCode == 0)
        #expect(node.submitted.last?.transaction.tip == 0)
        // A node that lies about tips doesn't make anybody pay more than twice the fee.
        node.tell(urgentTip: .max)
        #expect(try await run(pay + ["--fee-level", "urgent"]).exitCode == 0)
        let bounded = try #require(node.submitted.last)
        let fee = FeeRule.standard.fee(bytes: bounded.byteCount, signatures: 1, operations: 1)
        #expect(bounded.transaction.tip.rawValue <= fee?.rawValue ?? 0)
        let wrong = try await run(pay + ["--fee-level", "fast"])
        #expect(wrong.exitCode == 2 && wrong.errors.contains("economy, standard, urgent"))
    }

    @Test("who is told when to ask again waits as long, within bounds")
    func retryDelay() {
        func delay(_ digits: String?, rest: UInt64 = 100_000) -> UInt64 {
            let data = digits.map { [JSONMember("retryAfterMilliseconds", .number($0))] } ?? []
            return NodeClient.retryDelay(
                after: RPCFault(.overloaded, "busy", data: data), rest: rest)
        }
        #expect(delay("1000") == 1000 && delay("1000", rest: 30) == 30)
        #expect(delay("0") == 50 && delay("18446744073709551615") == 60_000)
        #expect(delay("18446744073709551615", rest: .max) == 60_000)
        for digits in [nil, "-1", "1e9", "1.5", "99999999999999999999"] {
            #expect(delay(digits) == 200)
        }
        #expect(NodeClient.retryDelay(after: nil, rest: 1) == 1)
    }

    @Test("a full node isn't pressed, and finality has its whole time once it has taken something")
    func fullNode() async throws {
        let key = try await program.makeKey("a")
        node.add(try address(key.address))
        let pay = [
            "pay", "--key", "a", "--to", key.address, "--amount", "1", "--timeout", "1s",
        ]
        node.refuse(.overloaded(retryAfterMilliseconds: 3_600_000))
        let full = try await run(pay)
        #expect(full.errorMessage?.contains("too many requests") == true, "\(full)")
        #expect(1...2 ~= node.asked, "\(node.asked)")
        // All of the timeout passes before the node takes it.
        node.refuse(.overloaded(retryAfterMilliseconds: 3_600_000), times: 1)
        let taken = try await run(pay)
        #expect(taken.exitCode == 0 && taken["state"]?.text == "final", "\(taken)")
    }

    @Test("a policy that is revealed is not sent again")
    func revealedPolicy() async throws {
        let key = try await program.makeKey("a")
        let publicKey = try PublicKey(text: key.publicKey, in: WalletSamples.prefix)
        node.add(try address(key.address), policy: .single(publicKey), nextSequence: 1)
        let result = try await run(
            ["pay", "--key", "a", "--to", key.address, "--amount", "1", "--no-wait"])
        #expect(result["state"]?.text == "pending")
        #expect(result["receipt"] == nil)
        #expect(node.submitted.first?.policies.isEmpty == true)
    }

    @Test("a sender without an account is told before anything is sent")
    func unknownSender() async throws {
        let key = try await program.makeKey("a")
        let result = try await run(["pay", "--key", "a", "--to", key.address, "--amount", "1"])
        #expect(result.exitCode == 1)
        #expect(result.errorMessage?.contains("doesn't exist yet") == true)
        #expect(node.submitted.isEmpty)
    }

    @Test("an address of another kind or network is wrong usage")
    func wrongAddress() async throws {
        let key = try await program.makeKey("a")
        node.add(try address(key.address))
        let result = try await run(["pay", "--key", "a", "--to", key.publicKey, "--amount", "1"])
        #expect(result.exitCode == 2)
        #expect(result.errorMessage?.contains("this is a public key") == true)
    }

    @Test("a failed operation ends with 1, its stable name and its meaning")
    func failedOperation() async throws {
        let key = try await program.makeKey("a")
        node.add(try address(key.address))
        node.answer { receipt in
            let failed = ReceiptInfo(
                transaction: receipt.transaction, height: 7, index: 0, fee: 640,
                outcome: .failed,
                failure: OperationFailure(operation: 0, code: 2, reason: "insufficientFunds"),
                escrows: [])
            return TransactionStatus(
                id: receipt.transaction, state: .final, receipt: failed)
        }
        let result = try await run(["pay", "--key", "a", "--to", key.address, "--amount", "1"])
        #expect(result.exitCode == 1)
        #expect(result.output.isEmpty)
        #expect(
            result.errorMessage?.contains("insufficientFunds: the account holds less") == true)
    }

    @Test("a skipped transaction ends with 1 and its reason")
    func skipped() async throws {
        let key = try await program.makeKey("a")
        node.add(try address(key.address))
        node.answer {
            TransactionStatus(
                id: $0.transaction, state: .skipped, reason: SkipReason.expired.name)
        }
        let result = try await run(["pay", "--key", "a", "--to", key.address, "--amount", "1"])
        #expect(result.exitCode == 1)
        #expect(result.errorMessage?.contains("expired: its time is over") == true)
    }

    @Test("a transaction that isn't final in time ends with 1 and the node's note")
    func notFinal() async throws {
        let key = try await program.makeKey("a")
        node.add(try address(key.address))
        node.answer {
            TransactionStatus(
                id: $0.transaction, state: .pending, note: "2 of 4 validators are connected")
        }
        let result = try await run(
            ["pay", "--key", "a", "--to", key.address, "--amount", "1", "--timeout", "300ms"])
        #expect(result.exitCode == 1)
        #expect(result.errorMessage?.contains("isn't final after 300ms") == true)
        #expect(result.errorMessage?.contains("2 of 4 validators are connected") == true)
        #expect(result.errorMessage?.contains("offpeak query tx opktxn1") == true)
    }

    @Test("a 2-of-3 account pays with two signatures from two files, and not with one")
    func multisignature() async throws {
        var signers: [String] = []
        for name in ["a", "b", "c"] {
            signers += ["--signer", try await program.makeKey(name).publicKey]
        }
        let policy = try await program.run(
            ["account", "policy", "new", "--spend", "2", "--out", "ours", "--json"] + signers)
        let text = try #require(policy["address"]?.text)
        node.add(try address(text))
        let built = try await run(
            ["pay", "--policy", "ours", "--to", text, "--amount", "5", "--unsigned", "-o", "tx"])
        #expect(built.exitCode == 0, "\(built.errors)")
        for name in ["c", "a"] {
            try await program.run(["tx", "sign", "tx", "--key", name, "-o", "tx-\(name)"])
        }
        let early = try await run(["tx", "submit", "tx-c"])
        #expect(early.exitCode == 1)
        #expect(early.errorMessage?.contains("weigh 1 of the 2") == true)
        #expect(node.submitted.isEmpty)
        try await program.run(["tx", "merge", "tx-c", "tx-a", "-o", "both"])
        let sent = try await run(["tx", "submit", "both"])
        #expect(sent.exitCode == 0, "\(sent.errors)")
        #expect(node.submitted.first?.authorizations.count == 2)
        #expect(node.submitted.first?.policies.map { $0.signers.count } == [3])
        let twoKeys = try await run(
            ["pay", "--policy", "ours", "--key", "a", "--key", "b", "--to", text, "--amount", "5"])
        #expect(twoKeys.exitCode == 0, "\(twoKeys.errors)")
        let oneKey = try await run(
            ["pay", "--policy", "ours", "--key", "a", "--to", text, "--amount", "5"])
        #expect(oneKey.errorMessage?.contains("weigh 1 of the 2") == true)
        #expect(node.submitted.count == 2)
    }

    @Test("an escrow's defaults: the payer releases, the payee refunds, the deadline refunds")
    func escrowCreate() async throws {
        let payer = try await program.makeKey("a")
        let payee = try await program.makeKey("b")
        node.add(try address(payer.address))
        let before = WallClock.now
        let result = try await run(
            [
                "escrow", "create", "--key", "a", "--to", payee.address, "--amount", "900",
                "--deadline", "+2h", "--arbiter", payee.address,
            ])
        #expect(result.exitCode == 0, "\(result.errors)")
        guard case .escrowCreate(let terms) = node.submitted.first?.transaction.operations.first
        else {
            Issue.record("no escrow was created")
            return
        }
        #expect(terms.amount == 900)
        #expect(terms.release.members.map(\.address) == [try address(payer.address)])
        #expect(terms.refund.members.map(\.address) == [try address(payee.address)])
        #expect(terms.onDeadline == .refund)
        #expect(terms.deadline >= before.clampedAdvance(by: 7_200_000))
        #expect(
            terms.arbitrationDeadline?.rawValue ?? 0 >= terms.deadline.rawValue + 7_200_000)
    }

    @Test("decisions find the round and what is held by themselves")
    func escrowDecide() async throws {
        let payer = try await program.makeKey("a")
        let sender = try address(payer.address)
        node.add(sender)
        let id = EscrowID(WalletSamples.bytes32(6))
        let text = id.text(in: WalletSamples.prefix)
        let other = Address(WalletSamples.bytes32(7))
        node.add(id, payer: other, payee: sender, round: 3, held: 900)
        let decide = ["escrow", "decide", text, "--key", "a"]
        for (option, amount, direction, expected) in [
            ("--release", "400", EscrowDirection.release, Amount(400)),
            ("--refund", "900", .refund, 900), ("--refund", "all", .refund, Amount(.max)),
            ("--release", "all", .release, 900),
        ] {
            let result = try await run(decide + [option, amount])
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(
                node.submitted.last?.transaction.operations == [
                    .escrowDecide(
                        EscrowDecision(
                            escrow: id, round: 3, direction: direction, amount: expected))
                ])
        }
        let tooMuch = try await run(decide + ["--release", "901"])
        #expect(tooMuch.errorMessage?.contains("more than the 900") == true)
    }

    @Test("a payee is told that what it refunds goes back at once, unless it is the payer too")
    func payeeRefund() async throws {
        let key = try await program.makeKey("a")
        let own = try address(key.address)
        let other = Address(WalletSamples.bytes32(7))
        node.add(own)
        let id = EscrowID(WalletSamples.bytes32(6))
        let decide = [
            "escrow", "decide", id.text(in: WalletSamples.prefix), "--key", "a", "--out",
        ]
        let (program, node) = (program, node)
        try await node.serve { address in
            for (place, row) in [
                (other, own, ["--refund", "900"], true), (other, own, ["--refund", "all"], true),
                (other, own, ["--refund", "899"], false),
                (other, own, ["--release", "900"], false),
                (own, own, ["--refund", "900"], false), (own, own, ["--refund", "all"], false),
                (own, other, ["--refund", "900"], false),
            ].enumerated() {
                let (payer, payee, options, isTold) = row
                node.add(id, payer: payer, payee: payee, round: 3, held: 900)
                let file = "d\(place).json"
                let result = try await program.run(
                    decide + [file, "--node", address] + options)
                #expect(result.exitCode == 0, "\(result)")
                let remark = "the payee refunds all that is held, 900: it goes back at once"
                #expect(result.errors.contains(remark) == isTold, "\(row): \(result)")
                let shown = try await program.run(["tx", "show", file, "--node", address])
                let note = "the payee refunds all that is held, 900"
                #expect(shown.output.contains(note) == isTold, "\(row): \(shown)")
                let alone = try await program.run(["tx", "show", file])
                let isRefund = options.first == "--refund"
                #expect(alone.output.contains("gives all back at once") == isRefund)
            }
        }
    }

    @Test("who holds one of a payee's keys reads in the inbox that a refund gives all back")
    func jointPayee() async throws {
        var signers: [String] = []
        for name in ["a", "b"] {
            signers += ["--signer", try await program.makeKey(name).publicKey]
        }
        let made = try await program.run(
            ["account", "policy", "new", "--spend", "2", "--out", "ours", "--json"] + signers)
        let payee = try address(try #require(made["address"]?.text))
        node.add(payee)
        let id = EscrowID(WalletSamples.bytes32(6))
        node.add(id, payer: Address(WalletSamples.bytes32(7)), payee: payee, round: 3, held: 900)
        let decided = try await run([
            "escrow", "decide", id.text(in: WalletSamples.prefix), "--policy", "ours",
            "--refund", "900", "--key", "a", "--out", "refund.json",
        ])
        #expect(decided.exitCode == 0, "\(decided)")
        let inbox = try await run(["inbox", "--key", "b", "--folder", "."])
        #expect(inbox.output.contains("weight 1 of 2"), "\(inbox)")
        #expect(inbox.output.contains("all that is held, 900: it goes back at once"), "\(inbox)")
    }

    @Test("an arbiter may name one part and leave the rest to the other")
    func escrowArbitrate() async throws {
        let arbiter = try await program.makeKey("a")
        let sender = try address(arbiter.address)
        node.add(sender)
        let id = EscrowID(WalletSamples.bytes32(6))
        let text = id.text(in: WalletSamples.prefix)
        node.add(id, payer: sender, payee: sender, round: 1, held: 900, state: .disputed)
        let arbitrate = ["escrow", "arbitrate", text, "--key", "a"]
        for (options, toPayee, toPayer) in [
            (["--to-payee", "600"], 600, 300), (["--to-payer", "all"], 0, 900),
            (["--to-payee", "1", "--to-payer", "899"], 1, 899),
        ] as [([String], Amount, Amount)] {
            let result = try await run(arbitrate + options)
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(
                node.submitted.last?.transaction.operations == [
                    .escrowArbitrate(
                        EscrowArbitration(
                            escrow: id, round: 1, toPayee: toPayee, toPayer: toPayer))
                ])
        }
        let wrong = try await run(arbitrate + ["--to-payee", "600", "--to-payer", "299"])
        #expect(wrong.errorMessage?.contains("aren't the 900") == true)
    }

    @Test("topping up and disputing name the escrow")
    func topUpAndDispute() async throws {
        let payer = try await program.makeKey("a")
        node.add(try address(payer.address))
        let id = EscrowID(WalletSamples.bytes32(6))
        let text = id.text(in: WalletSamples.prefix)
        let topUp = try await run(["escrow", "topup", text, "--key", "a", "--amount", "5"])
        #expect(topUp.exitCode == 0, "\(topUp.errors)")
        let dispute = try await run(["escrow", "dispute", text, "--key", "a"])
        #expect(dispute.exitCode == 0, "\(dispute.errors)")
        #expect(
            node.submitted.map(\.transaction.operations) == [
                [.escrowTopUp(EscrowTopUp(escrow: id, amount: 5))], [.escrowDispute(id)],
            ])
    }

    @Test("another network than the one meant is noticed before signing")
    func wrongNetwork() async throws {
        let key = try await program.makeKey("a")
        node.add(try address(key.address))
        let pay = ["pay", "--key", "a", "--to", key.address, "--amount", "1"]
        let chain = try await run(pay + ["--chain-id", String(repeating: "0", count: 64)])
        #expect(chain.errorMessage?.contains("this network is another one") == true)
        let prefix = try await run(pay + ["--prefix", "abc"])
        #expect(prefix.errorMessage?.contains("prefix is opk") == true)
        #expect(node.submitted.isEmpty)
    }

    @Test("every query answers with JSON and with text")
    func queries() async throws {
        let owner = Address(WalletSamples.bytes32(4))
        let id = EscrowID(WalletSamples.bytes32(6))
        node.add(owner, nextSequence: 2)
        node.add(id, payer: owner, payee: owner, round: 1, held: 900)
        let account = owner.text(in: WalletSamples.prefix)
        let escrow = id.text(in: WalletSamples.prefix)
        let transaction = TransactionID(WalletSamples.bytes32(7)).text(in: WalletSamples.prefix)
        let questions: [([String], String, String)] = [
            (["query", "status"], "appliedHeight", "2 of 4 validators are connected"),
            (["query", "head"], "finalizedHeight", "2023-11-14T22:13:20Z"),
            (["query", "block", "7"], "batches", "opkbat1 by validator 3"),
            (["query", "tx", transaction], "state", "sequenceUsed: its sequence was used"),
            (["query", "account", account], "balances", "2 on stream 0"),
            (["account", "show", account], "balances", "1000000"),
            (["query", "escrow", escrow], "held", "900"),
            (["escrow", "show", escrow], "round", "release by"),
            (["escrow", "list", account], "escrows", escrow),
            (["query", "validators"], "validators", "quorum 3"),
            (["query", "peers"], "peers", "1.5 KiB"),
            (["query", "mempool"], "shards", "900 B"),
            (["query", "mempool"], "queues", "5 whose fate is open"),
            (["query", "verifiers"], "verifiers", "heights 64 to 95"),
            (["query", "verification"], "checkers", "9000/s"),
            (["query", "verification"], "evidence", "wrong_verdict"),
            (["query", "genesis"], "chainID", "wallet-tests"),
            (["query", "epochs"], "steps", "\"epoch\""),
        ]
        let program = program
        try await node.serve { address in
            for (arguments, member, wanted) in questions {
                let json = try await program.run(arguments + ["--json", "--node", address])
                #expect(json[member] != nil, "\(arguments): \(json)")
                let text = try await program.run(arguments + ["--node", address])
                #expect(text.output.contains(wanted), "\(arguments): \(text)")
                #expect(json.exitCode == 0 && text.exitCode == 0)
            }
            let missing = try await program.run(
                ["query", "block", "8", "--json", "--node", address])
            #expect(missing.exitCode == 1)
            #expect(missing.errorMessage == "no block 8")
        }
    }
}
