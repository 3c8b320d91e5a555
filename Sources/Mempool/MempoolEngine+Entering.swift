package import Primitives

/// What a new epoch does to the mempool.
extension MempoolEngine {
    /// Goes on with the committee of `layout`, whose epoch follows this one's. All lanes begin
    /// anew: batches that no block has included are void, and this node's acks of them are
    /// forgotten. What clients gave to this node, and what waited here as at an owner, goes to the
    /// new owners.
    package mutating func enter(
        _ layout: ShardLayout, ownIndex: ValidatorIndex?, at now: Instant
    ) {
        for lane in witness.lanes { settleLane(lane, through: .max, []) }
        var next = MempoolEngine(
            layout: layout, ownIndex: ownIndex, signer: signer, table: LaneTable(), height: height)
        next.executedHeight = executedHeight
        next.connected = connected
        next.ownCapacity = ownCapacity
        next.certificateWait = certificateWait
        next.storageWait = storageWait
        next.answerOutbox = answerOutbox
        next.bodies = bodies
        next.workers = workers
        next.workers.releaseAll()
        next.signatures = signatures
        // Results of checks that are under way find nobody: their numbers stay used.
        next.lastCheck = lastCheck
        next.nextExpirySweep = nextExpirySweep
        next.effects = effects
        next.silence = ownIndex == nil ? .none : .complete
        next.takeOver(following, at: now)
        let void = sealedLanes.sorted { $0.key < $1.key }
            .flatMap { $0.value.sealed.flatMap(\.batch.transactions) }
        for transaction in pool.waiting + void where next.following[transaction.id] == nil {
            next.handOn(transaction)
        }
        self = next
    }

    private mutating func takeOver(_ former: Following, at now: Instant) {
        following = Following(usualTime: former.usualTime)
        for entry in former.entries {
            let shard = layout.shard(of: entry.transaction.transaction.sender)
            following.insert(
                Following.Followed(
                    transaction: entry.transaction, shard: shard, lane: laneOfRecord(shard),
                    wasAdmitted: entry.wasAdmitted, isScreened: entry.isScreened,
                    requests: entry.requests, since: entry.since,
                    deadline: now.advanced(byMilliseconds: admissionWait)))
            if ownIndex != nil || entry.isScreened {
                dispatch(entry.transaction, shard: shard)
            } else {
                screen(entry.transaction, then: .handOn)
            }
        }
    }

    /// Gives a transaction that was admitted here to the owner of its shard, or to the next rank
    /// that can be reached, whoever follows it.
    private mutating func handOn(_ transaction: SignedTransaction) {
        let record = laneOfRecord(layout.shard(of: transaction.transaction.sender))
        for rank in 0..<UInt16(layout.committee.count) where rank >= record.rank {
            let lane = Lane(shard: record.shard, term: record.term, rank: rank)
            guard let owner = layout.owner(of: lane), let peer = peer(owner) else { continue }
            if owner == ownIndex { return incoming.append((nil, transaction)) }
            guard connected.contains(peer) else { continue }
            return forwardOutbox[peer, default: []].append(transaction)
        }
    }
}
