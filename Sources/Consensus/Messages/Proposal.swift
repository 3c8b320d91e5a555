package import Primitives

/// A block with its leader's vote and the certificates that justify its place.
///
/// Wire: block, signature, parentCertificate (optional), skips (list of at most 8). The signature
/// is the leader's notarize vote: two proposals of one view are two conflicting votes.
package struct Proposal: Hashable, Sendable, BCSCodable {
    package let block: Block
    package let signature: Signature
    /// The notarization or finalization of the parent; nil for the epoch's genesis.
    package let parentCertificate: Certificate?
    /// Nullifications of views between parent and block, the newest first.
    package let skips: [Certificate]

    package init(
        block: Block, signature: Signature, parentCertificate: Certificate?, skips: [Certificate]
    ) {
        precondition(skips.count <= ConsensusLimits.skipsMax, "\(skips.count) skips")
        self.block = block
        self.signature = signature
        self.parentCertificate = parentCertificate
        self.skips = skips
    }

    package var view: View { block.view }

    /// The leader's vote for its own block.
    package var vote: Vote {
        let subject = VoteSubject(
            kind: .notarize, epoch: block.epoch, view: block.view, digest: block.digest)
        return Vote(subject: subject, signer: block.proposer, signature: signature)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(block)
        writer.append(signature)
        writer.append(optional: parentCertificate)
        writer.append(list: skips)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        block = try reader.read()
        signature = try reader.read()
        parentCertificate = try reader.readOptional()
        skips = try reader.readList(maximum: ConsensusLimits.skipsMax, elementBytes: 116)
    }
}

extension Proposal: SignedValue {
    package func signatureClaims(in context: CertificateContext) -> [SignatureClaim]? {
        let committee = context.committee
        guard block.chainID == committee.chainID, block.epoch == committee.epoch, block.view > 0,
            block.proposer == committee.leader(of: block.view),
            var claims = vote.signatureClaims(in: context)
        else { return nil }
        for certificate in [parentCertificate].compactMap(\.self) + skips {
            guard let more = certificate.signatureClaims(in: context) else { return nil }
            claims += more
        }
        return claims
    }
}
