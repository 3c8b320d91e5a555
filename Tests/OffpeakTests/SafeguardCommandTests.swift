import Glibc
import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("Commands for limits, guardians, recoveries and the inbox")
struct SafeguardCommandTests {
    private let program: WalletProgram
    private let node = WalletNode()

    init() throws { program = try WalletProgram() }

    private func address(_ text: String) throws -> Address {
        try Address(text: text, in: WalletSamples.prefix)
    }

    /// Runs a command against the node.
    private func run(
        _ arguments: [String], json: Bool = true, after commands: String? = nil
    ) async throws -> ProgramResult {
        let (program, node) = (program, node)
        let results = AsyncStream.makeStream(of: ProgramResult.self)
        try await node.serve { address in
            results.continuation.yield(
                try await program.run(
                    arguments + (json ? ["--json"] : []), environment: ["OFFPEAK_NODE": address],
                    after: commands))
        }
        results.continuation.finish()
        var iterator = results.stream.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    private func quorum(_ address: Address) throws -> Quorum {
        try Quorum(members: [.init(address: address, weight: 1)], threshold: 1)
    }

    private var guardian: Address { Address(WalletSamples.bytes32(9)) }

    private var safeguards: SafeguardsInfo {
        SafeguardsInfo(
            limits: [
                SpendingLimitInfo(
                    asset: "native", amount: 700, windowMilliseconds: 3_600_000, left: 5)
            ],
            guardians: GuardiansInfo(
                quorum: QuorumInfo(
                    members: [
                        MemberInfo(address: guardian.text(in: WalletSamples.prefix), weight: 1)
                    ], threshold: 1), delayMilliseconds: 7_200_000),
            recovery: RecoveryInfo(
                policy: node.info(.single(WalletSamples.key(4).publicKey)), readyAt: 2_000,
                validUntil: 9_000))
    }

    @Test("what no network takes is refused before it costs a fee")
    func free() async throws {
        let key = try await program.makeKey("a")
        let own = try address(key.address)
        node.add(own)
        let asset = AssetID(WalletSamples.bytes32(3)).text(in: WalletSamples.prefix)
        let cases: [([String], String)] = [
            (["governance", "propose", "--set", "fees.baseFee=10"], "0 to 9 are possible"),
            (["governance", "propose", "--set", "fees.byteWeight=1"], "can change: fees.baseFee"),
            (
                ["asset", "mint", asset, "--to", key.address, "--amount", "0"],
                "an amount of 0 moves nothing"
            ),
        ]
        for (arguments, words) in cases {
            let refused = try await run(arguments + ["--key", "a"])
            #expect(refused.exitCode != 0 && refused.errors.contains(words), "\(refused)")
        }
        #expect(node.submitted.isEmpty)
        let proposed = try await run(
            ["governance", "propose", "--set", "fees.baseFee=9", "--key", "a"])
        #expect(proposed.exitCode == 0, "\(proposed)")
    }

    @Test("new limits keep the guardians, new guardians keep the limits")
    func keepsTheOther() async throws {
        let key = try await program.makeKey("a")
        let sender = try address(key.address)
        node.add(sender, safeguards: safeguards)
        let kept = Guardians(quorum: try quorum(guardian), delayMilliseconds: 7_200_000)
        let limits = [
            SpendingLimit(amount: 5000, windowMilliseconds: 86_400_000),
            SpendingLimit(
                asset: AssetID(WalletSamples.bytes32(3)), amount: 1, windowMilliseconds: 3_600_000),
        ]
        let asset = AssetID(WalletSamples.bytes32(3)).text(in: WalletSamples.prefix)
        let other = "\(asset):1/1h"
        for (options, expected) in [
            (
                ["limits", "--limit", "5000/24h", "--limit", other],
                SafeguardTerms(limits: limits, guardians: kept)
            ),
            (["limits", "--none"], SafeguardTerms(guardians: kept)),
            (
                ["guardians", "--set", key.address, "--delay", "7d"],
                SafeguardTerms(
                    limits: [SpendingLimit(amount: 700, windowMilliseconds: 3_600_000)],
                    guardians: Guardians(
                        quorum: try quorum(sender), delayMilliseconds: 604_800_000))
            ),
            (
                ["guardians", "--none"],
                SafeguardTerms(
                    limits: [SpendingLimit(amount: 700, windowMilliseconds: 3_600_000)])
            ),
        ] as [([String], SafeguardTerms)] {
            let result = try await run(["account"] + options + ["--key", "a"])
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(node.submitted.last?.transaction.operations == [.setSafeguards(expected)])
        }
    }

    @Test("the limit of a retired asset is left out of what stays")
    func retiredAsset() async throws {
        let key = try await program.makeKey("a")
        // The node has the asset of the first, and has it no more of the second.
        let assets = [AssetID(Bytes32.sha256([7])), AssetID(WalletSamples.bytes32(3))]
        node.add(
            try address(key.address),
            safeguards: SafeguardsInfo(
                limits: assets.map {
                    SpendingLimitInfo(
                        asset: $0.text(in: WalletSamples.prefix), amount: 7,
                        windowMilliseconds: 3_600_000, left: 7)
                }))
        let result = try await run([
            "account", "guardians", "--set", key.address, "--delay", "7d", "--key", "a",
        ])
        #expect(result.exitCode == 0, "\(result.errors)")
        guard case .setSafeguards(let terms)? = node.submitted.last?.transaction.operations.first
        else {
            Issue.record("nothing was sent")
            return
        }
        #expect(terms.limits.map(\.asset) == [assets[0]])
    }

    @Test("limits that one lost key would leave for ever are refused, unless that is known")
    func limitsForEver() async throws {
        let keys = [try await program.makeKey("a"), try await program.makeKey("b")]
        let signers = try keys.map {
            Policy.Signer(
                publicKey: try PublicKey(text: $0.publicKey, in: WalletSamples.prefix), weight: 1)
        }
        let limits = ["account", "limits", "--limit", "5/1h", "--key", "a", "--key", "b"]
        let kept = Guardians(quorum: try quorum(guardian), delayMilliseconds: 7_200_000)
        for (spend, admin, guardians, isTrap) in [
            (1, 2, nil, true), (2, 2, nil, false), (1, 1, nil, false), (1, 2, kept, false),
        ] as [(UInt32, UInt32, Guardians?, Bool)] {
            let policy = try Policy(signers: signers, spend: spend, admin: admin)
            node.add(
                policy.address, policy: policy,
                safeguards: guardians == nil ? nil : safeguards)
            let from = ["--from", policy.address.text(in: WalletSamples.prefix)]
            let before = node.submitted.count
            let result = try await run(limits + from)
            #expect(result.exitCode == (isTrap ? 1 : 0), "\(spend) \(admin): \(result)")
            #expect(result.errors.contains("--without-guardians") == isTrap, "\(result)")
            #expect(node.submitted.count == before + (isTrap ? 0 : 1))
            let known = try await run(limits + from + ["--without-guardians"])
            #expect(known.exitCode == 0, "\(known)")
            let none = try await run(
                ["account", "limits", "--none", "--key", "a", "--key", "b"] + from)
            #expect(none.exitCode == 0, "\(none)")
            // To take the guardians away leaves the same.
            guard guardians != nil else { continue }
            let bare = ["account", "guardians", "--none", "--key", "a", "--key", "b"] + from
            let alone = try await run(bare)
            #expect(alone.exitCode == 1, "\(alone)")
            #expect(try await run(bare + ["--without-guardians"]).exitCode == 0)
        }
    }

    @Test("a new policy that one lost key would close for ever is noted, or refused with limits")
    func policyForEver() async throws {
        let keys = [try await program.makeKey("a"), try await program.makeKey("b")]
        let signers = keys.flatMap { ["--signer", $0.publicKey] }
        for (options, note) in [
            (["--spend", "1"], "--admin 1 would leave"), (["--spend", "2"], "name guardians"),
            (["--spend", "1", "--admin", "1"], ""),
        ] {
            let file = "p" + options.joined()
            let made = try await program.run(
                ["account", "policy", "new", "--out", file] + signers + options)
            #expect(made.exitCode == 0 && made.errors.isEmpty == note.isEmpty, "\(made)")
            #expect(note.isEmpty || made.errors.contains(note), "\(made.errors)")
        }
        let single = try await program.run([
            "account", "policy", "new", "--spend", "1", "--signer", keys[0].publicKey,
        ])
        #expect(single.exitCode == 0 && single.errors.isEmpty, "\(single)")

        let own = try address(keys[0].address)
        func set(_ policy: String, _ options: [String] = []) async throws -> ProgramResult {
            try await run(
                ["account", "policy", "set", policy, "--key", "a"] + options, json: false)
        }
        for (limited, guarded) in [(false, false), (true, false), (true, true)] {
            node.add(
                own,
                safeguards: limited
                    ? SafeguardsInfo(
                        limits: safeguards.limits,
                        guardians: guarded ? safeguards.guardians : nil) : nil)
            let isTrap = limited && !guarded
            let before = node.submitted.count
            let result = try await set("p--spend1")
            #expect(result.exitCode == (isTrap ? 1 : 0), "\(limited) \(guarded): \(result)")
            #expect(result.errors.contains("--without-guardians") == isTrap, "\(result)")
            #expect(node.submitted.count == before + (isTrap ? 0 : 1))
            #expect(result.errors.contains("takes every key") == !limited, "\(result)")
            if isTrap {
                #expect(try await set("p--spend1", ["--without-guardians"]).exitCode == 0)
            }
            let fewer = try await set("p--spend1--admin1")
            #expect(fewer.exitCode == 0 && fewer.errors.isEmpty, "\(fewer)")
        }
    }

    @Test("wrong limits and guardians are refused before anything is sent")
    func wrongOptions() async throws {
        let key = try await program.makeKey("a")
        node.add(try address(key.address))
        for options in [
            ["limits"], ["limits", "--limit", "5000"], ["limits", "--limit", "5000/"],
            ["limits", "--limit", "x/1h"], ["limits", "--limit", "5/1h", "--limit", "6/1h"],
            ["limits", "--limit", "ab:5/1h"], ["limits", "--limit", "5/1h", "--none"],
            ["guardians", "--set", key.address], ["guardians", "--delay", "1h"],
            ["guardians", "--none", "--set", key.address, "--delay", "1h"],
        ] {
            let result = try await run(["account"] + options + ["--key", "a"])
            #expect(result.exitCode != 0, "\(options)")
        }
        #expect(node.submitted.isEmpty)
    }

    @Test("a recovery is proposed, vetoed and completed, and a decision taken back")
    func recovery() async throws {
        let key = try await program.makeKey("a")
        let sender = try address(key.address)
        node.add(sender)
        let made = try await run([
            "account", "policy", "new", "--signer", key.publicKey, "--spend", "1", "--out",
            "new.policy",
        ])
        #expect(made.exitCode == 0, "\(made.errors)")
        let public1: PublicKey = try PublicKey(text: key.publicKey, in: WalletSamples.prefix)
        let lost = guardian.text(in: WalletSamples.prefix)
        let id = EscrowID(WalletSamples.bytes32(6))
        node.add(id, payer: sender, payee: sender, round: 3, held: 900)
        for (arguments, expected) in [
            (
                ["recover", "propose", lost, "new.policy"],
                .proposeRecovery(
                    RecoveryProposal(account: guardian, policy: .single(public1)))
            ),
            (["recover", "veto", lost], .vetoRecovery(guardian)),
            (["recover", "complete", lost], .completeRecovery(guardian)),
            (
                ["escrow", "withdraw-decision", id.text(in: WalletSamples.prefix)],
                .escrowWithdrawDecision(EscrowWithdrawal(escrow: id, round: 3))
            ),
        ] as [([String], Operation)] {
            let result = try await run(arguments + ["--key", "a"])
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(node.submitted.last?.transaction.operations == [expected])
        }
    }

    @Test("the inbox gathers escrows, recoveries and files")
    func inbox() async throws {
        let key = try await program.makeKey("a")
        let own = try address(key.address)
        node.add(own, safeguards: safeguards)
        let other = guardian.text(in: WalletSamples.prefix)
        node.add(
            EscrowID(WalletSamples.bytes32(6)), payer: own, payee: own, round: 0, held: 9,
            decisions: [DecisionInfo(participant: other, direction: .release, amount: 4)])
        node.add(
            guarded: GuardedInfo(
                account: other,
                guardians: GuardiansInfo(
                    quorum: QuorumInfo(members: [], threshold: 1), delayMilliseconds: 5),
                recovery: safeguards.recovery))
        let drafted = try await run([
            "pay", "--from", key.address, "--to", key.address, "--amount", "5", "--unsigned",
            "--policy", "a.policy", "--out", "draft.json",
        ])
        #expect(drafted.exitCode != 0)
        let draft = try await run([
            "pay", "--key", "a", "--to", key.address, "--amount", "5", "--unsigned", "--out",
            "draft.json",
        ])
        #expect(draft.exitCode == 0, "\(draft.errors)")
        let result = try await run(["inbox", "--key", "a", "--folder", "."])
        #expect(result.exitCode == 0, "\(result.errors)")
        guard case .array(let items)? = result["items"] else {
            Issue.record("no items: \(result.output)")
            return
        }
        let kinds = Set(items.compactMap { $0["kind"]?.text })
        #expect(kinds == ["veto", "recovery", "decide", "sign"])
        let nobody = try await run(["inbox"])
        #expect(nobody.exitCode == 2)
        let lost = try await run(["inbox", "--key", "a", "--folder", "nowhere"])
        #expect(lost.errorMessage?.contains("no folder") == true)
    }

    @Test("each command of the inbox does what it says when it is typed")
    func inboxCommands() async throws {
        let key = try await program.makeKey("my key")
        let own = try address(key.address)
        let lost = guardian.text(in: WalletSamples.prefix)
        let id = EscrowID(WalletSamples.bytes32(6))
        node.add(own, safeguards: safeguards)
        node.add(
            id, payer: own, payee: own, round: 5, held: 9,
            decisions: [DecisionInfo(participant: lost, direction: .release, amount: 4)])
        node.add(
            guarded: GuardedInfo(
                account: lost,
                guardians: GuardiansInfo(
                    quorum: QuorumInfo(
                        members: [MemberInfo(address: key.address, weight: 1)], threshold: 1),
                    delayMilliseconds: 5), recovery: safeguards.recovery))
        let drafted = try await run([
            "pay", "--key", "my key", "--to", key.address, "--amount", "5", "--unsigned", "--out",
            "a;touch PWNED #.json",
        ])
        #expect(drafted.exitCode == 0, "\(drafted.errors)")
        try program.write(
            try program.read("a;touch PWNED #.json"), to: "b\u{1B}[2J.json")
        #expect(mkfifo("\(program.folder)/pipe.json", 0o600) == 0)
        let inbox = try await run(["inbox", "--key", "my key", "--folder", "."])
        #expect(inbox.exitCode == 0, "\(inbox.errors)")
        guard case .array(let items)? = inbox["items"], case .array(let cut)? = inbox["cut"] else {
            Issue.record("no items: \(inbox)")
            return
        }
        #expect(items.count == 4 && cut.count == 2, "\(inbox.output)")
        let decision = EscrowDecision(escrow: id, round: 5, direction: .release, amount: 4)
        for (kind, expected) in [
            ("veto", Operation.vetoRecovery(own)), ("decide", .escrowDecide(decision)),
            ("recovery", .vetoRecovery(guardian)), ("sign", nil),
        ] as [(String, Operation?)] {
            let found = items.first { $0["kind"]?.text == kind }?["next"]?.text
            let line = try #require(found, "\(kind)")
            let result = try await typed(line)
            #expect(result.exitCode == 0, "\(line): \(result)")
            guard let expected else { continue }
            let sent = try #require(node.submitted.last?.transaction)
            #expect(sent.operations == [expected] && sent.sender == own, "\(line)")
        }
        let signed = try TransactionFile.read("\(program.folder)/a;touch PWNED #.json")
        #expect(signed.authorizations.count == 1)
        #expect(access("\(program.folder)/PWNED", F_OK) != 0)
        let people = try await run(["inbox", "--key", "my key", "--folder", "."], json: false)
        #expect(people.output.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
    }

    @Test("a second veto is gathered from the inbox alone")
    func secondVeto() async throws {
        let keys = [try await program.makeKey("a"), try await program.makeKey("b")]
        let policy = try Policy(
            signers: keys.map {
                Policy.Signer(
                    publicKey: try PublicKey(text: $0.publicKey, in: WalletSamples.prefix),
                    weight: 1)
            }, spend: 1, admin: 2)
        let account = policy.address.text(in: WalletSamples.prefix)
        node.add(
            policy.address, policy: policy,
            safeguards: SafeguardsInfo(
                limits: [],
                guardians: GuardiansInfo(
                    quorum: try #require(safeguards.guardians).quorum,
                    delayMilliseconds: 7_200_000, vetoUsed: true),
                recovery: safeguards.recovery))
        func next(_ kind: String, _ key: String, _ options: [String]) async throws -> String {
            let inbox = try await run(["inbox", "--key", key, "--account", account] + options)
            guard case .array(let items)? = inbox["items"] else { return "\(inbox)" }
            let item = items.first { $0["kind"]?.text == kind }
            #expect(
                item?["text"]?.text?.contains("a second veto takes") == (kind != "submit"),
                "\(inbox.output)")
            return try #require(item?["next"]?.text, "\(inbox.output)")
        }
        let drafted = try await typed(next("veto", "a", []))
        #expect(drafted.exitCode == 0, "\(drafted)")
        let early = try await run(["tx", "submit", "veto-to-sign.json"])
        #expect(early.exitCode == 1 && node.submitted.isEmpty)
        #expect(early.errorMessage?.contains("a second veto takes") == true, "\(early)")
        let signed = try await typed(next("sign", "b", ["--folder", "."]))
        #expect(signed.exitCode == 0, "\(signed)")
        let sent = try await typed(next("submit", "b", ["--folder", "."]))
        #expect(sent.exitCode == 0, "\(sent)")
        #expect(node.submitted.last?.transaction.operations == [.vetoRecovery(policy.address)])
    }

    @Test("a decision about an earlier round isn't sent")
    func earlierRound() async throws {
        let key = try await program.makeKey("a")
        let own = try address(key.address)
        node.add(own)
        let id = EscrowID(WalletSamples.bytes32(6))
        node.add(id, payer: own, payee: own, round: 5, held: 9)
        for command in [["decide", "--release", "4"], ["arbitrate", "--to-payee", "4"]] {
            let rest = [id.text(in: WalletSamples.prefix), "--key", "a", "--round"]
            let before = node.submitted.count
            let late = try await run(["escrow"] + command + rest + ["4"])
            #expect(late.errorMessage?.contains("is in round 5, not 4") == true, "\(late)")
            #expect(node.submitted.count == before)
            #expect(try await run(["escrow"] + command + rest + ["5"]).exitCode == 0)
        }
    }

    /// Runs a line that begins with `offpeak` as a shell does.
    private func typed(_ line: String) async throws -> ProgramResult {
        let words = "set -- " + line.dropFirst("offpeak ".count)
        return try await run([], json: false, after: words)
    }
}
