package import Consensus
package import Execution
package import Mempool
package import NodeCore
package import Primitives

/// The core's figures after its last event, for readers on other threads.
package struct CoreStatus: Sendable {
    package var view: View = 0
    package var finalizedHeight: Height = 0
    package var finalizedDigest: Digest = .zero
    package var appliedHeight: Height = 0
    package var appliedTime: Timestamp = 0
    package var stateRoot: Digest = .zero
    /// What a unit of weight costs in the next block.
    package var baseFee = BaseFee(parts: 0)
    /// What others tip.
    package var tips = TipHistory()
    package var leader: ValidatorIndex = ValidatorIndex(0)
    /// What the current view has and lacks.
    package var progress: ConsensusProgress?
    package var mempool = MempoolFigures()
    /// Users' signatures checked since the start, by what for.
    package var signatures = SignatureTally()
    /// The same over the last minutes.
    package var checkHistory = CheckHistory()
    /// What this machine lends, if it was told a limit.
    package var capacity: Capacity?
    /// Who checks for this owner.
    package var workers: [WorkerFigures] = []
    package var shards: [ShardFigures] = []
    /// What this node can prove of others.
    package var evidence: [Accusation] = []
    /// Shards, owners and verifiers by the newest executed block; nil before the first look.
    package var layout: ShardLayout?
    /// Whether this validator's key is silent, and until when.
    package var recovery = KeyRecovery.none
    package var transactionsExecuted: UInt64 = 0
    package var transactionsSkipped: UInt64 = 0
    /// The finalized height that the node opened with.
    package var openedAtHeight: Height = 0
    /// When the finalized height last rose.
    package var finalizedAt = Instant(milliseconds: 0)

    package init() {}
}

/// How far a validator with an empty signing record has got.
package enum KeyRecovery: Hashable, Sendable {
    /// It votes, or has no key to vote with.
    case none
    /// It waits for the others' word on how far its key has signed.
    case asks
    /// It signs nothing in views up to this one.
    case abstains(through: View)
}
