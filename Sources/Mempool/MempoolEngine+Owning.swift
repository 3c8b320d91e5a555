internal import Primitives

/// The duties of a shard's owner: admission and sealing.
extension MempoolEngine {
    /// Cheap checks first: what is certain to fail costs no signature.
    mutating func ask(
        _ transaction: SignedTransaction, from peer: PeerID?, view: some AdmissionView
    ) throws(StorageFault) {
        guard ownIndex != nil else { return }
        guard !isExecutionLate else {
            return answer(transaction.id, .busy(MempoolTimes.busyRetry), to: peer)
        }
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
        guard mayCheck(for: peer) else {
            return answer(transaction.id, .busy(MempoolTimes.busyRetry), to: peer)
        }
        askedBy[peer, default: 0] += 1
        incoming.append((peer, transaction))
    }

    /// Whether a further transaction of a peer may wait for its check: nobody's junk fills the
    /// queue that everybody's checks go through.
    private func mayCheck(for peer: PeerID?) -> Bool {
        let limit =
            peer.map { layout.committee.index(of: $0) != nil } ?? true
            ? BatchLimits.askingOfValidatorMax : BatchLimits.askingOfGuestMax
        return askedBy[peer] ?? 0 < limit
    }

    /// A transaction of a peer isn't under check any more.
    private mutating func noteChecked(for peer: PeerID?) {
        let left = (askedBy[peer] ?? 0) - 1
        askedBy[peer] = left > 0 ? left : nil
    }

    /// Why a transaction gets no place, or nil if only its signatures are open.
    private func placeFault(
        _ transaction: SignedTransaction, view: some AdmissionView
    ) throws(StorageFault) -> SubmitOutcome? {
        switch try view.admission(of: transaction) {
        case .refused(let reason): .refused(reason)
        case .admissible(let next, let spendable, let cost, _, let limits):
            pool.placeFault(
                for: transaction, next: next, spendable: spendable, cost: cost, limits: limits)
        }
    }

    mutating func startAdmissionChecks() {
        guard !incoming.isEmpty else { return }
        for piece in pieces(takeUnasked(), of: BatchLimits.checkingJobMax) {
            startCheck(
                .transactions(piece.map(\.transaction)), for: .admission(Array(piece)))
        }
    }

    /// What isn't under check yet. Who asks for the same bytes gets the same answer; a copy with
    /// other signatures waits until the verdict on the first is in.
    private mutating func takeUnasked() -> [(from: PeerID?, transaction: SignedTransaction)] {
        var asked: [(from: PeerID?, transaction: SignedTransaction)] = []
        var later: [(from: PeerID?, transaction: SignedTransaction)] = []
        for item in incoming {
            let id = item.transaction.id
            guard let waiting = asking[id] else {
                asking[id] = Asking(transaction: item.transaction, peers: [item.from])
                asked.append(item)
                continue
            }
            if waiting.transaction != item.transaction {
                later.append(item)
            } else {
                noteChecked(for: item.from)
                if !waiting.peers.contains(item.from) { asking[id]?.peers.append(item.from) }
            }
        }
        incoming = later
        return asked
    }

