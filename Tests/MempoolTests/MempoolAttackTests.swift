import Primitives
import TestSupport
import Testing

@testable import Mempool

/// What others can do to a mempool by what they send.
@Suite struct MempoolAttackTests {
    @Test func `a skipped copy with other signatures decides nothing about the right one`() throws {
        var network = try MempoolNetwork(seed: 30)
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        try network.submit(payment, to: 0)
        let other = TestKeys.key(seed: 31, index: 0)
        let copy = SignedTransaction(signing: payment.transaction, by: [other])
        try #require(copy.id == payment.id)
        for node in 0..<4 {
            try network.event(
                .executed(1, [ExecutedTransaction(copy, skipped: .notAuthorized)]), at: node)
        }
        #expect(network.engines[0].isFollowing(payment.id))
        #expect(network.engines[2].isPooled(payment.id))
        #expect(try network.include(proposedBy: 1).map(\.id) == [payment.id])
        #expect(!network.engines[0].isFollowing(payment.id))
    }

    @Test func `a copy with a wrong signature doesn't take the right one down with it`() throws {
        var network = try MempoolNetwork(seed: 32)
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        let broken = SignedTransaction(
            transaction: payment.transaction, policies: payment.policies,
            authorizations: [
                Authorization(
                    publicKey: payment.authorizations[0].publicKey,
                    signature: Signature(r: .zero, s: .zero))
            ])
        try network.event(.submitted(RequestID(1), broken), at: 0)
        try network.event(.submitted(RequestID(2), payment), at: 0)
        try network.run()
        let outcomes = Dictionary(
            uniqueKeysWithValues: network.replies.map { ($0.request, $0.outcome) })
        #expect(outcomes[RequestID(1)] == .refused(.invalidSignature))
        #expect(outcomes[RequestID(2)] == .busy(MempoolTimes.busyRetry))
        try network.submit(payment, to: 0, request: 3)
        #expect(network.replies.last?.outcome == .accepted)
    }

    @Test func `the largest transactions are forwarded in messages that fit a frame`() throws {
        var network = try MempoolNetwork(seed: 33)
        network.view.spendable = Amount(.max)
        var sizes: [Int] = []
        network.tamper = { _, _, message in
            if case .forward = message { sizes.append(message.bcsBytes.count) }
            return message
        }
        let signers = (0..<32).map {
            Policy.Signer(publicKey: TestKeys.key(seed: 34, index: $0).publicKey, weight: 1)
        }
        let policy = try Policy(signers: signers, spend: 1, admin: 1)
        for salt in 0..<2 {
            let sender = network.sender(ownedBy: 2, salt: salt)
            for sequence in 0..<40 {
                let transaction = Transaction(
                    chainID: network.committee.chainID,
                    sender: Policy.single(sender.publicKey).address,
                    sequence: SequenceNumber(UInt64(sequence)), validUntil: 10_000_000,
                    maxFee: 10,
                    operations: [Operation](repeating: .setPolicy(policy), count: 16))
                let signed = SignedTransaction(signing: transaction, by: [sender])
                try network.event(
                    .submitted(RequestID(UInt64(salt * 100 + sequence)), signed), at: 0)
            }
        }
        try network.run()
        #expect(sizes.reduce(0, +) > 1 << 20)
        #expect(sizes.allSatisfy { $0 < 1 << 20 }, "\(sizes)")
        #expect(network.replies.filter { $0.outcome == .accepted }.count == 80)
    }

    @Test func `the only validator's sealed batch is certified again after a restart`() throws {
        let key = TestKeys.key(seed: 35, index: 0)
        let committee = try Committee(
            chainID: .zero, epoch: 0,
            validators: [
                Validator(
                    votingKey: key.publicKey, peerID: PeerID(key.publicKey), weight: 1,
                    rewardAddress: .zero)
            ])
        let layout = ShardLayout(committee: committee)
        func engine(_ recovered: [RecoveredAck]) -> MempoolEngine {
            MempoolEngine(
                layout: layout, ownIndex: ValidatorIndex(0), signer: key, table: LaneTable(),
                height: 0, recovered: recovered)
        }
        let moment = Moment(now: Instant(milliseconds: 5), wall: 5)
        let sender = TestKeys.key(seed: 36, index: 0)
        let transaction = Transaction(
            chainID: .zero, sender: Policy.single(sender.publicKey).address, sequence: 0,
            validUntil: 1000, maxFee: 1,
            operations: [.transfer(Transfer(to: .zero, amount: 1))])
        let signed = SignedTransaction(signing: transaction, by: [sender])
        var first = engine([])
        try first.handle(.submitted(RequestID(1), signed), at: moment, view: FixedView())
        var writes: [WriteSet] = []
        var effects = first.flush(at: moment)
        while !effects.isEmpty {
            for effect in effects {
                if case .check(let id, let job, _) = effect {
                    try first.handle(
                        .checked(id, job.run(in: layout)), at: moment, view: FixedView())
                }
                if case .store(let write) = effect { writes.append(write) }
            }
            effects = first.flush(at: moment)
        }
        let batch = try Batch(bcs: try #require(writes.first?.changes.first?.value))
        let ack = try Ack(bcs: try #require(writes.first?.changes.last?.value))
        let again = engine([RecoveredAck(ack: ack, batch: batch)])
        #expect(again.includable(after: LaneTable(), at: 1).map(\.digest) == [batch.digest])
    }
}
