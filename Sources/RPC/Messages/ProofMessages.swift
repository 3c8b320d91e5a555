package import Primitives

/// What the methods that prove something answer. Nothing in it has to be believed: `offpeak verify`
/// checks it against a genesis.
package struct ProofInfo: Codable, Hashable, Sendable {
    /// The state that the proof is about is that after this block.
    package let height: Height
    /// Of that state; 64 hexadecimal digits.
    package let stateRoot: String
    /// The finalized block that names this root; `blk` text.
    package let block: String
    package let blockHeight: Height
    /// An `AnchoredProof`'s canonical bytes, in base64.
    package let proof: String

    package init(
        height: Height, stateRoot: String, block: String, blockHeight: Height, proof: String
    ) {
        self.height = height
        self.stateRoot = stateRoot
        self.block = block
        self.blockHeight = blockHeight
        self.proof = proof
    }
}

/// What `epoch_proofs` answers. Nothing in it has to be believed: whoever trusts a genesis follows
/// the steps from there, with `offpeak verify --epochs`.
package struct EpochProofs: Codable, Hashable, Sendable {
    /// One for each epoch from the first that was asked for, without a gap.
    package let steps: [EpochProof]
    /// The node's present epoch, which the last step of all leads into.
    package let epoch: Epoch

    package init(steps: [EpochProof], epoch: Epoch) {
        self.steps = steps
        self.epoch = epoch
    }
}

/// How an epoch ended, and who votes in the next.
package struct EpochProof: Codable, Hashable, Sendable {
    /// The epoch that ended.
    package let epoch: Epoch
    /// An `EpochStep`'s canonical bytes, in base64.
    package let proof: String

    package init(epoch: Epoch, proof: String) {
        self.epoch = epoch
        self.proof = proof
    }
}
