import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("What waits for a signature")
struct InboxTests {
    private func member(_ name: String) -> MemberInfo { MemberInfo(address: name, weight: 1) }

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
        let item = try #require(Inbox.item(open, for: "b"))
        #expect(item.kind == .decide && item.until == 50)
        #expect(item.text == "release 400: 1 of 2 have decided so")
        #expect(item.next == "offpeak escrow decide opkesc1x --release 400")
        #expect(Inbox.item(open, for: "a") == nil)
        #expect(Inbox.item(open, for: "d") == nil)
        #expect(Inbox.item(open, for: "e") == nil)
        #expect(Inbox.item(escrow(), for: "b") == nil)
        let refund = escrow(.open, [decision("d", .refund, 400)])
        #expect(Inbox.item(refund, for: "b") == nil)
        #expect(Inbox.item(escrow(.closed, []), for: "b") == nil)
    }

    @Test("a dispute waits for its arbiter alone")
    func arbitrate() throws {
        let item = try #require(Inbox.item(escrow(.disputed), for: "e"))
        #expect(item.kind == .arbitrate && item.until == 90)
        #expect(item.next == "offpeak escrow arbitrate opkesc1x --to-payee AMOUNT")
        #expect(Inbox.item(escrow(.disputed), for: "a") == nil)
        let decided = escrow(
            .disputed,
            [DecisionInfo(participant: "e", direction: .release, amount: 1, toPayer: 899)])
        #expect(Inbox.item(decided, for: "e") == nil)
    }

    @Test("a recovery is shown to the account and to its guardians, and when it is ready")
    func recovery() throws {
        let pending = try #require(Inbox.item(guarded(readyAt: 60), for: "a", at: 59))
        #expect(pending.kind == .recovery && pending.until == 60)
        #expect(pending.next == "offpeak recover veto opkacc1lost")
        let ready = try #require(Inbox.item(guarded(readyAt: 60), for: "a", at: 60))
        #expect(ready.next == "offpeak recover complete opkacc1lost" && ready.until == 99)
        #expect(Inbox.item(guarded(readyAt: nil), for: "a", at: 60) == nil)
    }

    @Test("the most urgent comes first, whatever the order of finding")
    func order() throws {
        let one = try #require(Inbox.item(escrow(.disputed), for: "e"))
        let two = try #require(
            Inbox.item(escrow(.open, [decision("a", .release, 4)]), for: "b"))
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
                file, at: "f.json", keys: Set(key.map { [keys[$0].publicKey] } ?? []),
                accounts: accounts, policies: [:], at: time)?.kind
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
