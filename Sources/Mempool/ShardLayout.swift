package import Primitives

/// Which shard a sender belongs to, who owns a shard, and whose word counts for signatures: the
/// same on every node for a height.
package struct ShardLayout: Sendable {
    package let committee: Committee
    /// Which heights the committee's epoch has; nil for one without an end.
    package let epochs: EpochSchedule?
    package let settings: BatchSettings
    package let shardCount: Int
    /// The sets of verifiers by their periods, as far as they are known.
    package private(set) var verifierSets: [UInt64: VerifierSet]
    /// Rankings of the terms around the present, drawn once.
    private var rankings: [Tenure: [ValidatorIndex]] = [:]

    /// The layout at the epoch's start: without other sets, the validators alone are verifiers.
    package init(
        committee: Committee, settings: BatchSettings = BatchSettings(),
        epochs: EpochSchedule? = nil, verifierSets: [UInt64: VerifierSet]? = nil
    ) {
        self.committee = committee
        self.epochs = epochs
        self.settings = settings
        shardCount = BatchLimits.shardCount(committee: committee.count)
        self.verifierSets = verifierSets ?? [0: VerifierSet(period: 0, committee: committee)]
    }

    /// H(shard, epoch ‖ sender) modulo the shard count.
    package func shard(of sender: Address) -> UInt16 {
        var hasher = Hasher256(.shard)
        hasher.update(committee.epoch.bcsBytes)
        hasher.update(sender.bytes32)
        return UInt16(hasher.finalize().bytes32.remainder(dividingBy: UInt64(shardCount)))
    }

    /// Whether a batch of the committee's epoch can be sealed after `height`.
    package func isOfEpoch(_ height: Height) -> Bool {
        epochs.map { $0.epoch(after: height) == committee.epoch } ?? true
    }

    // MARK: Owners

    /// The term of a shard for what is sealed after `height` was finalized: (height + shard) /
    /// termBlocks, so that the shards change one after the other.
    package func term(of shard: UInt16, after height: Height) -> UInt32 {
        let moved = height.clampedAdvance(by: UInt64(shard)).rawValue
        return UInt32(clamping: moved / settings.termBlocks)
    }

    /// The oldest term of each shard of which a batch can still be included after `height`.
    package func oldestTerm(at height: Height) -> (UInt16) -> UInt32 {
        let sealed = height.clampedRetreat(by: settings.expiryBlocks)
        return { [self] shard in term(of: shard, after: sealed) }
    }

    /// The validator at a lane's rank, or nil for a lane that doesn't exist.
    package func owner(of lane: Lane) -> ValidatorIndex? {
        guard Int(lane.shard) < shardCount, Int(lane.rank) < committee.count else { return nil }
        return ranking(of: lane.tenure)[Int(lane.rank)]
    }

    /// The rank of `validator` in a shard's term.
    package func rank(of validator: ValidatorIndex, in tenure: Tenure) -> UInt16? {
        guard Int(tenure.shard) < shardCount else { return nil }
        return ranking(of: tenure).firstIndex(of: validator).map { UInt16($0) }
    }

    private func ranking(of tenure: Tenure) -> [ValidatorIndex] {
        rankings[tenure] ?? drawRanking(of: tenure)
    }

    private func drawRanking(of tenure: Tenure) -> [ValidatorIndex] {
        committee.ranking(.owner, salt: tenure.bcsBytes)
    }

    /// Draws the rankings around a height; O(shards · validators) when a term changes, else
    /// O(shards).
    package mutating func keepRankings(at height: Height) {
        var kept: [Tenure: [ValidatorIndex]] = [:]
        for shard in 0..<UInt16(shardCount) {
            let term = term(of: shard, after: height)
            for near in (term > 0 ? term - 1 : 0)...term {
                let tenure = Tenure(shard: shard, term: near)
                kept[tenure] = rankings[tenure] ?? drawRanking(of: tenure)
            }
        }
        rankings = kept
    }

    // MARK: Verifiers

    /// Takes the sets that the state names by now.
    package mutating func setVerifierSets(_ sets: [UInt64: VerifierSet]) { verifierSets = sets }

    /// Whether a peer is a member of a set that is known, with a vote or without.
    package func isBonded(_ peer: PeerID) -> Bool {
        verifierSets.values.contains { $0.index(of: peer) != nil }
    }

    /// The set of a period, or nil for one that isn't known yet or any more.
    package func verifiers(ofPeriod period: UInt64) -> VerifierSet? { verifierSets[period] }

    /// The set of the period that follows `height`, or nil if it isn't known.
    package func presentVerifiers(after height: Height) -> VerifierSet? {
        verifierSets[settings.period(of: height.clampedAdvance(by: 1))]
    }

    /// The set whose word counts for a batch, or nil if it isn't known.
    package func verifiers(for header: BatchHeader) -> VerifierSet? {
        guard let sealed = header.sealedHeight(settings) else { return nil }
        return verifierSets[settings.period(of: sealed)]
    }
}
