package import Primitives

/// The duties of the node that a client gave its transaction to.
extension MempoolEngine {
    mutating func submit(
        _ request: RequestID, _ transaction: SignedTransaction, at now: Instant,
        view: some AdmissionView
    ) throws(StorageFault) {
        if let known = following[transaction.id] {
            if known.transaction != transaction,
                !(known.isAdmitted && known.transaction.isSigned(likeOrMoreThan: transaction))
            {
                // The same transaction with other signatures is on its way: wait for its fate.
                effects.append(.reply(request, transaction.id, .busy(MempoolTimes.busyRetry)))
            } else if known.isAdmitted {
                effects.append(.reply(request, transaction.id, .accepted))
            } else {
                following.addRequest(request, to: transaction.id)
            }
            return
        }
        if case .refused(let reason) = try view.admission(of: transaction) {
            effects.append(.reply(request, transaction.id, .refused(reason)))
            return
        }
        guard !following.isFull else {
            effects.append(.reply(request, transaction.id, .busy(MempoolTimes.busyRetry)))
            return
        }
        let shard = layout.shard(of: transaction.transaction.sender)
        following.insert(
            Following.Followed(
                transaction: transaction, shard: shard, lane: laneOfRecord(shard),
                requests: [request], since: now,
                deadline: now.advanced(byMilliseconds: admissionWait)))
        guard ownIndex == nil else { return dispatch(transaction, shard: shard) }
        // A node without a vote has nothing better to do than to keep junk from the owners.
        screen(transaction, then: .handOn)
    }

    /// Checks the signatures of a transaction in this node's care: once at a time, however often an
    /// owner says that they are wrong.
    mutating func screen(_ transaction: SignedTransaction, then next: Screening) {
        guard following.beginScreening(transaction.id, next) else { return }
        signatures.screening += UInt64(transaction.authorizations.count)
        startCheck(.transactions([transaction]), for: .screening(transaction, next))
    }

    mutating func screened(
        _ transaction: SignedTransaction, isValid: Bool, _ next: Screening, at now: Instant
    ) {
        guard let entry = following[transaction.id], entry.transaction == transaction else {
            return
        }
        following.endScreening(transaction.id, next)
        guard isValid else {
            return finish(
                ForwardAnswer(id: transaction.id, outcome: .refused(.invalidSignature)))
        }
        following.markScreened(transaction.id)
        switch next {
        case .handOn:
            dispatch(transaction, shard: entry.shard, after: entry.handovers > 0 ? entry.lane : nil)
        case .appeal: appeal(transaction, at: now)
        case .propose: effects.append(.workAvailable)
        }
    }

    /// Hands a transaction to the owner of record, or to the next rank after `lane` that can be
    /// reached, with those passed over at the end.
    mutating func dispatch(
        _ transaction: SignedTransaction, shard: UInt16, after lane: Lane? = nil
    ) {
        let record = laneOfRecord(shard)
        let count = layout.committee.count
        let start = lane.map { $0.term == record.term ? Int($0.rank) + 1 : Int(record.rank) }
        for step in 0..<count {
            let rank = UInt16(((start ?? Int(record.rank)) + step) % count)
            let candidate = Lane(shard: shard, term: record.term, rank: rank)
            guard rank >= record.rank, let owner = layout.owner(of: candidate),
                let peer = peer(owner), owner == ownIndex || connected.contains(peer)
            else { continue }
            following.handOver(transaction.id, to: candidate)
            if owner == ownIndex {
                incoming.append((nil, transaction))
            } else {
                forwardOutbox[peer, default: []].append(transaction)
            }
            return
        }
    }

    mutating func take(
        _ answer: ForwardAnswer, from peer: PeerID?, at now: Instant, view: some AdmissionView
    ) throws(StorageFault) {
        excuse(answer, from: peer)
        guard let entry = following[answer.id], isCurrentOwner(peer, of: entry) else { return }
        switch answer.outcome {
        case .accepted:
            // Said again, it doesn't buy the owner more time.
            guard !entry.isAdmitted else { return finish(answer) }
            let wait = inclusionWait(entry.handovers)
            following.markAdmitted(answer.id, deadline: now.advanced(byMilliseconds: wait))
        case .refused(.invalidSignature)
        where !entry.isScreened && !entry.wasAdmitted && entry.handovers > 1:
            return screen(entry.transaction, then: .handOn)
        case .refused, .conflict, .busy, .overspent:
            // Another rank may have sealed it already: then its fate comes with a block.
            if entry.wasAdmitted || mayBeSealed(answer, entry) { return }
            if try goesOn(after: answer, entry, view: view) { return }
        }
        try finish(confirmed(answer, entry, view: view))
    }

