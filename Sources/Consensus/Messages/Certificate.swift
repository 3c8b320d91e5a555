package import Primitives

/// Votes for one subject by a quorum: a notarization, a nullification or a finalization.
///
/// Wire: subject, signers, signatures (list in the order of the signers' indexes). Nothing is
/// derived from a certificate but its subject: which quorum signed differs from node to node.
package struct Certificate: Hashable, Sendable, BCSCodable {
    package let subject: VoteSubject
    package let signers: SignerSet
    /// As many as signers, in the order of their indexes.
    package let signatures: [Signature]

    package init(subject: VoteSubject, signers: SignerSet, signatures: [Signature]) {
        self.subject = subject
        self.signers = signers
        self.signatures = signatures
    }

    /// The certificate of `votes`, which are for one subject and by distinct members.
    package init(subject: VoteSubject, votes: [Vote], committee: Committee) {
        var signers = SignerSet(count: committee.count)
        let sorted = votes.sorted { $0.signer < $1.signer }
        for vote in sorted {
            precondition(vote.subject == subject, "a vote for \(vote.subject), not \(subject)")
            precondition(!signers.contains(vote.signer), "signer \(vote.signer) twice")
            signers.insert(vote.signer)
        }
        self.init(subject: subject, signers: signers, signatures: sorted.map(\.signature))
    }

    package var kind: VoteKind { subject.kind }
    package var view: View { subject.view }
    package var digest: Digest { subject.digest }

    package func encode(to writer: inout BCSWriter) {
        writer.append(subject)
        writer.append(signers)
        writer.append(list: signatures)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        subject = try reader.read()
        signers = try reader.read()
        signatures = try reader.readList(
            minimum: 1, maximum: Committee.countMax, elementBytes: Signature.count)
    }
}

/// What signatures of consensus messages are checked against.
package struct CertificateContext: Sendable {
    package let committee: Committee
    /// Certificates of this view and below aren't looked at, and need no check; nil where every
    /// certificate is.
    package let floor: View?
    /// Subjects above `floor` whose certificates the engine already has: it goes on with its own.
    package let held: Set<VoteSubject>

    /// A rule broken on purpose.
    let breaking: PlantedBug?

    /// With the defaults every certificate is checked.
    package init(
        committee: Committee, floor: View? = nil, held: Set<VoteSubject> = []
    ) {
        self.init(committee: committee, floor: floor, held: held, breaking: nil)
    }

    init(
        committee: Committee, floor: View?, held: Set<VoteSubject>, breaking bug: PlantedBug?
    ) {
        self.committee = committee
        self.floor = floor
        self.held = held
        breaking = bug
    }

    /// Whether signers of `weight` prove a certificate of `kind`.
    func isEnough(_ weight: UInt64, for kind: VoteKind) -> Bool {
        if breaking == .quorumOf2F { return weight >= 2 * committee.faultyMax }
        if breaking == .unprovenFinalization, kind == .finalize { return true }
        return weight >= committee.quorum
    }

    package func needsCheck(_ certificate: Certificate) -> Bool {
        if let floor, certificate.view <= floor { return false }
        return !held.contains(certificate.subject)
    }
}

extension Certificate: SignedValue {
    package func signatureClaims(in context: CertificateContext) -> [SignatureClaim]? {
        guard context.needsCheck(self) else { return [] }
        let committee = context.committee
        guard subject.epoch == committee.epoch, signers.fits(count: committee.count) else {
            return nil
        }
        let indexes = signers.indexes
        guard indexes.count == signatures.count,
            context.isEnough(committee.weight(of: indexes), for: kind)
        else { return nil }
        let digest = subject.signingDigest(chainID: committee.chainID)
        var claims: [SignatureClaim] = []
        claims.reserveCapacity(indexes.count)
        for (index, signature) in zip(indexes, signatures) {
            guard let key = committee[index]?.votingKey else { return nil }
            claims.append(SignatureClaim(publicKey: key, digest: digest, signature: signature))
        }
        return claims
    }
}
