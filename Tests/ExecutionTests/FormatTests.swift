import Primitives
import Testing

@testable import Execution

/// Values that may only change together with a line in the changelog that says FORMAT: other
/// implementations and stores on disk rely on them.
@Suite struct FormatTests {
    @Test func `chain id, roots and receipts of a fixed history stay as they are`() throws {
        var world = try World()
        #expect(
            world.genesis.chainID.description
                == "17149969db943a892eb10121791638dc694f86b66d74dfe7185cd1b4e2ea8875")
        #expect(
            world.ledger.stateRoot.description
                == "a44311cc79143909a228235d0eedde64671afde3e45a1ccd49042ac99a686a4a")
        let quorum = try EscrowWorld.quorum([world.bob], 1)
        let terms = EscrowTerms(
            payee: world.bob.address, amount: 1000, release: quorum, refund: quorum,
            arbitration: quorum, hashlock: .sha256([1]), notBefore: 5,
            deadline: Timestamp(World.start + 5000),
            arbitrationDeadline: Timestamp(World.start + 6000))
        try world.run(
            world.alice, .escrowCreate(terms), world.transfer(5, to: world.erin))
        #expect(
            world.ledger.stateRoot.description
                == "c94cd2fde0b49ce2daae6cd4a29509b6ab48c84781d88d1c31637c2b3734235b")
        #expect(
            world.lastOutcome?.receiptsRoot.description
                == "64d9f180d922f08afa873321ad2113dd57b5be850d01e1fcefe4c7f08a502afb")
        try world.run(
            [], at: World.start + 5000, system: [.init(name: "lanes", value: [1, 2, 3])])
        #expect(
            world.ledger.stateRoot.description
                == "9be35b03e70eb41508844514678afbad43c7372aabedfc6aa1fbf84d2d182a1d")
    }

    @Test func `a system value is part of the state until it is taken away`() throws {
        var world = try World()
        try world.run(
            [],
            system: [.init(name: "lanes", value: [9]), .init(name: "lanes", value: [1])])
        #expect(try world.reader.systemValue("lanes") == [1])
        let key = StateKey.system("lanes")
        #expect(try world.reader.proof(of: key).value == [1])
        #expect(try world.reader.proof(of: key).root == world.ledger.stateRoot)
        try world.run([], system: [.init(name: "lanes", value: nil)])
        #expect(try world.reader.systemValue("lanes") == nil)
        #expect(try world.reader.proof(of: key).value == nil)
        #expect(try world.reader.proof(of: key).root == world.ledger.stateRoot)
    }

    @Test func `an empty block changes nothing but history, height and time`() throws {
        var world = try World()
        let totals = world.ledger.totals
        let before = try world.store.pairs(in: .state, from: [], before: nil, limit: .max)
        try world.run([], at: World.start + 7)
        let summary = try #require(try world.reader.summary())
        #expect(summary.totals == totals)
        let after = try world.store.pairs(in: .state, from: [], before: nil, limit: .max)
        let history = HistoryHead.key.path.bytes
        #expect(after.filter { $0.key != history } == before)
        #expect(summary.height == 1 && summary.time.rawValue == World.start + 7)
    }

    @Test func `a block's time never goes back`() throws {
        var world = try World()
        try world.run([], at: World.start + 7)
        try world.run([], at: World.start + 3)
        #expect(world.ledger.time.rawValue == World.start + 7)
    }

    @Test func `the receipts' root binds every receipt, its place and their number`() {
        let leaves = (0..<5).map { index in
            ReceiptTree.leaf(
                Receipt(
                    transactionID: .zero, height: 1, index: UInt32(index), fee: 3,
                    outcome: .success))
        }
        var writes = WriteSet()
        var roots = Set([StoredReceiptTree.write(leaves.reversed(), at: 1, into: &writes)])
        for count in 0...5 {
            roots.insert(
                StoredReceiptTree.write(Array(leaves.prefix(count)), at: 1, into: &writes))
        }
        #expect(roots.count == 7)
    }

    @Test func `a scan of the store in memory keeps order, bounds and limit`() throws {
        let store = MemoryStore()
        var writes = WriteSet()
        for key in [[3], [1, 0], [1], [2], [0xFF]] as [[UInt8]] {
            writes.put(key, in: .state, for: key)
        }
        writes.delete([2], in: .state)
        store.apply(writes)
        #expect(
            try store.pairs(in: .state, from: [1, 0], before: [0xFF], limit: 9).map(\.key)
                == [[1, 0], [3]])
        #expect(try store.pairs(in: .state, from: [], before: nil, limit: 1).map(\.key) == [[1]])
        #expect(try store.pairs(in: .nodes, from: [], before: nil, limit: 1).isEmpty)
    }
}
