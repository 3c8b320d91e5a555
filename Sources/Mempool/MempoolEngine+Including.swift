internal import Primitives

/// What the finalized chain does to the mempool.
extension MempoolEngine {
    mutating func include(
        _ certificates: [BatchCertificate], at height: Height, now: Instant
    ) {
        self.height = height
        for certificate in certificates {
            do throws(LaneTable.Fault) {
                try table.include(certificate.header, at: height)
            } catch {
                preconditionFailure("a finalized block breaks a lane: \(error)")
            }
        }
        let included = Set(certificates.map(\.digest))
        for lane in Set(certificates.map(\.lane)).sorted() { settleLane(lane, included) }
        for lane in sealedLanes.keys.sorted() { settleSealed(lane, at: height) }
        for lane in shelf.laneOrder { shelf.settle(lane, head: table[lane], at: height) }
    }

    /// Forgets the acks that the chain has passed, and the bodies of those that it left out.
    private mutating func settleLane(_ lane: Lane, _ included: Set<Digest>) {
        guard let head = table[lane] else { return }
        var writes = WriteSet()
        for ack in witness.settle(lane, head: head) {
            writes.delete(LaneRecord.key(lane, ack.header.content.position), in: .lanes)
            guard !included.contains(ack.header.digest) else { continue }
            bodies.release(ack.header.digest)
            writes.delete(ack.header.digest.bytes, in: .batches)
        }
        if !writes.isEmpty { effects.append(.forget(writes)) }
    }

    private mutating func settleSealed(_ lane: Lane, at height: Height) {
        let void = sealedLanes[lane]?.settle(head: table[lane], at: height) ?? []
        for batch in void { pool.unseal(batch.transactions, shard: lane.shard) }
    }

    /// Follows execution: pool and clients' transactions whose fate is known.
    mutating func settle(
        _ transactions: [ExecutedTransaction], time: Timestamp, at now: Instant
    ) {
        for executed in transactions {
            pool.settle(executed, shard: layout.shard(of: executed.sender))
            guard let entry = following[executed.id],
                executed.isDefinite || entry.transaction == executed.signed
            else { continue }
            if executed.skipped?.mayRetry == true {
                following.reschedule(entry.transaction.id, at: now)
            } else {
                let requests = following.takeRequests(of: executed.id)
                for request in requests {
                    effects.append(.reply(request, executed.id, .accepted))
                }
                following.remove(executed.id)
            }
        }
        sweepExpired(time: time, at: now)
    }

    /// Once a second, forgets what can't execute any more.
    private mutating func sweepExpired(time: Timestamp, at now: Instant) {
        guard now >= nextExpirySweep else { return }
        nextExpirySweep = now.advanced(byMilliseconds: 1000)
        let layout = layout
        pool.dropExpired(at: time) { layout.shard(of: $0) }
        for id in following.expired(at: time) {
            for request in following.takeRequests(of: id) {
                effects.append(.reply(request, id, .refused(.expired)))
            }
            following.remove(id)
        }
    }

    /// Takes up acks and own batches where they were before a restart.
    mutating func restore(_ recovered: [RecoveredAck]) {
        for item in recovered {
            let header = item.ack.header
            let lane = header.content.lane
            guard header.content.position > table[lane]?.position ?? 0 else { continue }
            witness.record(item.ack)
            bodies.keep(item.batch)
            guard header.content.owner == ownIndex else { continue }
            restore(item, on: lane)
        }
    }

    /// Takes up an own batch; one that expired only keeps its position taken.
    private mutating func restore(_ item: RecoveredAck, on lane: Lane) {
        let header = item.ack.header
        var sealed = sealedLanes[lane] ?? SealedLane()
        guard header.content.expiryHeight > height else {
            sealed.raiseLastPosition(to: header.content.position)
            sealedLanes[lane] = sealed
            return
        }
        sealed.append(item.batch, at: Instant(milliseconds: 0))
        sealedLanes[lane] = sealed
        proveOwn(header)
        guard var proven = sealedLanes[lane] else { return }
        let certificate = proven.add(item.ack.entry, to: header.digest, in: layout)
        sealedLanes[lane] = proven
        if let certificate { shelf.insert(certificate, at: Instant(milliseconds: 0)) }
    }
}
