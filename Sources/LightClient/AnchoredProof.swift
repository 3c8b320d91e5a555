package import Consensus
package import Execution
package import Primitives

/// A proof from the state with the finalized block that names the state's root: everything that a
/// light client needs beside what it trusts.
///
/// Wire: claim, header, finalization.
package struct AnchoredProof: Hashable, Sendable, BCSCodable {
    /// What is proven. Wire: variant 0 and a state proof, 1 and a receipt proof, or 2 and a
    /// consistency proof.
    package enum Claim: Hashable, Sendable {
        case value(StateProof)
        case receipt(ReceiptProof)
        case consistency(ConsistencyProof)

        /// The only state root that it holds for; nil if it proves nothing under any.
        var root: Digest? {
            switch self {
            case .value(let proof): proof.root
            case .receipt(let proof): proof.root
            case .consistency(let proof): proof.root
            }
        }
    }

    package let claim: Claim
    /// Of a finalized block; its `executed` is the state that the claim is about.
    package let header: BlockHeader
    /// Of that block.
    package let finalization: Certificate

    package init(claim: Claim, header: BlockHeader, finalization: Certificate) {
        self.claim = claim
        self.header = header
        self.finalization = finalization
    }

    package func encode(to writer: inout BCSWriter) {
        switch claim {
        case .value(let proof):
            writer.appendVariant(0)
            writer.append(proof)
        case .receipt(let proof):
            writer.appendVariant(1)
            writer.append(proof)
        case .consistency(let proof):
            writer.appendVariant(2)
            writer.append(proof)
        }
        writer.append(header)
        writer.append(finalization)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: claim = .value(try reader.read())
        case 1: claim = .receipt(try reader.read())
        case 2: claim = .consistency(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
        header = try reader.read()
        finalization = try reader.read()
    }
}

/// Why a proof doesn't hold.
package enum ProofFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes aren't a proof.
    case unreadable(BCSError)
    /// It answers something else than what was asked.
    case otherQuestion
    case otherChain(found: ChainID, wanted: ChainID)
    /// The block is of a later epoch than the newest whose validators are known.
    case otherEpoch(found: Epoch, known: Epoch)
    /// No block of this height belongs to the epoch that the header names.
    case outsideEpoch(Height, Epoch)
    /// A step doesn't lead out of this epoch, the newest whose validators are known.
    case step(Epoch, StepFault)
    /// The certificate isn't a finalization of the header.
    case notFinalized
    /// The certificate isn't signed by a quorum of the validators.
    case noQuorum
    /// The block isn't the one that is trusted, or can't come after it.
    case otherBlock(found: Height, wanted: Height)
    /// The block comes after the trusted one, and nothing shows that it comes from there: the steps
    /// that were followed don't lead through the trusted block, or it isn't its epoch's `last`.
    case notThroughTrusted(Height, last: Height)
    /// The claim has another root than the header names.
    case otherState
    /// The value is part of the state, but isn't what its name says.
    case unreadableValue(BCSError)

    package var description: String {
        switch self {
        case .unreadable(let error): "the proof's bytes can't be read: \(error)"
        case .otherQuestion: "the proof is of something else than what was asked"
        case .otherChain(let found, let wanted):
            "the proof is of chain \(found), not of \(wanted)"
        case .otherEpoch(let found, let known):
            "the block is of epoch \(found), and the validators are known up to epoch \(known):"
                + " fetch the steps there with `offpeak query epochs`"
        case .outsideEpoch(let height, let epoch):
            "epoch \(epoch), which the header names, has no block of height \(height)"
        case .step(let epoch, let fault): "the step out of epoch \(epoch) doesn't hold: \(fault)"
        case .notFinalized: "the certificate doesn't finalize the block that the proof names"
        case .noQuorum: "the finalization isn't signed by a quorum of the validators"
        case .otherBlock(let found, let wanted):
            "the proof is anchored in a block of height \(found), which isn't the trusted one of"
                + " height \(wanted) and doesn't come after it"
        case .notThroughTrusted(let height, let last) where height == last:
            "nothing shows that the proof's block comes after the trusted one of height \(height):"
                + " fetch the steps from there with `offpeak query epochs`, and name the file with"
                + " --epochs"
        case .notThroughTrusted(let height, let last):
            "nothing can show that the proof's block comes after the trusted one of height"
                + " \(height), which isn't the last of its epoch: only an epoch's last block names"
                + " who signs after it. Ask whom you trust for the id of such a block (`offpeak"
                + " query block \(last)`, or the last one of an earlier epoch), name it with"
                + " --trusted, and with --epochs what `offpeak query epochs` wrote"
        case .otherState: "what is claimed isn't part of the state that the block names"
        case .unreadableValue(let error): "the value that is proven can't be read: \(error)"
        }
    }
}
