@_spi(Simulation) import Primitives
import Testing

@testable import Execution

/// Epochs of 12 heights, a lag of 3: the committee of epoch 1 is elected after height 8, that of
/// epoch 2 after height 20. Validators have accounts.
extension World {
    static func epochs(
        seats: UInt16 = 5, isBonded: Bool = false, extra: [GenesisAccount] = [],
        minimum: Amount = 1_000_000, unit: Amount = 1000,
        governance: GovernanceParameters = .init()
    ) throws -> World {
        try World(
            extra: (0..<4).map { place in
                GenesisAccount(
                    owner: .policy(Person(UInt8(100 + place)).policy), balance: 1_000_000)
            } + extra, consensus: .init(executionLagMax: 3),
            verification: .init(periodBlocks: 2, minimumBond: 5000, unbondBlocks: 30),
            stake: .init(minimum: minimum, unit: unit, epochBlocks: 12, validatorsMax: seats),
            governance: governance, isBonded: isBonded)
    }

    /// The voting keys of an epoch, in the order of their indexes.
    func keys(of epoch: Epoch) -> [PublicKey]? {
        ledger.epochs.record(of: epoch)?.validators.map(\.votingKey)
    }

    /// Genesis' validators in the order of an election.
    var ranked: [PublicKey] { validators.map(\.key.publicKey).sorted() }

    /// A bond for the verifier of `owner`, who puts it up for election.
    mutating func stand(
        _ owner: Person, _ amount: UInt64, key: Person? = nil, node: Person? = nil
    ) throws -> FailureCode? {
        let bond = bond(amount, by: owner, key: key, node: node)
        return failure(try run(owner, .bond(bond), .declareCandidate(bond.key)))
    }
}

@Suite struct EpochTests {
    @Test func `a committee is what the state says a lag and a block before its epoch`() throws {
        var world = try World.epochs()
        #expect(world.ledger.epochs.epochs == [0])
        #expect(world.keys(of: 0) == world.validators.map(\.key.publicKey))
        try world.pass(to: 7)
        #expect(world.ledger.epochs.newest == 0)
        // In the very block that decides.
        #expect(try world.stand(world.alice, 2_000_500) == nil)
        #expect(world.ledger.height == 8 && world.ledger.epochs.newest == 1)
        #expect(world.keys(of: 1) == [world.verifierKey] + world.ranked)
        let committee = try #require(world.ledger.epochs[1])
        #expect(committee.validators[0].weight == 2000 && committee.totalWeight == 6000)
        #expect(committee.validators[0].rewardAddress == world.alice.address)
        #expect(world.ledger.epochs.committee(at: 12)?.epoch == 0)
        #expect(world.ledger.epochs.committee(at: 13)?.epoch == 1)
        // One block later is an epoch later.
        #expect(try world.stand(world.bob, 3_000_000, key: world.erin, node: world.erin) == nil)
        try world.pass(to: 19)
        #expect(world.ledger.epochs.newest == 1)
        try world.pass(to: 20)
        #expect(world.keys(of: 2)?.prefix(2) == [world.erin.key.publicKey, world.verifierKey])
    }

    @Test func `seats go to the highest bonds, of equal ones to the lower key`() throws {
        var world = try World.epochs(seats: 4)
        #expect(try world.stand(world.alice, 1_000_001) == nil)
        // Equal to the validators' stakes.
        #expect(try world.stand(world.bob, 1_000_000, key: world.erin, node: world.erin) == nil)
        try world.pass(to: 8)
        let equal = (world.ranked + [world.erin.key.publicKey]).sorted()
        #expect(world.keys(of: 1) == [world.verifierKey] + equal.prefix(3))
    }

