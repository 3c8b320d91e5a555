package import Primitives

// P3: a restart continues from the journal as if the process had only paused.
extension SimplexEngine {
    /// An engine that goes on from the store's tip and the journal's records; those of another
    /// epoch tell nothing.
    ///
    /// Nothing is sent before the `.start` event.
    package init(
        configuration: ConsensusConfiguration, journal: [JournalRecord], at moment: Moment
    ) {
        self.configuration = configuration
        committee = configuration.committee
        own = configuration.ownIndex
        finalized = configuration.tip.block
        finalization = configuration.tip.certificate
        end = configuration.end
        self.moment = moment
        entered = moment.now
        delta = configuration.timing.deltaBase
        view = 1
        recordedView = 1
        leader = configuration.committee.leader(of: 1)
        if let finalization { held = [finalization.subject] }
        if configuration.signing == .full || configuration.plantedBug == .voteAfterAmnesia {
            floor = 0
            resumption = 0
        }
        let isOfEpoch = JournalRecord.epoch(of: journal) == committee.epoch
        beginsJournal = !isOfEpoch
        if isOfEpoch {
            for record in journal { replayCertificate(record) }
            for record in journal { replay(record) }
        }
        view = recoveredView()
        recordedView = view
        leader = committee.leader(of: view)
        delta = unitOfTime()
    }

    /// Finalizations come first: what they cover needs no replay.
    private mutating func replayCertificate(_ record: JournalRecord) {
        guard case .certificate(let certificate) = record, certificate.kind == .finalize,
            certificate.view > finalizedView
        else { return }
        if let finalization { held.remove(finalization.subject) }
        finalization = certificate
        held.insert(certificate.subject)
    }

    private mutating func replay(_ record: JournalRecord) {
        switch record {
        case .vote(let vote):
            guard vote.view > finalizedView, vote.signer == own else { return }
            if configuration.plantedBug == .forgetVotes { return }
            slots[vote.view, default: Slot()].own.set(vote)
            let weight = committee.weight(of: vote.signer)
            _ = slots[vote.view]?[vote.kind].insert(vote, weight: weight)
            if vote.kind == .notarize { blocks.setVerdict(.valid, of: vote.digest) }
        case .block(let block):
            if block.view > place.view { blocks.insert(block) }
        case .certificate(let certificate):
            guard certificate.view > finalizedView else { return }
            store(certificate)
        case .floor(let view):
            floor = max(floor ?? 0, view)
        case .introduced(let index, let record):
            if knownRecords[index] == nil { knownRecords[index] = record }
        case .epoch: break
        }
    }

    private func recoveredView() -> View {
        var view = finalizedView.clampedAdvance(by: 1)
        for (place, slot) in slots {
            if !slot.own.votes.isEmpty { view = max(view, place) }
            let certified = slot.notarization != nil || slot.nullification != nil
            if certified { view = max(view, place.clampedAdvance(by: 1)) }
        }
        return view
    }

    /// Sends again what may not have left, and takes up the current view.
    mutating func start() {
        if beginsJournal { effects.append(.compact(liveRecords)) }
        armTimers()
        for place in notarizedViews { finalizeIfAllowed(place) }
        for place in slots.keys.sorted() { certifyOwn(in: place) }
        sendAgain()
        askOthers()
        isDirty = true
    }

    /// A committee of one, or nearly: the own replayed votes alone may be a quorum.
    private mutating func certifyOwn(in place: View) {
        guard let slot = slots[place] else { return }
        for vote in slot.own.votes where !slot.holds(vote.kind) {
            let sum = slot[vote.kind].weight(for: vote.digest)
            if isQuorum(sum) { certify(vote.subject) }
        }
    }
}
