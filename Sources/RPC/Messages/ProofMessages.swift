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
