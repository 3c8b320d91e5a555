import Primitives
import TestSupport
import Testing

@testable import Execution

@Suite struct FeeTests {
    /// Four validators with 1000 each and a verifier with 500 at place 4.
    private let set: VerifierSet
    private let keys: [PublicKey]

    init() throws {
        let world = try World()
        let other = BondedVerifier(
            key: world.verifier.key.publicKey, peerID: .zero, bond: 500,
            rewardAddress: world.dave.address)
        set = VerifierSet(period: 0, committee: world.genesis.committee, others: [other])
        keys = set.members.map(\.key)
    }

    private func split(
        _ fees: UInt64, owner: UInt16 = 1, proposer: UInt16 = 0,
        _ chunks: [(transactions: UInt32, verifiers: [UInt16])]
    ) -> FeeSplit {
        var split = FeeSplit(shares: FeeShares(), validatorCount: 4)
        let batch = ExecutableBlock.Batch(
            owner: ValidatorIndex(owner), period: 0,
            chunks: chunks.map {
                .init(transactions: $0.transactions, verifiers: $0.verifiers.map { .init($0) })
            }, transactions: [])
        split.add(fees, of: batch, set: set, proposer: ValidatorIndex(proposer))
        return split
    }

    @Test func `fees go to owner, verifiers, proposer and treasury by their shares`() {
        let found = split(1009, [(5, [2, 3])])
        // 20 %, 40 %, and 30 % in two parts, each rounded down; the treasury has the rest.
        #expect(found.validators == [201, 403, 0, 0])
        #expect(found.verifiers == [keys[2]: 151, keys[3]: 151])
        #expect(found.treasury == 103)
    }

    @Test func `chunks share by transactions, those who checked one by their bonds`() {
        let found = split(10_000, [(3, [0, 4]), (0, [1]), (1, [2, 2])])
        // Of 3000: 2250 as 1000 to 500, and 750 to one who counts once.
        #expect(found.verifiers == [keys[0]: 1500, keys[4]: 750, keys[2]: 750])
        #expect(found.treasury == 1000)
    }

    @Test func `what nobody checked, or nobody known, is the treasury's`() {
        for chunks in [[], [(1, [])], [(1, [9])], [(0, [0])]] as [[(UInt32, [UInt16])]] {
            let found = split(1000, chunks.map { (transactions: $0.0, verifiers: $0.1) })
            #expect(found.verifiers.isEmpty && found.treasury == 400)
        }
        var split = FeeSplit(shares: FeeShares(), validatorCount: 4)
        let batch = ExecutableBlock.Batch(
            owner: ValidatorIndex(1), period: 99,
            chunks: [.init(transactions: 1, verifiers: [VerifierIndex(0)])], transactions: [])
        split.add(1000, of: batch, set: nil, proposer: ValidatorIndex(0))
        #expect(split.treasury == 400)
    }

    @Test func `the block's own transactions pay proposer and treasury`() {
        var split = FeeSplit(shares: FeeShares(), validatorCount: 4)
        split.addDirect(2018, usual: 1009, proposer: ValidatorIndex(3))
        #expect(split.validators == [0, 0, 0, 201] && split.treasury == 1817)
        split.addDirect(14, usual: 7, proposer: ValidatorIndex(9))
        #expect(split.treasury == 1831)
    }

