import Primitives
import Testing

@testable import Execution

/// What the state has of epochs, and what goes by the committee of a block's epoch.
@Suite struct EpochStateTests {
    @Test func `a committee lies in the state until evidence about its last height expires`() throws
    {
        var world = try World.epochs()
        #expect(try world.reader.epochRecord(0) == world.genesis.epochRecord)
        // Epoch 0 ends with height 12 and is kept for 30 more.
        try world.pass(to: 42)
        #expect(world.ledger.epochs.epochs == [0, 1, 2, 3])
        #expect(try world.reader.epochRecord(0) == world.genesis.epochRecord)
        try world.pass(to: 43)
        #expect(world.ledger.epochs.epochs == [1, 2, 3])
        #expect(try world.reader.systemValue("epoch/0") == nil)
        for epoch in world.ledger.epochs.epochs {
            let record = try world.reader.epochRecord(epoch)
            #expect(record != nil && record == world.ledger.epochs.record(of: epoch))
        }
        #expect(try world.reader.systemValue("epoch/4") == nil)
    }

    @Test func `a record names the block that ended the epoch two before`() throws {
        var world = try World.epochs()
        try world.pass(to: 11)
        #expect(try world.reader.systemValue("boundary") == nil)
        try world.pass(to: 12)
        let first = EpochBoundary(epoch: 0, block: World.digest(12))
        #expect(try world.reader.systemValue("boundary") == first.bcsBytes)
        try world.pass(to: 23)
        #expect(try world.reader.systemValue("boundary") == first.bcsBytes)
        try world.pass(to: 32)
        #expect(world.ledger.epochs.record(of: 1)?.boundary == .zero)
        #expect(world.ledger.epochs.record(of: 2)?.boundary == World.digest(12))
        #expect(world.ledger.epochs.record(of: 3)?.boundary == World.digest(24))
    }

    @Test func `a ledger reopened at any height has the same epochs and goes on the same`() throws {
        var world = try World.epochs()
        #expect(try world.stand(world.alice, 2_000_000) == nil)
        for height in UInt64(2)...50 {
            let kept = world.ledger
            world.ledger = try world.reopened()
            #expect(world.ledger.epochs == kept.epochs, "height \(height)")
            #expect(world.ledger.boundary == kept.boundary)
            try world.pass(to: height)
        }
        #expect(world.keys(of: 4)?.count == 5)
    }

