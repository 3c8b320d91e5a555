import Consensus
import Execution
import Mempool
import Primitives
import TestSupport
import Testing

@testable import NodeCore

@Suite struct AuditTests {
    private let seed: UInt64 = 31
    private let genesis: Genesis
    private let store: MemoryStore

    /// A chain with payments, an open escrow and a closed one, and an account with a guardian.
    init() throws {
        var cluster = try Cluster(seed: seed)
        var sent: [SignedTransaction] = []
        for round in 0..<4 {
            for person in 0..<8 {
                sent.append(
                    cluster.payment(
                        from: person, to: (person + 1) % 8, amount: 5, sequence: UInt64(round)))
            }
        }
        for (sequence, deadline) in [(4, UInt64(1_004_000)), (5, 900_000_000)] {
            let quorum = try Quorum(
                members: [.init(address: cluster.address(0), weight: 1)], threshold: 1)
            let terms = EscrowTerms(
                payee: cluster.address(1), amount: 70, release: quorum, refund: quorum,
                deadline: Timestamp(deadline))
            sent.append(
                cluster.transaction(from: 0, sequence: UInt64(sequence), .escrowCreate(terms)))
        }
        let guards = try Quorum(
            members: [.init(address: cluster.address(2), weight: 1)], threshold: 1)
        let terms = SafeguardTerms(
            guardians: Guardians(quorum: guards, delayMilliseconds: 86_400_000))
        sent.append(cluster.transaction(from: 0, sequence: 6, .setSafeguards(terms)))
        for (place, transaction) in sent.enumerated() {
            try cluster.submit(transaction, to: place % 4)
            try cluster.run(milliseconds: 20)
        }
        let all = sent
        try cluster.run(milliseconds: 5_000) { $0.isFinal(all, at: [0, 1, 2, 3]) }
        try #require(cluster.isFinal(sent, at: [0]))
        // The first escrow's deadline passes.
        try cluster.run(milliseconds: 5_000)
        genesis = cluster.genesis
        store = cluster.members[0].store
    }

    /// The faults that a whole check finds, as `offpeak db check` makes it.
    private func faults(_ source: MemoryStore) -> [String] {
        do throws(StorageFault) {
            var audit = try ChainAudit(of: source, genesis: genesis, depth: .whole)
            try audit.checkHead()
            var walk = StoreWalk()
            var counts: [Column: UInt64] = [:]
            while let step = try walk.step(on: source) {
                counts[step.column, default: 0] += UInt64(
                    step.rows.count { step.column != .receipts || $0.key.count == 32 })
                for row in step.rows { try audit.check(row, in: step.column) }
            }
            guard counts[.blocks] == audit.finalizedHeight.rawValue,
                counts[.receipts] == audit.receiptCount
            else { return ["counts"] }
            _ = try LedgerAudit(of: source)
            _ = try PostingAudit(of: source)
            return []
        } catch {
            return ["\(error)"]
        }
    }

    private func rows(_ column: Column) throws -> [KeyValue] {
        try store.pairs(in: column, from: [], before: nil, limit: .max)
    }

    @Test func `a chain that nobody touched is whole, and every column has rows`() throws {
        #expect(faults(store) == [])
        for column in Column.allCases where column != .lanes {
            #expect(try !rows(column).isEmpty, "\(column)")
        }
    }

