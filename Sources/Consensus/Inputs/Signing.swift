internal import Primitives

extension SimplexEngine {
    /// The only place where this node signs. The record stands before the message (P1), and the own
    /// vote is counted like any other. Nothing happens in a view in which it must not sign (P4).
    mutating func sign(
        _ kind: VoteKind, in place: View, _ digest: Digest, storing block: Block? = nil,
        sending message: (Vote) -> ConsensusMessage = { .vote($0) }
    ) {
        guard let own, let signer = configuration.signer, maySign(in: place) else { return }
        let record = slots[place]?.own ?? SigningRecord()
        precondition(place > finalizedView, "\(kind) in finalized view \(place)")
        precondition(
            record.permits(kind) || configuration.plantedBug != nil,
            "\(kind) in view \(place) beside \(record.votes)")
        precondition(
            kind != .nullify || place == view || configuration.plantedBug != nil,
            "nullify \(place) in view \(view)")
        let subject = VoteSubject(kind: kind, epoch: committee.epoch, view: place, digest: digest)
        let signature = signer.signature(over: subject.signingDigest(chainID: committee.chainID))
        let vote = Vote(subject: subject, signer: own, signature: signature)
        slots[place, default: Slot()].own.set(vote)
        let records = [block].compactMap(\.self).map(JournalRecord.block) + [.vote(vote)]
        release(message(vote), after: records)
        count(vote)
    }

    private mutating func release(_ message: ConsensusMessage, after records: [JournalRecord]) {
        let careless = configuration.plantedBug == .sendBeforePersist
        if careless { effects.append(.broadcast(message)) }
        if configuration.plantedBug == .skipPersist {
            return effects.append(.broadcast(message))
        }
        effects.append(.persist(records, sync: true))
        if !careless { effects.append(.broadcast(message)) }
    }
}