    @Test func `no unit of any fee is lost, whoever takes part`() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<10_000 {
            let fees = generator.next() >> (generator.next() % 64)
            let chunks = (0..<generator.next() % 4).map { _ in
                (
                    transactions: UInt32(truncatingIfNeeded: generator.next() >> 32),
                    verifiers: (0..<generator.next() % 7).map { _ in
                        UInt16(generator.next() % 7)
                    }
                )
            }
            let found = split(
                fees, owner: UInt16(generator.next() % 6), proposer: UInt16(generator.next() % 6),
                chunks)
            let parts = found.validators + found.verifiers.values
            #expect(parts.reduce(found.treasury, +) == fees)
        }
    }

    @Test func `rewards are counted for each verifier; those in jail leave theirs to the treasury`()
        throws
    {
        var world = try World.bonds(isBonded: true)
        let pay = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)]), by: [world.alice.key])
        let dave = try world.balance(world.dave)
        try world.run([pay], checkedBy: [1, 4])
        let pool = (UInt64(pay.byteCount) + 300) * 300 / 1000
        #expect(try world.balance(world.dave) == dave + pool / 2)
        #expect(try world.stake()?.rewards == Amount(pool / 2))
        let key = world.validators[1].key.publicKey
        #expect(try world.reader.verifier(key)?.rewards == Amount(pool / 2))
        let act = Offence(world.verifierKey, number: 1, at: 1)
        try world.run(world.alice, .reportEvidence(FakeJudge.evidence(act)))
        let again = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)]), by: [world.alice.key])
        let treasury = try world.balance(world.treasury)
        try world.run([again], checkedBy: [4])
        #expect(try world.balance(world.dave) == dave + pool / 2)
        #expect(try world.stake()?.rewards == Amount(pool / 2))
        #expect(try world.balance(world.treasury) >= treasury + pool)
    }

    @Test func `a counter of rewards stops at its end without stopping the ledger`() throws {
        var world = try World.bonds(isBonded: true)
        var stake = try #require(try world.stake())
        stake.rewards = Amount(.max - 1)
        var writes = WriteSet()
        let key = StateKey(.verifier, world.verifierKey)
        _ = StateWriter.write(stake, key, at: key.path, into: &writes)
        world.store.apply(writes)
        world.ledger = try world.reopened()
        let pay = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)]), by: [world.alice.key])
        let outcome = try world.ledger.execute(
            ExecutableBlock(
                height: 1, digest: .zero, time: 1_000_001, proposer: ValidatorIndex(0),
                batches: [
                    .init(
                        owner: ValidatorIndex(0), period: 0,
                        chunks: [.init(transactions: 1, verifiers: [VerifierIndex(4)])],
                        transactions: [try #require(Verified.check(pay))])
                ]))
        world.store.apply(outcome.writes)
        #expect(try world.stake()?.rewards == Amount(.max))
    }

    @Test func `a block's own transaction pays twice, executes first, or is skipped`() throws {
        var world = try World()
        func pay(_ maxFee: UInt64, sequence: UInt64) throws -> SignedTransaction {
            SignedTransaction(
                signing: try world.transaction(
                    world.alice.address, [world.transfer(1, to: world.bob)], sequence: sequence,
                    maxFee: Amount(maxFee)), by: [world.alice.key])
        }
        let fee = 2 * (UInt64(try pay(0, sequence: 0).byteCount) + 300)
        let low = try pay(fee - 1, sequence: 0)
        #expect(reason(try world.run([], direct: [low])) == .feeTooLow)
        let proposer = try world.balance(world.validators[0])
        // The batch holds the sequence before it: the direct one comes first all the same.
        let results = try world.run(
            [try pay(fee, sequence: 1)], direct: [try pay(fee, sequence: 0)])
        guard case .executed(let first) = results[0], case .executed(let second) = results[1] else {
            Issue.record("skipped")
            return
        }
        #expect(first.fee == Amount(fee) && second.fee == Amount(fee / 2))
        #expect(first.index == 0 && second.index == 1)
        // Of both the same: to have taken it out of a batch brings nothing.
        #expect(try world.balance(world.validators[0]) == proposer + 2 * (fee / 2 * 200 / 1000))
    }

    @Test func `a proposer gets of its block's own transactions what batches would bring`() throws {
        var world = try World()
        func pay(_ tip: Amount, _ sequence: UInt64) throws -> SignedTransaction {
            SignedTransaction(
                signing: try world.transaction(
                    world.alice.address, [world.transfer(1, to: world.bob)], sequence: sequence,
                    tip: tip), by: [world.alice.key])
        }
        let proposer = try world.balance(world.validators[0])
        let treasury = try world.balance(world.treasury)
        let direct = [try pay(0, 0), try pay(77, 1), try pay(1_234, 2)]
        let results = try world.run([], direct: direct)
        let base = UInt64(direct[0].byteCount) + 300
        let fees = results.map { result in
            if case .executed(let receipt) = result { receipt.fee.rawValue } else { UInt64(0) }
        }
        #expect(fees == [2 * base, 2 * base + 77, 2 * base + 1234])
        let share = (3 * base + 77 + 1234) * 200 / 1000
        #expect(try world.balance(world.validators[0]) == proposer + share)
        #expect(try world.balance(world.treasury) == treasury + fees.reduce(0, +) - share)
        #expect(world.ledger.totals.undistributed == 0)
    }

    @Test func `the tip is paid as far as the most that the sender allows`() throws {
        var world = try World()
        for (tip, maxFee, expected) in [(7, 100_000, 7), (500, 600, 600), (0, 100_000, 0)]
            as [(UInt64, UInt64, UInt64)]
        {
            let signed = SignedTransaction(
                signing: try world.transaction(
                    world.alice.address, [world.transfer(1, to: world.bob)],
                    maxFee: Amount(maxFee), tip: Amount(tip)), by: [world.alice.key])
            guard case .executed(let receipt)? = try world.run([signed]).first else {
                Issue.record("skipped")
                return
            }
            let base = UInt64(signed.byteCount) + 300
            #expect(receipt.fee.rawValue == (expected == 600 ? 600 : base + expected))
        }
    }

    @Test func `a fee at the limit is taken, one above it skips the transaction`() throws {
        var world = try World()
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)]), by: [world.alice.key])
        let fee = Amount(UInt64(signed.byteCount) + 300)
        for (maxFee, expected) in [
            (Amount(fee.rawValue - 1), SkipReason.feeTooLow), (fee, nil),
        ] {
            let exact = SignedTransaction(
                signing: try world.transaction(
                    world.alice.address, [world.transfer(1, to: world.bob)], maxFee: maxFee),
                by: [world.alice.key])
            #expect(try reason(world.run([exact])) == expected)
        }
    }

    @Test func `the highest base fee skips the transaction`() throws {
        var world = try World(baseFee: Amount(1 << 47 - 1))
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)], maxFee: Amount(.max)),
            by: [world.alice.key])
        #expect(try reason(world.run([signed])) == .insufficientForFee)
    }

    @Test func `rewards make accounts that weren't there`() throws {
        var world = try World()
        try world.run(world.alice, world.transfer(1, to: world.bob))
        for validator in world.validators { #expect(try world.balance(validator) > 0) }
        #expect(try world.balance(world.treasury) > 0)
        #expect(world.ledger.totals.undistributed == 0)
    }
}
