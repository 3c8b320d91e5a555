internal import Primitives

/// The duties of a validator towards other owners' batches.
extension MempoolEngine {
    mutating func consider(
        _ batch: Batch, _ assignment: Assignment, from peer: PeerID, at now: Instant
    ) {
        guard let ownIndex, let owner = self.peer(batch.header.content.owner) else { return }
        let header = batch.header
        if bodies.isWanted(batch.digest) { return take(body: batch, at: now) }
        guard silence != .complete else { return }
        guard owner == peer, header.claim(in: layout) != nil, header.content.owner != ownIndex
        else {
            return effects.append(.penalise(peer, "a batch that isn't its lane's owner's"))
        }
        let chunks = chunks(of: header, assignment, own: ownIndex)
        if let ack = witness.ack(of: header) {
            effects.append(.send(peer, .ack(ack)))
            return checkAlso(batch.digest, chunks: chunks, from: peer, at: now)
        }
        if let rival = witness.rival(of: header) {
            effects.append(.evidence(.equivocatingOwner(rival, header)))
            return effects.append(.penalise(peer, "two batches at one position"))
        }
        guard isTimely(header), hasRoom(for: header), !isExecutionLate,
            !witness.isChecking(batch.digest),
            witness.checkingCount(batch.lane) < BatchLimits.uncertifiedMax
        else { return }
        guard batch.transactions.allSatisfy({ belongs($0, to: batch.lane.shard) }) else {
            return effects.append(.penalise(peer, "a batch with another shard's transactions"))
        }
        appeals.noteSealed(batch, at: now, wait: rescueWait + MempoolTimes.appealWait)
        startChecking(
            Witness.Checking(
                header: header, batch: batch, from: peer, since: now, chunks: chunks,
                purpose: .assigned, piecesLeft: 0))
    }

    /// Without spreading every validator checks everything.
    private func chunks(
        of header: BatchHeader, _ assignment: Assignment, own: ValidatorIndex
    ) -> UInt32 {
        guard layout.settings.spread else { return header.allChunks }
        return assignment.chunks(of: VerifierIndex(own)) & header.allChunks
    }

    /// Whether execution is so far behind that nothing more should be certified.
    var isExecutionLate: Bool {
        height > executedHeight.clampedAdvance(by: MempoolTimes.executionLagMax)
    }

    /// Whether a batch is neither behind the chain nor ahead of it.
    private func isTimely(_ header: BatchHeader) -> Bool {
        let content = header.content
        guard let sealed = header.sealedHeight(layout.settings) else { return false }
        let latest = height.clampedAdvance(by: layout.settings.periodBlocks)
        return content.position > table[content.lane]?.position ?? 0
            && content.expiryHeight > height && sealed <= latest
            && content.lane.rank >= table.rank(of: content.lane.tenure)
            && witness.count(content.lane) < 2 * BatchLimits.unincludedMax
    }

    /// Whether an owner leaves no more than its part of the bodies' memory lying.
    private func hasRoom(for header: BatchHeader) -> Bool {
        witness.owedBytes(of: header.content.owner) + UInt64(header.content.byteLength)
            <= BatchLimits.ownerBytesMax(committee: layout.committee.count)
    }

    private func belongs(_ transaction: SignedTransaction, to shard: UInt16) -> Bool {
        transaction.transaction.chainID == layout.committee.chainID
            && layout.shard(of: transaction.transaction.sender) == shard
    }

    // MARK: Checking

    /// Starts the jobs for a batch's chunks; with none, only the header is checked.
    mutating func startChecking(_ work: Witness.Checking, known: Bool = false) {
        guard let batch = work.batch else { return }
        var pieces: [SignatureWork] = []
        for chunk in 0..<work.header.chunkCount where work.chunks & 1 << UInt32(chunk) != 0 {
            let range = work.header.range(ofChunk: chunk)
            pieces += self.pieces(
                batch.transactions[range], of: work.header, checksHeader: !known && pieces.isEmpty)
        }
        if pieces.isEmpty {
            pieces = self.pieces([], of: work.header, checksHeader: !known)
        }
        start(work, pieces, isLent: false)
    }

    mutating func start(_ work: Witness.Checking, _ pieces: [SignatureWork], isLent: Bool) {
        var work = work
        work.piecesLeft = pieces.count
        witness.startChecking(work)
        for piece in pieces {
            startCheck(.work(piece), for: .work(work.header.digest), isLent: isLent)
        }
    }

    /// Jobs for a chunk's transactions, none longer than a few milliseconds.
    func pieces(
        _ transactions: ArraySlice<SignedTransaction>, of header: BatchHeader,
        checksHeader: Bool, proof: ChunkTask.Piece? = nil, offset: Int = 0
    ) -> [SignatureWork] {
        let size = BatchLimits.checkingJobMax
        var pieces: [SignatureWork] = []
        var start = transactions.startIndex
        repeat {
            let end = min(start + size, transactions.endIndex)
            pieces.append(
                SignatureWork(
                    header: header, transactions: transactions[start..<end],
                    firstIndex: UInt32(start + offset),
                    checksHeader: checksHeader && pieces.isEmpty,
                    piece: pieces.isEmpty ? proof : nil))
            start = end
        } while start < transactions.endIndex
        return pieces
    }

