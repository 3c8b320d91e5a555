import Primitives
import TestSupport
import Testing

@testable import Execution

@Suite struct PostingTests {
    private func postings(
        _ world: World, _ address: Address, order: PostingQuery.Order = .oldest
    ) throws -> [Posting] {
        var query = PostingQuery(of: address)
        query.order = order
        return try world.reader.postings(query, limit: 1000).postings
    }

    /// Kinds, signed amounts and balances of an account's postings at a height.
    private func lines(_ world: World, _ address: Address, at height: Height) throws -> [String] {
        try postings(world, address).filter { $0.place.height == height }.map {
            "\($0.cause.kind) \($0.isCredit ? "+" : "-")\($0.amount) = \($0.balance)"
        }
    }

    @Test func `genesis' balances are the first postings`() throws {
        let world = try World()
        let found = try postings(world, world.alice.address)
        #expect(found.count == 1)
        #expect(found[0].cause == PostingCause(.genesis) && found[0].isCredit)
        #expect(found[0].amount == Amount(World.balance) && found[0].balance == found[0].amount)
        #expect(found[0].place == PostingPlace(height: 0, index: found[0].place.index))
        #expect(found[0].time == Timestamp(World.start) && found[0].balanceBefore == 0)
        #expect(try postings(world, world.erin.address).isEmpty)
        #expect(try world.reader.postingStart() == PostingStart(height: 0, time: found[0].time))
        _ = try PostingAudit(of: world.store)
    }