    /// A chain of one block with these transactions.
    private func chain(
        of direct: [SignedTransaction]
    ) throws -> (MemoryStore, [TransactionResult]) {
        let store = MemoryStore()
        store.apply(NodeCore.genesisWrites(genesis))
        var ledger = try Ledger(opening: store, genesis: genesis)
        let payload = BlockPayload([], direct: direct).bytes
        let parent = Block.genesis(
            chainID: genesis.chainID, time: genesis.time, stateRoot: ledger.stateRoot)
        let header = BlockHeader(
            chainID: genesis.chainID, epoch: 0, view: 1, height: 1, parent: parent.ref,
            proposer: ValidatorIndex(0), time: Timestamp(genesis.time.rawValue + 1000),
            executed: ExecutedRef(height: 0, stateRoot: ledger.stateRoot),
            payloadRoot: Block.root(of: payload))
        let block = Block(header: header, payload: payload)
        store.apply(ChainStore.writes(block, certificate: nil))
        let outcome = try ledger.execute(
            ExecutableBlock(
                height: 1, digest: block.digest, time: block.time, proposer: block.proposer,
                direct: try direct.map { try #require(Verified.check($0)) }))
        store.apply(outcome.writes)
        return (store, outcome.results)
    }

    @Test func `a transaction that a block holds twice has the place where its turn had come`()
        throws
    {
        let cluster = try Cluster(seed: seed)
        let first = cluster.payment(from: 0, to: 1, amount: 5, sequence: 0)
        let second = cluster.payment(from: 0, to: 1, amount: 5, sequence: 1)
        let other = cluster.payment(from: 2, to: 1, amount: 5, sequence: 0)
        for (transactions, order) in [
            ([second, first, second], [nil, first.id, second.id]),
            ([second, other, first, other, second], [nil, other.id, first.id, nil, second.id]),
            ([first, second, first, second], [first.id, second.id, nil, nil]),
        ] {
            let (store, results) = try chain(of: transactions)
            #expect(
                results.map { result in
                    if case .executed(let receipt) = result { receipt.transactionID } else { nil }
                } == order)
            let rows = try store.pairs(in: .blocks, from: [], before: nil, limit: .max)
            var audit = try ChainAudit(of: store, genesis: genesis, depth: .whole)
            for row in rows { try audit.check(row, in: .blocks) }
            #expect(audit.receiptCount == UInt64(order.count { $0 != nil }))
            // With one missing, or two at one place, it isn't whole.
            let receipts = try Set(transactions.map(\.id)).sorted().map { id in
                try Receipt(bcs: try #require(try store.value(in: .receipts, for: id.bytes)))
            }
            for (left, right) in zip(receipts, receipts.dropFirst()) {
                for damaged in [left.moved(to: right.index), nil] {
                    let key = left.transactionID.bytes
                    var writes = WriteSet()
                    if let damaged {
                        writes.put(damaged.bcsBytes, in: .receipts, for: key)
                    } else {
                        writes.delete(key, in: .receipts)
                    }
                    store.apply(writes)
                    #expect(throws: StorageFault.self) {
                        var audit = try ChainAudit(of: store, genesis: genesis, depth: .whole)
                        for row in rows { try audit.check(row, in: .blocks) }
                    }
                    writes.removeAll()
                    writes.put(left.bcsBytes, in: .receipts, for: key)
                    store.apply(writes)
                }
            }
        }
    }

    private enum Damage: CaseIterable { case flipped, removed, moved }

    /// Rows whose contents nothing else in the store binds: only RocksDB's checksums tell.
    private func isUnbound(
        _ row: KeyValue, _ column: Column, _ damage: Damage, in copy: MemoryStore
    ) throws -> Bool {
        switch column {
        // Lanes and acks stand alone; roots of heights that no block names are for questions.
        case .lanes, .meta: return true
        // Those of closed escrows, which have left the state.
        case .receipts: return row.key.count == 33
        // Who is on the other side, what it was for, and the place within the block.
        case .postings: return try isSamePosting(row, in: copy)
        // Where a block that is final has no finalization of its own, the next one proves it.
        case .finalizations: return damage == .removed
        case .batches:
            switch damage {
            case .moved: return false
            case .removed: return try !isOrdered(row.key)
            // The owner's signature isn't part of the digest.
            case .flipped:
                let bytes = try copy.value(in: .batches, for: row.key) ?? []
                return (try? Batch(bcs: bytes))?.digest.bytes == row.key
            }
        case .blocks, .blockHeights, .state, .nodes, .deadlines, .escrowsByParty, .bonds, .history,
            .guarded:
            return false
        }
    }

    /// Whether what a damaged posting says of the account's money is still the same.
    private func isSamePosting(_ row: KeyValue, in copy: MemoryStore) throws -> Bool {
        let posting = try Posting(row)
        let start = posting.address.bytes + Array(row.key[32..<40])
        let found = try copy.pairs(
            in: .postings, from: start, before: start + [0xFF], limit: .max)
        return found.contains { row in
            guard let other = try? Posting(row) else { return false }
            return other.balance == posting.balance && other.amount == posting.amount
                && other.isCredit == posting.isCredit && other.time == posting.time
                && other.asset == posting.asset
                && (other.transaction == posting.transaction || other.cause.kind != .fee)
        }
    }

    /// Whether a block orders the batch.
    private func isOrdered(_ digest: [UInt8]) throws -> Bool {
        for row in try rows(.blocks) {
            let payload = try BlockPayload(decoding: Block(bcs: row.value).payload)
            if payload.certificates.contains(where: { $0.digest.bytes == digest }) { return true }
        }
        return false
    }

    private func damaged(
        _ row: KeyValue, _ column: Column, _ damage: Damage,
        _ generator: inout SeededGenerator
    ) -> MemoryStore {
        var writes = WriteSet()
        var key = row.key
        var value = row.value
        switch damage {
        case .flipped:
            // Values that are empty have their content in the key.
            if value.isEmpty {
                writes.delete(key, in: column)
                key[Int(generator.next() % UInt64(key.count))] ^= 1 << UInt8(generator.next() % 8)
            } else {
                let place = Int(generator.next() % UInt64(value.count))
                value[place] ^= 1 << UInt8(generator.next() % 8)
            }
            writes.put(value, in: column, for: key)
        case .removed: writes.delete(key, in: column)
        case .moved:
            writes.delete(key, in: column)
            key[Int(generator.next() % UInt64(key.count))] ^= 1 << UInt8(generator.next() % 8)
            writes.put(value, in: column, for: key)
        }
        let copy = store.copy()
        copy.apply(writes)
        return copy
    }

    @Test(arguments: Column.allCases)
    func `a row that was changed, lost or moved is found`(column: Column) throws {
        var generator = SeededGenerator(seed: seed)
        let all = try rows(column)
        var tried = 0
        for row in all.shuffled(using: &generator).prefix(12) {
            for damage in Damage.allCases {
                let copy = damaged(row, column, damage, &generator)
                if try isUnbound(row, column, damage, in: copy) { continue }
                tried += 1
                #expect(
                    faults(copy) != [],
                    "seed \(seed): \(damage) \(Hex.encode(row.key)) in \(column.rawValue)")
            }
        }
        #expect(tried > 0 || column == .lanes || column == .meta)
    }

    @Test func `heads that don't agree are found without a look at the rows`() throws {
        for name in ["ledger", "chain/finalized"] {
            let key = Array(name.utf8)
            let value = try #require(try store.value(in: .meta, for: key))
            for place in value.indices where name != "ledger" || (32..<72).contains(place) {
                var changed = value
                changed[place] ^= 0x40
                var writes = WriteSet()
                writes.put(changed, in: .meta, for: key)
                let copy = store.copy()
                copy.apply(writes)
                #expect(throws: StorageFault.self, "\(name) at \(place)") {
                    let audit = try ChainAudit(of: copy, genesis: genesis, depth: .readable)
                    try audit.checkHead()
                }
            }
        }
    }

    @Test func `a walk visits every row once, from whatever column it begins`() throws {
        var wanted = 0
        for column in Column.allCases { wanted += try rows(column).count }
        for first in [Column.meta, .state, .bonds] {
            var walk = StoreWalk(from: first)
            var seen: Set<[UInt8]> = []
            var count = 0
            while let step = try walk.step(on: store) {
                for row in step.rows {
                    count += 1
                    seen.insert(Array(step.column.rawValue.utf8) + [0] + row.key)
                }
            }
            #expect(count == wanted && seen.count == wanted)
        }
    }
}

extension Receipt {
    fileprivate func moved(to index: UInt32) -> Receipt {
        Receipt(
            transactionID: transactionID, height: height, index: index, fee: fee, outcome: outcome)
    }
}
