import Primitives
import TestSupport
import Testing

@testable import Mempool

@Suite struct MempoolFlowTests {
    @Test func `a payment given to any node is certified at once and included once`() throws {
        for node in 0..<4 {
            var network = try MempoolNetwork(seed: 1)
            let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
            try network.submit(payment, to: node)
            #expect(network.replies.map(\.outcome) == [.accepted])
            for engine in network.engines { #expect(engine.figures.certificates == 1) }
            #expect(try network.include(proposedBy: 3).map(\.id) == [payment.id])
            for engine in network.engines {
                #expect(engine.figures == MempoolFigures())
            }
            #expect(try network.include(proposedBy: 1).isEmpty)
        }
    }

    @Test func `a copy with a signature taken away doesn't keep the whole one out`() throws {
        var network = try MempoolNetwork(seed: 5)
        let whole = SignedTransaction(
            signing: network.transfer(network.sender(ownedBy: 2), sequence: 0).transaction,
            by: [network.sender(ownedBy: 2), network.sender(ownedBy: 1)])
        let stripped = SignedTransaction(
            signing: whole.transaction, by: [network.sender(ownedBy: 2)])
        network.view.signatures[whole.transaction.sender] = 2
        try network.submit(stripped, to: 0)
        #expect(network.replies.last?.outcome == .accepted)
        // The node that follows the copy, and its owner, put the whole one off until then.
        for node in [0, 2] {
            try network.submit(whole, to: node, request: UInt64(10 + node))
            #expect(network.replies.last?.outcome == .busy(MempoolTimes.busyRetry), "\(node)")
        }
        #expect(try network.include(proposedBy: 3).map(\.id) == [whole.id])
        for engine in network.engines { #expect(engine.figures == MempoolFigures()) }
        try network.submit(whole, to: 0, request: 20)
        #expect(network.replies.last?.outcome == .accepted)
        #expect(try network.include(proposedBy: 3).map(\.id) == [whole.id])
        #expect(network.view.next[whole.transaction.sender] == 1)
        for engine in network.engines { #expect(engine.figures == MempoolFigures()) }
    }

    @Test func `the owner and one other validator of four check a signature, nobody else`() throws {
        var network = try MempoolNetwork(seed: 2)
        for sequence in 0..<5 {
            try network.submit(
                network.transfer(network.sender(ownedBy: 0), sequence: UInt64(sequence)), to: 1)
        }
        try network.advance(milliseconds: 50)
        #expect(network.engines.map(\.signatures.admission) == [5, 0, 0, 0])
        #expect(network.engines.map(\.signatures.assigned).reduce(0, +) == 5)
        #expect(network.engines.map(\.signaturesChecked).reduce(0, +) == 10)
    }

    @Test func `without spreading every validator checks every signature exactly once`() throws {
        var network = try MempoolNetwork(seed: 2, settings: BatchSettings(spread: false))
        for sequence in 0..<5 {
            try network.submit(
                network.transfer(network.sender(ownedBy: 0), sequence: UInt64(sequence)), to: 1)
        }
        try network.advance(milliseconds: 50)
        #expect(network.engines.map(\.signaturesChecked) == [5, 5, 5, 5])
    }

    @Test func `a wrong signature costs its owner and the node that passed it on one check each`()
        throws
    {
        var network = try MempoolNetwork(seed: 3)
        let good = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        let key = good.authorizations[0].publicKey
        let bad = SignedTransaction(
            transaction: good.transaction, policies: good.policies,
            authorizations: [
                Authorization(publicKey: key, signature: Signature(r: .zero, s: .zero))
            ])
        try network.submit(bad, to: 0)
        #expect(network.replies.map(\.outcome) == [.refused(.invalidSignature)])
        #expect(network.engines.map(\.signaturesChecked) == [1, 0, 1, 0])
        try network.submit(good, to: 0, request: 2)
        #expect(network.replies.last?.outcome == .accepted)
    }

    @Test func `a node without a vote hands on nothing unseen, even if the owner goes`() throws {
        var network = try MempoolNetwork(seed: 3, bonds: [1])
        let good = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        let key = good.authorizations[0].publicKey
        let bad = SignedTransaction(
            transaction: good.transaction, policies: good.policies,
            authorizations: [
                Authorization(publicKey: key, signature: Signature(r: .zero, s: .zero))
            ])
        // Its check has begun and isn't done.
        try network.event(.submitted(RequestID(1), bad), at: 4)
        try network.stop(2)
        #expect(network.replies.map(\.outcome) == [.refused(.invalidSignature)])
        #expect(network.penalties.isEmpty, "\(network.penalties)")
        try network.submit(good, to: 4, request: 2)
        #expect(network.replies.last?.outcome == .accepted)
    }

    @Test func `the same bytes given twice to two nodes execute once`() throws {
        var network = try MempoolNetwork(seed: 4)
        let payment = network.transfer(network.sender(ownedBy: 1), sequence: 0)
        try network.submit(payment, to: 0, request: 1)
        try network.submit(payment, to: 2, request: 2)
        try network.submit(payment, to: 0, request: 3)
        #expect(network.replies.map(\.outcome) == [.accepted, .accepted, .accepted])
        #expect(try network.include(proposedBy: 0).count == 1)
        try network.submit(payment, to: 2, request: 4)
        #expect(network.replies.last?.outcome == .refused(.sequenceUsed))
    }

    @Test func `of two transactions with one sequence the owner takes one`() throws {
        var network = try MempoolNetwork(seed: 5)
        let sender = network.sender(ownedBy: 3)
        let first = network.transfer(sender, sequence: 0, amount: 1)
        let second = network.transfer(sender, sequence: 0, amount: 2)
        try network.submit(first, to: 0, request: 1)
        try network.submit(second, to: 1, request: 2)
        #expect(network.replies.map(\.outcome) == [.accepted, .conflict(first.id)])
        #expect(try network.include(proposedBy: 2).map(\.id) == [first.id])
    }

    @Test func `a sequence that comes early waits for the one before it`() throws {
        var network = try MempoolNetwork(seed: 6)
        let sender = network.sender(ownedBy: 1)
        let later = network.transfer(sender, sequence: 1)
        let earlier = network.transfer(sender, sequence: 0)
        try network.submit(later, to: 0, request: 1)
        #expect(try network.include(proposedBy: 0).isEmpty)
        try network.submit(earlier, to: 2, request: 2)
        #expect(try network.include(proposedBy: 0).map(\.id) == [earlier.id, later.id])
    }

    @Test func `what a sender has waiting can't cost more than it holds`() throws {
        var network = try MempoolNetwork(seed: 7)
        network.view.spendable = 30
        let sender = network.sender(ownedBy: 1)
        for (place, amount) in [UInt64(5), 5, 5].enumerated() {
            try network.submit(
                network.transfer(sender, sequence: UInt64(place), amount: amount), to: 0,
                request: UInt64(place))
        }
        #expect(network.replies.map(\.outcome) == [.accepted, .accepted, .overspent])
    }

    @Test func `a sender has at most 64 transactions in the pool`() throws {
        var network = try MempoolNetwork(seed: 8)
        let sender = network.sender(ownedBy: 1)
        for sequence in 1...64 {
            try network.submit(network.transfer(sender, sequence: UInt64(sequence)), to: 1)
        }
        #expect(network.replies.last?.outcome == .refused(.sequenceAhead))
        #expect(network.replies.filter { $0.outcome == .accepted }.count == 63)
    }

    @Test func `a sequence too far ahead is refused through every node`() throws {
        var network = try MempoolNetwork(seed: 8)
        let sender = network.sender(ownedBy: 1)
        for node in 0..<4 {
            try network.submit(network.transfer(sender, sequence: 64), to: node)
        }
        #expect(network.replies.count == 4)
        #expect(network.replies.allSatisfy { $0.outcome == .refused(.sequenceAhead) })
    }

    @Test func `an owner's lie about signatures costs one check, however often it is told`()
        throws
    {
        var network = try MempoolNetwork(seed: 8)
        let sender = network.sender(ownedBy: 1)
        network.tamper = { _, to, message in
            // The owner hears nothing, so that only its lies are answers.
            if to == 1, case .forward = message { return nil }
            return message
        }
        let payment = network.transfer(sender, sequence: 0)
        try network.submit(payment, to: 0)
        let before = network.engines[0].signatures.screening
        let lie = ForwardAnswer(id: payment.id, outcome: .refused(.invalidSignature))
        try network.event(
            .received(
                network.peer(1), .answers(Array(repeating: lie, count: 100))), at: 0)
        #expect(network.engines[0].signatures.screening == before + 1)
    }

    @Test func `with an owner that is down the next rank takes over, and nothing executes twice`()
        throws
    {
        var network = try MempoolNetwork(seed: 9)
        let sender = network.sender(ownedBy: 2)
        let payment = network.transfer(sender, sequence: 0)
        // The owner takes the transaction and is cut off before its batch reaches anybody.
        network.tamper = { from, _, message in
            if from == 2, case .batch = message { return nil }
            return message
        }
        try network.submit(payment, to: 0)
        #expect(network.replies.map(\.outcome) == [.accepted])
        try network.stop(2)
        network.tamper = { $2 }
        try network.advance(milliseconds: MempoolTimes.inclusionWait + 200)
        #expect(try network.include(proposedBy: 0).map(\.id) == [payment.id])
        // The owner comes back with its own batch of the same transaction.
        network.isUp[2] = true
        for other in [0, 1, 3] {
            try network.event(.connected(network.committee.validators[2].peerID), at: other)
            try network.event(.connected(network.committee.validators[other].peerID), at: 2)
        }
        try network.advance(milliseconds: 1000)
        let before = network.view.next
        _ = try network.include(proposedBy: 0)
        #expect(network.view.next == before)
    }

    @Test func `an owner that doesn't answer is passed over after the wait`() throws {
        var network = try MempoolNetwork(seed: 10)
        network.tamper = { from, to, message in
            if to == 2 || from == 2, case .forward = message { return nil }
            return message
        }
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        try network.submit(payment, to: 0)
        #expect(network.replies.isEmpty)
        try network.advance(
            milliseconds: MempoolTimes.admissionWait + MempoolTimes.appealWait + 200)
        #expect(network.replies.map(\.outcome) == [.accepted])
        #expect(try network.include(proposedBy: 1).map(\.id) == [payment.id])
    }

    @Test func `a batch with a bad signature still executes its good transactions`() throws {
        var network = try MempoolNetwork(seed: 11)
        let sender = network.sender(ownedBy: 0)
        let good = network.transfer(sender, sequence: 0)
        let shard = network.layout.shard(of: good.transaction.sender)
        let other = network.sender(inShard: shard, salt: 3)
        let forged = SignedTransaction(
            transaction: network.transfer(other, sequence: 0).transaction, policies: [],
            authorizations: good.authorizations)
        let body = Batch.Body([forged, good])
        let content = BatchHeader.Content(
            chainID: network.committee.chainID, epoch: 0,
            lane: Lane(shard: shard, term: 0, rank: 0),
            owner: ValidatorIndex(0), position: 1, parent: .zero,
            transactionRoot: body.tree.root, transactionCount: 2,
            byteLength: UInt32(body.bytes.count), signatureCount: 2, chunkSize: 2,
            expiryHeight: Height(network.layout.settings.expiryBlocks))
        let batch = Batch(
            header: BatchHeader(signing: content, by: network.keys[0]), body: body)
        var acks: [Ack] = []
        network.tamper = { _, _, message in
            if case .ack(let ack) = message { acks.append(ack) }
            return message
        }
        for node in 1..<4 {
            try network.event(
                .received(
                    network.committee.validators[0].peerID,
                    .batch(batch, Assignment([[1, 2, 3].map { VerifierIndex($0) }]))), at: node)
        }
        try network.run()
        #expect(acks.count == 3)
        for ack in acks { #expect(ack.entry.verdicts == [ChunkVerdict(chunk: 0, invalid: [0])]) }
        let certificate = BatchCertificate(
            header: batch.header, entries: acks.map(\.entry).sorted { $0.signer < $1.signer },
            invalid: [0])
        #expect(Verified.check(certificate, in: network.layout) != nil)
        let blind = BatchCertificate(
            header: batch.header, entries: certificate.entries, invalid: [])
        #expect(Verified.check(blind, in: network.layout) == nil)
    }

    @Test func `a second batch at one position is never acked`() throws {
        var network = try MempoolNetwork(seed: 12)
        let sender = network.sender(ownedBy: 0)
        let batches = [UInt64(1), 2].map { amount -> Batch in
            let body = Batch.Body([network.transfer(sender, sequence: 0, amount: amount)])
            let shard = network.layout.shard(of: body.transactions[0].transaction.sender)
            let content = BatchHeader.Content(
                chainID: network.committee.chainID, epoch: 0,
                lane: Lane(shard: shard, term: 0, rank: 0),
                owner: ValidatorIndex(0), position: 1, parent: .zero,
                transactionRoot: body.tree.root, transactionCount: 1,
                byteLength: UInt32(body.bytes.count), signatureCount: 1, chunkSize: 1,
                expiryHeight: Height(network.layout.settings.expiryBlocks))
            return Batch(header: BatchHeader(signing: content, by: network.keys[0]), body: body)
        }
        var acked: [Digest] = []
        network.tamper = { _, _, message in
            if case .ack(let ack) = message { acked.append(ack.header.digest) }
            return message
        }
        for batch in batches {
            try network.event(
                .received(network.committee.validators[0].peerID, .batch(batch, Assignment([]))),
                at: 1)
            try network.run()
        }
        #expect(acked == [batches[0].digest])
        #expect(
            network.evidence == [.equivocatingOwner(batches[0].header, batches[1].header)])
        let finding = network.evidence.first?.finding(in: network.layout)
        #expect(finding?.offender == network.keys[0].publicKey)
    }

    @Test func `a batch that expired returns its transactions, and the lane goes on`() throws {
        var network = try MempoolNetwork(seed: 13, settings: BatchSettings(expiryBlocks: 3))
        let sender = network.sender(ownedBy: 1)
        let payment = network.transfer(sender, sequence: 0)
        network.tamper = { _, _, message in
            if case .ack = message { return nil }
            return message
        }
        try network.submit(payment, to: 1)
        for height in 1...3 {
            for node in 0..<4 {
                try network.event(
                    .included(Height(UInt64(height)), [], passedOver: []), at: node)
            }
        }
        network.tamper = { $2 }
        try network.advance(milliseconds: 50)
        #expect(try network.include(proposedBy: 0).map(\.id) == [payment.id])
        let next = network.transfer(sender, sequence: 1)
        try network.submit(next, to: 2)
        try network.advance(milliseconds: 50)
        #expect(try network.include(proposedBy: 3).map(\.id) == [next.id])
    }

    /// The owner may have to wait for the next committee until it has executed enough.
    @Test func `after an epoch nothing is sealed until the next is entered`() throws {
        var network = try MempoolNetwork(
            seed: 23, bonds: [2], epochs: EpochSchedule(length: 2, lag: 0))
        let sender = network.sender(ownedBy: 1)
        try network.submit(network.transfer(sender, sequence: 0), to: 1)
        #expect(try network.include(proposedBy: 0).count == 1)
        #expect(try network.include(proposedBy: 0).isEmpty)
        var batches = 0
        network.tamper = { _, _, message in
            if case .batch = message { batches += 1 }
            return message
        }
        let waiting = network.transfer(sender, sequence: 1)
        try network.submit(waiting, to: 1)
        try network.advance(milliseconds: 1_000)
        #expect(batches == 0)
        try network.enterNextEpoch()
        try network.advance(milliseconds: 1_000)
        #expect(batches > 0)
        #expect(try network.include(proposedBy: 0).map(\.id) == [waiting.id])
        #expect(network.penalties.isEmpty)
    }

    @Test func `a restarted owner goes on with the batches that it had sealed`() throws {
        var network = try MempoolNetwork(seed: 14)
        let sender = network.sender(ownedBy: 1)
        let payment = network.transfer(sender, sequence: 0)
        network.tamper = { _, _, message in
            if case .batch = message { return nil }
            return message
        }
        try network.submit(payment, to: 1)
        network.tamper = { $2 }
        let batch = try #require(network.stored.first?.changes.first?.value)
        let ack = try #require(network.stored.first?.changes.last?.value)
        network.engines[1] = MempoolEngine(
            layout: network.layout, ownIndex: ValidatorIndex(1), signer: network.keys[1],
            table: LaneTable(), height: 0,
            recovered: [RecoveredAck(ack: try Ack(bcs: ack), batch: try Batch(bcs: batch))])
        for other in [0, 2, 3] {
            try network.event(.connected(network.committee.validators[other].peerID), at: 1)
        }
        try network.event(.start, at: 1)
        try network.run()
        #expect(try network.include(proposedBy: 0).map(\.id) == [payment.id])
    }

    /// A crash can undo the deletion of an ack that the chain has passed, and its lane is pruned.
    @Test func `an ack of a closed lane that a crash brought back takes no body with it`() throws {
        var network = try MempoolNetwork(seed: 16)
        try network.submit(network.transfer(network.sender(ownedBy: 1), sequence: 0), to: 1)
        let batch = try #require(network.stored.first?.changes.first?.value)
        let ack = try #require(network.stored.first?.changes.last?.value)
        let item = RecoveredAck(ack: try Ack(bcs: ack), batch: try Batch(bcs: batch))
        let late = Height(100_000)
        var engine = MempoolEngine(
            layout: network.layout, ownIndex: ValidatorIndex(0), signer: network.keys[0],
            table: LaneTable(), height: late, recovered: [item])
        let moment = Moment(now: Instant(milliseconds: 5), wall: 5)
        try engine.handle(
            .included(late.clampedAdvance(by: 1), [], passedOver: []), at: moment,
            view: FixedView())
        let dropped = engine.flush(at: moment).contains {
            if case .forget(let writes) = $0 { !writes.isEmpty } else { false }
        }
        #expect(!dropped)
    }

    @Test func `certificates below a threshold, with a signer twice or altered are refused`() throws
    {
        var network = try MempoolNetwork(seed: 15)
        var seen: [BatchCertificate] = []
        network.tamper = { _, _, message in
            if case .certificate(let certificate) = message { seen.append(certificate) }
            return message
        }
        try network.submit(network.transfer(network.sender(ownedBy: 1), sequence: 0), to: 1)
        let good = try #require(seen.first)
        #expect(Verified.check(good, in: network.layout) != nil)
        for place in good.entries.indices {
            var entries = good.entries
            let entry = entries.remove(at: place)
            let fewer = BatchCertificate(header: good.header, entries: entries, invalid: [])
            #expect(Verified.check(fewer, in: network.layout) == nil)
            entries.insert(
                AckEntry(
                    signer: entry.signer, stored: entry.stored, chunks: entry.chunks,
                    verdicts: entry.verdicts,
                    signature: Signature(r: entry.signature.s, s: entry.signature.r)),
                at: place)
            let altered = BatchCertificate(header: good.header, entries: entries, invalid: [])
            #expect(Verified.check(altered, in: network.layout) == nil)
        }
        let doubled = BatchCertificate(
            header: good.header, entries: good.entries + [good.entries[0]], invalid: [])
        #expect(throws: BCSError.self) { try BatchCertificate(bcs: doubled.bcsBytes) }
    }
}
