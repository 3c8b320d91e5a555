@_spi(Simulation) import Primitives
import TestSupport
import Testing

@testable import Mempool

@Suite struct OwnerPoolTests {
    private func transaction(
        _ sender: UInt8, sequence: UInt64 = 0, tip: UInt64 = 0
    ) -> SignedTransaction {
        let body = Transaction(
            chainID: filled(1), sender: filled(sender), sequence: SequenceNumber(sequence),
            validUntil: 1_000_000, maxFee: 100_000, tip: Amount(tip),
            operations: [.transfer(Transfer(to: filled(9), amount: 1))])
        return SignedTransaction(transaction: body, policies: [], authorizations: [])
    }

    private func pool(_ transactions: [SignedTransaction]) -> OwnerPool {
        var pool = OwnerPool()
        for transaction in transactions {
            insert(transaction, into: &pool)
        }
        return pool
    }

    private func insert(_ transaction: SignedTransaction, into pool: inout OwnerPool) {
        pool.insert(
            .simulated(transaction), shard: 3, next: 0, cost: 10,
            tip: transaction.transaction.tip)
    }

    /// What is sealed in one batch, each transaction by sender and sequence.
    private func sealed(
        _ pool: inout OwnerPool, transactionsMax: Int, bytesMax: Int = 1 << 20
    ) -> [String] {
        let settings = BatchSettings(transactionsMax: transactionsMax, bytesMax: bytesMax)
        return pool.takeForSealing(shard: 3, within: settings).map {
            "\($0.transaction.sender.bytes[0])/\($0.transaction.sequence)"
        }
    }

    @Test func `where everything finds room, arrival decides`() {
        var pool = pool([transaction(20), transaction(21, tip: 9), transaction(22, tip: 50)])
        #expect(sealed(&pool, transactionsMax: 3) == ["20/0", "21/0", "22/0"])
    }

    @Test func `where more waits than a batch holds, half of it goes to the highest tips`() {
        let tips: [UInt64] = [0, 0, 0, 5, 0, 9, 0, 7, 0, 9]
        var pool = pool(tips.enumerated().map { transaction(20 + UInt8($0), tip: $1) })
        #expect(sealed(&pool, transactionsMax: 4) == ["25/0", "29/0", "20/0", "21/0"])
        #expect(sealed(&pool, transactionsMax: 4) == ["27/0", "23/0", "22/0", "24/0"])
        #expect(sealed(&pool, transactionsMax: 4) == ["26/0", "28/0"])
    }

    @Test func `nobody waits for ever, whatever others tip`() {
        var pool = pool((0..<4).map { transaction(20 + $0) })
        var rounds = 0
        var next: UInt8 = 100
        var waiting = Set((0..<4).map { "\(20 + $0)/0" })
        while !waiting.isEmpty, rounds < 10 {
            for _ in 0..<4 {
                for sequence in 0..<8 as Range<UInt64> {
                    insert(transaction(next, sequence: sequence, tip: 99), into: &pool)
                }
                next += 1
            }
            waiting.subtract(sealed(&pool, transactionsMax: 4))
            rounds += 1
        }
        #expect(rounds <= 2)
    }

    @Test func `a tip counts for the next transaction of its stream alone, and in its order`() {
        var pool = pool([
            transaction(20), transaction(21), transaction(22, tip: 0),
            transaction(22, sequence: 1, tip: 90), transaction(23, tip: 1),
        ])
        #expect(sealed(&pool, transactionsMax: 2) == ["23/0", "20/0"])
        #expect(sealed(&pool, transactionsMax: 2) == ["21/0", "22/0"])
        #expect(sealed(&pool, transactionsMax: 2) == ["22/1"])
    }

    @Test func `large ones that tip leave half of the bytes to others`() {
        var pool = pool((0..<20).map { transaction(20 + $0, tip: $0 < 10 ? 0 : 50) })
        let size = transaction(20).byteCount
        #expect(
            sealed(&pool, transactionsMax: 1000, bytesMax: 8 + 6 * size)
                == ["30/0", "31/0", "20/0", "21/0", "22/0", "23/0"])
    }

    /// The same transaction signed by the first so many keys.
    private func copy(signatures count: Int) -> SignedTransaction {
        SignedTransaction(
            transaction: transaction(20).transaction,
            authorizations: (0..<count).map {
                Authorization(
                    publicKey: filled(UInt8(40 + $0)), signature: Signature(r: .zero, s: .zero))
            })
    }

    private func fault(
        of transaction: SignedTransaction, in pool: OwnerPool, limits: [LimitUse] = []
    ) -> SubmitOutcome? {
        pool.placeFault(for: transaction, next: 0, spendable: 1000, cost: 10, limits: limits)
    }

    @Test func `a copy with fewer signatures keeps the whole one out until it is skipped`() {
        let (stripped, whole) = (copy(signatures: 2), copy(signatures: 3))
        var pool = pool([stripped])
        #expect(fault(of: stripped, in: pool) == .accepted)
        #expect(fault(of: whole, in: pool) == .busy(MempoolTimes.busyRetry))
        #expect(sealed(&pool, transactionsMax: 9) == ["20/0"])
        #expect(fault(of: whole, in: pool) == .busy(MempoolTimes.busyRetry))
        pool.settle(ExecutedTransaction(stripped, skipped: .limitReached), shard: 3)
        #expect(fault(of: whole, in: pool) == nil)
        insert(whole, into: &pool)
        #expect(fault(of: stripped, in: pool) == .accepted)
        // Another owner's copy is skipped: the whole one stays.
        pool.settle(ExecutedTransaction(stripped, skipped: .limitReached), shard: 3)
        #expect(pool.holds(whole))
        #expect(sealed(&pool, transactionsMax: 9) == ["20/0"])
        pool.settle(ExecutedTransaction(whole, skipped: nil), shard: 3)
        #expect(pool.count == 0)
    }

    @Test func `what waits counts against the sender's limits together, each asset by itself`() {
        func use(_ asset: UInt8, _ cost: UInt64) -> LimitUse {
            LimitUse(asset: filled(asset), room: 100, cost: Amount(cost))
        }
        var pool = OwnerPool()
        for sequence in 0..<3 as Range<UInt64> {
            pool.insert(
                .simulated(transaction(20, sequence: sequence)), shard: 3, next: 0, cost: 10,
                tip: 0, limits: sequence < 2 ? [use(1, 30), use(2, 50)] : [])
        }
        let next = transaction(20, sequence: 3)
        #expect(fault(of: next, in: pool, limits: [use(1, 40)]) == nil)
        #expect(fault(of: next, in: pool, limits: [use(1, 41)]) == .overspent)
        #expect(fault(of: next, in: pool, limits: [use(1, 1), use(2, 1)]) == .overspent)
        #expect(fault(of: next, in: pool, limits: [use(1, .max)]) == .overspent)
        #expect(fault(of: next, in: pool, limits: [use(3, 100)]) == nil)
        let first = ExecutedTransaction(transaction(20), skipped: nil)
        pool.settle(first, shard: 3)
        #expect(fault(of: next, in: pool, limits: [use(1, 70), use(2, 50)]) == nil)
        #expect(fault(of: next, in: pool, limits: [use(1, 71)]) == .overspent)
    }

    @Test func `no tip overflows`() {
        var pool = pool((0..<3).map { transaction(20 + $0, tip: .max - UInt64($0)) })
        #expect(sealed(&pool, transactionsMax: 2) == ["20/0", "21/0"])
    }
}
