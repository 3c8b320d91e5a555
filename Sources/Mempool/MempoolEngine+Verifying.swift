internal import Primitives

/// What a verifier without a vote remembers of what it checked.
struct Errands: Sendable {
    /// Its latest entries, so that a later one says what an earlier one said.
    private var entries: [Digest: AckEntry] = [:]
    private var older: [Digest: AckEntry] = [:]
    /// Batches remembered in a generation.
    private static let entriesMax = 1024

    subscript(digest: Digest) -> AckEntry? { entries[digest] ?? older[digest] }

    mutating func remember(_ entry: AckEntry, of digest: Digest) {
        if entries.count >= Errands.entriesMax {
            older = entries
            entries = [:]
        }
        entries[digest] = entry
    }
}

/// The duties of a bonded verifier that doesn't vote: it gets chunks, never whole batches, and
/// stores nothing.
extension MempoolEngine {
    mutating func consider(_ task: ChunkTask, from peer: PeerID, at now: Instant) {
        guard ownIndex == nil, let owner = self.peer(task.header.content.owner), owner == peer,
            task.header.claim(in: layout) != nil, task.fits
        else {
            return effects.append(.penalise(peer, "chunks that aren't their lane's owner's"))
        }
        if let known = errands[task.header.digest], task.mask & ~known.chunks == 0 {
            return effects.append(.send(peer, .ack(Ack(header: task.header, entry: known))))
        }
        // The answer to what is under check comes without a second request.
        guard task.mask & ~witness.checkingChunks(task.header.digest) != 0 else { return }
        guard let verifiers = layout.verifiers(for: task.header),
            verifiers.index(of: signer.publicKey) != nil, mayTake(task)
        else {
            return effects.append(.send(peer, .declined(task.header.digest, task.mask)))
        }
        start(task, from: peer, at: now)
    }

    /// Whether the machine is free for it; what it can't do in time it hands back at once.
    private func mayTake(_ task: ChunkTask) -> Bool {
        witness.checkingCount < BatchLimits.tasksMax && !witness.isChecking(task.header.digest)
            && task.header.content.expiryHeight > height
            && witness.checkingCount(of: task.header.content.owner) < BatchLimits.ownerTasksMax
            && ownCapacity.map { $0.free > 0 } ?? true
    }

    private mutating func start(_ task: ChunkTask, from peer: PeerID, at now: Instant) {
        var pieces: [SignatureWork] = []
        var signatures = 0
        for piece in task.pieces {
            let first = task.header.range(ofChunk: Int(piece.chunk)).lowerBound
            pieces += self.pieces(
                piece.transactions[...], of: task.header, checksHeader: pieces.isEmpty,
                proof: piece, offset: first)
            signatures += piece.transactions.reduce(0) { $0 + $1.authorizations.count }
        }
        start(
            Witness.Checking(
                header: task.header, batch: nil, from: peer, since: now, chunks: task.mask,
                purpose: .assigned, piecesLeft: 0, signatures: signatures),
            pieces, isLent: true)
    }

    /// The ack of chunks, to their owner.
    mutating func finishTask(_ work: Witness.Checking, at now: Instant) {
        guard let verifiers = layout.verifiers(for: work.header),
            let index = verifiers.index(of: signer.publicKey)
        else { return }
        let ack = makeAck(
            work.header, signer: index, stored: false, chunks: work.chunks,
            invalid: work.invalid, after: errands[work.header.digest])
        errands.remember(ack.entry, of: work.header.digest)
        effects.append(.send(work.from, .ack(ack)))
    }

    /// Gives chunks back: the machine is wanted.
    mutating func handBack(_ work: Witness.Checking) {
        effects.append(.send(work.from, .declined(work.header.digest, work.chunks)))
    }
}
