internal import Primitives

/// The duties of a validator towards other owners' batches, and of an owner towards acks.
extension MempoolEngine {
    mutating func consider(_ batch: Batch, from peer: PeerID) {
        guard let ownIndex, let owner = self.peer(batch.header.content.owner) else { return }
        let header = batch.header
        if bodies.isWanted(batch.digest) { return take(body: batch, from: peer) }
        guard owner == peer, header.claim(in: layout) != nil, header.chunkCount == 1,
            header.content.owner != ownIndex
        else {
            return effects.append(.penalise(peer, "a batch that isn't its lane's owner's"))
        }
        if let ack = witness.ack(of: header) {
            return effects.append(.send(peer, .ack(ack)))
        }
        guard isTimely(header), witness.isFree(header), !witness.isChecking(batch.digest),
            witness.checkingCount(batch.lane) < BatchLimits.uncertifiedMax
        else { return }
        guard batch.transactions.allSatisfy({ belongs($0, to: batch.lane.shard) }) else {
            return effects.append(.penalise(peer, "a batch with another shard's transactions"))
        }
        startChecking(batch, from: peer)
    }

    /// Whether a batch is neither behind the chain nor too far ahead of it.
    private func isTimely(_ header: BatchHeader) -> Bool {
        let content = header.content
        let latest = height.clampedAdvance(by: 2 * layout.settings.expiryBlocks)
        return content.position > table[content.lane]?.position ?? 0
            && content.expiryHeight > height && content.expiryHeight <= latest
            && witness.count(content.lane) < 2 * BatchLimits.unincludedMax
    }

    private func belongs(_ transaction: SignedTransaction, to shard: UInt16) -> Bool {
        transaction.transaction.chainID == layout.committee.chainID
            && layout.shard(of: transaction.transaction.sender) == shard
    }

    private mutating func startChecking(_ batch: Batch, from peer: PeerID) {
        let indexes = Array(batch.transactions.indices)
        let ranges = pieces(indexes, of: BatchLimits.checkingJobMax).map {
            $0.startIndex..<$0.endIndex
        }
        witness.startChecking(batch, from: peer, pieces: ranges.count)
        for range in ranges {
            startCheck(.batch(batch, range), for: .batch(batch.digest))
            signaturesChecked += UInt64(CheckJob.batch(batch, range).signatureCount)
        }
    }

    /// Makes the ack when the last piece is done: on disk first, then to the owner.
    mutating func finishPiece(
        of digest: Digest, headerValid: Bool, invalid: [UInt32], at now: Instant
    ) {
        guard let ownIndex,
            let whole = witness.finishPiece(
                of: digest, headerValid: headerValid, invalid: invalid)
        else { return }
        let header = whole.batch.header
        guard !whole.isRefused else {
            return effects.append(.penalise(whole.from, "a batch without its owner's signature"))
        }
        if bodies.isWanted(digest) { return take(body: whole.batch, from: whole.from) }
        guard witness.isFree(header), isTimely(header) else { return }
        let ack = makeAck(header, signer: ownIndex, invalid: whole.invalid)
        witness.record(ack)
        bodies.keep(whole.batch)
        effects.append(.store(LaneRecord.writes(ack, whole.batch)))
        effects.append(.send(whole.from, .ack(ack)))
    }

    /// An ack of the one chunk that a batch has.
    func makeAck(_ header: BatchHeader, signer index: ValidatorIndex, invalid: [UInt32]) -> Ack {
        let verdicts = invalid.isEmpty ? [] : [ChunkVerdict(chunk: 0, invalid: invalid)]
        let digest = AckEntry.digest(header, stored: true, chunks: 1, verdicts: verdicts)
        return Ack(
            header: header,
            entry: AckEntry(
                signer: index, stored: true, chunks: 1, verdicts: verdicts,
                signature: signer.signature(over: digest)))
    }

    mutating func collect(_ ack: Ack, from peer: PeerID) {
        guard let index = layout.committee.index(of: peer), index == ack.entry.signer,
            let sealed = sealedLanes[ack.header.content.lane]?.batch(ack.header.digest),
            sealed.certificate == nil,
            !sealed.entries.contains(where: { $0.signer == index })
        else { return }
        incomingAcks.append((peer, Ack(header: sealed.batch.header, entry: ack.entry)))
    }

    mutating func startAckChecks() {
        guard !incomingAcks.isEmpty else { return }
        let acks = incomingAcks
        incomingAcks = []
        startCheck(.acks(acks.map(\.ack)), for: .acks(acks.map(\.from)))
    }

    mutating func count(_ ack: Verified<Ack>?, from peer: PeerID, at now: Instant) {
        guard let ack else {
            return effects.append(.penalise(peer, "an ack with a wrong signature"))
        }
        let lane = ack.value.header.content.lane
        guard var sealed = sealedLanes[lane] else { return }
        let layout = layout
        sealed.prove(ack.value.header.digest) { $0.insert(ack, in: layout) }
        sealedLanes[lane] = sealed
        count(ack.value.entry, for: ack.value.header, at: now)
    }

    /// Counts an entry whose signature is proven.
    mutating func count(_ entry: AckEntry, for header: BatchHeader, at now: Instant) {
        guard var sealed = sealedLanes[header.content.lane] else { return }
        let completed = sealed.add(entry, to: header.digest, in: layout)
        sealedLanes[header.content.lane] = sealed
        guard let certificate = completed else { return }
        shelf.insert(certificate, at: now)
        effects.append(.broadcast(.certificate(certificate.value)))
        effects.append(.workAvailable)
    }
}
