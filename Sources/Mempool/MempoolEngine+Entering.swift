package import Primitives

/// What a new epoch does to the mempool.
extension MempoolEngine {
    /// Goes on with the committee of `layout`, whose epoch follows this one's. All lanes begin anew:
    /// batches that no block has included are void, and this node's acks of them are forgotten.
    /// What clients gave to this node, and what waited here as at an owner, goes to the new owners.
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
        for transaction in pool.transactions where next.following[transaction.id] == nil {
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

    /// Gives a transaction that was admitted here to the owner of its shard, whoever follows it.
    private mutating func handOn(_ transaction: SignedTransaction) {
        let shard = layout.shard(of: transaction.transaction.sender)
        guard let owner = layout.owner(of: laneOfRecord(shard)), let peer = peer(owner) else {
            return
        }
        if owner == ownIndex {
            incoming.append((nil, transaction))
        } else if connected.contains(peer) {
            forwardOutbox[peer, default: []].append(transaction)
        }
    }
}
