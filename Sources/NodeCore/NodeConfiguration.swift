package import Consensus
package import Execution
package import Mempool
package import Primitives

/// What a core is started with.
package struct NodeConfiguration: Sendable {
    package let genesis: Genesis
    /// The voting key; nil for a node that doesn't vote.
    package let signer: (any Signing)?
    /// Whether the voting key signs: at once, once it is known what it may have signed, or never.
    package let signing: SigningMode
    /// For simulations: the rule that this node breaks.
    package var planted: PlantedFault?
    /// The same for consensus.
    package var plantedBug: PlantedBug?

    package init(genesis: Genesis, signer: (any Signing)?, signing: SigningMode = .full) {
        self.genesis = genesis
        self.signer = signer
        self.signing = signing
    }

    /// The same, but for the right to vote.
    package func voting(_ signing: SigningMode) -> NodeConfiguration {
        var copy = NodeConfiguration(genesis: genesis, signer: signer, signing: signing)
        copy.planted = planted
        copy.plantedBug = plantedBug
        return copy
    }

    /// The signer's place in a committee; nil for a node that doesn't sign.
    package func ownIndex(in committee: Committee) -> ValidatorIndex? {
        signing == .observer ? nil : signer.flatMap { committee.index(of: $0.publicKey) }
    }

    /// The shards of a committee's epoch; the sets of verifiers are the ledger's.
    package func layout(of committee: Committee) -> ShardLayout {
        let batches = genesis.parameters.batches
        let verification = genesis.parameters.verification
        var settings = BatchSettings(
            transactionsMax: Int(batches.transactionsMax), bytesMax: Int(batches.bytesMax),
            expiryBlocks: batches.expiryBlocks, termBlocks: verification.termBlocks,
            periodBlocks: verification.periodBlocks,
            complaintBlocks: verification.complaintBlocks, spread: verification.spread)
        settings.planted = planted
        return ShardLayout(
            committee: committee, settings: settings, epochs: genesis.epochs)
    }

    var timing: ConsensusTiming {
        let parameters = genesis.parameters.consensus
        return ConsensusTiming(
            deltaBase: parameters.deltaBaseMilliseconds,
            deltaMax: parameters.deltaMaxMilliseconds, idle: parameters.idleMilliseconds,
            maxDelay: parameters.maxDelayMilliseconds,
            maxDrift: parameters.maxDriftMilliseconds)
    }
}

/// A key that a node without a vote carries: it is never asked to sign.
struct NoKey: Signing {
    var publicKey: PublicKey { .zero }
    func signature(over digest: Digest) -> Signature {
        preconditionFailure("a node without a voting key was asked to sign \(digest)")
    }
}
