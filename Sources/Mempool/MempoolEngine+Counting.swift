internal import Primitives

/// The duties of an owner towards acks of its batches.
extension MempoolEngine {
    mutating func collect(_ ack: Ack, from peer: PeerID, at now: Instant) {
        guard let sealed = sealedLanes[ack.header.content.lane]?.batch(ack.header.digest),
            let verifiers = layout.verifiers(for: sealed.batch.header),
            let index = verifiers.index(of: peer), index == ack.entry.signer
        else { return }
        if ack.entry.chunks != 0 { workers.forgiveLateness(peer) }
        noteAnswer(of: index, ack.entry, sealed, peer, at: now)
        noteStored(index, ack.entry, sealed, at: now)
        guard sealed.certificate == nil,
            sealed.entries.first(where: { $0.signer == index })
                .map({ ack.entry.saysMore(than: $0) || ack.entry.contradicts($0) }) ?? true
        else { return }
        incomingAcks.append((peer, Ack(header: sealed.batch.header, entry: ack.entry)))
    }

    /// Learns from the time that an answer took, whether it still counts or not.
    private mutating func noteAnswer(
        of index: VerifierIndex, _ entry: AckEntry, _ sealed: SealedLane.Sealed,
        _ peer: PeerID, at now: Instant
    ) {
        guard let request = sealed.open[index], request.chunks & ~entry.chunks == 0 else { return }
        workers.answer(
            peer, signatures: request.signatures, after: now.millisecondsSince(request.at),
            isReleased: request.isReleased)
        sealedLanes[sealed.batch.lane]?.update(sealed.batch.digest) { $0.open[index] = nil }
    }

    /// Learns from a validator's first answer to a batch that was sent once.
    private mutating func noteStored(
        _ index: VerifierIndex, _ entry: AckEntry, _ sealed: SealedLane.Sealed, at now: Instant
    ) {
        guard entry.stored, sealed.attempts == 0, sealed.certificate == nil,
            !sealed.entries.contains(where: { $0.signer == index })
        else { return }
        let time = min(now.millisecondsSince(sealed.sentAt), MempoolTimes.hedgeWaitMax)
        storageWait = storageWait == 0 ? time : (15 * storageWait + time) / 16
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
        let header = ack.value.header
        guard let sealed = sealedLanes[header.content.lane]?.batch(header.digest) else { return }
        if let earlier = sealed.entries.first(where: { $0.signer == ack.value.entry.signer }),
            earlier.contradicts(ack.value.entry)
        {
            effects.append(.evidence(.conflictingAcks(header, earlier, ack.value.entry)))
            effects.append(.penalise(peer, "two acks that contradict each other"))
        }
        if let index = firstFault(of: ack.value.entry, in: sealed) {
            return accuse(ack.value, index, sealed, peer, at: now)
        }
        let layout = layout
        sealedLanes[header.content.lane]?.prove(header.digest) { $0.insert(ack, in: layout) }
        count(ack.value.entry, for: header, at: now)
    }

    /// The first index about which an entry is wrong: this owner has checked every signature that
    /// it sealed, and knows those that it damaged.
    private func firstFault(of entry: AckEntry, in sealed: SealedLane.Sealed) -> UInt32? {
        for chunk in 0..<sealed.batch.header.chunkCount {
            guard let said = entry.invalid(in: chunk) else { continue }
            let wrong = Set(said).symmetricDifference(sealed.planted(in: chunk))
            // Evidence carries the transaction: the shorter, the surer it fits.
            let sizes = wrong.filter { Int($0) < sealed.batch.transactions.count }
                .map { (sealed.batch.transactions[Int($0)].byteCount, $0) }
            if let shortest = sizes.min(by: <) { return shortest.1 }
            if let index = wrong.min() { return index }
        }
        return nil
    }

    private mutating func accuse(
        _ ack: Ack, _ index: UInt32, _ sealed: SealedLane.Sealed, _ peer: PeerID, at now: Instant
    ) {
        guard Int(index) < sealed.batch.transactions.count else { return }
        workers.markWrong(peer, at: now)
        effects.append(.penalise(peer, "a wrong verdict"))
        effects.append(
            .evidence(
                .wrongVerdict(
                    ack, index: index, sealed.batch.transactions[Int(index)],
                    path: sealed.tree.path(ofChunk: Int(index), size: 1))))
        guard let verifiers = layout.verifiers(for: ack.header) else { return }
        askOthers(sealed, verifiers, chunks: ack.entry.chunks, at: now)
    }

    /// Counts an entry whose signature is proven.
    mutating func count(_ entry: AckEntry, for header: BatchHeader, at now: Instant) {
        guard var sealed = sealedLanes[header.content.lane] else { return }
        let completed = sealed.add(entry, to: header.digest, in: layout)
        sealedLanes[header.content.lane] = sealed
        guard let certificate = completed else { return }
        releaseRequests(of: header)
        shelf.insert(certificate, at: now)
        effects.append(.broadcast(.certificate(certificate.value)))
        effects.append(.workAvailable)
    }

    /// Nobody needs to answer any more what a certificate has; answers that come still teach.
    private mutating func releaseRequests(of header: BatchHeader) {
        guard let sealed = sealedLanes[header.content.lane]?.batch(header.digest) else { return }
        for (index, request) in sealed.open { release(request, of: index, for: header) }
        sealedLanes[header.content.lane]?.update(header.digest) {
            for index in $0.open.keys { $0.open[index]?.isReleased = true }
        }
    }
}
