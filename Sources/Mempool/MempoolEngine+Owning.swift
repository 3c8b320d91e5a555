internal import Primitives

/// The duties of a shard's owner: admission and sealing.
extension MempoolEngine {
    /// Cheap checks first: what is certain to fail costs no signature.
    mutating func ask(
        _ transaction: SignedTransaction, from peer: PeerID?, view: some AdmissionView
    ) throws(StorageFault) {
        guard ownIndex != nil else { return }
        if let waiting = asking[transaction.id] {
            guard waiting.transaction == transaction else {
                return answer(transaction.id, .busy(MempoolTimes.busyRetry), to: peer)
            }
            if !waiting.peers.contains(peer) { asking[transaction.id]?.peers.append(peer) }
            return
        }
        if let outcome = try placeFault(transaction, view: view) {
            answer(transaction.id, outcome, to: peer)
            return
        }
        incoming.append((peer, transaction))
    }

    /// Why a transaction gets no place, or nil if only its signatures are open.
    private func placeFault(
        _ transaction: SignedTransaction, view: some AdmissionView
    ) throws(StorageFault) -> SubmitOutcome? {
        switch try view.admission(of: transaction) {
        case .refused(let reason): .refused(reason)
        case .admissible(let next, let spendable, let cost):
            pool.placeFault(for: transaction, next: next, spendable: spendable, cost: cost)
        }
    }

    mutating func startAdmissionChecks() {
        guard !incoming.isEmpty else { return }
        let asked = incoming
        incoming = []
        for piece in pieces(asked, of: BatchLimits.checkingJobMax) {
            for item in piece {
                asking[
                    item.transaction.id,
                    default: Asking(transaction: item.transaction, peers: [])
                ].peers.append(item.from)
            }
            startCheck(
                .transactions(piece.map(\.transaction)), for: .admission(Array(piece)))
        }
    }

    /// Gives the checked ones their place and answers everybody who asked.
    mutating func admit(
        _ asked: [(from: PeerID?, transaction: SignedTransaction)],
        _ verified: [Verified<SignedTransaction>?], at now: Instant, view: some AdmissionView
    ) throws(StorageFault) {
        for (item, result) in zip(asked, verified) {
            signaturesChecked += UInt64(item.transaction.authorizations.count)
            let askers = asking.removeValue(forKey: item.transaction.id)?.peers ?? [item.from]
            let outcome = try place(item.transaction, result, view: view)
            for peer in askers {
                if let peer {
                    answer(item.transaction.id, outcome, to: peer)
                } else {
                    take(
                        ForwardAnswer(id: item.transaction.id, outcome: outcome), from: nil,
                        at: now)
                }
            }
        }
    }

    /// Looks again at the state and the pool: both may have moved during the check.
    private mutating func place(
        _ transaction: SignedTransaction, _ verified: Verified<SignedTransaction>?,
        view: some AdmissionView
    ) throws(StorageFault) -> SubmitOutcome {
        guard let verified else { return .refused(.invalidSignature) }
        switch try view.admission(of: transaction) {
        case .refused(let reason): return .refused(reason)
        case .admissible(let next, let spendable, let cost):
            if let fault = pool.placeFault(
                for: transaction, next: next, spendable: spendable, cost: cost)
            {
                return fault
            }
            let shard = layout.shard(of: transaction.transaction.sender)
            pool.insert(verified, shard: shard, next: next, cost: cost)
            return .accepted
        }
    }

    private mutating func answer(
        _ id: TransactionID, _ outcome: SubmitOutcome, to peer: PeerID?
    ) {
        guard let peer else { return }
        answerOutbox[peer, default: []].append(ForwardAnswer(id: id, outcome: outcome))
    }