    @Test func `a payment is a fee and a debit here, and a credit there`() throws {
        var world = try World()
        try world.run(world.alice, world.transfer(500, to: world.erin))
        let fee = World.balance - 500 - (try world.balance(world.alice))
        #expect(
            try lines(world, world.alice.address, at: 1) == [
                "fee -\(fee) = \(World.balance - fee)",
                "transfer -500 = \(World.balance - fee - 500)",
            ])
        #expect(try lines(world, world.erin.address, at: 1) == ["transfer +500 = 500"])
        let debit = try #require(try postings(world, world.alice.address).last)
        let credit = try #require(try postings(world, world.erin.address).last)
        #expect(debit.cause.party == .account(world.erin.address))
        #expect(credit.cause.party == .account(world.alice.address))
        #expect(debit.transaction != nil && debit.transaction == credit.transaction)
        #expect(debit.time == world.ledger.time && debit.place < credit.place)
        _ = try PostingAudit(of: world.store)
    }

    @Test func `one who pays himself sees both sides`() throws {
        var world = try World()
        try world.run(world.alice, world.transfer(7, to: world.alice))
        let found = try postings(world, world.alice.address).suffix(2)
        #expect(found.map(\.isCredit) == [false, true] && found.map(\.amount) == [7, 7])
        #expect(try found.last?.balance == Amount(world.balance(world.alice)))
        _ = try PostingAudit(of: world.store)
    }

    @Test func `of operations that fail only the fee stays`() throws {
        var world = try World()
        let outcome = try world.run(
            world.alice, world.transfer(1, to: world.bob), world.transfer(2, to: world.erin),
            world.transfer(World.balance, to: world.carol))
        #expect(failure(outcome) == .insufficientFunds)
        #expect(try postings(world, world.alice.address).map(\.cause.kind) == [.genesis, .fee])
        #expect(try postings(world, world.bob.address).count == 1)
        #expect(try postings(world, world.erin.address).isEmpty)
        // The next one in the same block doesn't carry them on.
        let good = try world.transaction(world.bob.address, [world.transfer(3, to: world.erin)])
        let bad = try world.transaction(world.alice.address, [world.transfer(0, to: world.erin)])
        try world.run([
            SignedTransaction(signing: bad, by: [world.alice.key]),
            SignedTransaction(signing: good, by: [world.bob.key]),
        ])
        #expect(try lines(world, world.erin.address, at: 2) == ["transfer +3 = 3"])
        _ = try PostingAudit(of: world.store)
    }

    @Test func `a skipped transaction leaves nothing, a new stream a deposit`() throws {
        var world = try World()
        let late = try world.transaction(
            world.alice.address, [world.transfer(1, to: world.bob)], validUntil: 5)
        try world.run([SignedTransaction(signing: late, by: [world.alice.key])])
        #expect(try postings(world, world.alice.address).count == 1)
        let onStream = try world.transaction(
            world.alice.address, [world.transfer(1, to: world.bob)], stream: 3)
        try world.run([SignedTransaction(signing: onStream, by: [world.alice.key])])
        let found = try postings(world, world.alice.address)
        #expect(found.map(\.cause.kind) == [.genesis, .fee, .deposit, .transfer])
        #expect(found[2].amount == world.genesis.parameters.fees.streamDeposit)
        _ = try PostingAudit(of: world.store)
    }

    private func terms(_ world: World, deadline: UInt64) throws -> EscrowTerms {
        let quorum = try Quorum(
            members: [.init(address: world.alice.address, weight: 1)], threshold: 1)
        return EscrowTerms(
            payee: world.bob.address, amount: 900, release: quorum, refund: quorum,
            deadline: Timestamp(deadline))
    }

    @Test func `escrows show where money went, and what the block did by itself`() throws {
        var world = try World()
        let deadline = World.start + 60_000
        try world.run(world.alice, .escrowCreate(try terms(world, deadline: deadline)))
        guard case .executed(let receipt)? = world.lastResults.first else { return }
        let id = receipt.escrows[0]
        try world.run(
            world.alice,
            .escrowDecide(
                EscrowDecision(escrow: id, round: 0, direction: .release, amount: 300)))
        try world.run([], at: deadline)
        let released = try #require(try postings(world, world.bob.address).last)
        #expect(released.cause == PostingCause(.escrowRelease, .escrow(id)))
        #expect(released.amount == 300 && released.transaction != nil)
        let kinds = try postings(world, world.alice.address).map(\.cause.kind)
        #expect(kinds == [.genesis, .fee, .escrowPayment, .fee, .escrowRefund])
        let refunded = try #require(try postings(world, world.alice.address).last)
        #expect(refunded.amount == 600 && refunded.transaction == nil)
        #expect(refunded.cause.party == .escrow(id))
        _ = try PostingAudit(of: world.store)
    }

    @Test func `rewards, bonds, slashing and its reward are postings`() throws {
        var world = try World.bonds(isBonded: true)
        let key = world.verifier.key.publicKey
        try world.run(world.alice, world.transfer(5, to: world.bob))
        for validator in [0, 1] {
            let found = try postings(world, world.validators[validator].address)
            #expect(found.map(\.cause.kind).contains(.validatorReward))
            #expect(found.allSatisfy { $0.transaction == nil && $0.isCredit })
        }
        let checked = try postings(world, world.validators[2].address)
        #expect(
            checked.last?.cause
                == PostingCause(.verifierReward, .verifier(world.validators[2].key.publicKey)))
        #expect(try postings(world, world.treasury.address).last?.cause == .treasuryShare)
        try world.run(world.dave, .unbond(Unbond(key: key, amount: 10_000)))
        for _ in 0..<30 { try world.run([]) }
        try world.run(world.dave, .withdraw(key))
        let drawn = try postings(world, world.dave.address).last
        #expect(drawn?.cause == .withdrawal(key) && drawn?.amount == 10_000)
        let evidence = FakeJudge.evidence(
            Offence(key, number: 1, at: world.ledger.height.rawValue))
        #expect(try world.run(world.carol, .reportEvidence(evidence)) == .success)
        let reward = try #require(try postings(world, world.carol.address).last)
        #expect(reward.cause == .evidenceReward(key) && reward.transaction != nil)
        #expect(
            try postings(world, world.treasury.address).contains { $0.cause == .slashing(key) })
        _ = try PostingAudit(of: world.store)
    }

    @Test func `kinds keep their numbers, and a posting decodes from its own row alone`() throws {
        let numbers = PostingKind.allCases.map { "\($0) \($0.rawValue)" }
        #expect(
            numbers == [
                "genesis 0", "fee 1", "deposit 2", "transfer 3", "escrowPayment 4",
                "escrowRelease 5", "escrowRefund 6", "bond 7", "withdrawal 8", "validatorReward 9",
                "verifierReward 10", "treasuryShare 11", "evidenceReward 12", "slashing 13",
                "mint 14", "redemption 15", "clawback 16",
            ])
        let parties: [PostingParty?] = [nil, .account(.zero), .escrow(.zero), .verifier(.zero)]
        for (place, party) in parties.enumerated() {
            let posting = Posting(
                address: Person(3).address,
                place: PostingPlace(height: Height(UInt64(place) << 60), index: .max - 1),
                asset: place == 1 ? AssetID(Person(4).address.bytes32) : .native,
                isCredit: place == 2, amount: 9, balance: 11, time: 77,
                cause: PostingCause(.transfer, party),
                transaction: place == 3 ? TransactionID(.sha256([1])) : nil)
            var writes = WriteSet()
            posting.write(into: &writes)
            let change = try #require(writes.changes.first)
            #expect(change.key == posting.address.bytes + posting.place.bytes)
            let row = KeyValue(key: change.key, value: change.value ?? [])
            #expect(try Posting(row) == posting)
            for length in 0..<row.value.count {
                let short = KeyValue(key: row.key, value: Array(row.value.prefix(length)))
                #expect(throws: StorageFault.self) { _ = try Posting(short) }
            }
            #expect(throws: StorageFault.self) {
                _ = try Posting(KeyValue(key: row.key + [0], value: row.value))
            }
            #expect(PostingPlace(posting.place.description) == posting.place)
        }
        for text in ["", "-", "1", "1-", "-1", "01-1", "1-1-1", "+1-1", "1-4294967296", "a-b"] {
            #expect(PostingPlace(text) == nil, "\(text)")
        }
    }
}