    @Test func `of many who don't stand none takes a seat, however much they have bonded`() throws {
        let people = (0..<40).map { Person(UInt8(201 + $0)) }
        let world = try World.epochs(seats: 4)
        let verifiers = people.map {
            GenesisVerifier(
                key: $0.key.publicKey, peerID: PeerID($0.key.publicKey), rewardAddress: $0.address,
                bond: 5_000_000)
        }
        let genesis = try Genesis(
            network: "test", prefix: "tst", time: 1, accounts: world.genesis.accounts,
            validators: world.genesis.validators, verifiers: verifiers,
            parameters: world.genesis.parameters)
        let store = MemoryStore()
        store.apply(Ledger.genesisWrites(genesis).writes)
        var ledger = try Ledger(opening: store, genesis: genesis)
        for height in UInt64(1)...8 {
            let outcome = try ledger.execute(
                ExecutableBlock(
                    height: Height(height), digest: .zero, time: 2, proposer: ValidatorIndex(0)))
            store.apply(outcome.writes)
            ledger.writesApplied()
        }
        #expect(ledger.epochs[1]?.validators.map(\.votingKey) == world.ranked)
    }

    @Test func `only the owner puts a bond up that reaches the minimum, once`() throws {
        var world = try World.epochs()
        let key = world.verifierKey
        let (declare, stop) = (Operation.declareCandidate(key), Operation.withdrawCandidacy(key))
        #expect(failure(try world.run(world.alice, declare)) == .verifierUnknown)
        #expect(failure(try world.run(world.alice, stop)) == .verifierUnknown)
        #expect(try world.stand(world.alice, 999_999) == .stakeTooSmall)
        try world.run(world.alice, .bond(world.bond(999_999, by: world.alice)))
        #expect(failure(try world.run(world.alice, declare)) == .stakeTooSmall)
        #expect(failure(try world.run(world.alice, stop)) == .notCandidate)
        try world.run(world.alice, .bond(world.bond(1, by: world.alice)))
        #expect(failure(try world.run(world.bob, declare)) == .notBondOwner)
        #expect(try world.run(world.alice, declare) == .success)
        #expect(try world.stake()?.isCandidate == true)
        #expect(failure(try world.run(world.alice, declare)) == .alreadyCandidate)
        #expect(failure(try world.run(world.bob, stop)) == .notBondOwner)
        #expect(try world.run(world.alice, stop) == .success)
        #expect(failure(try world.run(world.alice, stop)) == .notCandidate)
        #expect(try world.stake()?.isCandidate == false)
    }

    @Test func `a candidate below the minimum isn't elected, and is again when it has more`()
        throws
    {
        var world = try World.epochs()
        #expect(try world.stand(world.alice, 1_500_000) == nil)
        let less = Operation.unbond(Unbond(key: world.verifierKey, amount: 500_001))
        #expect(try world.run(world.alice, less) == .success)
        try world.pass(to: 8)
        #expect(world.keys(of: 1) == world.ranked)
        try world.run(world.alice, .bond(world.bond(600_000, by: world.alice)))
        try world.pass(to: 20)
        #expect(world.keys(of: 2) == [world.verifierKey] + world.ranked)
    }

    @Test func `of two candidates with one node the higher bond stands`() throws {
        var world = try World.epochs(seats: 6)
        #expect(try world.stand(world.alice, 2_000_000) == nil)
        #expect(try world.stand(world.bob, 3_000_000, key: world.erin) == nil)
        try world.pass(to: 8)
        #expect(world.keys(of: 1) == [world.erin.key.publicKey] + world.ranked)
        let peer = PeerID(world.verifierKey)
        #expect(world.ledger.epochs[1]?.index(of: peer) == ValidatorIndex(0))
        // From epoch 1 on the node is that of a validator.
        try world.pass(to: 12)
        let more = Operation.bond(world.bond(1, by: world.alice))
        #expect(failure(try world.run(world.alice, more)) == .validatorBond)
    }

    @Test func `weights stay below 2^60 whatever is bonded`() throws {
        let rich = Person(60)
        var world = try World.epochs(
            extra: [GenesisAccount(owner: .policy(rich.policy), balance: Amount(1 << 62))],
            minimum: 1, unit: 1)
        #expect(try world.stand(rich, 1 << 61) == nil)
        try world.pass(to: 8)
        // It leaves no weight for others.
        #expect(world.keys(of: 1) == [world.verifierKey])
        #expect(world.ledger.epochs[1]?.totalWeight == Committee.totalWeightMax)
    }

