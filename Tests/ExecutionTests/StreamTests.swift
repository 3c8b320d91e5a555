import Primitives
import Testing

@testable import Execution

@Suite struct StreamTests {
    private static let month = TransactionLimits.streamValidityMillisecondsMax
    private static let deposit: UInt64 = 5000

    /// A world in which alice has used a stream once, at `World.start + 1000`.
    private func used(_ stream: UInt16 = 7) throws -> World {
        var world = try World { treasury in
            FeeParameters(baseFee: 1, streamDeposit: 5000, treasury: treasury)
        }
        let signed = try payment(world, stream)
        #expect(try reason(world.run([signed])) == nil)
        return world
    }

    private func payment(
        _ world: World, _ stream: UInt16, sequence: UInt64? = nil, validUntil: UInt64? = nil
    ) throws -> SignedTransaction {
        SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)], stream: stream,
                sequence: sequence, validUntil: validUntil),
            by: [world.alice.key])
    }

    private func stream(_ number: UInt16, _ world: World) throws -> Account.Stream? {
        try world.reader.account(world.alice.address)?.stream(number)
    }

    @Test func `a stream goes and gives its deposit back a millisecond after 30 days`() throws {
        var world = try used()
        let last = World.start + 1000
        #expect(
            try stream(7, world)
                == .init(number: 7, next: 1, lastUse: Timestamp(last), deposit: 5000))
        let early = try world.run(world.alice, .closeStream(7), at: last + Self.month)
        #expect(failure(early) == .streamInUse)
        #expect(world.ledger.totals.deposits == Amount(Self.deposit))
        let before = try world.balance(world.alice)
        let due = try world.run(world.alice, .closeStream(7), at: last + Self.month + 1)
        #expect(due == .success)
        #expect(try stream(7, world) == nil)
        #expect(world.ledger.totals.deposits == 0)
        guard case .executed(let receipt)? = world.lastOutcome?.results.first else {
            Issue.record("not executed")
            return
        }
        #expect(try world.balance(world.alice) == before + Self.deposit - receipt.fee.rawValue)
        #expect(try failure(world.run(world.alice, .closeStream(7))) == .streamUnknown)
    }

    @Test func `each use moves the time on`() throws {
        var world = try used()
        let again = World.start + 1000 + Self.month
        #expect(try reason(world.run([payment(world, 7, validUntil: again)], at: again)) == nil)
        #expect(
            try failure(world.run(world.alice, .closeStream(7), at: again + Self.month))
                == .streamInUse)
        #expect(
            try world.run(world.alice, .closeStream(7), at: again + Self.month + 1) == .success)
    }

    @Test func `stream 0, an unknown one and that of the transaction itself aren't closed`() throws
    {
        var world = try used()
        let later = World.start + 1001 + Self.month
        #expect(
            try failure(world.run(world.alice, .closeStream(0), at: later)) == .defaultStream)
        #expect(try failure(world.run(world.alice, .closeStream(8))) == .streamUnknown)
        #expect(try failure(world.run(world.bob, .closeStream(7))) == .streamUnknown)
        let own = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [.closeStream(7)], stream: 7), by: [world.alice.key])
        #expect(try failure(world.run([own])) == .streamInUse)
    }

    @Test func `what executed on a stream that was closed never executes again`() throws {
        var world = try used(1)
        let used = world.ledger.time.rawValue
        // The longest-lived transaction there can be: it executes at once, valid for 30 days.
        let long = try payment(world, 7, validUntil: used + 1000 + Self.month)
        #expect(try reason(world.run([long])) == nil)
        let last = world.ledger.time.rawValue
        #expect(
            try world.run(world.alice, .closeStream(7), at: last + Self.month + 1) == .success)
        #expect(try reason(world.run([long])) == .expired)
        // The stream can be used again, from the start and for a new deposit.
        let fresh = try payment(world, 7)
        #expect(fresh.transaction.sequence == 0)
        #expect(try reason(world.run([fresh])) == nil)
        #expect(world.ledger.totals.deposits == Amount(2 * Self.deposit))
    }

    @Test func `a failed closing changes nothing, and room for a further stream is made`() throws {
        var world = try used(1)
        for number in 2...63 {
            #expect(try reason(world.run([payment(world, UInt16(number))])) == nil)
        }
        // With stream 0 there are 64.
        try world.run(world.alice, world.transfer(1, to: world.bob))
        #expect(try reason(world.run([payment(world, 64)])) == .tooManyStreams)
        let later = world.ledger.time.rawValue + Self.month + 1
        let failed = try world.run(
            world.alice, .closeStream(9), world.transfer(0, to: world.bob), at: later)
        #expect(failure(failed) == .zeroAmount)
        #expect(try stream(9, world) != nil)
        #expect(world.ledger.totals.deposits == Amount(63 * Self.deposit))
        #expect(try world.run(world.alice, .closeStream(9)) == .success)
        #expect(try reason(world.run([payment(world, 64)])) == nil)
    }

    @Test func `who used a sequence of a stream is known, also after a restart`() throws {
        var world = try used()
        let second = try payment(world, 7)
        let rival = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(2, to: world.carol)], stream: 7),
            by: [world.alice.key])
        #expect(try reason(world.run([second])) == nil)
        #expect(try reason(world.run([rival])) == .sequenceUsed)
        let alice = world.alice.address
        #expect(try world.reader.transaction(of: alice, stream: 7, sequence: 1) == second.id)
        #expect(try world.reader.transaction(of: alice, stream: 7, sequence: 2) == nil)
        #expect(try world.reader.transaction(of: alice, stream: 6, sequence: 1) == nil)
        // Stream 0 keeps no such rows.
        try world.run(world.alice, world.transfer(1, to: world.bob))
        #expect(try world.reader.transaction(of: alice, stream: 0, sequence: 0) == nil)
        let audit = try RowAudit(of: world.store)
        let rows = try world.store.pairs(in: .receipts, from: [], before: nil, limit: 100)
        #expect(rows.count { $0.key.count == 42 } == 2)
        for row in rows { try audit.check(row, in: .receipts) }
        let use = try #require(rows.first { $0.key.count == 42 })
        for value in [Array(repeating: UInt8(3), count: 32), [1, 2]] {
            #expect(throws: StorageFault.self) {
                try audit.check(KeyValue(key: use.key, value: value), in: .receipts)
            }
        }
    }
}
