import Execution
import Mempool
import NodeCore
import Primitives

extension FuzzTarget {
    /// Transactions of users: as they are, and signed by those for whom they speak.
    static let transaction = FuzzTarget(name: "transaction", bytesMax: 4 << 10) {
        FuzzWorld.shared.transactions.map { FuzzSeed($0.name, $0.transaction.bcsBytes) }
    } check: { bytes in
        guard let transaction = try canonical(SignedTransaction.self, bytes) else { return false }
        let world = FuzzWorld.shared
        try checkValue(transaction, bytes)
        try give(transaction, to: world)
        let repaired = world.keys.repaired(transaction)
        try give(repaired, to: world)
        try execute(repaired, in: world)
        return true
    }

    private static func checkValue(
        _ signed: SignedTransaction, _ bytes: [UInt8]
    ) throws(Violation) {
        try expect(
            signed.byteCount == bytes.count && bytes.count <= TransactionLimits.bytesMax,
            "\(signed.byteCount) bytes, not \(bytes.count)")
        try expect(signed.id == signed.transaction.id, "another id")
        let again = try canonical(Transaction.self, signed.transaction.bcsBytes)
        try expect(again == signed.transaction, "another transaction")
        let claims = signed.signatureClaims(in: ()) ?? []
        try expect(claims.count == signed.authorizations.count, "\(claims.count) claims")
        try expect(signed.chargedSignatures >= claims.count, "too few signatures are charged")
        for policy in signed.policies { _ = policy.address }
    }

    private static func give(
        _ transaction: SignedTransaction, to world: FuzzWorld
    ) throws(Violation) {
        let peer = world.keys.peer(1)
        let events: [NodeEvent] = [
            .submit(RequestID(1), transaction),
            .received(peer, .mempool(.forward([transaction]))),
            .received(world.keys.peer(2), .mempool(.appeal(transaction))),
            .lookUp(RequestID(2), transaction.id),
        ]
        try world.live.run(events)
    }

    /// Executes it in the next block, if its signatures hold.
    private static func execute(_ signed: SignedTransaction, in world: FuzzWorld) throws {
        guard let verified = Verified.check(signed) else { return }
        var ledger = world.live.core.ledger
        world.live.store.reset()
        let block = ExecutableBlock(
            height: ledger.height.clampedAdvance(by: 1), digest: .zero,
            time: ledger.time.clampedAdvance(by: 1000), proposer: ValidatorIndex(0),
            direct: [verified],
            batches: [], systemValues: [])
        let outcome = try ledger.execute(block)
        try expect(ledger.totals.isBalanced, "the books don't balance")
        for case .executed(let receipt) in outcome.results {
            let copy = try canonical(Receipt.self, receipt.bcsBytes)
            try expect(copy == receipt, "a receipt that can't be read")
        }
        world.live.store.apply(outcome.writes)
        _ = try LedgerAudit(of: world.live.store)
        _ = try PostingAudit(of: world.live.store)
    }
}
