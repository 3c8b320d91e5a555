internal import Mempool
internal import Primitives

/// Seals two batches at one position and gives one to some and the other to others, to a few both.
struct SealsTwice: Misbehaviour {
    func act(by liar: Int, _ ring: inout Ring) {
        let own = ring.batches.filter { Int($0.header.content.owner.rawValue) == liar }
        guard let batch = own.last, let rival = rival(of: batch, by: liar, &ring) else { return }
        for node in ring.validators where node != liar {
            if ring.random.chance(600) {
                ring.post(.batch(rival, Assignment([])), from: liar, to: node)
            }
            if ring.random.chance(300) {
                ring.post(.batch(batch, Assignment([])), from: liar, to: node)
            }
        }
        ring.learn(.batch(rival, Assignment([])))
    }

    private func rival(of batch: Batch, by liar: Int, _ ring: inout Ring) -> Batch? {
        let users = ring.traffic.users.indices.filter {
            ring.layout.shard(of: ring.traffic.address($0)) == batch.lane.shard
        }
        guard let user = ring.random.element(of: users) else { return nil }
        let payments = ring.traffic.payments[user]
        let place = Int(ring.random.next() % UInt64(payments.count))
        return Batch.sealed(
            [payments[place]], like: batch.header.content, by: ring.key(liar))
    }
}

/// Gives its batches to some only, and bodies to nobody.
struct WithholdsBodies: Misbehaviour {
    func send(
        _ message: MempoolMessage, to node: Int, by liar: Int, _ ring: inout Ring
    ) -> [MempoolMessage] {
        switch message {
        case .batch(let batch, _):
            // For each batch another half gets it.
            let word = batch.digest.bytes32.leadingWord >> UInt64(node % 60)
            return word & 1 == 0 ? [message] : []
        case .body: return []
        default: return [message]
        }
    }
}

/// Wants its batches checked by liars alone.
struct FriendsOnly: Misbehaviour {
    func send(
        _ message: MempoolMessage, to node: Int, by liar: Int, _ ring: inout Ring
    ) -> [MempoolMessage] {
        switch message {
        case .batch(let batch, _):
            guard let set = ring.layout.verifiers(for: batch.header) else { return [message] }
            let friends = ring.memberList.compactMap { set.index(of: ring.peers[$0]) }
            let wish = Assignment(
                Array(repeating: friends, count: batch.header.chunkCount))
            return [.batch(batch, wish)]
        case .task, .checkAlso: return ring.members.contains(node) ? [message] : []
        default: return [message]
        }
    }
}

/// Keeps one sender out.
struct Censors: Misbehaviour {
    enum Manner: Sendable { case silence, lies, busy, promises }
    let manner: Manner
    init(_ manner: Manner) { self.manner = manner }

    func hear(
        _ message: MempoolMessage, from node: Int, by liar: Int, _ ring: inout Ring
    ) -> MempoolMessage? {
        switch message {
        case .forward(let transactions):
            let kept = transactions.filter { $0.transaction.sender != ring.victim }
            for refused in transactions where refused.transaction.sender == ring.victim {
                answer(refused, to: node, by: liar, &ring)
            }
            return kept.isEmpty ? nil : .forward(kept)
        case .appeal(let transaction):
            return transaction.transaction.sender == ring.victim ? nil : message
        default: return message
        }
    }

    private func answer(
        _ transaction: SignedTransaction, to node: Int, by liar: Int, _ ring: inout Ring
    ) {
        func say(_ outcome: SubmitOutcome, after delay: UInt64 = 0) {
            ring.post(
                .answers([ForwardAnswer(id: transaction.id, outcome: outcome)]), from: liar,
                to: node, delay: delay)
        }
        switch manner {
        case .silence: break
        case .busy: say(.busy(500))
        case .lies:
            let lies: [SubmitOutcome] = [
                .refused(.sequenceUsed), .refused(.invalidSignature), .refused(.expired),
                .conflict(transaction.id), .overspent, .refused(.sequenceAhead),
            ]
            say(lies[Int(ring.random.next() % UInt64(lies.count))])
        case .promises:
            // Again and again, so that nobody's patience ends.
            for round in 0..<40 { say(.accepted, after: UInt64(round) * 500) }
        }
    }
}

/// Complains of owners that did nothing.
struct ComplainsFalsely: Misbehaviour {
    func act(by liar: Int, _ ring: inout Ring) {
        let shard = UInt16(ring.random.next() % UInt64(ring.layout.shardCount))
        let tenure = Tenure(shard: shard, term: ring.layout.term(of: shard, after: ring.height))
        let rank = ring.table.rank(of: tenure) + (ring.random.chance(100) ? 1 : 0)
        let lane = Lane(shard: shard, term: tenure.term, rank: rank)
        let complaint = Complaint(
            lane, at: ring.height, of: ring.layout.committee,
            signer: ValidatorIndex(UInt16(liar)), key: ring.key(liar))
        for node in ring.validators where node != liar {
            ring.post(.complaint(complaint), from: liar, to: node)
        }
    }
}

/// Sends verifiers chunks that can't be.
struct BrokenTasks: Misbehaviour {
    func act(by liar: Int, _ ring: inout Ring) {
        let own = ring.batches.filter { Int($0.header.content.owner.rawValue) == liar }
        guard let batch = ring.random.element(of: own) else { return }
        var writer = BCSWriter()
        writer.append(batch.header)
        writer.appendLength(1)
        writer.append(UInt8(truncatingIfNeeded: ring.random.next()))
        writer.append(list: batch.transactions.prefix(Int(ring.random.number(in: 1...4))))
        writer.append(list: (0..<Int(ring.random.number(in: 0...4))).map { _ in batch.digest })
        guard let task = try? ChunkTask(bcs: writer.bytes) else { return }
        for node in ring.peers.indices where node != liar && ring.random.chance(500) {
            ring.post(.task(task), from: liar, to: node)
        }
    }
}

extension Batch {
    /// A batch of these transactions with everything else as in `content`.
    static func sealed(
        _ transactions: [SignedTransaction], like content: BatchHeader.Content,
        by signer: any Signing, expiry: Height? = nil
    ) -> Batch? {
        var body = BCSWriter()
        body.append(list: transactions)
        let tree = BatchTree(transactions.map { BatchTree.leaf($0.bcsBytes) })
        let header = BatchHeader(
            signing: BatchHeader.Content(
                chainID: content.chainID, epoch: content.epoch, lane: content.lane,
                owner: content.owner, position: content.position, parent: content.parent,
                transactionRoot: tree.root, transactionCount: UInt32(transactions.count),
                byteLength: UInt32(body.bytes.count),
                signatureCount: UInt32(transactions.reduce(0) { $0 + $1.authorizations.count }),
                chunkSize: UInt32(transactions.count),
                expiryHeight: expiry ?? content.expiryHeight),
            by: signer)
        return try? Batch(bcs: header.bcsBytes + body.bytes)
    }
}
