package import Primitives

/// What an engine is started with.
package struct ConsensusConfiguration: Sendable {
    /// The last finalized block that the store holds, with its finalization.
    package struct Tip: Sendable {
        package let block: Block
        /// Nil only for the epoch's genesis.
        package let certificate: Certificate?

        package init(block: Block, certificate: Certificate?) {
            self.block = block
            self.certificate = certificate
        }
    }

    package let committee: Committee
    /// This node's place in the committee; nil for an observer, which follows and never signs.
    package let ownIndex: ValidatorIndex?
    /// The voting key; nil for an observer.
    package let signer: (any Signing)?
    package let signing: SigningMode
    /// The block that the epoch starts from: genesis, or the last block of the epoch before.
    package let genesis: Block
    /// The height of the epoch's boundary block; the highest possible one for no end.
    package let lastHeight: Height
    /// How the epoch ended, if the tip is its boundary block; the engine is over from its start.
    package let end: EpochEnd?
    package let tip: Tip
    package let timing: ConsensusTiming
    /// A rule broken on purpose; only the simulator can ask for it.
    package let plantedBug: PlantedBug?

    package init(
        committee: Committee, ownIndex: ValidatorIndex?, signer: (any Signing)?, genesis: Block,
        tip: Tip, timing: ConsensusTiming, signing: SigningMode = .full,
        lastHeight: Height = Height(.max), end: EpochEnd? = nil
    ) {
        self.init(
            committee: committee, ownIndex: ownIndex, signer: signer, genesis: genesis, tip: tip,
            timing: timing, signing: signing, lastHeight: lastHeight, end: end,
            breaking: nil)
    }

    /// A configuration that breaks a rule, to show that the simulator notices. No file of a node
    /// can ask for one.
    package init(
        committee: Committee, ownIndex: ValidatorIndex?, signer: (any Signing)?, genesis: Block,
        tip: Tip, timing: ConsensusTiming, signing: SigningMode = .full,
        lastHeight: Height = Height(.max), end: EpochEnd? = nil, breaking bug: PlantedBug?
    ) {
        precondition(
            genesis.ref(in: committee.epoch).view == 0, "a genesis of view \(genesis.view)")
        precondition(
            end == nil ? tip.block.height < lastHeight : tip.block.height == lastHeight,
            "a tip at \(tip.block.height) of \(lastHeight)")
        precondition((tip.certificate == nil) == (tip.block == genesis), "a tip without its proof")
        let votes = signing != .observer && ownIndex != nil
        precondition(!votes || signer != nil, "a validator without a voting key")
        self.committee = committee
        self.ownIndex = votes ? ownIndex : nil
        self.signer = votes ? signer : nil
        self.signing = votes ? signing : .observer
        self.genesis = genesis
        self.lastHeight = lastHeight
        self.end = end
        self.tip = tip
        self.timing = timing
        plantedBug = bug
    }
}

/// Whether an engine signs.
package enum SigningMode: Hashable, Sendable {
    /// From its start: the journal is known to hold everything that the key ever signed.
    case full
    /// Once others were heard since the start, and above the floor of the journal, which bears the
    /// id; where it has none, the answers give one.
    case asking(RecordID)
    /// Never.
    case observer
}

/// Times in milliseconds.
package struct ConsensusTiming: Hashable, Sendable {
    /// Δ of a network that makes progress: 50 in one data centre, 300 over continents.
    package let deltaBase: UInt64
    /// What Δ grows to at most.
    package let deltaMax: UInt64
    /// How long a leader with nothing to order waits before it proposes an empty block.
    package let idle: UInt64
    /// How far a block's time may lie behind a voter's clock.
    package let maxDelay: UInt64
    /// How far it may lie ahead.
    package let maxDrift: UInt64

    package init(
        deltaBase: UInt64 = 50, deltaMax: UInt64 = 60_000, idle: UInt64 = 1_000,
        maxDelay: UInt64 = 5_000, maxDrift: UInt64 = 500
    ) {
        precondition(deltaBase > 0 && deltaBase <= deltaMax, "Δ \(deltaBase)...\(deltaMax) ms")
        self.deltaBase = deltaBase
        self.deltaMax = deltaMax
        self.idle = idle
        self.maxDelay = maxDelay
        self.maxDrift = maxDrift
    }
}

/// Rules that the simulator can have broken, to show that its oracles notice.
package enum PlantedBug: String, Hashable, Sendable, CaseIterable {
    /// Rule R13 without its test of the own nullify vote.
    case finalizeAfterNullify = "finalize-after-nullify"
    /// Rule R6 without condition d.
    case noSkipCheck = "no-skip-check"
    /// Votes leave before their records are on disk.
    case sendBeforePersist = "send-before-persist"
    /// Votes leave without any record.
    case skipPersist = "skip-persist"
    /// A restart reads no votes from the journal.
    case forgetVotes = "forget-votes"
    /// Weight 2F makes a certificate.
    case quorumOf2F = "quorum-of-2f"
    /// A vote counts each time it comes.
    case countTwice = "count-twice"
    /// Certificates of finalization need no quorum.
    case unprovenFinalization = "unproven-finalization"
    /// Rule R3 follows nullify votes of weight H in every view, whatever was signed there.
    case nullifyAfterFinalize = "nullify-after-finalize"
    /// Rule R6a without its test of the own nullify vote.
    case notarizeAfterNullify = "notarize-after-nullify"
    /// Rule R8 the other way: a leader's second proposal is voted for too.
    case notarizeSecond = "notarize-second"
    /// Rule R6 without condition c.
    case noParentCheck = "no-parent-check"
    /// Rule R16 makes the finalize votes anew, without a look at what was signed.
    case rebuildFinalize = "rebuild-finalize"
    /// Rule R4 passes over views of which nothing is known.
    case proposeOverGap = "propose-over-gap"
    /// The timer of a view opens the next one.
    case enterWithoutCertificate = "enter-without-certificate"
    /// A validator that lost its journal votes as if it had never signed.
    case voteAfterAmnesia = "vote-after-amnesia"
    /// Blocks behind the last of an epoch are committed like those before it.
    case commitTails = "commit-tails"
    /// Not a bug but a tool: an engine that may share its key isn't stopped by rule P5.
    case blindToTwin = "blind-to-twin"
}