    @Test func `where nobody stands the committee goes on`() throws {
        var world = try World.epochs()
        for validator in world.validators {
            let stop = Operation.withdrawCandidacy(validator.key.publicKey)
            #expect(try world.run(validator, stop) == .success)
        }
        try world.pass(to: 20)
        for epoch in [Epoch(1), 2] {
            #expect(world.keys(of: epoch) == world.validators.map(\.key.publicKey))
            #expect(world.ledger.epochs[epoch]?.totalWeight == 4000)
        }
        #expect(world.ledger.epochs[1]?.seed != world.ledger.epochs[2]?.seed)
    }

    @Test func `who unbonds votes to the end of the epoch, and can be slashed beyond it`() throws {
        var world = try World.epochs()
        let validator = world.validators[2]
        let key = validator.key.publicKey
        let all = Operation.unbond(Unbond(key: key, amount: Amount(World.stake)))
        try world.pass(to: 8)
        #expect(try world.run(validator, all) == .success)
        #expect(failure(try world.run(validator, all)) == .amountAboveBonded)
        try world.pass(to: 23)
        #expect(world.ledger.epochs[1]?.index(of: key) != nil)
        #expect(world.ledger.epochs[2]?.index(of: key) == nil)
        // Epoch 1 ends with height 24.
        try world.pass(to: 37)
        #expect(failure(try world.run(validator, .withdraw(key))) == .nothingDue)
        let act = Offence(key, .conflictingVotes, number: 1, at: 24)
        let report = Operation.reportEvidence(FakeJudge.evidence(act))
        #expect(try world.run(world.alice, report) == .success)
        #expect(world.ledger.height == 39)
        #expect(try world.run(validator, .withdraw(key)) == .success)
        #expect(world.ledger.totals.bonded == 3_000_000)
    }

    @Test func `a validator's bond grows with its owner's money`() throws {
        var world = try World.epochs()
        let validator = world.validators[3]
        let more = world.bond(500_000, by: validator, key: validator, node: validator)
        #expect(try world.run(validator, .bond(more)) == .success)
        try world.pass(to: 8)
        #expect(world.keys(of: 1)?.first == validator.key.publicKey)
        #expect(world.ledger.epochs[1]?.validators[0].weight == 1500)
    }
}

@Suite struct JailTests {
    @Test func `jail ends a candidacy, and after it the owner declares again`() throws {
        var world = try World.epochs()
        let key = world.verifierKey
        #expect(try world.stand(world.alice, 2_000_000) == nil)
        let act = Offence(key, .conflictingVotes, number: 1, at: 1)
        let report = Operation.reportEvidence(FakeJudge.evidence(act))
        #expect(try world.run(world.bob, report) == .success)
        #expect(failure(try world.run(world.bob, report)) == .evidenceKnown)
        #expect(try world.stake()?.isCandidate == false)
        #expect(try world.stake()?.jailedUntil == 32)
        let declare = Operation.declareCandidate(key)
        #expect(failure(try world.run(world.alice, declare)) == .stillJailed)
        #expect(try world.run(world.alice, .unbond(Unbond(key: key, amount: 1))) == .success)
        try world.pass(to: 30)
        #expect(world.keys(of: 1) == world.ranked && world.keys(of: 2) == world.ranked)
        #expect(failure(try world.run(world.alice, declare)) == .stillJailed)
        #expect(world.ledger.height == 31)
        #expect(try world.run(world.alice, declare) == .success)
        #expect(world.ledger.height == 32 && world.ledger.epochs.newest == 3)
        #expect(world.keys(of: 3)?.first == key)
    }

    @Test func `a third offence is for good, an owner who equivocates stays a candidate`() throws {
        var world = try World.epochs()
        let key = world.verifierKey
        #expect(try world.stand(world.alice, 9_000_000) == nil)
        let equivocation = Offence(key, .equivocatingOwner, number: 9, at: 1)
        try world.run(world.bob, .reportEvidence(FakeJudge.evidence(equivocation)))
        #expect(try world.stake()?.isCandidate == true)
        for number in UInt8(1)...2 {
            let act = Offence(key, .conflictingVotes, number: number, at: 1)
            try world.run(world.bob, .reportEvidence(FakeJudge.evidence(act)))
        }
        let declare = Operation.declareCandidate(key)
        #expect(failure(try world.run(world.alice, declare)) == .jailedForGood)
        try world.pass(to: 70)
        #expect(failure(try world.run(world.alice, declare)) == .jailedForGood)
    }

