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
                == "7ffb2974bd9b781102d6f58c616be7ec81aa755b20ef23cc6c184cb444207286")
        #expect(
            world.ledger.stateRoot.description
                == "21204704ee84ee88ed4a0a0ff82faf7319a43eeea9cb99975ab1c5822d809d9f")
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
                == "4dc4509a48bdfb297947305d08fc4b91ba68e267157023f52db25431964146d5")
        #expect(
            world.lastOutcome?.receiptsRoot.description
                == "2314a9dd9bf93bef8d7a6d1d3ac8165cd4aa6869e083c29a2174c7f7179d145c")
        try world.run(
            [], at: World.start + 5000, system: [.init(name: "lanes", value: [1, 2, 3])])
        #expect(
            world.ledger.stateRoot.description
                == "069d9d086ba1d48d2d195f499b56849fb6d3229c73c183bb114b75c71de857fa")
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
        let receipts = (0..<5).map { index in
            Receipt(
                transactionID: .zero, height: 1, index: UInt32(index), fee: 3, outcome: .success)
        }
        var writes = WriteSet()
        var roots = Set([StoredReceiptTree.write(receipts.reversed(), at: 1, into: &writes)])
        for count in 0...5 {
            roots.insert(
                StoredReceiptTree.write(Array(receipts.prefix(count)), at: 1, into: &writes))
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
