import Primitives
import Testing

@testable import Execution

@Suite struct RecoveryTests {
    /// A guarded account.
    private func guarded(delay: UInt64 = SafeWorld.hour) throws -> SafeWorld {
        var safe = try SafeWorld()
        #expect(try safe.change(.setSafeguards(safe.guardians(delay: delay, limit: 5000))) == nil)
        return safe
    }

    @Test func `guardians replace lost keys once the delay is over, and anybody completes it`()
        throws
    {
        var safe = try guarded()
        try safe.spend(safe.pay(2000))
        let start = safe.now
        #expect(try safe.propose([safe.world.alice, safe.world.bob]) == nil)
        #expect(try safe.complete(at: start) == .recoveryTooEarly)
        #expect(try safe.complete(at: start + SafeWorld.hour - 1) == .recoveryTooEarly)
        #expect(try safe.account.policy == safe.policy)
        #expect(try safe.complete(at: start + SafeWorld.hour) == nil)
        let account = try safe.account
        #expect(account.policy == safe.other && account.safeguards?.recovery == nil)
        #expect(account.safeguards?.guardians == (try safe.guardians().guardians))
        #expect(account.safeguards?.limits.first?.spent == 2000)
        #expect(reason([try safe.result([safe.pay(1)], keys: 3)]) == .unknownSigner)
        let transaction = try safe.world.transaction(safe.address, [safe.pay(1)])
        let signed = SignedTransaction(signing: transaction, by: [safe.found.key])
        #expect(try failure(safe.world.run([signed])) == nil)
        #expect(try safe.complete(at: safe.now) == .noRecovery)
    }

    @Test func `guardians reach their quorum in one transaction, strangers never`() throws {
        var safe = try guarded()
        let (alice, bob, dave) = (safe.world.alice, safe.world.bob, safe.world.dave)
        #expect(try safe.propose([alice]) == .guardiansTooFew)
        #expect(try safe.propose([dave]) == .guardiansTooFew)
        #expect(try safe.propose([alice, dave]) == .guardiansTooFew)
        #expect(try safe.propose([dave, alice, bob]) == nil)
    }

    @Test func `a guardian without an account signs beside one that has one`() throws {
        var safe = try SafeWorld()
        let quorum = try EscrowWorld.quorum([safe.world.alice, safe.world.erin], 2)
        let terms = SafeguardTerms(
            guardians: Guardians(quorum: quorum, delayMilliseconds: SafeWorld.hour))
        #expect(try safe.change(.setSafeguards(terms)) == nil)
        #expect(try safe.propose([safe.world.alice, safe.world.erin]) == nil)
        #expect(try safe.world.reader.account(safe.world.erin.address) == nil)
    }

    @Test func `an account without guardians can't be recovered`() throws {
        var safe = try SafeWorld()
        let guardians = [safe.world.alice, safe.world.bob]
        #expect(try safe.propose(guardians) == .noGuardians)
        #expect(try safe.propose(guardians, of: safe.world.erin.address) == .noGuardians)
        try safe.change(.setSafeguards(SafeWorld.limit(5)))
        #expect(try safe.propose(guardians) == .noGuardians)
        for operation in [.vetoRecovery(safe.address), Operation.completeRecovery(safe.address)] {
            #expect(try safe.act([safe.world.alice], operation) == .noRecovery)
        }
    }

    @Test func `one recovery is pending at a time, and it names another policy`() throws {
        var safe = try guarded()
        let guardians = [safe.world.alice, safe.world.bob]
        #expect(try safe.propose(guardians, safe.policy) == .samePolicy)
        let madeUp = Policy.single(try #require(Policy.madeUpKey))
        #expect(try safe.propose(guardians, madeUp) == .keyUnusable)
        #expect(try safe.propose(guardians) == nil)
        #expect(try safe.propose(guardians) == .recoveryPending)
        #expect(
            try safe.propose(guardians, .single(safe.found.key.publicKey)) == .recoveryPending)
    }

    @Test func `the owner's veto ends it and holds for one delay`() throws {
        var safe = try guarded()
        let guardians = [safe.world.alice, safe.world.carol]
        #expect(try safe.propose(guardians) == nil)
        let time = safe.now + SafeWorld.hour + 5
        #expect(try safe.veto(at: time) == nil)
        #expect(try safe.account.safeguards?.recovery == nil)
        #expect(try safe.complete(at: time) == .noRecovery)
        #expect(try safe.veto() == .noRecovery)
        #expect(try safe.propose(guardians, at: time) == .recoveryTooSoon)
        #expect(try safe.propose(guardians, at: time + SafeWorld.hour - 1) == .recoveryTooSoon)
        #expect(try safe.propose(guardians, at: time + SafeWorld.hour) == nil)
    }