    /// What a client is told of an owner's answer: a refusal is passed on if this node's own state
    /// says it too, or if its own look found the signatures wrong. Otherwise the owner lies, or it
    /// is ahead and may even have executed the transaction, and the client has to ask again.
    private func confirmed(
        _ answer: ForwardAnswer, _ entry: Following.Followed, view: some AdmissionView
    ) throws(StorageFault) -> ForwardAnswer {
        guard case .refused = answer.outcome, layout.owner(of: entry.lane) != ownIndex else {
            return answer
        }
        switch try view.admission(of: entry.transaction) {
        case .refused(let reason):
            return ForwardAnswer(id: answer.id, outcome: .refused(reason))
        case .admissible(let next, _, _, _, _):
            // The state alone never says that a sequence is too far ahead; the gap is seen here.
            let isAhead = entry.transaction.transaction.sequence > next
            if answer.outcome == .refused(.sequenceAhead), isAhead { return answer }
            return ForwardAnswer(id: answer.id, outcome: .busy(MempoolTimes.busyRetry))
        }
    }

    private mutating func finish(_ answer: ForwardAnswer) {
        for request in following.takeRequests(of: answer.id) {
            effects.append(.reply(request, answer.id, answer.outcome))
        }
        if answer.outcome != .accepted { following.remove(answer.id) }
    }

    /// Whether one owner's refusal isn't the last word: the next rank is asked once, where this
    /// node's own state and its own look at the signatures find nothing wrong. So an owner can't
    /// keep a sender out by lies, but by one: that something else holds the sequence there. That
    /// ends with its term.
    private mutating func goesOn(
        after answer: ForwardAnswer, _ entry: Following.Followed, view: some AdmissionView
    ) throws(StorageFault) -> Bool {
        guard entry.handovers == 1, layout.owner(of: entry.lane) != ownIndex,
            case .admissible = try view.admission(of: entry.transaction)
        else { return false }
        switch answer.outcome {
        case .refused(.invalidSignature):
            screen(entry.transaction, then: .handOn)
        case .refused(.sequenceAhead), .overspent:
            guard try isNext(entry.transaction, view: view) else { return false }
            dispatch(entry.transaction, shard: entry.shard, after: entry.lane)
        // Something else may hold the sequence there: nobody can tell that from the truth.
        case .accepted, .conflict: return false
        case .refused, .busy:
            dispatch(entry.transaction, shard: entry.shard, after: entry.lane)
        }
        return true
    }

    /// Whether an owner's refusal of a transaction that several ranks were given can come from its
    /// own success with one of them.
    private func mayBeSealed(_ answer: ForwardAnswer, _ entry: Following.Followed) -> Bool {
        guard entry.handovers > 1 else { return false }
        switch answer.outcome {
        case .refused(.sequenceUsed), .conflict: return true
        default: return false
        }
    }

    private func isCurrentOwner(_ peer: PeerID?, of entry: Following.Followed) -> Bool {
        guard let owner = layout.owner(of: entry.lane) else { return false }
        return peer == nil ? owner == ownIndex : self.peer(owner) == peer
    }

    /// Longer where everything takes long.
    var admissionWait: UInt64 {
        min(max(MempoolTimes.admissionWait, following.usualTime), MempoolTimes.handoverWaitMax)
    }

    private func inclusionWait(_ handovers: Int) -> UInt64 {
        let wait = max(MempoolTimes.inclusionWait, 2 * following.usualTime)
        return min(wait << UInt64(min(max(handovers - 1, 0), 5)), MempoolTimes.handoverWaitMax)
    }

    /// Moves on what waits for too long, the oldest first. Where the owner of record can be reached
    /// it gets a last chance, with everybody watching; but under load everything waits, so only a
    /// few of its transactions are put before it like this, and of the others it is reminded.
    mutating func handOverDue(
        at now: Instant, view: some AdmissionView
    ) throws(StorageFault) {
        for entry in following.takeDue(at: now) {
            if try isGone(entry, view: view) { continue }
            guard mayLeave(entry) else {
                let again = now.advanced(byMilliseconds: admissionWait)
                following.reschedule(entry.transaction.id, at: again)
                continue
            }
            guard entry.appealed == nil, isWithOwnerOfRecord(entry),
                entry.reminders < MempoolEngine.remindersMax
            else {
                handOver(entry, at: now)
                continue
            }
            if try !isNext(entry.transaction, view: view) {
                remind(of: entry, at: now)
            } else if following.mayAppeal(against: entry.lane) {
                escalate(entry, at: now)
            } else {
                following.markReminded(entry.transaction.id)
                remind(of: entry, patience: UInt64(entry.reminders) + 1, at: now)
            }
        }
    }

    /// Whether an owner may be given a transaction yet. A node without a vote looks at its
    /// signatures before; until then nothing makes it hurry, for owners hold a wrong one against
    /// it.
    private func mayLeave(_ entry: Following.Followed) -> Bool {
        ownIndex != nil || entry.isScreened
    }

