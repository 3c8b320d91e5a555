import Primitives
import Testing

@testable import Execution

@Suite struct EvidenceTests {
    private func report(_ offence: Offence) -> Operation {
        .reportEvidence(FakeJudge.evidence(offence))
    }

    @Test func `the first offence costs a twentieth: a tenth to the reporter, the rest not`() throws
    {
        var world = try World.bonds(isBonded: true)
        let (reporter, treasury) = (
            try world.balance(world.alice), try world.balance(world.treasury)
        )
        let act = Offence(world.verifierKey, number: 1, at: 1)
        #expect(try world.run(world.alice, report(act)) == .success)
        let stake = try #require(try world.stake())
        #expect(stake.bonded == 950_000 && stake.offences == 1)
        #expect(stake.jailedUntil == 31)
        #expect(stake.marks == [Verifier.Mark(id: act.id, expiry: 31)])
        #expect(try world.balance(world.alice) > reporter + 5000 - 1000)
        #expect(try world.balance(world.alice) < reporter + 5000)
        #expect(try world.balance(world.treasury) >= treasury + 45_000)
        #expect(world.ledger.totals.bonded == 4_950_000)
    }

    @Test func `a further one costs half, of bond and releases alike, and the third is for good`()
        throws
    {
        var world = try World.bonds(isBonded: true)
        try world.run(world.dave, .unbond(Unbond(key: world.verifierKey, amount: 300_001)))
        for number in UInt8(1)...3 {
            try world.run(
                world.alice, report(Offence(world.verifierKey, number: number, at: 1)))
        }
        let stake = try #require(try world.stake())
        // 699,999 and 300,001, each less 5 %, 50 % and 50 %, what is taken rounded up.
        #expect(stake.bonded == 166_249)
        #expect(stake.releases.map(\.amount) == [71_250])
        #expect(stake.jailedUntil == Height(.max))
        let more = Operation.bond(world.bond(World.least, by: world.dave))
        #expect(failure(try world.run(world.dave, more)) == .jailedForGood)
        let rest = Operation.unbond(Unbond(key: world.verifierKey, amount: stake.bonded))
        #expect(try world.run(world.dave, rest) == .success)
    }

    @Test func `an act is punished once, whatever proves it`() throws {
        var world = try World.bonds(isBonded: true)
        let act = Offence(world.verifierKey, number: 1, at: 1)
        let renamed = Offence(
            offender: act.offender, kind: .conflictingAcks, id: act.id, height: 2)
        try world.run(world.alice, report(act))
        #expect(failure(try world.run(world.bob, report(act))) == .evidenceKnown)
        #expect(failure(try world.run(world.bob, report(renamed))) == .evidenceKnown)
        #expect(try world.stake()?.bonded == 950_000)
    }

    @Test func `an act can be reported as long as a bond may still be released, not longer`() throws
    {
        var world = try World.bonds(isBonded: true)
        try world.pass(to: 30)
        let act = Offence(world.verifierKey, number: 1, at: 1)
        #expect(try world.run(world.alice, report(act)) == .success)
        let other = Offence(world.verifierKey, number: 2, at: 1)
        #expect(failure(try world.run(world.alice, report(other))) == .evidenceExpired)
        let coming = Offence(world.verifierKey, number: 3, at: .max)
        #expect(try world.run(world.alice, report(coming)) == .success)
    }

    @Test func `forged evidence, evidence about strangers and of nothing does nothing`() throws {
        var world = try World.bonds(isBonded: true)
        let root = world.ledger.stateRoot
        var forged = FakeJudge.evidence(Offence(world.verifierKey, number: 1, at: 1))
        forged[40] ^= 1
        for evidence in [forged, [], [UInt8](repeating: 0, count: 16 * 1024)] {
            let outcome = try world.run(world.alice, .reportEvidence(evidence))
            #expect(failure(outcome) == .evidenceInvalid)
        }
        let stranger = Offence(world.erin.key.publicKey, number: 1, at: 1)
        #expect(failure(try world.run(world.alice, report(stranger))) == .nothingToSlash)
        #expect(try world.stake()?.bonded == Amount(World.stake))
        #expect(world.ledger.stateRoot != root)
    }