    @Test func `a jailed validator votes to the end of its epoch, its word doesn't count`() throws {
        var world = try World.epochs()
        try world.pass(to: 8)
        let key = world.validators[1].key.publicKey
        let act = Offence(key, .conflictingVotes, number: 1, at: 23)
        let report = Operation.reportEvidence(FakeJudge.evidence(act))
        #expect(try world.run(world.alice, report) == .success)
        // Too late for the election of epoch 1.
        let index = try #require(world.ledger.epochs[1]?.index(of: key))
        try world.pass(to: 20)
        let set = try #require(world.ledger.verifierSet(period: 8))
        #expect(set.bond(of: VerifierIndex(index)) == 0)
        #expect(world.ledger.epochs[2]?.index(of: key) == nil)
    }
}

/// Evidence that names an epoch and a place: who sat there did it, at the epoch's last height.
private struct SeatJudge: EvidenceJudge {
    func judge(
        _ evidence: [UInt8], at height: Height, sets: [UInt64: VerifierSet], epochs: EpochTable
    ) -> Offence? {
        guard evidence.count == 2,
            let seat = epochs[Epoch(UInt64(evidence[0]))]?[ValidatorIndex(UInt16(evidence[1]))]
        else { return nil }
        return Offence(
            offender: seat.votingKey, kind: .conflictingVotes, id: .hash(.random, evidence),
            height: epochs.schedule.last(of: Epoch(UInt64(evidence[0]))))
    }
}

@Suite struct EpochEvidenceTests {
    private func world() throws -> World {
        var world = try World.epochs()
        world.ledger = try Ledger(
            opening: world.store, genesis: world.genesis, judge: SeatJudge())
        return world
    }

    @Test func `an act of an earlier epoch is punished by the committee of that epoch`() throws {
        var world = try world()
        #expect(try world.stand(world.alice, 2_000_000) == nil)
        let first = world.validators[0].key.publicKey
        try world.pass(to: 30)
        #expect(world.keys(of: 1)?.first == world.verifierKey)
        #expect(try world.run(world.bob, .reportEvidence([0, 0])) == .success)
        #expect(try world.reader.verifier(first)?.bonded == 950_000)
        #expect(try world.run(world.bob, .reportEvidence([1, 0])) == .success)
        #expect(try world.stake()?.bonded == 1_900_000)
        #expect(failure(try world.run(world.bob, .reportEvidence([0, 9]))) == .evidenceInvalid)
        #expect(failure(try world.run(world.bob, .reportEvidence([9, 0]))) == .evidenceInvalid)
    }

    @Test func `an act of an epoch can be reported until it and a bond's release are over`() throws
    {
        var world = try world()
        try world.pass(to: 41)
        // Epoch 0 ended with height 12.
        #expect(try world.run(world.bob, .reportEvidence([0, 0])) == .success)
        #expect(world.ledger.height == 42)
        #expect(failure(try world.run(world.bob, .reportEvidence([0, 1]))) == .evidenceExpired)
        #expect(failure(try world.run(world.bob, .reportEvidence([0, 1]))) == .evidenceInvalid)
    }

    @Test func `evidence counts before the epoch has ended, once, and not about who has gone`()
        throws
    {
        var world = try world()
        let validator = world.validators[0]
        let all = Operation.unbond(
            Unbond(key: validator.key.publicKey, amount: Amount(World.stake)))
        #expect(try world.run(validator, all) == .success)
        let other = Operation.reportEvidence([0, 1])
        #expect(try world.run(world.bob, other) == .success)
        #expect(failure(try world.run(world.bob, other)) == .evidenceKnown)
        try world.pass(to: 30)
        #expect(try world.run(validator, .withdraw(validator.key.publicKey)) == .success)
        #expect(try world.reader.verifier(validator.key.publicKey) == nil)
        let late = Operation.reportEvidence([0, 0])
        #expect(failure(try world.run(world.bob, late)) == .nothingToSlash)
    }
}
