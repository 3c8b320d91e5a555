internal import Primitives

// E2: the epoch is over.
extension SimplexEngine {
    mutating func finish(with end: EpochEnd, committing blocks: [Block]) {
        self.end = end
        if let boundary = blocks.last { finalized = boundary }
        self.blocks.removeAll { _ in true }
        building = nil
        fetches = []
        for id in TimerID.allCases { cancelTimer(id) }
        effects.append(.commitLast(blocks, end))
    }

    /// What an engine whose epoch is over still does: show others the end of it, and notice votes
    /// that contradict each other.
    mutating func help(_ event: ConsensusEvent) -> [ConsensusEffect] {
        guard case .message(let peer, let message) = event else { return [] }
        switch message.value {
        case .vote(let vote): witness(vote)
        case .status(let status): show(status, peer)
        case .certificateRequest(let request): answer(request, of: peer)
        case .blockRequest(let request):
            if let tail = end?.tailBlocks.first(where: { $0.digest == request.ref.digest }) {
                effects.append(.send(peer, .block(tail)))
            } else {
                answer(request, of: peer)
            }
        default: break
        }
        defer { effects.removeAll() }
        return effects
    }

    /// R8 for a vote that comes after the end.
    private mutating func witness(_ vote: Vote) {
        guard isInWindow(vote), vote.signer != own else { return }
        slots[vote.view, default: Slot()].report(vote, to: &effects)
        let weight = committee.weight(of: vote.signer)
        _ = slots[vote.view]?[vote.kind].insert(vote, weight: weight)
    }

    /// The proof's own finalization: a newer one may be held whose blocks aren't.
    private mutating func show(_ status: Status, _ peer: PeerID) {
        guard status.epoch == committee.epoch, let certificate = end?.certificate,
            certificate.view > status.finalization?.view ?? 0,
            take(\.statusAllowances, peer, burst: 1)
        else { return }
        effects.append(.send(peer, .certificate(certificate)))
    }
}
