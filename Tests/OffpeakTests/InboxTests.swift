import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("What waits for a signature")
struct InboxTests {
    private func member(_ name: String) -> MemberInfo { MemberInfo(address: name, weight: 1) }

    /// Who has no key here: what he does is done by a key file that isn't known.
    private func signer(_ name: String) -> InboxSigner {
        InboxSigner(
            name, account: Address(WalletSamples.bytes32(1)),
            known: .single(WalletSamples.key(1).publicKey), InboxKeys())
    }

    private func decision(
        _ name: String, _ direction: DirectionName, _ amount: Amount
    ) -> DecisionInfo {
        DecisionInfo(participant: name, direction: direction, amount: amount)
    }

    /// Released by two of a, b and c, refunded by d, arbitrated by e.
    private func escrow(
        _ state: EscrowState = .open, _ decisions: [DecisionInfo] = []
    ) -> EscrowInfo {
        EscrowInfo(
            id: "opkesc1x", payer: "a", payee: "d", asset: "native", state: state, held: 900,
            released: 0, refunded: 0, round: 2,
            release: QuorumInfo(members: ["a", "b", "c"].map(member), threshold: 2),
            refund: QuorumInfo(members: [member("d")], threshold: 1),
            arbitration: QuorumInfo(members: [member("e")], threshold: 1), deadline: 50,
            onDeadline: .refund, arbitrationDeadline: 90, decisions: decisions, height: 7)
    }

    private let policy = PolicyInfo(
        signers: [SignerInfo(publicKey: "opkpub1new", weight: 1)], spend: 1, admin: 1)

    private func guarded(readyAt: Timestamp?) -> GuardedInfo {
        GuardedInfo(
            account: "opkacc1lost",
            guardians: GuardiansInfo(
                quorum: QuorumInfo(members: [member("a")], threshold: 1), delayMilliseconds: 5),
            recovery: readyAt.map { RecoveryInfo(policy: policy, readyAt: $0, validUntil: 99) })
    }

    @Test("a decision of others waits for the members who haven't made theirs")
    func decide() throws {
        let open = escrow(.open, [decision("a", .release, 400)])
        let item = try #require(Inbox.item(open, for: signer("b")))
        #expect(item.kind == .decide && item.until == 50)
        #expect(item.text == "release 400: 1 of 2 have decided so")
        let command = "offpeak escrow decide opkesc1x --release 400 --round 2"
        #expect(item.next == command + " --from b --key KEY-FILE")
        #expect(Inbox.item(open, for: signer("a")) == nil)
        #expect(Inbox.item(open, for: signer("d")) == nil)
        #expect(Inbox.item(open, for: signer("e")) == nil)
        #expect(Inbox.item(escrow(), for: signer("b")) == nil)
        let refund = escrow(.open, [decision("d", .refund, 400)])
        #expect(Inbox.item(refund, for: signer("b")) == nil)
        #expect(Inbox.item(escrow(.closed, []), for: signer("b")) == nil)
    }

    @Test("a dispute waits for its arbiter alone")
    func arbitrate() throws {
        let item = try #require(Inbox.item(escrow(.disputed), for: signer("e")))
        #expect(item.kind == .arbitrate && item.until == 90)
        let command = "offpeak escrow arbitrate opkesc1x --to-payee AMOUNT --round 2"
        #expect(item.next == command + " --from e --key KEY-FILE")
        #expect(Inbox.item(escrow(.disputed), for: signer("a")) == nil)
        let decided = escrow(
            .disputed,
            [DecisionInfo(participant: "e", direction: .release, amount: 1, toPayer: 899)])
        #expect(Inbox.item(decided, for: signer("e")) == nil)
    }

    @Test("a recovery is shown to the account and to its guardians, and when it is ready")
    func recovery() throws {
        let pending = try #require(Inbox.item(guarded(readyAt: 60), for: signer("a"), at: 59))
        #expect(pending.kind == .recovery && pending.until == 60)
        #expect(pending.next == "offpeak recover veto opkacc1lost --from a --key KEY-FILE")
        let ready = try #require(Inbox.item(guarded(readyAt: 60), for: signer("a"), at: 60))
        #expect(ready.next == "offpeak recover complete opkacc1lost --from a --key KEY-FILE")
        #expect(ready.until == 99)
        #expect(Inbox.item(guarded(readyAt: nil), for: signer("a"), at: 60) == nil)
    }

