internal import Primitives

/// What the finalized chain does to the mempool.
extension MempoolEngine {
    mutating func include(
        _ certificates: [BatchCertificate], passedOver: [Lane], at height: Height, now: Instant
    ) {
        self.height = height
        do throws(LaneTable.Fault) {
            for lane in passedOver { try table.passOver(lane) }
            for certificate in certificates {
                try table.include(certificate.header, at: height, in: layout.settings)
            }
        } catch {
            preconditionFailure("a finalized block breaks a lane: \(error)")
        }
        layout.keepRankings(at: height)
        let included = Set(certificates.map(\.digest))
        for lane in Set(certificates.map(\.lane)).sorted() {
            settleLane(lane, through: table[lane]?.position ?? 0, included)
        }
        for lane in sealedLanes.keys.sorted() { settleSealed(lane, at: height) }
        for lane in shelf.laneOrder { shelf.settle(lane, head: table[lane], at: height) }
        // Only frees memory, so that the order doesn't matter.
        for digest in witness.releaseExpired(at: height) { bodies.release(digest) }
        appeals.settle(at: height, table, layout.settings)
        prune()
    }

    /// Forgets lanes that can't take anything any more: those of terms whose batches have expired,
    /// and those of owners that were passed over.
    private mutating func prune() {
        _ = table.prune(before: layout.oldestTerm(at: height))
        for lane in witness.lanes where isClosed(lane) { settleLane(lane, through: .max, []) }
        for lane in shelf.laneOrder where isClosed(lane) { shelf.drop(lane) }
        for lane in sealedLanes.keys.sorted() where isClosed(lane) {
            for sealed in sealedLanes.removeValue(forKey: lane)?.sealed ?? [] {
                pool.unseal(sealed.batch.transactions, shard: lane.shard)
                for (index, request) in sealed.open {
                    release(request, of: index, for: sealed.batch.header)
                }
            }
        }
    }

    private func isClosed(_ lane: Lane) -> Bool {
        lane.term < layout.oldestTerm(at: height)(lane.shard)
            || lane.rank < table.rank(of: lane.tenure)
    }

    /// Follows execution's height and the verifiers that the state names.
    mutating func advance(to height: Height, _ sets: [UInt64: VerifierSet]) {
        executedHeight = height
        guard sets.count != layout.verifierSets.count || sets != layout.verifierSets else {
            return
        }
        layout.setVerifierSets(sets)
        workers.keepOnly(Set(sets.values.flatMap { $0.members.map(\.peerID) }))
    }

    /// Forgets the acks that the chain has passed, and the bodies of those that it left out.
    mutating func settleLane(
        _ lane: Lane, through last: UInt64, _ included: Set<Digest>
    ) {
        var writes = WriteSet()
        for ack in witness.settle(lane, through: last) {
            writes.delete(LaneRecord.key(lane, ack.header.content.position), in: .lanes)
            guard !included.contains(ack.header.digest) else { continue }
            bodies.release(ack.header.digest)
            writes.delete(ack.header.digest.bytes, in: .batches)
        }
        if !writes.isEmpty { effects.append(.forget(writes)) }
    }

    private mutating func settleSealed(_ lane: Lane, at height: Height) {
        guard let settled = sealedLanes[lane]?.settle(head: table[lane], at: height) else { return }
        for batch in settled.void { pool.unseal(batch.transactions, shard: lane.shard) }
        for (header, index, request) in settled.open { release(request, of: index, for: header) }
    }

    /// A verifier isn't waited for any more.
    mutating func release(
        _ request: SealedLane.Request, of index: VerifierIndex, for header: BatchHeader
    ) {
        guard !request.isReleased, let peer = layout.verifiers(for: header)?[index]?.peerID else {
            return
        }
        workers.release(peer, signatures: request.signatures)
    }

    /// Follows execution: pool and clients' transactions whose fate is known.
    mutating func settle(
        _ transactions: [ExecutedTransaction], time: Timestamp, at now: Instant
    ) {
        for executed in transactions {
            pool.settle(executed, shard: layout.shard(of: executed.sender))
            appeals.settle(executed)
            guard let entry = following[executed.id],
                executed.isDefinite || entry.transaction == executed.signed
            else { continue }
            if executed.skipped?.mayRetry == true {
                following.reschedule(entry.transaction.id, at: now)
            } else {
                following.noteIncluded(executed.id, at: now)
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
            effects.append(.gone(id, .expired))
        }
    }

    /// Takes up acks and own batches where they were before a restart. An ack that the chain has
    /// passed is there because a crash undid its deletion: its batch may be in a block, so the body
    /// stays.
    mutating func restore(_ recovered: [RecoveredAck]) {
        for item in recovered {
            let header = item.ack.header
            let lane = header.content.lane
            guard header.content.epoch == layout.committee.epoch, !isClosed(lane),
                header.content.position > table[lane]?.position ?? 0
            else {
                continue
            }
            if let owner = peer(header.content.owner) {
                witness.record(item.ack, from: owner, at: Instant(milliseconds: 0))
            }
            bodies.keep(item.batch)
            guard header.content.owner == ownIndex else { continue }
            restore(item, on: lane)
        }
    }

    /// Takes up an own batch; one that expired only keeps its position taken.
    private mutating func restore(_ item: RecoveredAck, on lane: Lane) {
        let header = item.ack.header
        var sealed = sealedLanes[lane] ?? SealedLane()
        let planted = item.ack.entry.verdicts.flatMap(\.invalid)
        sealed.lastReveal =
            planted.isEmpty
            ? nil
            : CanaryReveal(
                salt: secretSalt(lane, header.content.position), positions: planted)
        guard header.content.expiryHeight > height else {
            sealed.raiseLastPosition(to: header.content.position)
            sealedLanes[lane] = sealed
            return
        }
        sealed.append(
            item.batch, tree: item.batch.tree, planted: planted, at: Instant(milliseconds: 0))
        sealedLanes[lane] = sealed
        proveOwn(header, item.ack.entry)
        guard var proven = sealedLanes[lane] else { return }
        if let verifiers = layout.verifiers(for: header) {
            let asked = assign(header, verifiers, at: Instant(milliseconds: 0))
            proven.update(header.digest) { $0.asked = asked }
        }
        let certificate = proven.add(item.ack.entry, to: header.digest, in: layout)
        sealedLanes[lane] = proven
        if let certificate { shelf.insert(certificate, at: Instant(milliseconds: 0)) }
    }
}
