internal import Execution
internal import Mempool
internal import NodeCore
internal import Primitives
internal import RPC
internal import Runtime

// What waits, who checks, and what is known of them.
extension NodeViews {
    /// Acts that an answer tells of at most: each is some kilobytes.
    private static let evidenceMax = 32

    var mempool: MempoolStatus {
        let status = node.status
        let figures = status.mempool
        return MempoolStatus(
            transactions: figures.pooled, bytes: figures.pooledBytes,
            batchesOpen: figures.sealedBatches, batchesCertified: figures.certificates,
            queues: MempoolQueues(
                following: figures.following, batchesUncertified: figures.uncertifiedBatches,
                batchesChecking: figures.checkingBatches, checks: figures.checks,
                bodiesMissing: figures.missingBodies, appeals: figures.appeals,
                complaints: figures.complaints),
            shards: status.shards.map { shard in
                ShardInfo(
                    shard: shard.shard, term: shard.term, rank: shard.rank,
                    owner: shard.owner.rawValue, transactions: shard.waiting,
                    batches: shard.sealed)
            })
    }

    var verification: VerificationStatus {
        let status = node.status
        let layout = node.shardLayout
        let present = layout.presentVerifiers(after: status.appliedHeight)
        return VerificationStatus(
            peerID: node.peerID.text(in: prefix), role: role(of: node.peerID, in: present),
            bond: bond(of: node.peerID, in: present), spread: layout.settings.spread,
            checked: counts(status.signatures),
            recent: status.checkHistory.recent(status.signatures, at: SystemClock.now).map {
                RecentChecks(
                    minutes: $0.minutes, milliseconds: $0.milliseconds, checked: counts($0.counts))
            },
            capacity: status.capacity.map(capacity),
            checkers: status.workers.map { checker($0, present) },
            evidence: status.evidence.prefix(NodeViews.evidenceMax).map(evidence))
    }

    private func counts(_ tally: SignatureTally) -> CheckCounts {
        CheckCounts(
            admission: tally.admission, assigned: tally.assigned, rescue: tally.rescue,
            screening: tally.screening, direct: tally.direct)
    }

    private func capacity(_ capacity: Capacity) -> CapacityInfo {
        CapacityInfo(
            signaturesPerSecond: capacity.signaturesPerSecond, free: capacity.free,
            forecast: capacity.forecast, queueMilliseconds: capacity.queueMilliseconds)
    }

    private func checker(_ worker: WorkerFigures, _ present: VerifierSet?) -> CheckerInfo {
        CheckerInfo(
            peerID: worker.peer.text(in: prefix), role: role(of: worker.peer, in: present),
            bond: bond(of: worker.peer, in: present), signaturesPerSecond: worker.speed,
            latencyMilliseconds: worker.latency, outstanding: worker.outstanding,
            asked: worker.tally.asked, answered: worker.tally.answered, late: worker.tally.late,
            declined: worker.tally.declined, wrong: worker.tally.wrong)
    }

    private func evidence(_ act: Accusation) -> EvidenceInfo {
        EvidenceInfo(
            offender: act.offender.text(in: prefix), kind: act.evidence.name, height: act.height,
            evidence: Base64.encode(act.evidence.bcsBytes))
    }

    private func role(of peer: PeerID, in set: VerifierSet?) -> CheckerRole {
        if node.committee.index(of: peer) != nil { return .validator }
        return set?.index(of: peer) == nil ? .relay : .verifier
    }

    private func bond(of peer: PeerID, in set: VerifierSet?) -> UInt64 {
        set.flatMap { set in set.index(of: peer).map { set.bond(of: $0) } } ?? 0
    }

    var verifiers: VerifierList {
        let layout = node.shardLayout
        let present =
            layout.presentVerifiers(after: node.status.appliedHeight)
            ?? VerifierSet(period: 0, committee: layout.committee)
        let from = layout.settings.firstHeight(ofPeriod: present.period)
        let connected = Set(node.peers.map(\.peerID)).union([node.peerID])
        return VerifierList(
            period: present.period, from: from,
            until: from.clampedAdvance(by: layout.settings.periodBlocks - 1),
            totalBond: present.totalBond, validityThreshold: present.validityThreshold,
            verifiers: present.indices.compactMap { index in
                present[index].map {
                    verifier($0, index, present, isConnected: connected.contains($0.peerID))
                }
            })
    }

    private func verifier(
        _ member: BondedVerifier, _ index: VerifierIndex, _ set: VerifierSet, isConnected: Bool
    ) -> VerifierMember {
        VerifierMember(
            index: index.rawValue, key: member.key.text(in: prefix),
            peerID: member.peerID.text(in: prefix),
            role: set.isValidator(index) ? .validator : .verifier, bond: member.bond,
            rewardAddress: member.rewardAddress.text(in: prefix), connected: isConnected)
    }
}