    @Test("a command names the keys that may sign, and writes a file where they aren't enough")
    func signers() throws {
        let keys = (1...3).map { WalletSamples.key(UInt8($0)) }
        let both = try Policy(
            signers: keys.prefix(2).map { .init(publicKey: $0.publicKey, weight: 1) }, spend: 2,
            admin: 2)
        func command(_ count: Int, known: Bool = true, cosigners: [String] = []) -> String {
            let given = keys.prefix(count).enumerated().map {
                InboxKeys.Key(path: "key \($0)", publicKey: $1.publicKey)
            }
            let options = InboxKeys(
                keys: given, passphraseFile: count == 1 ? "-words" : nil,
                node: count == 3 ? "http://[::1]:9" : nil)
            return InboxSigner(
                "opkacc1x", account: both.address, known: known ? both : nil, options
            ).command(["recover", "veto", "opkacc1y"], cosigners: cosigners, draft: "d.json")
        }
        let start = "offpeak recover veto opkacc1y --from opkacc1x "
        #expect(command(0) == start + "--key KEY-FILE --out d.json")
        #expect(
            command(1) == start + "--key 'key 0' --passphrase-file ./-words --out d.json")
        #expect(command(2) == start + "--key 'key 0' --key 'key 1'")
        // The third key isn't of the policy.
        #expect(
            command(3) == start + "--key 'key 0' --key 'key 1' --node 'http://[::1]:9'")
        #expect(command(0, known: false) == start + "--policy POLICY-FILE --key KEY-FILE")
        #expect(
            command(2, cosigners: ["opkacc1z"]) == start
                + "--cosigner opkacc1z --key 'key 0' --key 'key 1' --out d.json")
    }

    @Test("what takes the admin threshold writes a file where only the spend threshold is reached")
    func admins() throws {
        let keys = (1...2).map { WalletSamples.key(UInt8($0)) }
        let policy = try Policy(
            signers: keys.map { .init(publicKey: $0.publicKey, weight: 1) }, spend: 1, admin: 2)
        for count in 0...2 {
            let given = keys.prefix(count).map {
                InboxKeys.Key(path: "k", publicKey: $0.publicKey)
            }
            let signer = InboxSigner(
                "opkacc1x", account: policy.address, known: policy, InboxKeys(keys: given))
            for isAdmin in [false, true] {
                let line = signer.command(["recover"], isAdmin: isAdmin, draft: "d.json")
                #expect(line.hasSuffix("--out d.json") == (isAdmin && count < 2), "\(line)")
            }
        }
    }

    @Test("a file with a second veto waits for those who reach the admin threshold")
    func secondVeto() throws {
        let keys = (1...2).map { WalletSamples.key(UInt8($0)) }
        let policy = try Policy(
            signers: keys.map { .init(publicKey: $0.publicKey, weight: 1) }, spend: 1, admin: 2)
        let own = policy.address
        let guardian = Address(WalletSamples.bytes32(4))
        let quorum = try Quorum(members: [.init(address: guardian, weight: 1)], threshold: 1)
        func veto(from sender: Address, _ cosigners: [Address] = []) throws -> TransactionFile {
            try TransactionFile(
                transaction: Transaction(
                    chainID: WalletSamples.chainID, sender: sender, sequence: 0, validUntil: 100,
                    maxFee: 5, cosigners: cosigners, operations: [.vetoRecovery(own)]),
                prefix: WalletSamples.prefix, policies: [policy]
            ).signed(by: [keys[0]])
        }
        let first = KnownLedger(accounts: [own: .init(policy: policy)])
        let second = KnownLedger(
            accounts: [own: .init(policy: policy, guardiansAfterVeto: quorum)])
        func weights(_ file: TransactionFile, _ known: KnownLedger) -> [UInt32] {
            WeightCheck.parts(of: file, known: known).filter { $0.account == own }.map(\.needed)
        }
        let alone = try veto(from: own)
        #expect(weights(alone, first) == [1] && weights(alone, second) == [2])
        let cosigned = try veto(from: Address(WalletSamples.bytes32(5)), [own])
        #expect(weights(cosigned, first) == [1] && weights(cosigned, second) == [2])
        // The guardians' own quorum acts.
        #expect(weights(try veto(from: guardian, [own]), second) == [1])
        #expect(weights(try veto(from: own, [guardian]), second) == [1])

        func item(_ file: TransactionFile, _ key: Int, _ known: KnownLedger) -> Inbox.Item? {
            let given = InboxKeys.Key(path: "k", publicKey: keys[key].publicKey)
            return Inbox.item(
                file, at: "f.json", keys: InboxKeys(keys: [given]), accounts: [], known: known,
                at: 1)
        }
        #expect(item(alone, 1, first)?.kind == .submit && item(alone, 0, second) == nil)
        // What is over waits for nobody.
        for (next, stream, isOver) in [(1, 0, true), (0, 0, false), (1, 7, false)] {
            let used = KnownLedger(
                accounts: [
                    own: .init(
                        policy: policy,
                        nextSequences: [UInt16(stream): SequenceNumber(UInt64(next))])
                ])
            #expect((item(alone, 1, used) == nil) == isOver, "\(next) on \(stream)")
        }
        let open = try #require(item(alone, 1, second))
        #expect(
            open.kind == .sign
                && open.text
                    == "vetoRecovery: weight 1 of 2; a second veto takes the admin threshold"
        )
        let fault = #expect(throws: CommandFault.self) {
            try WeightCheck.check(alone, WeightCheck.parts(of: alone, known: second))
        }
        #expect(fault?.description.contains("(a second veto takes the admin threshold)") == true)
        let whole = try alone.signed(by: [keys[1]])
        #expect(item(whole, 1, second)?.kind == .submit)
        try WeightCheck.check(whole, WeightCheck.parts(of: whole, known: second))
        let shown = TransactionSummary(alone).text(Palette(isOn: false))
        #expect(shown.contains("; a second veto would take the admin threshold, 2"))
    }

    @Test("a payee reads that its refund of all gives everything back at once")
    func payeeRefunds() throws {
        func text(
            payer: String, amount: Amount, _ direction: DirectionName = .refund
        ) throws -> String {
            let quorum = QuorumInfo(members: ["r", "bob", "p"].map(member), threshold: 3)
            let escrow = EscrowInfo(
                id: "opkesc1x", payer: payer, payee: "bob", asset: "native", state: .open,
                held: 900, released: 0, refunded: 0, round: 0, release: quorum, refund: quorum,
                deadline: 50, onDeadline: .refund, decisions: [decision("r", direction, amount)],
                height: 7)
            return try #require(Inbox.item(escrow, for: signer("bob"))).text
        }
        let note = "; you are the payee: this gives all back at once"
        #expect(
            try text(payer: "a", amount: 900) == "refund 900: 1 of 3 have decided so" + note)
        #expect(try text(payer: "a", amount: 899) == "refund 899: 1 of 3 have decided so")
        #expect(try !text(payer: "bob", amount: 900).contains(note))
        #expect(try !text(payer: "a", amount: 900, .release).contains(note))
    }

    /// Their weights would leave the range of 32 bits.
    @Test("more decisions than an escrow can have aren't added up")
    func tooManyDecisions() {
        let member = MemberInfo(address: "a", weight: .max)
        let quorum = QuorumInfo(members: [member, self.member("b")], threshold: 2)
        let escrow = EscrowInfo(
            id: EscrowID(WalletSamples.bytes32(3)).text(in: WalletSamples.prefix), payer: "a",
            payee: "d", asset: "native", state: .open, held: 900, released: 0, refunded: 0,
            round: 0, release: quorum, refund: quorum, deadline: 50, onDeadline: .refund,
            decisions: Array(repeating: decision("a", .release, 4), count: 70_000), height: 7)
        var inbox = Inbox()
        inbox.add([escrow], for: signer("b"), in: WalletSamples.prefix)
        #expect(inbox.items.isEmpty && inbox.cut.count == 1)
    }

    @Test("what isn't an id gets no command, whatever the node says")
    func damagedIDs() throws {
        let prefix = WalletSamples.prefix
        let whole = EscrowID(WalletSamples.bytes32(3)).text(in: prefix)
        let address = Address(WalletSamples.bytes32(4)).text(in: prefix)
        func found(_ id: String) -> Inbox {
            let quorum = QuorumInfo(members: ["a", "b"].map(member), threshold: 2)
            let escrow = EscrowInfo(
                id: id, payer: "a", payee: "d", asset: "native", state: .open, held: 900,
                released: 0, refunded: 0, round: 0, release: quorum, refund: quorum, deadline: 50,
                onDeadline: .refund, decisions: [decision("a", .release, 4)], height: 7)
            var inbox = Inbox()
            inbox.add([escrow], for: signer("b"), in: prefix)
            return inbox
        }
        #expect(found(whole).items.count == 1 && found(whole).cut.isEmpty)
        for id in ["--key", "--round=9", "", address, whole + "q"] {
            #expect(found(id).items.isEmpty && found(id).cut.count == 1, "\(id)")
        }
        func found(account: String, fellow: String) -> Inbox {
            let members = [fellow, address].map(member)
            let info = GuardedInfo(
                account: account,
                guardians: GuardiansInfo(
                    quorum: QuorumInfo(members: members, threshold: 2), delayMilliseconds: 5),
                recovery: RecoveryInfo(policy: policy, readyAt: 60, validUntil: 99))
            var inbox = Inbox()
            inbox.add([info], for: signer(address), at: 1, in: prefix)
            return inbox
        }
        let other = Address(WalletSamples.bytes32(5)).text(in: prefix)
        #expect(found(account: other, fellow: other).items.count == 1)
        for (account, fellow) in [("--from", other), (other, "--out"), (whole, other)] {
            let inbox = found(account: account, fellow: fellow)
            #expect(inbox.items.isEmpty && inbox.cut.count == 1, "\(account) \(fellow)")
        }
        // An account's own veto names it as it was asked about, not as the node says.
        let info = AccountInfo(
            address: "--key", balances: [], policy: nil, streams: [], deposits: 0,
            safeguards: SafeguardsInfo(
                limits: [],
                recovery: RecoveryInfo(policy: policy, readyAt: 60, validUntil: 99)),
            height: 6, stateRoot: "")
        let item = try #require(Inbox.item(info, for: signer(address)))
        #expect(item.next == "offpeak recover veto \(address) --from \(address) --key KEY-FILE")
    }

    @Test("a guardian who is too light alone vetoes with others")
    func lightGuardian() throws {
        let info = GuardedInfo(
            account: "opkacc1lost",
            guardians: GuardiansInfo(
                quorum: QuorumInfo(members: ["a", "b", "c"].map(member), threshold: 2),
                delayMilliseconds: 5),
            recovery: RecoveryInfo(policy: policy, readyAt: 60, validUntil: 99))
        let item = try #require(Inbox.item(info, for: signer("b"), at: 1))
        #expect(
            item.next == "offpeak recover veto opkacc1lost --from b --cosigner a --key KEY-FILE"
                + " --out veto-to-sign.json")
        let ready = try #require(Inbox.item(info, for: signer("b"), at: 60))
        #expect(!ready.next.contains("--cosigner"))
    }

    @Test("a release that lacks its preimage says so")
    func preimage() throws {
        let open = EscrowInfo(
            id: "opkesc1x", payer: "a", payee: "d", asset: "native", state: .open, held: 900,
            released: 0, refunded: 0, round: 2,
            release: QuorumInfo(members: ["a", "b"].map(member), threshold: 2),
            refund: QuorumInfo(members: ["a", "b"].map(member), threshold: 2), hashlock: "ab",
            deadline: 50, onDeadline: .refund, decisions: [decision("a", .release, 4)], height: 7)
        let item = try #require(Inbox.item(open, for: signer("b")))
        #expect(item.next.contains("--round 2 --preimage PREIMAGE --from b"))
    }

    @Test("the name of a file is one word for the shell, and nothing for the terminal")
    func names() throws {
        let key = WalletSamples.key(1).publicKey
        let policy = Policy.single(key)
        let file = try TransactionFile(
            transaction: Transaction(
                chainID: WalletSamples.chainID, sender: policy.address, sequence: 0,
                validUntil: 100, maxFee: 5, operations: [.vetoRecovery(policy.address)]),
            prefix: WalletSamples.prefix, policies: [policy])
        func next(_ path: String, _ keyPath: String) throws -> String {
            let keys = InboxKeys(keys: [.init(path: keyPath, publicKey: key)])
            return try #require(
                Inbox.item(file, at: path, keys: keys, accounts: [], at: 1)
            ).next
        }
        #expect(
            try next("in/a;touch PWNED #.json", "my key")
                == "offpeak tx sign 'in/a;touch PWNED #.json' --key 'my key'")
        #expect(
            try next("-in/it's $(x).json", "a.key")
                == "offpeak tx sign './-in/it'\\''s $(x).json' --key a.key")
        var inbox = Inbox()
        inbox.add([
            try #require(
                Inbox.item(
                    file, at: "a\u{1B}[2J\u{202E}\n.json",
                    keys: InboxKeys(keys: [.init(path: "k", publicKey: key)]), accounts: [],
                    at: 1))
        ])
        inbox.noteCut("b\u{9B}")
        let text = inbox.text(Palette(isOn: false))
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || VisibleText.isVisible($0) })
        #expect(text.contains("a\u{FFFD}[2J\u{FFFD}\u{FFFD}.json"))
    }

    @Test("the most urgent comes first, whatever the order of finding")
    func order() throws {
        let one = try #require(Inbox.item(escrow(.disputed), for: signer("e")))
        let two = try #require(
            Inbox.item(escrow(.open, [decision("a", .release, 4)]), for: signer("b")))
        var inbox = Inbox()
        inbox.add([one])
        inbox.add([two])
        #expect(inbox.items.map(\.kind) == [.decide, .arbitrate])
        let text = inbox.text(Palette(isOn: false))
        #expect(text.contains("1: release 4") && text.contains("offpeak escrow arbitrate"))
        #expect(Inbox().text(Palette(isOn: false)) == "(nothing waits for you)")
    }

    @Test("a file waits for those who may sign and haven't, then for whoever submits it")
    func files() throws {
        let keys = (1...3).map { WalletSamples.key(UInt8($0)) }
        let policy = try Policy(
            signers: keys.prefix(2).map { .init(publicKey: $0.publicKey, weight: 1) }, spend: 2,
            admin: 2)
        let transaction = Transaction(
            chainID: WalletSamples.chainID, sender: policy.address, sequence: 0, validUntil: 100,
            maxFee: 5, operations: [.vetoRecovery(policy.address)])
        var file = try TransactionFile(
            transaction: transaction, prefix: WalletSamples.prefix, policies: [policy])
        func kind(
            _ key: Int?, accounts: Set<Address> = [], at time: Timestamp = 100
        ) -> Inbox.Item.Kind? {
            Inbox.item(
                file, at: "f.json",
                keys: InboxKeys(
                    keys: key.map { [.init(path: "k\($0)", publicKey: keys[$0].publicKey)] } ?? []
                ),
                accounts: accounts, at: time)?.kind
        }
        #expect(kind(0) == .sign && kind(1) == .sign && kind(2) == nil)
        #expect(kind(nil, accounts: [policy.address]) == .sign)
        #expect(kind(0, at: 101) == nil)
        file = try file.signed(by: [keys[0]])
        #expect(kind(0) == nil && kind(1) == .sign)
        file = try file.signed(by: [keys[1]])
        #expect(kind(0) == .submit && kind(1) == .submit && kind(2) == nil)
    }
}