    @Test func `a store without a committee or a boundary that it must have isn't opened`() throws {
        var world = try World.epochs()
        try world.pass(to: 21)
        for name in ["epoch/0", "epoch/1", "epoch/2", "boundary"] {
            let copy = world.store.copy()
            var damage = WriteSet()
            damage.delete(StateKey.system(name).path.bytes, in: .state)
            copy.apply(damage)
            #expect(throws: StorageFault.self, "\(name)") {
                try Ledger(opening: copy, genesis: world.genesis)
            }
        }
        let copy = world.store.copy()
        var damage = WriteSet()
        let record = try #require(world.ledger.epochs.record(of: 1))
        let row = StateRow(key: .system("epoch/2"), value: record.bcsBytes)
        damage.put(row.bytes, in: .state, for: row.key.path.bytes)
        copy.apply(damage)
        #expect(throws: StorageFault.self) { try Ledger(opening: copy, genesis: world.genesis) }
    }

    @Test func `an audit refuses committees and boundaries that can't be`() throws {
        var world = try World.epochs()
        try world.pass(to: 43)
        let head = try #require(try StoredState.head(in: world.store))
        let audit = try EpochAudit(of: world.store, head)
        let record = try #require(world.ledger.epochs.record(of: 1))
        func fails(_ name: String, _ value: some BCSEncodable) -> Bool {
            let row = StateRow(key: .system(name), value: value.bcsBytes)
            do {
                try audit.check(row)
                return false
            } catch {
                return true
            }
        }
        #expect(!fails("epoch/1", record))
        #expect(fails("epoch/01", record) && fails("epoch/2", record))
        #expect(fails("epoch/0", world.genesis.epochRecord))
        let next = EpochRecord(epoch: 4, boundary: .zero, validators: record.validators)
        #expect(fails("epoch/4", next))
        let twice = EpochRecord(
            epoch: 1, boundary: .zero, validators: record.validators + record.validators)
        #expect(fails("epoch/1", twice))
        let boundary = EpochBoundary(epoch: 2, block: World.digest(36))
        #expect(!fails("boundary", boundary))
        #expect(fails("boundary", EpochBoundary(epoch: 2, block: World.digest(37))))
        #expect(fails("boundary", EpochBoundary(epoch: 1, block: World.digest(24))))
        #expect(!fails("lanes", boundary))
        // The history has another block at that height.
        let copy = world.store.copy()
        var damage = WriteSet()
        let wrong = EpochBoundary(epoch: 2, block: .hash(.block, [7]))
        let row = StateRow(key: .system("boundary"), value: wrong.bcsBytes)
        damage.put(row.bytes, in: .state, for: row.key.path.bytes)
        copy.apply(damage)
        #expect(throws: StorageFault.self) { try EpochAudit(of: copy, head).run() }
        #expect(throws: StorageFault.self) { try EpochAudit(of: copy, head).check(row) }
    }

    @Test func `fees go to the committee of the block's epoch`() throws {
        var world = try World.epochs()
        #expect(try world.stand(world.alice, 2_000_000) == nil)
        try world.pass(to: 11)
        // The proposer is validator 0, the batch's owner validator 1.
        for (height, reward) in [(UInt64(12), world.validators[0]), (13, world.alice)] {
            let before = try world.balance(reward)
            #expect(try world.run(world.bob, world.transfer(1, to: world.carol)) == .success)
            #expect(world.ledger.height == Height(height))
            #expect(try world.balance(reward) > before, "height \(height)")
        }
    }

    @Test func `a verifier set is made with the committee of its epoch`() throws {
        var world = try World.epochs(isBonded: true)
        let declare = Operation.declareCandidate(world.verifierKey)
        let more = Operation.bond(world.bond(1_000_000, by: world.dave))
        #expect(try world.run(world.dave, more, declare) == .success)
        try world.pass(to: 8)
        // Period 6 begins epoch 1: its batches go into blocks from height 13 on.
        let last = try #require(world.ledger.verifierSet(period: 5))
        #expect(last.validatorCount == 4 && last.index(of: world.verifierKey)?.rawValue == 4)
        let first = try #require(world.ledger.verifierSet(period: 6))
        #expect(first.validatorCount == 5 && first.index(of: world.verifierKey)?.rawValue == 0)
    }

    @Test func `who sits in the present committee votes on parameters, nobody else`() throws {
        var test = try GovernanceWorld.epochs()
        #expect(try test.world.stand(test.world.alice, 2_000_000) == nil)
        let left = try #require(
            test.world.validators.first { $0.key.publicKey == test.world.ranked.last })
        try test.pass(to: 10)
        let id = try test.propose(try GovernanceWorld.changes((.baseFee, 3)))
        #expect(try test.vote(id, by: left) == nil)
        #expect(test.world.ledger.height == 12)
        #expect(try test.vote(id, false, by: left) == .notValidator)
        #expect(try test.vote(id, by: test.world.alice, for: test.world.verifier) == nil)
        // What was said by who has left is forgotten.
        let votes = try test.world.reader.proposals().first?.proposal.votes
        #expect(votes?.map(\.key) == [test.world.verifierKey])
        // 2000 of 5000 aren't enough, but heard; with the next validator's it is.
        let other = try #require(
            test.world.validators.first { $0.key.publicKey == test.world.ranked.first })
        #expect(try test.vote(id, by: other) == nil)
        let third = try #require(
            test.world.validators.first { $0.key.publicKey == test.world.ranked[1] })
        #expect(try test.vote(id, by: third) == nil)
        try test.pass(to: 31)
        #expect(try test.world.reader.proposals().first?.proposal.isApproved == true)
        try test.pass(to: 36)
        #expect(try test.parameters.fees.baseFee == 1)
        try test.pass(to: 37)
        #expect(try test.parameters.fees.baseFee == 3)
    }
}

extension GovernanceWorld {
    /// As `World.epochs`, with four seats; a vote lasts 20 blocks.
    fileprivate static func epochs() throws -> GovernanceWorld {
        GovernanceWorld(
            world: try World.epochs(
                seats: 4,
                governance: GovernanceParameters(
                    governed: [.baseFee], voteBlocks: 20, delayBlocks: 1, deposit: 500)))
    }
}