    /// Gives the checked ones their place and answers everybody who asked.
    mutating func admit(
        _ asked: [(from: PeerID?, transaction: SignedTransaction)],
        _ verified: [Verified<SignedTransaction>?], at now: Instant, view: some AdmissionView
    ) throws(StorageFault) {
        for (item, result) in zip(asked, verified) {
            signatures.admission += UInt64(item.transaction.authorizations.count)
            noteChecked(for: item.from)
            // A node without a vote looks at a signature before it hands it on; a validator
            // leaves that to the owner.
            if result == nil, let from = item.from, !layout.isBonded(from) {
                effects.append(.penalise(from, "a transaction with a wrong signature"))
            }
            let askers = asking.removeValue(forKey: item.transaction.id)?.peers ?? [item.from]
            let outcome = try place(item.transaction, result, view: view)
            for peer in askers {
                if let peer {
                    answer(item.transaction.id, outcome, to: peer)
                } else {
                    try take(
                        ForwardAnswer(id: item.transaction.id, outcome: outcome), from: nil,
                        at: now, view: view)
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
        case .admissible(let next, let spendable, let cost, let tip, let limits):
            if let fault = pool.placeFault(
                for: transaction, next: next, spendable: spendable, cost: cost, limits: limits)
            {
                return fault
            }
            let shard = layout.shard(of: transaction.transaction.sender)
            pool.insert(
                verified, shard: shard, next: next, cost: cost, tip: tip, limits: limits)
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
    /// certified, else only a batch that is worth it. What is ready after the last block of an
    /// epoch waits for the next one's owners.
    mutating func seal(at now: Instant) {
        wakeAt = nil
        guard let ownIndex, layout.isOfEpoch(height),
            let verifiers = layout.verifiers(ofPeriod: layout.settings.period(of: height))
        else { return }
        for shard in pool.readyShards {
            let tenure = Tenure(shard: shard, term: layout.term(of: shard, after: height))
            guard let rank = layout.rank(of: ownIndex, in: tenure), rank >= table.rank(of: tenure)
            else { continue }
            let lane = Lane(shard: shard, term: tenure.term, rank: rank)
            guard maySeal(in: lane), mayGrow(lane, at: now) else { continue }
            let transactions = pool.takeForSealing(shard: shard, within: layout.settings)
            if !transactions.isEmpty {
                seal(transactions, on: lane, by: ownIndex, verifiers, at: now)
            }
        }
    }

    /// Whether a lane takes a further batch now; if only the time isn't right, sets `wakeAt`.
    private mutating func mayGrow(_ lane: Lane, at now: Instant) -> Bool {
        let uncertified = sealedLanes[lane]?.uncertifiedCount ?? 0
        let waiting = pool.waitingCount(shard: lane.shard)
        let isWorthIt =
            uncertified == 0
            || (uncertified < BatchLimits.uncertifiedMax
                && waiting >= BatchLimits.eagerSealTransactions)
        guard isWorthIt, sealedLanes[lane]?.sealed.count ?? 0 < BatchLimits.unincludedMax,
            hasRoomForMore
        else { return false }
        if let earliest = pacedUntil(lane, waiting), earliest > now,
            waiting < BatchLimits.eagerSealTransactions
        {
            wakeAt = min(wakeAt ?? earliest, earliest)
            return false
        }
        return true
    }

    /// Whether others still take a batch of this owner of any size.
    private var hasRoomForMore: Bool {
        guard let ownIndex else { return false }
        return witness.owedBytes(of: ownIndex) + UInt64(layout.settings.bytesMax)
            <= BatchLimits.ownerBytesMax(committee: layout.committee.count)
    }

    /// When a lane whose last batch was busy may seal again; nil for an idle one.
    private func pacedUntil(_ lane: Lane, _ waiting: Int) -> Instant? {
        guard let last = sealedLanes[lane]?.lastSealed, last.count >= BatchLimits.busyTransactions
        else { return nil }
        let small = max(MempoolTimes.smallSealInterval, 3 * storageWait)
        return last.at.advanced(
            byMilliseconds: waiting >= BatchLimits.worthyTransactions
                ? MempoolTimes.sealInterval : min(small, MempoolTimes.sealIntervalMax))
    }

    private mutating func seal(
        _ taken: [SignedTransaction], on lane: Lane, by owner: ValidatorIndex,
        _ verifiers: VerifierSet, at now: Instant
    ) {
        guard let next = (sealedLanes[lane] ?? SealedLane()).next(after: table[lane]) else {
            return
        }
        let canaries = plant(in: taken, on: lane, at: next.position)
        let body = Batch.Body(canaries.transactions)
        let header = BatchHeader(
            signing: content(
                body, lane, owner, next, canaries.reveal?.commitment ?? .zero), by: signer)
        let batch = Batch(header: header, body: body)
        let planted = canaries.reveal?.positions ?? []
        sealedLanes[lane, default: SealedLane()].append(
            batch, tree: body.tree, planted: planted, at: now)
        sealedLanes[lane]?.lastReveal = canaries.reveal
        let asked = assign(header, verifiers, at: now)
        sealedLanes[lane]?.update(header.digest) { $0.asked = asked }
        acknowledgeOwn(batch, by: owner, planted: planted, at: now)
        if let sealed = sealedLanes[lane]?.batch(header.digest) { send(sealed, verifiers, at: now) }
    }

    private func content(
        _ body: Batch.Body, _ lane: Lane, _ owner: ValidatorIndex,
        _ next: (position: UInt64, parent: Digest), _ commitment: Digest
    ) -> BatchHeader.Content {
        let count = body.transactions.count
        return BatchHeader.Content(
            chainID: layout.committee.chainID, epoch: layout.committee.epoch, lane: lane,
            owner: owner, position: next.position, parent: next.parent,
            transactionRoot: body.tree.root, transactionCount: UInt32(count),
            byteLength: UInt32(body.bytes.count), signatureCount: UInt32(body.signatureCount),
            chunkSize: UInt32(MempoolEngine.chunkSize(count)),
            expiryHeight: height.clampedAdvance(by: layout.settings.expiryBlocks),
            canaryCommitment: commitment, reveal: sealedLanes[lane]?.lastReveal)
    }

    /// All in one chunk where there are few; else the least power of two that makes no more chunks
    /// than aimed at.
    static func chunkSize(_ count: Int) -> Int {
        guard count >= 2 * BatchLimits.chunkTransactionsMin else { return count }
        var size = BatchLimits.chunkTransactionsMin
        while (count + size - 1) / size > BatchLimits.chunksAimed { size *= 2 }
        return size
    }

    /// The owner checked every signature when it admitted it, and knows those that it damaged.
    private mutating func acknowledgeOwn(
        _ batch: Batch, by owner: ValidatorIndex, planted: [UInt32], at now: Instant
    ) {
        let ack = makeAck(
            batch.header, signer: VerifierIndex(owner), stored: true,
            chunks: batch.header.allChunks, invalid: planted)
        proveOwn(batch.header, ack.entry)
        if let peer = peer(owner) { witness.record(ack, from: peer, at: now) }
        bodies.keep(batch)
        effects.append(.store(LaneRecord.writes(ack, batch, withBody: true)))
        count(ack.entry, for: batch.header, at: now)
    }

    /// The header's and the own ack's signatures need no check.
    mutating func proveOwn(_ header: BatchHeader, _ entry: AckEntry) {
        let signer = signer
        sealedLanes[header.content.lane]?.prove(header.digest) { proven in
            proven.insert(ownSignatureOver: header.digest, by: signer)
            proven.insert(ownSignatureOver: entry.digest(of: header), by: signer)
        }
    }

    // MARK: Planted faults

    /// Replaces some transactions by copies with a damaged signature, so that nobody can sign
    /// unseen that all are valid. The true ones follow in the lane's next batch.
    private mutating func plant(
        in transactions: [SignedTransaction], on lane: Lane, at position: UInt64
    ) -> (transactions: [SignedTransaction], reveal: CanaryReveal?) {
        guard transactions.count >= BatchLimits.canaryInterval, layout.settings.spread else {
            return (transactions, nil)
        }
        let salt = secretSalt(lane, position)
        var planted = transactions
        var positions: Set<UInt32> = []
        let candidates = MempoolEngine.lastOfStreams(transactions)
        let wanted = min(
            transactions.count / BatchLimits.canaryInterval, BatchLimits.canariesMax)
        for draw in 0..<wanted {
            var hasher = Hasher256(.canary)
            hasher.update(salt)
            hasher.update(UInt64(draw).bcsLittleEndian)
            let place = candidates[
                Int(hasher.finalize().bytes32.remainder(dividingBy: UInt64(candidates.count)))]
            guard let damaged = transactions[place].damaged() else { continue }
            planted[place] = damaged
            positions.insert(UInt32(place))
        }
        guard !positions.isEmpty else { return (transactions, nil) }
        pool.unseal(positions.sorted().map { transactions[Int($0)] }, shard: lane.shard)
        return (planted, CanaryReveal(salt: salt, positions: positions.sorted()))
    }

    /// Places of transactions that no later one of the batch needs before it, in order: one at
    /// least.
    private static func lastOfStreams(_ transactions: [SignedTransaction]) -> [Int] {
        struct Stream: Hashable {
            let sender: Address
            let number: UInt16
        }
        var seen: Set<Stream> = []
        let last = transactions.indices.reversed().filter { place in
            let body = transactions[place].transaction
            return seen.insert(Stream(sender: body.sender, number: body.stream)).inserted
        }
        return last.reversed()
    }

    /// Unknown to all but this node until it is revealed, and the same after a restart.
    func secretSalt(_ lane: Lane, _ position: UInt64) -> Bytes32 {
        var writer = BCSWriter()
        writer.append(layout.committee.chainID)
        writer.append(lane)
        writer.append(position)
        let signature = signer.signature(over: Digest.hash(.canary, writer.bytes))
        return Digest.hash(.canary, signature.bytes).bytes32
    }

    // MARK: Again

    /// Sends uncertified batches again: all of them after a start, else those whose wait is over,
    /// to the validators that haven't answered.
    mutating func resendSealed(at now: Instant, all: Bool) {
        for lane in sealedLanes.keys.sorted() {
            for sealed in sealedLanes[lane]?.sealed ?? [] where sealed.certificate == nil {
                let wait = MempoolTimes.batchRetry << UInt64(min(sealed.attempts, 5))
                guard all || now.millisecondsSince(sealed.sentAt) >= wait else { continue }
                sealedLanes[lane]?.markSent(sealed.batch.digest, at: now)
                let answered = Set(sealed.entries.filter(\.stored).map(\.signer))
                let silent = connectedValidators.filter { peer in
                    layout.committee.index(of: peer).map { !answered.contains(VerifierIndex($0)) }
                        ?? false
                }
                resend(sealed, to: silent, at: now)
            }
        }
    }

    private mutating func resend(
        _ sealed: SealedLane.Sealed, to peers: [PeerID], at now: Instant
    ) {
        guard !peers.isEmpty else { return }
        assignUnassigned(sealed, at: now)
        let asked = sealedLanes[sealed.batch.lane]?.batch(sealed.batch.digest)?.asked ?? []
        effects.append(.multicast(peers, .batch(sealed.batch, Assignment(asked))))
    }

    /// Sends everything that isn't certified to a peer that has just come.
    mutating func resendSealed(to peer: PeerID, at now: Instant) {
        guard let index = layout.committee.index(of: peer) else { return }
        for lane in sealedLanes.keys.sorted() {
            for sealed in sealedLanes[lane]?.sealed ?? [] where sealed.certificate == nil {
                let hasAnswered = sealed.entries.contains {
                    $0.signer == VerifierIndex(index) && $0.stored
                }
                if !hasAnswered { resend(sealed, to: [peer], at: now) }
            }
        }
    }
}

extension SignedTransaction {
    /// The same with one bit of its first signature's scalar flipped: as hard to tell from a valid
    /// one as checking it.
    func damaged() -> SignedTransaction? {
        guard let first = authorizations.first else { return nil }
        var scalar = first.signature.s.bytes
        let place = id.bytes32.bytes
        scalar[Int(place[0] % 31)] ^= 1 << (place[1] % 8)
        guard let flipped = Bytes32(scalar) else { return nil }
        let signature = Signature(r: first.signature.r, s: flipped)
        return SignedTransaction(
            transaction: transaction, policies: policies,
            authorizations: [Authorization(publicKey: first.publicKey, signature: signature)]
                + authorizations.dropFirst())
    }
}
