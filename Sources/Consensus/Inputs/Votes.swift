internal import Primitives

// R8 and R9: votes become certificates, and contradictions evidence.
extension SimplexEngine {
    /// Counts a vote whose signature holds, or an own one.
    mutating func count(_ vote: Vote) {
        guard isInWindow(vote), slots[vote.view]?.holds(vote.kind) != true else { return }
        if vote.signer == own, isForeign(vote.subject) {
            return haltForForeignSignature(vote.subject)
        }
        let weight = committee.weight(of: vote.signer)
        slots[vote.view, default: Slot()].report(vote, to: &effects)
        let again = configuration.plantedBug == .countTwice
        guard
            case .counted(let sum)? = slots[vote.view]?[vote.kind]
                .insert(vote, weight: weight, again: again)
        else { return }
        if vote.kind == .nullify, vote.view == view { isDirty = true }
        if isQuorum(sum) { certify(vote.subject) }
    }

    /// Whether votes of this weight make a certificate.
    func isQuorum(_ weight: UInt64) -> Bool {
        if configuration.plantedBug == .quorumOf2F { return weight >= 2 * committee.faultyMax }
        return weight >= committee.quorum
    }

    /// R9.
    mutating func certify(_ subject: VoteSubject) {
        guard let votes = slots[subject.view]?[subject.kind].votes(for: subject.digest) else {
            return
        }
        incoming.append(Certificate(subject: subject, votes: votes, committee: committee))
    }

    /// Whether votes of the view are still or already of use.
    func isInWindow(_ vote: Vote) -> Bool {
        let last = view.clampedAdvance(by: ConsensusLimits.futureViews)
        guard vote.subject.epoch == committee.epoch, vote.view > finalizedView, vote.view <= last,
            vote.view < View(.max)
        else { return false }
        let oldest = view.clampedRetreat(by: ConsensusLimits.pastViews)
        if vote.view >= oldest { return true }
        guard vote.kind == .finalize else { return false }
        return notarizedViews.suffix(ConsensusLimits.finalizeViewsKept).contains(vote.view)
    }
}

extension Slot {
    /// R8.
    mutating func report(_ vote: Vote, to effects: inout [ConsensusEffect]) {
        if let evidence = accuse(vote) { effects.append(.evidence(evidence)) }
    }
}
