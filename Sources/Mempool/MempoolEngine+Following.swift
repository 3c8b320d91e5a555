package import Primitives

/// The duties of the node that a client gave its transaction to.
extension MempoolEngine {
    mutating func submit(
        _ request: RequestID, _ transaction: SignedTransaction, at now: Instant,
        view: some AdmissionView
    ) throws(StorageFault) {
        if let known = following[transaction.id] {
            if known.transaction != transaction, !known.isAdmitted {
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
                transaction: transaction, shard: shard, rank: 0, requests: [request],
                deadline: now.advanced(byMilliseconds: MempoolTimes.admissionWait)))
        dispatch(transaction, shard: shard, from: 0)
    }

    /// Hands a transaction to the first rank from `rank` on whose owner can be reached.
    private mutating func dispatch(
        _ transaction: SignedTransaction, shard: UInt16, from rank: Int
    ) {
        let count = layout.committee.count
        for step in 0..<count {
            let candidate = (rank + step) % count
            guard let owner = layout.owner(of: Lane(shard: shard, rank: UInt16(candidate))),
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

    mutating func take(_ answer: ForwardAnswer, from peer: PeerID?, at now: Instant) {
        guard let entry = following[answer.id], isCurrentOwner(peer, of: entry) else { return }
        switch answer.outcome {
        case .accepted:
            let wait = inclusionWait(entry.handovers)
            following.markAdmitted(answer.id, deadline: now.advanced(byMilliseconds: wait))
        case .refused, .conflict, .busy, .overspent:
            // Another rank may have sealed it already: then its fate comes with a block.
            if entry.wasAdmitted || mayBeSealed(answer, entry) { return }
        }
        for request in following.takeRequests(of: answer.id) {
            effects.append(.reply(request, answer.id, answer.outcome))
        }
        if answer.outcome != .accepted { following.remove(answer.id) }
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
        let lane = Lane(shard: entry.shard, rank: UInt16(entry.rank))
        guard let owner = layout.owner(of: lane) else { return false }
        return peer == nil ? owner == ownIndex : self.peer(owner) == peer
    }

    private func inclusionWait(_ handovers: Int) -> UInt64 {
        min(
            MempoolTimes.inclusionWait << UInt64(min(max(handovers - 1, 0), 5)),
            MempoolTimes.handoverWaitMax)
    }

    mutating func handOverDue(at now: Instant) {
        for entry in following.takeDue(at: now) {
            // An owner that has admitted it is asked once more before the next rank gets it: on a
            // slow network everything would otherwise be ordered twice.
            let asksAgain = entry.isAdmitted && !entry.handovers.isMultiple(of: 2)
            following.markAsked(entry.transaction.id)
            let wait = MempoolTimes.admissionWait << UInt64(min(entry.handovers / 4, 5))
            following.reschedule(entry.transaction.id, at: now.advanced(byMilliseconds: wait))
            dispatch(
                entry.transaction, shard: entry.shard,
                from: asksAgain ? entry.rank : entry.rank + 1)
        }
    }

    mutating func connect(_ peer: PeerID, at now: Instant) {
        connected.insert(peer)
        resendSealed(to: peer)
    }

    /// What a peer that went had not answered goes to the next rank at once.
    mutating func disconnect(_ peer: PeerID, at now: Instant) {
        connected.remove(peer)
        let layout = layout
        let lost = following.unadmitted { entry in
            let lane = Lane(shard: entry.shard, rank: UInt16(entry.rank))
            return layout.owner(of: lane).flatMap { layout.committee[$0]?.peerID } == peer
        }
        for id in lost {
            guard let entry = following[id] else { continue }
            dispatch(entry.transaction, shard: entry.shard, from: entry.rank + 1)
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
