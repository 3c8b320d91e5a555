internal import Consensus
internal import Execution
package import Primitives

/// A block that somebody trusts without having checked it: what a newcomer is told by a friend, or
/// has kept from before.
///
/// Its digest binds its header, and with that the chain id and the state that the header names. So
/// a proof that is anchored in this very block needs neither a genesis nor signatures. Of one that
/// is anchored in another block it says only that the block can't lie before it; that needs a
/// genesis with its validators.
package struct Checkpoint: Hashable, Sendable {
    package let height: Height
    package let digest: Digest

    package init(height: Height, digest: Digest) {
        self.height = height
        self.digest = digest
    }

    /// What a proof that is anchored in this block shows.
    package func verify(
        _ bytes: [UInt8], asking question: LightClient.Question
    ) throws(ProofFault) -> LightClient.Proven {
        let proof = try LightClient.decode(bytes)
        guard proof.claim.answers(question) else { throw .otherQuestion }
        let header = proof.header
        guard header.height == height, header.digest == digest else {
            throw .otherBlock(found: header.height, wanted: height)
        }
        return try LightClient.proven(proof)
    }

    /// Whether a proof that holds by itself may be of the same chain.
    package func check(_ proven: LightClient.Proven) throws(ProofFault) {
        let isSame = proven.blockHeight == height && proven.block == digest
        guard proven.blockHeight > height || isSame else {
            throw .otherBlock(found: proven.blockHeight, wanted: height)
        }
        // A receipt names the block that executed it.
        if case .receipt(let receipt, let block) = proven.fact, receipt.height == height {
            guard block == digest else { throw .otherBlock(found: height, wanted: height) }
        }
    }
}
