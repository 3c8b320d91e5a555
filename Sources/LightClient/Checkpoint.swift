internal import Consensus
internal import Execution
package import Primitives

/// A block that somebody trusts without having checked it: what a newcomer is told by a friend, or
/// has kept from before.
///
/// Its digest binds its header, and with that the chain id and the state that the header names. So
/// a proof that is anchored in this very block needs neither a genesis nor signatures.
///
/// The last block of an epoch also names the validators of the next one. Whoever trusts it gets
/// from there to later blocks by epoch steps, and needs no signatures of earlier validators: those
/// could sign a second chain once their bonds are released. Any other block says nothing of who
/// signs after it, and so nothing of later blocks.
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

    /// Whether what `client` was shown is of the trusted block's chain: anchored in this block, or
    /// in a later one whose validators the client knows from steps through this block.
    package func check(
        _ proven: LightClient.Proven, by client: LightClient
    ) throws(ProofFault) {
        let isSame = proven.blockHeight == height && proven.block == digest
        guard proven.blockHeight > height || isSame else {
            throw .otherBlock(found: proven.blockHeight, wanted: height)
        }
        // A receipt names the block that executed it.
        if case .receipt(let receipt, let block) = proven.fact, receipt.height == height {
            guard block == digest else { throw .otherBlock(found: height, wanted: height) }
        }
        guard isSame || client.hasPassed(self) else {
            throw .notThroughTrusted(height, last: client.last(at: height))
        }
    }
}