    @Test func `who can only spend vetoes once, so that a stolen key keeps nobody away for good`()
        throws
    {
        var safe = try guarded()
        let guardians = [safe.world.alice, safe.world.carol]
        #expect(try safe.propose(guardians) == nil)
        #expect(try safe.veto() == nil)
        let second = safe.now + SafeWorld.hour
        #expect(try safe.propose(guardians, at: second) == nil)
        // With the admin weight it can as often as it will, and whoever takes signatures away on
        // the way doesn't spoil it.
        let fixed = safe
        #expect(try safe.isSecondVetoHeldBack { try fixed.ownVeto(keys: $0) })
        let third = safe.now + SafeWorld.hour
        #expect(try safe.propose(guardians, at: third) == nil)
        let later = safe
        #expect(try safe.isSecondVetoHeldBack { try later.cosignedVeto(keys: $0) })
        #expect(try safe.propose(guardians, at: safe.now + SafeWorld.hour) == nil)
        // Guardians who withdraw are heard: then it is as at first.
        let veto = Operation.vetoRecovery(safe.address)
        #expect(try safe.act(guardians, veto) == nil)
        #expect(try safe.propose(guardians) == nil)
        #expect(try safe.veto() == nil)
        // And so is who completes a recovery.
        let fourth = safe.now + SafeWorld.hour
        #expect(try safe.propose(guardians, at: fourth) == nil)
        let signed = try safe.cosignedVeto(keys: 2)
        #expect(reason(try safe.world.run([signed])) == .notAuthorized)
        #expect(try safe.complete(at: fourth + SafeWorld.hour) == nil)
        #expect(try safe.account.safeguards?.quietUntil == 0)
        #expect(try safe.account.policy == safe.other)
    }

    @Test func `that a further veto lacks weight is said after what is wrong with it for good`()
        throws
    {
        var safe = try guarded()
        let guardians = [safe.world.alice, safe.world.carol]
        #expect(try safe.propose(guardians) == nil)
        #expect(try safe.veto() == nil)
        // Nothing is pending: it comes in and fails.
        let early = try safe.ownVeto(keys: 2)
        guard case .admissible = try safe.world.ledger.admission(of: early) else {
            throw Unexpected(what: "\(early)")
        }
        #expect(try failure(safe.world.run([early])) == .noRecovery)
        #expect(try safe.propose(guardians, at: safe.now + SafeWorld.hour) == nil)
        func weak(sequence: UInt64? = nil, validUntil: UInt64) throws -> SignedTransaction {
            SignedTransaction(
                signing: try safe.world.transaction(
                    safe.address, [.vetoRecovery(safe.address)], sequence: sequence,
                    validUntil: validUntil),
                by: Array(safe.keys.prefix(2)))
        }
        let used = try weak(sequence: 0, validUntil: safe.now + 10_000)
        let late = try weak(validUntil: safe.now - 1)
        for (signed, wanted) in [
            (used, .sequenceUsed), (late, .expired),
            (try safe.ownVeto(keys: 2), .notAuthorized),
            (try safe.ownVeto(keys: 1), .notAuthorized),
        ] as [(SignedTransaction, SkipReason)] {
            #expect(try safe.world.ledger.admission(of: signed) == .refused(wanted))
            #expect(try reason(safe.world.run([signed])) == wanted)
        }
    }

    @Test func `the account itself may send its veto`() throws {
        var safe = try guarded()
        #expect(try safe.propose([safe.world.alice, safe.world.bob]) == nil)
        #expect(try safe.spend(.vetoRecovery(safe.address)) == nil)
        #expect(try safe.account.safeguards?.quietUntil.rawValue == safe.now + SafeWorld.hour)
    }

    @Test func `guardians withdraw it together, and may propose another at once`() throws {
        var safe = try guarded()
        let (alice, bob, carol) = (safe.world.alice, safe.world.bob, safe.world.carol)
        #expect(try safe.propose([alice, bob]) == nil)
        let veto = Operation.vetoRecovery(safe.address)
        for people in [[alice], [safe.world.dave], [safe.world.dave, carol]] {
            #expect(try safe.act(people, veto) == .notParticipant)
        }
        #expect(try safe.act([bob, carol], veto) == nil)
        #expect(try safe.propose([alice, bob], .single(safe.found.key.publicKey)) == nil)
    }

    @Test func `what nobody completes is void after 30 days`() throws {
        var safe = try guarded()
        let guardians = [safe.world.alice, safe.world.bob]
        #expect(try safe.propose(guardians) == nil)
        let last = safe.now + SafeWorld.hour + 30 * SafeWorld.day
        #expect(try safe.complete(at: last + 1) == .noRecovery)
        #expect(try safe.veto() == .noRecovery)
        #expect(try safe.propose(guardians) == nil)
        let again = safe.now + SafeWorld.hour + 30 * SafeWorld.day
        #expect(try safe.complete(at: again) == nil)
    }

    @Test func `times at the end of all time stay in their range`() {
        let recovery = Safeguards.Recovery(
            policy: .single(Person(1).key.publicKey), readyAt: Timestamp(.max))
        #expect(recovery.validUntil == Timestamp(.max))
    }

