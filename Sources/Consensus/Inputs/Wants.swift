package import Primitives

extension SimplexEngine {
    /// Whether a message is worth the check of its signatures. O(1) but for long gaps.
    package func wants(_ message: ConsensusMessage, from peer: PeerID) -> Bool {
        guard !halted else { return false }
        switch message {
        case .proposal(let proposal): return wants(proposal)
        case .vote(let vote): return wants(vote)
        case .certificate(let certificate): return wants(certificate)
        case .status(let status): return status.epoch == committee.epoch
        case .certificateRequest(let request): return request.epoch == committee.epoch
        case .blockRequest(let request): return request.epoch == committee.epoch
        case .block(let block): return isMissing(block.digest)
        case .syncRequest: return true
        case .syncResponse(let response): return wants(response)
        case .recoveryRequest(let request): return request.epoch == committee.epoch
        case .recoveryAnswer(let answer): return wants(answer, from: peer)
        }
    }

    /// What signatures are to be checked against at present.
    package var context: CertificateContext {
        CertificateContext(
            committee: committee, floor: finalizedView, held: held,
            breaking: configuration.plantedBug)
    }

    /// One proposal for each view from the current one on, and a second only as evidence; an older
    /// one only if its block is missing.
    func wants(_ proposal: Proposal) -> Bool {
        let place = proposal.view
        guard proposal.block.epoch == committee.epoch, place > finalizedView,
            place <= view.clampedAdvance(by: ConsensusLimits.futureViews), place < View(.max)
        else { return false }
        if proposal.block.proposer == own { return isForeign(proposal.vote.subject) }
        guard place >= view else { return isMissing(proposal.block.digest) }
        guard proposal.block.proposer == committee.leader(of: place) else { return false }
        guard slots[place]?.proposal != nil else { return true }
        return slots[place]?[.notarize].wants(proposal.vote) ?? true
    }

    private func wants(_ vote: Vote) -> Bool {
        guard committee[vote.signer] != nil, isInWindow(vote) else { return false }
        if vote.signer == own { return isForeign(vote.subject) }
        guard let slot = slots[vote.view] else { return true }
        if configuration.plantedBug == .countTwice { return !slot.holds(vote.kind) }
        return !slot.holds(vote.kind) && slot[vote.kind].wants(vote)
    }

    private func wants(_ certificate: Certificate) -> Bool {
        certificate.subject.epoch == committee.epoch && certificate.view > finalizedView
            && certificate.view < View(.max) && !held.contains(certificate.subject)
    }

    private func wants(_ response: SyncResponse) -> Bool {
        guard let first = response.blocks.first, let last = response.blocks.last,
            let next = finalized.height.next,
            response.certificate.subject.epoch == committee.epoch
        else { return false }
        return first.height <= next && last.height >= next
    }
}