    @Test func `without a judge nothing is proven`() throws {
        let world = try World.bonds(isBonded: true)
        var ledger = try Ledger(opening: world.store, genesis: world.genesis)
        let evidence = FakeJudge.evidence(Offence(world.verifierKey, number: 1, at: 1))
        let signed = SignedTransaction(
            signing: try world.transaction(world.alice.address, [.reportEvidence(evidence)]),
            by: [world.alice.key])
        let outcome = try ledger.execute(
            ExecutableBlock(
                height: 1, digest: .zero, time: 2_000_000, proposer: ValidatorIndex(0),
                direct: [try #require(Verified.check(signed))]))
        #expect(failure(outcome.results) == .evidenceInvalid)
    }

    @Test func `a validator is slashed and jailed too, an owner who equivocates only slashed`()
        throws
    {
        var world = try World.bonds()
        let key = world.validators[2].key.publicKey
        try world.run(
            world.alice, report(Offence(key, .equivocatingOwner, number: 1, at: 1)))
        var stake = try #require(try world.reader.verifier(key))
        #expect(stake.bonded == 950_000 && stake.jailedUntil == 0 && stake.offences == 1)
        try world.run(world.alice, report(Offence(key, .conflictingAcks, number: 2, at: 1)))
        stake = try #require(try world.reader.verifier(key))
        #expect(stake.bonded == 475_000 && stake.jailedUntil == 32)
        #expect(world.ledger.verifierSets.values.map(\.period).max() == 3)
        #expect(world.ledger.verifierSet(period: 3)?.bond(of: VerifierIndex(2)) == 0)
        #expect(world.ledger.verifierSet(period: 2)?.bond(of: VerifierIndex(2)) == 1000)
        // Votes are another matter.
        #expect(world.genesis.committee.validators[2].weight == 1000)
    }

    @Test func `the smallest stake can be lost too, and then there is nothing left to punish`()
        throws
    {
        var world = try World.bonds(isBonded: true)
        for number in UInt8(1)...30 {
            let outcome = try world.run(
                world.alice, report(Offence(world.verifierKey, number: number, at: 1)))
            if failure(outcome) == .nothingToSlash { break }
        }
        let stake = try #require(try world.stake())
        #expect(stake.bonded == 0 && stake.offences == 21)
        #expect(world.ledger.totals.bonded == 4_000_000)
        // Its offences are remembered.
        try world.pass(to: 70)
        #expect(try world.stake() != nil)
    }

    @Test func `offences without end cost everything in the end, whatever genesis says`() throws {
        var world = try World(
            consensus: .init(executionLagMax: 3),
            verification: .init(
                periodBlocks: 2, unbondBlocks: 1000, slashPermille: 0, repeatSlashPermille: 0),
            stake: .init(epochBlocks: 100), isBonded: true)
        for number in UInt8(1)...64 {
            try world.run(
                world.alice, report(Offence(world.verifierKey, number: number, at: 1)))
        }
        #expect(try world.stake()?.bonded == Amount(World.stake))
        #expect(try world.stake()?.marks.count == Verifier.marksMax)
        let last = Offence(world.verifierKey, number: 65, at: 1)
        #expect(try world.run(world.alice, report(last)) == .success)
        #expect(try world.stake()?.bonded == 0)
    }

    @Test func `a mark is forgotten when the act can't be reported any more`() throws {
        var world = try World.bonds(isBonded: true)
        try world.run(world.alice, report(Offence(world.verifierKey, number: 1, at: 1)))
        try world.pass(to: 31)
        try world.run(world.alice, report(Offence(world.verifierKey, number: 2, at: 31)))
        let ids = try world.stake()?.marks.map(\.id)
        #expect(ids == [Offence(world.verifierKey, number: 2, at: 31).id])
    }

    @Test func `whoever is in jail can unbond, and the stake can be slashed until it is withdrawn`()
        throws
    {
        var world = try World.bonds(isBonded: true)
        let key = world.verifierKey
        try world.run(world.alice, report(Offence(key, number: 1, at: 1)))
        #expect(try world.run(world.dave, .unbond(Unbond(key: key, amount: 950_000))) == .success)
        try world.pass(to: 31)
        try world.run(world.alice, report(Offence(key, number: 2, at: 30)))
        #expect(try world.run(world.dave, .withdraw(key)) == .success)
        #expect(world.ledger.totals.bonded == 4_000_000)
        #expect(try world.stake()?.offences == 2)
    }
}
