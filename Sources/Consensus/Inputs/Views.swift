internal import Primitives

// R1 to R3 and R16: how views begin, end and are repaired.
extension SimplexEngine {
    /// R2.
    mutating func enter(_ next: View) {
        precondition(next > view, "view \(next) after \(view)")
        leaveFloorBehind(entering: next)
        view = next
        leader = committee.leader(of: next)
        building = nil
        armTimers()
        trim()
        isDirty = true
    }

    mutating func armTimers() {
        entered = moment.now
        delta = unitOfTime()
        let wait = work ? 0 : configuration.timing.idle
        setTimer(.proposal, after: 2 * delta + wait)
        setTimer(.view, after: 3 * delta + wait)
        setTimer(.retry, after: 4 * delta + wait)
        cancelTimer(.idle)
    }

    /// Δ: doubled for each three views without finalization after the first three. While others
    /// finalize, the growth ends at eightfold: long waits then only cost time.
    func unitOfTime() -> UInt64 {
        let timing = configuration.timing
        let gap = view.rawValue - min(view.rawValue, finalizedView.rawValue)
        let recent = lastFinalized.map {
            moment.now.millisecondsSince($0) < 256 * timing.deltaBase
        }
        let doublings = min((max(gap, 3) - 3) / 3, recent == true ? 3 : 10)
        return min(timing.deltaMax, timing.deltaBase << doublings)
    }

    mutating func setTimer(_ id: TimerID, after milliseconds: UInt64) {
        let deadline = moment.now.advanced(byMilliseconds: milliseconds)
        deadlines[id] = deadline
        effects.append(.setTimer(id, deadline))
    }

    mutating func cancelTimer(_ id: TimerID) {
        guard deadlines.removeValue(forKey: id) != nil else { return }
        effects.append(.cancelTimer(id))
    }

    /// A timer of an earlier view may still fire; the deadline tells.
    mutating func expire(_ id: TimerID) {
        guard let deadline = deadlines[id], moment.now >= deadline else { return }
        deadlines[id] = nil
        switch id {
        case .proposal: if slots[view]?.own.notarize == nil { giveUp() }
        case .view:
            giveUp()
            if configuration.plantedBug == .enterWithoutCertificate {
                enter(view.clampedAdvance(by: 1))
            }
        case .retry: retry()
        case .idle: buildEvenIfEmpty()
        case .fetch: isDirty = true
        case .recovery: askOthers()
        }
    }

    /// R3.
    mutating func giveUp() {
        let record = slots[view]?.own ?? SigningRecord()
        guard record.permits(.nullify) else { return }
        sign(.nullify, in: view, .zero)
    }

    /// R3 when this node finds that the view brings nothing: at once in the first views, later not
    /// before Δ has passed beyond its first value. Otherwise a network in which each block is
    /// refused, for the clocks disagree or the disks are full, would run through thousands of
    /// views a second.
    mutating func giveUpWithoutHaste() {
        let patience = delta - min(delta, configuration.timing.deltaBase)
        let waited = moment.now.millisecondsSince(entered)
        if waited >= patience { return giveUp() }
        setTimer(.proposal, after: patience - waited)
    }

    /// R3 without a timer: the view can't bring a block any more.
    mutating func giveUpIfHopeless() {
        if configuration.plantedBug == .nullifyAfterFinalize { giveUpEverywhere() }
        guard let slot = slots[view] else { return }
        let nullifies = slot[.nullify]
        let leaderGaveUp = nullifies.first[leader] != nil
        let enough = nullifies.weight(for: .zero) >= committee.validityThreshold
        if leaderGaveUp || enough { giveUp() }
    }

    /// The planted bug `nullifyAfterFinalize`.
    private mutating func giveUpEverywhere() {
        for place in slots.keys.sorted() where slots[place]?.own.nullify == nil {
            let weight = slots[place]?[.nullify].weight(for: .zero) ?? 0
            if weight >= committee.validityThreshold { sign(.nullify, in: place, .zero) }
        }
    }

    /// The wait for a leader with nothing to order is over: there is something.
    mutating func workAvailable() {
        guard !work else { return }
        work = true
        guard leader != own else { return }
        for (id, count) in [(TimerID.proposal, UInt64(2)), (.view, 3), (.retry, 4)] {
            guard let deadline = deadlines[id] else { continue }
            let sooner = moment.now.advanced(byMilliseconds: count * delta)
            if sooner < deadline { setTimer(id, after: count * delta) }
        }
    }

    /// R16.
    private mutating func retry() {
        sendAgain()
        setTimer(.retry, after: max(delta, ConsensusLimits.retryMilliseconds))
        isDirty = true
    }

    mutating func sendAgain() {
        if configuration.plantedBug == .rebuildFinalize { rebuildFinalizes() }
        let finalizes = notarizedViews.suffix(ConsensusLimits.finalizeViewsKept)
        for place in finalizes {
            if let vote = slots[place]?.own.finalize { effects.append(.broadcast(.vote(vote))) }
        }
        if let entry = entryCertificate, entry != finalization {
            effects.append(.broadcast(.certificate(entry)))
        }
        if let proposal = ownProposal() {
            effects.append(.broadcast(.proposal(proposal)))
        } else if let vote = slots[view]?.own.notarize {
            effects.append(.broadcast(.vote(vote)))
        }
        if let vote = slots[view]?.own.nullify { effects.append(.broadcast(.vote(vote))) }
        effects.append(.broadcast(.status(status)))
    }

    /// The planted bug `rebuildFinalize`.
    private mutating func rebuildFinalizes() {
        for place in notarizedViews where slots[place]?.own.finalize == nil {
            guard let digest = slots[place]?.notarization?.digest else { continue }
            sign(.finalize, in: place, digest)
        }
    }

    /// The best certificate that ends the view before the current one.
    var entryCertificate: Certificate? {
        let place = view.clampedRetreat(by: 1)
        if place == finalizedView { return finalization }
        return slots[place]?.nullification ?? slots[place]?.notarization
    }

    /// Where this node stands.
    package var status: Status {
        Status(
            epoch: committee.epoch, view: view, height: finalized.height,
            finalization: finalization)
    }

    /// Forgets votes and unwanted blocks of views far behind, so that memory stays bounded while
    /// nothing is finalized.
    private mutating func trim() {
        let oldest = view.clampedRetreat(by: ConsensusLimits.pastViews)
        guard slots.count > Int(ConsensusLimits.pastViews + ConsensusLimits.futureViews) else {
            return
        }
        let kept = Set(notarizedViews.suffix(ConsensusLimits.finalizeViewsKept))
        for place in slots.keys where place < oldest {
            slots[place]?.trim(keepingFinalizes: kept.contains(place))
        }
        let (slots, final) = (slots, finalizedView)
        blocks.removeAll { block in
            guard block.view < oldest, block.view > final else { return false }
            let slot = slots[block.view]
            return slot?.notarization?.digest != block.digest
                && slot?.own.notarize?.digest != block.digest
        }
    }
}
