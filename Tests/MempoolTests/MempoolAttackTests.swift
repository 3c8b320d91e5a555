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

    // MARK: Appeals and complaints

    private func complaints(_ network: inout MempoolNetwork) -> [Complaint] {
        (1...16).flatMap { height in
            network.engines[0].passable(after: LaneTable(), at: Height(height))
                .flatMap(\.complaints)
        }
    }

    /// Appeals to all of four validators, as a peer without a bond can.
    private func appeal(
        _ payment: SignedTransaction, in network: inout MempoolNetwork, without owner: Int? = nil
    ) throws {
        let stranger = PeerID(TestKeys.key(seed: 39, index: 0).publicKey)
        for node in 0..<4 where node != owner {
            try network.event(.received(stranger, .appeal(payment)), at: node)
        }
        try network.run()
    }

    @Test func `an appeal for a payment with a gap before it is no ground against its owner`()
        throws
    {
        var network = try MempoolNetwork(seed: 37)
        try appeal(network.transfer(network.sender(ownedBy: 2), sequence: 3), in: &network)
        try network.advance(milliseconds: 2 * MempoolTimes.appealWait)
        #expect(complaints(&network).isEmpty)
    }

    @Test func `an owner that is silent about one sender is complained of, whatever others answer`()
        throws
    {
        var network = try MempoolNetwork(seed: 38)
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        network.tamper = { _, to, message in
            switch message {
            case .forward, .appeal: to == 2 ? nil : message
            default: message
            }
        }
        try appeal(payment, in: &network, without: 2)
        for node in [0, 1, 3] {
            try network.event(
                .received(
                    network.peer((node + 1) % 4),
                    .answers([ForwardAnswer(id: payment.id, outcome: .overspent)])), at: node)
        }
        try network.advance(milliseconds: MempoolTimes.appealWait + 100)
        #expect(complaints(&network).count >= 3)
    }

    @Test func `an owner that calls used what isn't is complained of`() throws {
        var network = try MempoolNetwork(seed: 40)
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        network.tamper = { from, _, message in
            switch message {
            case .batch: from == 2 ? nil : message
            case .answers(let answers) where from == 2:
                .answers(
                    answers.map { ForwardAnswer(id: $0.id, outcome: .refused(.sequenceUsed)) })
            default: message
            }
        }
        try appeal(payment, in: &network)
        try network.advance(milliseconds: MempoolTimes.appealWait + 100)
        #expect(!complaints(&network).isEmpty)
    }

    @Test func `an owner that says accepted for ever keeps nothing out`() throws {
        var network = try MempoolNetwork(seed: 41)
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        network.tamper = { from, to, message in
            switch message {
            case .forward, .appeal: to == 2 ? nil : message
            default: message
            }
        }
        try network.event(.submitted(RequestID(1), payment), at: 0)
        try network.run()
        let promise = MempoolMessage.answers([ForwardAnswer(id: payment.id, outcome: .accepted)])
        for _ in 0..<20 {
            try network.event(.received(network.peer(2), promise), at: 0)
            try network.advance(milliseconds: 300)
        }
        #expect(try network.include(proposedBy: 1).map(\.id) == [payment.id])
    }

    @Test func `the last rank of a shard is never passed over`() throws {
        let network = try MempoolNetwork(seed: 42)
        for rank in UInt16(0)..<4 {
            let lane = Lane(shard: 0, term: 0, rank: rank)
            let complaints = (0..<4).map {
                Complaint(
                    lane, at: 0, of: network.committee, signer: ValidatorIndex(UInt16($0)),
                    key: network.keys[$0])
            }
            let certificate = ComplaintCertificate(lane: lane, complaints: complaints)
            #expect(certificate.isComplete(at: 1, in: network.layout) == (rank < 3))
        }
    }

    @Test func `nobody appeals for what a client didn't sign`() throws {
        var network = try MempoolNetwork(seed: 46)
        network.tamper = { _, to, message in
            if case .forward = message, to == 2 { return nil }
            return message
        }
        let broken = try #require(
            network.transfer(network.sender(ownedBy: 2), sequence: 0).damaged())
        try network.event(.submitted(RequestID(1), broken), at: 0)
        try network.advance(milliseconds: 3_000)
        #expect(network.penalties.isEmpty)
        #expect(network.replies.last?.outcome == .refused(.invalidSignature))
    }

    // MARK: Direct entry

    @Test func `what no owner answers is proposed directly, but only if it is signed`() throws {
        var network = try MempoolNetwork(seed: 43)
        network.tamper = { _, _, message in
            if case .forward = message { return nil }
            return message
        }
        let sender = network.sender(ownedBy: 2)
        let payment = network.transfer(sender, sequence: 0)
        let other = network.sender(ownedBy: 2, salt: 5)
        let broken = try #require(network.transfer(other, sequence: 0).damaged())
        // Node 0 is the last rank of the shard, so that three others are asked first.
        let shard = network.layout.shard(of: Policy.single(sender.publicKey).address)
        let last = try #require(network.layout.owner(of: Lane(shard: shard, term: 0, rank: 3)))
        let node = Int(last.rawValue)
        try network.event(.submitted(RequestID(1), payment), at: node)
        try network.event(.submitted(RequestID(2), broken), at: node)
        for _ in 0..<200 where network.engines[node].direct.isEmpty {
            try network.advance(milliseconds: 50)
        }
        try network.advance(milliseconds: 100)
        #expect(network.engines[node].direct == [payment])
        let outcome = network.replies.last { $0.request == RequestID(2) }?.outcome
        #expect(outcome == .refused(.invalidSignature))
    }

    // MARK: Copies

    @Test func `a broken copy that comes first by a peer decides nothing about a client's own`()
        throws
    {
        var network = try MempoolNetwork(seed: 44)
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        let broken = try #require(payment.damaged())
        try network.event(.received(network.peer(1), .forward([broken])), at: 2)
        try network.event(.submitted(RequestID(1), payment), at: 2)
        try network.run()
        #expect(network.replies.map(\.outcome) == [.accepted])
        #expect(try network.include(proposedBy: 0).map(\.id) == [payment.id])
    }

    // MARK: Memory

    @Test func `an owner whose batches are never certified fills only its own part of the memory`()
        throws
    {
        var network = try MempoolNetwork(seed: 45)
        let most = BatchLimits.ownerBytesMax(committee: 4)
        let sender = network.sender(ownedBy: 0)
        let shard = network.layout.shard(of: Policy.single(sender.publicKey).address)
        let memo = [UInt8](repeating: 1, count: 256)
        let payments = (0..<1_000).map { place in
            SignedTransaction(
                signing: Transaction(
                    chainID: network.committee.chainID,
                    sender: Policy.single(sender.publicKey).address,
                    sequence: SequenceNumber(UInt64(place)), validUntil: 10_000_000, maxFee: 1,
                    memo: memo,
                    operations: [.transfer(Transfer(to: .zero, amount: 1))]), by: [sender])
        }
        let body = Batch.Body(payments)
        var acks = 0
        network.tamper = { _, _, message in
            if case .ack = message { acks += 1 }
            return message
        }
        var parent = Digest.zero
        for position in 1...(most / UInt64(body.bytes.count) + 5) {
            let header = BatchHeader(
                signing: BatchHeader.Content(
                    chainID: network.committee.chainID, epoch: 0,
                    lane: Lane(shard: shard, term: 0, rank: 0), owner: ValidatorIndex(0),
                    position: position, parent: parent, transactionRoot: body.tree.root,
                    transactionCount: UInt32(payments.count),
                    byteLength: UInt32(body.bytes.count),
                    signatureCount: UInt32(payments.count), chunkSize: 1024,
                    expiryHeight: Height(network.layout.settings.expiryBlocks)),
                by: network.keys[0])
            parent = header.digest
            try network.event(
                .received(
                    network.peer(0), .batch(Batch(header: header, body: body), Assignment([]))),
                at: 1)
            try network.run()
        }
        #expect(UInt64(acks) == most / UInt64(body.bytes.count))
        #expect(network.engines[1].witness.owedBytes(of: ValidatorIndex(0)) <= most)
        // What expired takes nothing any more.
        try network.event(
            .included(Height(network.layout.settings.expiryBlocks), [], passedOver: []), at: 1)
        #expect(network.engines[1].witness.owedBytes(of: ValidatorIndex(0)) == 0)
    }
}