@Suite struct PostingPageTests {
    /// Twenty payments of alice, each with a fee and a debit, beside what genesis gave.
    private func world() throws -> World {
        var world = try World()
        for amount in 1...20 as ClosedRange<UInt64> {
            try world.run(world.alice, world.transfer(amount, to: world.erin))
        }
        return world
    }

    private func all(
        _ world: World, _ query: PostingQuery, limit: Int
    ) throws -> [Posting] {
        var query = query
        var found: [Posting] = []
        while true {
            let page = try world.reader.postings(query, limit: limit)
            #expect(page.postings.count <= limit)
            found += page.postings
            guard let next = page.next else { return found }
            query.after = next
        }
    }

    @Test(arguments: [1, 2, 3, 40, 41, 42, 1000])
    func `pages of any size make up the whole, in both orders`(limit: Int) throws {
        let world = try world()
        var query = PostingQuery(of: world.alice.address)
        query.order = .oldest
        let oldest = try all(world, query, limit: limit)
        #expect(oldest.count == 41 && oldest.map(\.place) == oldest.map(\.place).sorted())
        query.order = .newest
        #expect(try all(world, query, limit: limit) == oldest.reversed())
        // The last page says that it is the last, also when it is full.
        query.after = oldest[1].place
        #expect(try world.reader.postings(query, limit: 1).next == nil)
    }

    @Test func `pages neither skip nor repeat when blocks arrive between them`() throws {
        var world = try world()
        for order in PostingQuery.Order.allCases {
            var query = PostingQuery(of: world.alice.address)
            query.order = order
            let before = try all(world, query, limit: 1000)
            var found: [Posting] = []
            while true {
                let page = try world.reader.postings(query, limit: 7)
                found += page.postings
                try world.run(world.alice, world.transfer(1, to: world.erin))
                guard let next = page.next, found.count < 200 else { break }
                query.after = next
            }
            #expect(Array(found.prefix(before.count)) == before, "\(order)")
            #expect(Set(found.map(\.place)).count == found.count, "\(order)")
            if order == .newest { #expect(found == before) }
        }
    }

    @Test func `heights and times cut exactly`() throws {
        let world = try world()
        let whole = try all(world, PostingQuery(of: world.alice.address), limit: 1000)
        for from in [0, 1, 5, 20, 21, .max] as [UInt64] {
            for through in [0, 1, 5, 20, 21, .max] as [UInt64] {
                for order in PostingQuery.Order.allCases {
                    var query = PostingQuery(of: world.alice.address)
                    query.order = order
                    query.from = Height(from)
                    query.through = Height(through)
                    let found = try all(world, query, limit: 3)
                    let wanted = whole.filter {
                        from <= $0.place.height.rawValue && $0.place.height.rawValue <= through
                    }
                    #expect(found == (order == .newest ? wanted : wanted.reversed()))
                }
            }
        }
        var times: [UInt64] = [0, World.start, .max]
        for second in [1, 2, 10, 20, 21] as [UInt64] {
            times += [World.start + second * 1000 - 1, World.start + second * 1000]
        }
        for since in times {
            for before in times {
                var query = PostingQuery(of: world.alice.address)
                query.since = Timestamp(since)
                query.before = before == .max ? nil : Timestamp(before)
                let wanted = whole.filter {
                    since <= $0.time.rawValue && $0.time.rawValue < before
                }
                #expect(try all(world, query, limit: 50) == wanted, "\(since) to \(before)")
            }
        }
    }

    @Test func `an asset that is rare costs pages that end early, never a posting`() throws {
        var world = try World()
        // More rows than one page may read, without any of the asset.
        var writes = WriteSet()
        let rare = AssetID(Person(9).address.bytes32)
        let count = UInt32(LedgerReader.postingsReadMax + 150)
        for index in 0..<count {
            let isRare = index == 0 || index == count - 1
            let posting = Posting(
                address: world.erin.address, place: PostingPlace(height: 1, index: index),
                asset: isRare ? rare : .native, isCredit: true, amount: 1,
                balance: Amount(UInt64(index) + 1), time: Timestamp(World.start),
                cause: PostingCause(.transfer), transaction: nil)
            posting.write(into: &writes)
        }
        world.store.apply(writes)
        for order in PostingQuery.Order.allCases {
            var query = PostingQuery(of: world.erin.address)
            query.order = order
            query.asset = rare
            let first = try world.reader.postings(query, limit: 2)
            #expect(first.postings.count == 1 && first.next != nil)
            query.after = first.next
            let second = try world.reader.postings(query, limit: 2)
            #expect(second.postings.count == 1 && second.next == nil)
            #expect(try all(world, query, limit: 1).count == 1)
        }
        try world.run([])
    }
}

@Suite struct PostingIndexTests {
    private func emptied(_ store: MemoryStore) throws {
        var writes = PostingIndex.end
        for row in try store.pairs(in: .postings, from: [], before: nil, limit: .max) {
            writes.delete(row.key, in: .postings)
        }
        store.apply(writes)
    }

