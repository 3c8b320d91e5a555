import Primitives
import TestSupport
import Testing

@testable import Execution

@Suite struct AssetPostingTests {
    /// An account's postings after those of genesis, without fees.
    private func postings(_ test: AssetWorld, _ person: Person) throws -> [Posting] {
        var query = PostingQuery(of: person.address)
        query.order = .oldest
        return try test.world.reader.postings(query, limit: 1000).postings
            .filter { ![.genesis, .fee].contains($0.cause.kind) }
    }

    private func lines(_ postings: [Posting]) -> [String] {
        postings.map { posting in
            let move = "\(posting.cause.kind) \(posting.isCredit ? "+" : "-")\(posting.amount)"
            return posting.asset == .native ? move : "\(move) = \(posting.balance) EUR"
        }
    }

    @Test func `an asset's life is postings of its own kinds, beside those of deposits`() throws {
        var test = try AssetWorld()
        let (alice, bob, carol) = (test.world.alice, test.world.bob, test.world.carol)
        #expect(try test.world.run(alice, test.mint(600, to: bob)) == .success)
        #expect(try test.world.run(bob, test.pay(600, to: carol)) == .success)
        #expect(try test.world.run(carol, test.redeem(100)) == .success)
        #expect(try test.world.run(alice, test.clawBack(500, from: carol)) == .success)
        #expect(try test.world.run(alice, .retireAsset(test.id)) == .success)
        let issuers = try postings(test, alice)
        #expect(lines(issuers) == ["deposit -3000", "deposit -40", "deposit +3000"])
        #expect(
            lines(try postings(test, bob)) == [
                "mint +600 = 600 EUR", "deposit +40", "transfer -600 = 0 EUR", "deposit -40",
            ])
        let found = try postings(test, carol)
        #expect(
            lines(found) == [
                "transfer +600 = 600 EUR", "redemption -100 = 500 EUR", "deposit +40",
                "clawback -500 = 0 EUR",
            ])
        let parties = found.map(\.cause.party)
        #expect(parties == [.account(bob.address)] + [alice, nil, alice].map(party))
        #expect(found.allSatisfy { $0.transaction != nil })
        _ = try PostingAudit(of: test.world.store)
    }

    private func party(_ person: Person?) -> PostingParty? {
        person.map { .account($0.address) }
    }

    @Test func `an escrow in an asset shows its money and its deposits, also at its deadline`()
        throws
    {
        var test = try AssetWorld()
        let (alice, carol) = (test.world.alice, test.world.carol)
        #expect(try test.world.run(alice, test.mint(100, to: alice)) == .success)
        let terms = try test.terms(100, to: carol, onDeadline: .refund)
        #expect(try test.world.run(alice, .escrowCreate(terms)) == .success)
        let deadline = terms.deadline.rawValue
        try test.world.run([], at: deadline)
        let found = try postings(test, alice)
        #expect(
            lines(found) == [
                "deposit -3000", "deposit -40", "mint +100 = 100 EUR", "deposit -40",
                "escrowPayment -100 = 0 EUR", "deposit -70", "escrowRefund +100 = 100 EUR",
                "deposit +70",
            ])
        #expect(found.suffix(2).allSatisfy { $0.transaction == nil })
        #expect(lines(try postings(test, carol)) == ["deposit +40"])
        _ = try PostingAudit(of: test.world.store)
    }

    @Test func `of operations that fail no holding and no deposit leaves a posting`() throws {
        var test = try AssetWorld()
        let (alice, bob) = (test.world.alice, test.world.bob)
        let outcome = try test.world.run(
            alice, test.mint(600, to: bob), test.clawBack(50, from: bob), test.mint(600, to: bob))
        #expect(failure(outcome) == .aboveCap)
        #expect(lines(try postings(test, alice)) == ["deposit -3000"])
        #expect(try postings(test, bob).isEmpty)
        _ = try PostingAudit(of: test.world.store)
    }

    @Test func `among many holdings the one that changed is noted, wherever it stands`() throws {
        let assets = (1...9).map { AssetID(Bytes32.sha256([$0])) }.sorted()
        for place in assets.indices {
            var before = Account()
            for (number, asset) in assets.enumerated() where number != place {
                before.setHolding(Holding(asset: asset, amount: 5, deposit: 1))
            }
            var after = before
            after.setHolding(Holding(asset: assets[place], amount: 7, deposit: 1))
            #expect(try moves(from: before, to: after) == ["\(assets[place]) +7"])
            #expect(try moves(from: after, to: before) == ["\(assets[place]) -7"])
            var other = after
            other.setHolding(Holding(asset: assets[place], amount: 4, deposit: 1))
            #expect(try moves(from: after, to: other) == ["\(assets[place]) -3"])
            other = after
            let claimed = Holding(asset: assets[place], amount: 7, deposit: 1, claims: 1)
            other.setHolding(claimed)
            #expect(try moves(from: after, to: other).isEmpty)
        }
        var all = Account()
        for asset in assets { all.setHolding(Holding(asset: asset, amount: 5, deposit: 1)) }
        #expect(try moves(from: Account(), to: all) == assets.map { "\($0) +5" })
        #expect(try moves(from: all, to: Account()) == assets.map { "\($0) -5" })
    }

    /// What the table notes when the second account is written over the first.
    private func moves(from before: Account, to after: Account) throws -> [String] {
        var table = AccountTable(cachedBytesMax: 8_000, keepsPostings: true)
        _ = try table.read(.zero, MemoryStore())
        table.write(before, for: .zero)
        var writes = WriteSet()
        table.postings.write(at: 1, time: 1, into: &writes)
        writes = WriteSet()
        table.write(after, for: .zero)
        table.postings.write(at: 2, time: 2, into: &writes)
        return try writes.changes.map {
            let posting = try Posting(KeyValue(key: $0.key, value: $0.value ?? []))
            return "\(posting.asset) \(posting.isCredit ? "+" : "-")\(posting.amount)"
        }
    }
}