    /// Seals every shard that has something ready: at once while all of the lane's batches are
    /// certified, else only a batch that is worth it.
    mutating func seal(at now: Instant) {
        wakeAt = nil
        guard let ownIndex else { return }
        for shard in pool.readyShards {
            guard let rank = layout.rank(of: ownIndex, shard: shard) else { continue }
            let lane = Lane(shard: shard, rank: rank)
            let uncertified = sealedLanes[lane]?.uncertifiedCount ?? 0
            let waiting = pool.waitingCount(shard: shard)
            let isWorthIt =
                uncertified == 0
                || (uncertified < BatchLimits.uncertifiedMax
                    && waiting >= BatchLimits.eagerSealTransactions)
            guard isWorthIt, sealedLanes[lane]?.sealed.count ?? 0 < BatchLimits.unincludedMax
            else { continue }
            if let earliest = pacedUntil(lane), earliest > now,
                waiting < BatchLimits.eagerSealTransactions
            {
                wakeAt = min(wakeAt ?? earliest, earliest)
                continue
            }
            let transactions = pool.takeForSealing(shard: shard, within: layout.settings)
            if !transactions.isEmpty { seal(transactions, on: lane, by: ownIndex, at: now) }
        }
    }

    /// When a lane whose last batch was busy may seal again; nil for an idle one.
    private func pacedUntil(_ lane: Lane) -> Instant? {
        guard let last = sealedLanes[lane]?.lastSealed, last.count >= BatchLimits.busyTransactions
        else { return nil }
        return last.at.advanced(byMilliseconds: MempoolTimes.sealInterval)
    }

    private mutating func seal(
        _ transactions: [SignedTransaction], on lane: Lane, by owner: ValidatorIndex,
        at now: Instant
    ) {
        guard let next = (sealedLanes[lane] ?? SealedLane()).next(after: table[lane]) else {
            return
        }
        let body = Batch.Body(transactions)
        let content = BatchHeader.Content(
            chainID: layout.committee.chainID, epoch: layout.committee.epoch, lane: lane, term: 0,
            owner: owner, position: next.position, parent: next.parent,
            transactionRoot: body.root, transactionCount: UInt32(transactions.count),
            byteLength: UInt32(body.bytes.count), signatureCount: UInt32(body.signatureCount),
            chunkSize: UInt32(transactions.count),
            expiryHeight: height.clampedAdvance(by: layout.settings.expiryBlocks))
        let batch = Batch(header: BatchHeader(signing: content, by: signer), body: body)
        sealedLanes[lane, default: SealedLane()].append(batch, at: now)
        proveOwn(batch.header)
        let ack = makeAck(batch.header, signer: owner, invalid: [])
        witness.record(ack)
        bodies.keep(batch)
        effects.append(.store(LaneRecord.writes(ack, batch)))
        effects.append(.broadcast(.batch(batch)))
        count(ack.entry, for: batch.header, at: now)
    }

    /// The header's and the own ack's signatures need no check.
    mutating func proveOwn(_ header: BatchHeader) {
        let signer = signer
        let ack = AckEntry.digest(header, stored: true, chunks: 1, verdicts: [])
        guard var sealed = sealedLanes[header.content.lane] else { return }
        sealed.prove(header.digest) { proven in
            proven.insert(ownSignatureOver: header.digest, by: signer)
            proven.insert(ownSignatureOver: ack, by: signer)
        }
        sealedLanes[header.content.lane] = sealed
    }

    /// Sends uncertified batches again: all of them after a start, else those whose wait is over,
    /// to the validators that haven't answered.
    mutating func resendSealed(at now: Instant, all: Bool) {
        for lane in sealedLanes.keys.sorted() {
            for sealed in sealedLanes[lane]?.sealed ?? [] where sealed.certificate == nil {
                let wait = MempoolTimes.batchRetry << UInt64(min(sealed.attempts, 5))
                guard all || now.millisecondsSince(sealed.sentAt) >= wait else { continue }
                sealedLanes[lane]?.markSent(sealed.batch.digest, at: now)
                let answered = Set(sealed.entries.map(\.signer))
                for index in layout.committee.indices where !answered.contains(index) {
                    guard let peer = peer(index), connected.contains(peer) else { continue }
                    effects.append(.send(peer, .batch(sealed.batch)))
                }
            }
        }
    }

    /// Sends everything that isn't certified to a peer that has just come.
    mutating func resendSealed(to peer: PeerID) {
        guard let index = layout.committee.index(of: peer) else { return }
        for lane in sealedLanes.keys.sorted() {
            for sealed in sealedLanes[lane]?.sealed ?? [] where sealed.certificate == nil {
                guard !sealed.entries.contains(where: { $0.signer == index }) else { continue }
                effects.append(.send(peer, .batch(sealed.batch)))
            }
        }
    }
}