    @Test func `a store that keeps none gets none, and the same root`() throws {
        var with = try World()
        var without = try World()
        try emptied(without.store)
        without.ledger = try without.reopened()
        for _ in 0..<3 {
            try with.run(with.alice, with.transfer(5, to: with.bob))
            try without.run(without.alice, without.transfer(5, to: without.bob))
        }
        #expect(with.ledger.stateRoot == without.ledger.stateRoot)
        #expect(
            try without.store.pairs(in: .postings, from: [], before: nil, limit: 1).isEmpty)
        #expect(try without.reader.postingStart() == nil)
        _ = try PostingAudit(of: without.store)
    }

    @Test func `an index that begins later says from where on it is whole`() throws {
        var world = try World()
        try emptied(world.store)
        world.ledger = try world.reopened()
        try world.run(world.alice, world.transfer(5, to: world.bob))
        world.store.apply(try PostingIndex.begin(in: world.store, world.genesis))
        world.ledger = try world.reopened()
        let start = try #require(try world.reader.postingStart())
        #expect(start == PostingStart(height: 1, time: world.ledger.time) && !start.isWhole)
        try world.run(world.bob, world.transfer(3, to: world.alice))
        let query = PostingQuery(of: world.bob.address)
        let found = try world.reader.postings(query, limit: 10).postings
        #expect(found.map(\.cause.kind) == [.transfer, .fee] && found[0].place.height == 2)
        #expect(try found[0].balance == Amount(world.balance(world.bob)))
        _ = try PostingAudit(of: world.store)
    }

    @Test func `an index that begins again before the first block has what genesis gave`() throws {
        let world = try World()
        let rows = try world.store.pairs(in: .postings, from: [], before: nil, limit: .max)
        try emptied(world.store)
        world.store.apply(try PostingIndex.begin(in: world.store, world.genesis))
        let again = try world.store.pairs(in: .postings, from: [], before: nil, limit: .max)
        #expect(again == rows && rows.count == 4)
        #expect(try world.reader.postingStart()?.isWhole == true)
        _ = try PostingAudit(of: world.store)
    }

    @Test func `the audit finds what was changed, lost or added`() throws {
        var world = try World(isBonded: true)
        for amount in 1...4 as ClosedRange<UInt64> {
            try world.run(world.alice, world.transfer(amount, to: world.erin))
        }
        #expect(try PostingAudit(of: world.store).postings > 20)
        let rows = try world.store.pairs(in: .postings, from: [], before: nil, limit: .max)
        func isFound(_ writes: WriteSet) -> Bool {
            let copy = world.store.copy()
            copy.apply(writes)
            return (try? PostingAudit(of: copy)) == nil
        }
        #expect(!isFound(WriteSet()))
        for row in rows {
            var lost = WriteSet()
            lost.delete(row.key, in: .postings)
            #expect(isFound(lost), "\(Hex.encode(row.key)) lost")
            for place in 0..<17 {
                // Asset, direction, amount and balance.
                var changed = row.value
                changed[place] ^= 2
                var writes = WriteSet()
                writes.put(changed, in: .postings, for: row.key)
                #expect(isFound(writes), "\(Hex.encode(row.key)) byte \(place)")
            }
            var more = WriteSet()
            more.put(row.value, in: .postings, for: row.key.dropLast() + [0xFF])
            #expect(isFound(more), "\(Hex.encode(row.key)) twice")
        }
    }
}
