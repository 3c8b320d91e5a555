import Primitives
import Testing

@testable import Execution

@Suite struct VerifierSetTests {
    @Test func `a set is what the state says a lag and a block before its period`() throws {
        // Periods of 2 heights, a lag of 3: the set of period p is determined after height 2p - 4.
        var world = try World.bonds()
        #expect(world.ledger.verifierSets.keys.sorted() == [0, 1, 2])
        try world.run(world.alice, .bond(world.bond(7000, by: world.alice)))
        #expect(world.ledger.verifierSets.keys.sorted() == [0, 1, 2])
        try world.run([])
        #expect(world.ledger.verifierSets.keys.sorted() == [0, 1, 2, 3])
        #expect(world.ledger.verifierSet(period: 2)?.count == 4)
        let set = try #require(world.ledger.verifierSet(period: 3))
        #expect(set.count == 5 && set.bond(of: VerifierIndex(4)) == 7)
        #expect(set.members.last?.rewardAddress == world.alice.address)
    }

    @Test func `whoever votes in a period knows its set, whatever periods and lags are`() throws {
        for (period, lag) in [(1, 1), (1, 16), (1, 256), (2, 3), (7, 7), (8, 7), (16, 17), (64, 5)]
            as [(UInt64, UInt64)]
        {
            let kept = VerificationParameters(periodBlocks: period).setsKept(lag: lag)
            let epoch = (4 * lag + period - 1) / period * period
            var world = try World(
                consensus: .init(executionLagMax: lag),
                verification: .init(
                    periodBlocks: period, unbondBlocks: max(kept * period, 2 * epoch + lag)),
                stake: .init(epochBlocks: epoch))
            for height in 0...(period * 4) {
                try world.pass(to: height)
                // Whoever votes up to a lag and a block above has executed this far.
                for voted in [height + 1, height + lag, height + lag + 1] {
                    let needed = voted / period
                    #expect(
                        world.ledger.verifierSet(period: needed) != nil,
                        "period of \(period), lag \(lag), height \(height)")
                }
                #expect(try world.reopened().verifierSets == world.ledger.verifierSets)
            }
        }
    }

    @Test func `sets of passed periods stay for eight periods, then go`() throws {
        var world = try World.bonds()
        for height in UInt64(1)...60 {
            try world.pass(to: height)
            let now = world.ledger.period(of: Height(height))
            for past in now - min(now, 8)...now {
                #expect(world.ledger.verifierSet(period: past) != nil, "height \(height)")
            }
            #expect(world.ledger.verifierSets.count <= 12)
        }
        #expect(world.ledger.verifierSet(period: 0) == nil)
    }

    @Test func `a set lies in the state, and a store without it isn't opened`() throws {
        var world = try World.bonds()
        try world.pass(to: 32)
        let set = try #require(world.ledger.verifierSet(period: 18))
        #expect(try world.reader.systemValue("verifiers/2") == set.bcsBytes)
        var damage = WriteSet()
        damage.delete(StateKey.system("verifiers/2").path.bytes, in: .state)
        let copy = world.store.copy()
        copy.apply(damage)
        #expect(throws: StorageFault.self) {
            try Ledger(opening: copy, genesis: world.genesis)
        }
    }

    @Test func `only those stand in a set who have the least bond and aren't in jail`() throws {
        var world = try World.bonds(isBonded: true)
        let key = world.verifierKey
        #expect(world.ledger.verifierSet(period: 0)?.index(of: key) == VerifierIndex(4))
        try world.run(
            world.dave,
            .unbond(Unbond(key: key, amount: Amount(World.stake - World.least))))
        try world.pass(to: 2)
        #expect(world.ledger.verifierSet(period: 3)?.bond(of: VerifierIndex(4)) == 5)
        let act = Offence(key, .equivocatingOwner, number: 1, at: 1)
        try world.run(world.alice, .reportEvidence(FakeJudge.evidence(act)))
        try world.pass(to: 4)
        #expect(world.ledger.verifierSet(period: 4)?.index(of: key) == nil)
        try world.run(world.dave, .bond(world.bond(3 * World.least, by: world.dave)))
        try world.pass(to: 6)
        #expect(world.ledger.verifierSet(period: 5)?.bond(of: VerifierIndex(4)) == 19)
        let wrong = Offence(key, .wrongVerdict, number: 2, at: 1)
        try world.run(world.alice, .reportEvidence(FakeJudge.evidence(wrong)))
        try world.pass(to: 8)
        #expect(world.ledger.verifierSet(period: 6)?.index(of: key) == nil)
    }

    @Test func `jail ends at its height, not one earlier`() throws {
        var world = try World.bonds(isBonded: true)
        let act = Offence(world.verifierKey, number: 1, at: 1)
        try world.pass(to: 1)
        try world.run(world.alice, .reportEvidence(FakeJudge.evidence(act)))
        #expect(try world.stake()?.jailedUntil == 32)
        // Sets are determined after even heights.
        try world.pass(to: 30)
        #expect(world.ledger.verifierSet(period: 17)?.index(of: world.verifierKey) == nil)
        try world.pass(to: 32)
        #expect(world.ledger.verifierSet(period: 18)?.index(of: world.verifierKey) != nil)
    }

    @Test func `of too many the highest bonds stand, also past some that are in jail`() throws {
        let people = (0..<600).map { number in
            SecretKey(
                seed: SecureBytes(
                    copying: Digest.hash(.random, UInt64(number).bcsLittleEndian).bytes))
        }
        let verifiers = people.prefix(512).enumerated().map { place, key in
            GenesisVerifier(
                key: key.publicKey, peerID: PeerID(key.publicKey), rewardAddress: .zero,
                bond: Amount(2_000_000 + UInt64(place) * 1000))
        }
        let world = try World()
        let genesis = try Genesis(
            network: "test", prefix: "tst", time: 1, accounts: world.genesis.accounts,
            validators: world.genesis.validators, verifiers: verifiers,
            parameters: LedgerParameters(
                fees: world.genesis.parameters.fees, stake: .init(epochBlocks: 20),
                consensus: .init(executionLagMax: 1),
                verification: .init(periodBlocks: 1, unbondBlocks: 100)))
        world.store.apply(Ledger.genesisWrites(genesis).writes)
        var ledger = try Ledger(opening: world.store, genesis: genesis, judge: FakeJudge())
        // Four validators leave room for 508: the four lowest bonds stay out.
        let first = try #require(ledger.verifierSet(period: 0))
        #expect(first.count == 512 && first.index(of: people[3].publicKey) == nil)
        #expect(first.index(of: people[4].publicKey) != nil)
        let evidence = FakeJudge.evidence(Offence(people[511].publicKey, number: 1, at: 1))
        let report = SignedTransaction(
            signing: Transaction(
                chainID: genesis.chainID, sender: world.alice.address, sequence: 0,
                validUntil: 1000, maxFee: 10_000, operations: [.reportEvidence(evidence)]),
            by: [world.alice.key])
        for direct in [[report], []] {
            let outcome = try ledger.execute(
                ExecutableBlock(
                    height: ledger.height.clampedAdvance(by: 1), digest: .zero, time: 2,
                    proposer: ValidatorIndex(0),
                    direct: try direct.map { try #require(Verified.check($0)) }))
            world.store.apply(outcome.writes)
            ledger.writesApplied()
        }
        let last = try #require(ledger.verifierSet(period: 3))
        #expect(last.index(of: people[511].publicKey) == nil)
        #expect(last.index(of: people[3].publicKey) != nil && last.count == 512)
    }

    @Test func `periods are counted from height 0`() {
        let parameters = VerificationParameters(periodBlocks: 32)
        #expect(parameters.period(of: 0) == 0 && parameters.period(of: 31) == 0)
        #expect(parameters.period(of: 32) == 1)
        #expect(parameters.period(of: Height(.max)) == UInt64.max / 32)
        #expect(parameters.newestPeriod(after: Height(.max), lag: 16) == UInt64.max / 32)
        #expect(parameters.setsKept(lag: 16) == 10)
        #expect(VerificationParameters(periodBlocks: 1).setsKept(lag: 256) == 266)
    }

    @Test func `blocks give the same root on a ledger that lives on and on one reopened`() throws {
        var world = try World.bonds()
        var other = world
        for round in UInt64(0)..<20 {
            let amount = World.least + round
            let operation = Operation.bond(world.bond(amount, by: world.alice))
            let signed = SignedTransaction(
                signing: try world.transaction(world.alice.address, [operation]),
                by: [world.alice.key])
            let height = world.ledger.height.clampedAdvance(by: 1)
            let block = ExecutableBlock(
                height: height, digest: .zero, time: Timestamp(World.start + round),
                proposer: ValidatorIndex(0),
                batches: [
                    .init(
                        owner: ValidatorIndex(1), period: world.ledger.period(of: height),
                        chunks: [.init(transactions: 1, verifiers: [VerifierIndex(2)])],
                        transactions: [try #require(Verified.check(signed))])
                ])
            let live = try other.ledger.execute(block)
            world.ledger = try world.reopened()
            let reopened = try world.ledger.execute(block)
            #expect(live.stateRoot == reopened.stateRoot)
            #expect(live.writes == reopened.writes)
            #expect(other.ledger.verifierSets == world.ledger.verifierSets)
            world.store.apply(reopened.writes)
            world.ledger.writesApplied()
            other.ledger.writesApplied()
        }
    }
}