    @Test func `whoever may change the policy or the guardians ends a recovery by it`() throws {
        let pair = try Policy(signers: SafeWorld().policy.signers, spend: 1, admin: 2)
        for terms in [nil, try SafeWorld().guardians(limit: 5000), SafeguardTerms()] {
            var safe = try guarded()
            #expect(try safe.propose([safe.world.alice, safe.world.bob]) == nil)
            let operation = terms.map { Operation.setSafeguards($0) } ?? .setPolicy(pair)
            #expect(try safe.change(operation) == nil)
            #expect(try safe.account.safeguards?.recovery == nil)
            #expect(try safe.complete(at: safe.now + SafeWorld.hour) == .noRecovery)
        }
    }

    @Test func `a pending recovery stops no payment, and guardians who are gone stop nothing`()
        throws
    {
        var safe = try guarded()
        #expect(try safe.propose([safe.world.alice, safe.world.bob]) == nil)
        #expect(try safe.spend(safe.pay(100)) == nil)
        #expect(try safe.change(safe.pay(100_000)) == nil)
        let gone = Guardians(
            quorum: try Quorum(
                members: [.init(address: Address(.sha256([9])), weight: 1)], threshold: 1),
            delayMilliseconds: SafeWorld.hour)
        #expect(try safe.change(.setSafeguards(SafeguardTerms(guardians: gone))) == nil)
        #expect(try safe.spend(safe.pay(100)) == nil)
        #expect(try safe.change(.setSafeguards(SafeguardTerms()), .setPolicy(safe.other)) == nil)
    }

    @Test func `a delay lies between an hour and 90 days`() throws {
        let most = 90 * SafeWorld.day
        for (delay, code) in [
            (0, .delayOutOfRange), (SafeWorld.hour - 1, .delayOutOfRange), (SafeWorld.hour, nil),
            (SafeWorld.hour + 1, nil), (most - 1, nil), (most, nil), (most + 1, .delayOutOfRange),
            (.max, .delayOutOfRange),
        ] as [(UInt64, FailureCode?)] {
            var safe = try SafeWorld()
            let terms = try safe.guardians(delay: delay)
            #expect(try safe.change(.setSafeguards(terms)) == code, "\(delay)")
        }
    }

    @Test func `an account doesn't guard itself, nor do more than one transaction carries`()
        throws
    {
        var safe = try SafeWorld()
        func terms(_ addresses: [Address], _ threshold: UInt32) throws -> Operation {
            let quorum = try Quorum(
                members: addresses.map { .init(address: $0, weight: 1) }, threshold: threshold)
            return .setSafeguards(
                SafeguardTerms(
                    guardians: Guardians(quorum: quorum, delayMilliseconds: SafeWorld.hour)))
        }
        let own = [safe.address, safe.world.bob.address]
        #expect(try safe.change(terms(own, 1)) == .guardianIsSelf)
        let many = (0..<16).map { Address(.sha256([$0])) }
        #expect(try safe.change(terms(many, 10)) == .guardiansUnreachable)
        #expect(try safe.change(terms(many, 9)) == nil)
    }

    @Test func `a policy that nobody could satisfy doesn't even come in`() throws {
        let good = RecoveryProposal(account: .zero, policy: .single(Person(1).key.publicKey))
        var bytes = good.bcsBytes
        bytes[bytes.count - 4] = 2
        #expect(throws: BCSError.self) { try RecoveryProposal(bcs: bytes) }
    }

    @Test func `who guards what is listed, a page at a time`() throws {
        var safe = try guarded()
        let alice = safe.world.alice
        let bobs = SafeguardTerms(
            guardians: Guardians(
                quorum: try EscrowWorld.quorum([alice], 1), delayMilliseconds: SafeWorld.hour))
        #expect(try safe.act([safe.world.bob], .setSafeguards(bobs)) == nil)
        let both = [safe.address, safe.world.bob.address].sorted()
        let reader = safe.world.reader
        #expect(try reader.accounts(guardedBy: alice.address, limit: 9).map(\.address) == both)
        let first = try reader.accounts(guardedBy: alice.address, limit: 1).map(\.address)
        #expect(first == [both[0]])
        let next = try reader.accounts(guardedBy: alice.address, after: both[0], limit: 9)
        #expect(next.map(\.address) == [both[1]])
        let carol = safe.world.carol.address
        #expect(try reader.accounts(guardedBy: carol, limit: 9).map(\.address) == [safe.address])
        try safe.change(.setSafeguards(SafeguardTerms()))
        #expect(try safe.world.reader.accounts(guardedBy: carol, limit: 9).isEmpty)
    }

    @Test func `safeguards decode exactly what they encode`() throws {
        var safe = try guarded()
        #expect(try safe.propose([safe.world.alice, safe.world.bob]) == nil)
        let bytes = try safe.account.bcsBytes
        #expect(try Account(bcs: bytes) == safe.account)
        for count in 0..<bytes.count {
            #expect(throws: BCSError.self) { try Account(bcs: Array(bytes.prefix(count))) }
        }
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let other = try? Account(bcs: flipped) else { continue }
            #expect(other.bcsBytes == flipped, "bit \(bit)")
        }
    }
}