    /// Makes the ack when the last piece is done.
    mutating func finishPiece(
        of digest: Digest, at now: Instant, _ note: (inout Witness.Checking) -> Void
    ) {
        guard let whole = witness.finishPiece(of: digest, note) else { return }
        guard !whole.isRefused else {
            return effects.append(
                .penalise(whole.from, "a batch without its owner's signature or proof"))
        }
        guard !whole.isDeclined else { return handBack(whole) }
        count(whole)
        guard let batch = whole.batch else { return finishTask(whole, at: now) }
        if bodies.isWanted(digest) { return take(body: batch, at: now) }
        acknowledge(batch, whole, at: now)
    }

    private mutating func count(_ work: Witness.Checking) {
        let signatures = UInt64(work.signatureCount)
        switch work.purpose {
        case .assigned: self.signatures.assigned += signatures
        case .rescue: self.signatures.rescue += signatures
        }
    }

    /// The ack goes to disk first, then to the owner.
    private mutating func acknowledge(
        _ batch: Batch, _ work: Witness.Checking, at now: Instant
    ) {
        let header = batch.header
        guard let ownIndex, witness.isFree(header), isTimely(header) else { return }
        let earlier = witness.ack(of: header)
        let ack = makeAck(
            header, signer: VerifierIndex(ownIndex), stored: true, chunks: work.chunks,
            invalid: work.invalid, after: earlier?.entry)
        witness.record(ack, from: work.from, at: now)
        if shelf.holds(header) { _ = witness.markCertified(header, at: now) }
        bodies.keep(batch)
        if layout.settings.planted != .ackUnsynced {
            effects.append(.store(LaneRecord.writes(ack, batch, withBody: earlier == nil)))
        }
        effects.append(.send(work.from, .ack(ack)))
    }

    /// An ack of `chunks` with the indexes in them that are invalid, and of all that an earlier one
    /// of this node said.
    func makeAck(
        _ header: BatchHeader, signer index: VerifierIndex, stored: Bool, chunks: UInt32,
        invalid: [UInt32], after earlier: AckEntry? = nil
    ) -> Ack {
        let size = max(1, header.content.chunkSize)
        let grouped = Dictionary(grouping: invalid) { $0 / size }
        var verdicts = grouped.keys.map {
            ChunkVerdict(chunk: UInt8($0), invalid: (grouped[$0] ?? []).sorted())
        }
        if let earlier {
            verdicts += earlier.verdicts.filter { chunks & 1 << UInt32($0.chunk & 31) == 0 }
        }
        verdicts.sort { $0.chunk < $1.chunk }
        let all = chunks | (earlier?.chunks ?? 0)
        let stored = stored || earlier?.stored ?? false
        let digest = AckEntry.digest(header, stored: stored, chunks: all, verdicts: verdicts)
        return Ack(
            header: header,
            entry: AckEntry(
                signer: index, stored: stored, chunks: all, verdicts: verdicts,
                signature: signer.signature(over: digest)))
    }

    // MARK: Checking more

    /// Checks further chunks of a batch that this validator has acked, because its owner asks.
    mutating func checkAlso(
        _ digest: Digest, chunks: UInt32, from peer: PeerID, at now: Instant
    ) {
        guard let batch = bodies.held(digest), self.peer(batch.header.content.owner) == peer,
            let ack = witness.ack(of: batch.header)
        else { return }
        check(batch, also: chunks, beside: ack, for: .assigned, from: peer, at: now)
    }

    private mutating func check(
        _ batch: Batch, also chunks: UInt32, beside ack: Ack, for purpose: Witness.Purpose,
        from peer: PeerID, at now: Instant
    ) {
        let missing = chunks & batch.header.allChunks & ~ack.entry.chunks
        guard missing != 0, !witness.isChecking(batch.digest) else { return }
        startChecking(
            Witness.Checking(
                header: batch.header, batch: batch, from: peer, since: now, chunks: missing,
                purpose: purpose, piecesLeft: 0), known: true)
    }

    /// After so long without a certificate something is wrong.
    private var rescueWait: UInt64 {
        min(max(MempoolTimes.rescueWait, 4 * certificateWait), MempoolTimes.rescueWaitMax)
    }

    /// Checks what nobody certified in time, unasked: whoever was assigned may be gone.
    mutating func rescue(at now: Instant) {
        guard let ownIndex, layout.settings.spread else { return }
        for given in witness.overdue(at: now, wait: rescueWait) {
            let header = given.ack.header
            guard header.content.owner != ownIndex, let batch = bodies.held(header.digest) else {
                continue
            }
            check(
                batch, also: header.allChunks, beside: given.ack, for: .rescue,
                from: given.from, at: now)
        }
    }

    /// A certificate came: how long that took tells when to worry about the next.
    mutating func noteCertified(_ header: BatchHeader, at now: Instant) {
        if appeals.hasWatched, let batch = bodies.held(header.digest) {
            appeals.noteCertified(batch)
        }
        guard let wait = witness.markCertified(header, at: now) else { return }
        // An ack of an earlier life tells nothing of the present pace.
        certificateWait = (7 * certificateWait + min(wait, MempoolTimes.rescueWaitMax)) / 8
    }
}

extension Witness.Checking {
    /// Signatures of the transactions in the chunks under check, where they are known here.
    var signatureCount: Int {
        guard let batch else { return signatures }
        return (0..<header.chunkCount).filter { chunks & 1 << UInt32($0) != 0 }.reduce(0) {
            $0
                + batch.transactions[header.range(ofChunk: $1)].reduce(0) {
                    $0 + $1.authorizations.count
                }
        }
    }
}