    /// Ends the care for what can't execute any more, as the loser of two transactions with one
    /// sequence: no owner will ever have a better answer.
    private mutating func isGone(
        _ entry: Following.Followed, view: some AdmissionView
    ) throws(StorageFault) -> Bool {
        guard case .refused(let reason) = try view.admission(of: entry.transaction),
            reason == .sequenceUsed || reason == .expired
        else { return false }
        let id = entry.transaction.id
        finish(ForwardAnswer(id: id, outcome: .refused(reason)))
        effects.append(.gone(id, reason))
        return true
    }

    private mutating func escalate(_ entry: Following.Followed, at now: Instant) {
        let id = entry.transaction.id
        defer { following.markAppealed(id, against: entry.lane) }
        guard layout.owner(of: entry.lane) != ownIndex else { return handOver(entry, at: now) }
        // Others would hold a wrong signature against this node.
        if entry.isScreened {
            appeal(entry.transaction, at: now)
        } else {
            screen(entry.transaction, then: .appeal)
        }
        let wait = MempoolTimes.appealWait + MempoolTimes.tick
        following.reschedule(id, at: now.advanced(byMilliseconds: wait))
    }

    /// After so many reminders, each with twice the patience of the one before, the next rank gets
    /// a transaction too.
    private static let remindersMax = 2

    /// It isn't its turn, or others are appealed for already: the owner may have lost it.
    private mutating func remind(
        of entry: Following.Followed, patience doublings: UInt64 = 0, at now: Instant
    ) {
        let wait = entry.isAdmitted ? inclusionWait(entry.handovers) : admissionWait
        let patience = min(wait << doublings, MempoolTimes.handoverWaitMax)
        following.reschedule(entry.transaction.id, at: now.advanced(byMilliseconds: patience))
        guard let owner = layout.owner(of: entry.lane), owner != ownIndex,
            let peer = peer(owner)
        else { return }
        forwardOutbox[peer, default: []].append(entry.transaction)
    }

    private func isWithOwnerOfRecord(_ entry: Following.Followed) -> Bool {
        guard entry.lane == laneOfRecord(entry.shard), let owner = layout.owner(of: entry.lane)
        else { return false }
        return owner == ownIndex || peer(owner).map { connected.contains($0) } ?? false
    }

    private mutating func handOver(_ entry: Following.Followed, at now: Instant) {
        // An owner that has admitted it is asked once more before the next rank gets it: on a
        // slow network everything would otherwise be ordered twice.
        let asksAgain =
            entry.isAdmitted && entry.handovers > 1 && !entry.handovers.isMultiple(of: 2)
        // Before this node puts it into a block of its own.
        if entry.handovers >= 2, !entry.isScreened, ownIndex != nil {
            screen(entry.transaction, then: .propose)
        }
        following.markAsked(entry.transaction.id)
        let wait = admissionWait << UInt64(min(entry.handovers / 4, 5))
        following.reschedule(entry.transaction.id, at: now.advanced(byMilliseconds: wait))
        dispatch(
            entry.transaction, shard: entry.shard,
            after: asksAgain ? previous(entry.lane) : entry.lane)
    }

    /// The lane before one, so that the next after it is the lane itself; nil for rank 0.
    private func previous(_ lane: Lane) -> Lane? {
        lane.rank == 0
            ? nil : Lane(shard: lane.shard, term: lane.term, rank: lane.rank - 1)
    }

    mutating func connect(_ peer: PeerID, at now: Instant) {
        connected.insert(peer)
        resendSealed(to: peer, at: now)
    }

    /// What a peer that went had not answered goes to the next rank at once.
    mutating func disconnect(_ peer: PeerID, at now: Instant) {
        connected.remove(peer)
        appeals.drop(peer)
        let layout = layout
        let lost = following.unadmitted { entry in
            layout.owner(of: entry.lane).flatMap { layout.committee[$0]?.peerID } == peer
        }
        for id in lost {
            guard let entry = following[id], mayLeave(entry) else { continue }
            dispatch(entry.transaction, shard: entry.shard, after: entry.lane)
        }
        takeBackAll(from: peer, at: now)
    }

    /// What a verifier that went was asked for goes to others at once.
    private mutating func takeBackAll(from peer: PeerID, at now: Instant) {
        for lane in sealedLanes.keys.sorted() {
            for sealed in sealedLanes[lane]?.sealed ?? [] where sealed.certificate == nil {
                takeBack(sealed.batch.digest, chunks: .max, from: peer, at: now)
            }
        }
    }

    /// Whether this node waits for the fate of exactly these bytes, for a client or as an owner.
    package func cares(for transaction: SignedTransaction) -> Bool {
        following[transaction.id]?.transaction == transaction || pool.holds(transaction)
    }

    /// Whether this node has admitted a transaction that no block has yet.
    package func isPooled(_ id: TransactionID) -> Bool { pool.contains(id) }

    /// Whether this node still waits for the fate of a client's transaction.
    package func isFollowing(_ id: TransactionID) -> Bool { following[id] != nil }
}
