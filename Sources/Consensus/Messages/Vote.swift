package import Primitives

/// What a vote or certificate is for. Wire: variant index.
package enum VoteKind: UInt32, Hashable, Sendable, CaseIterable, BCSCodable {
    /// The block is well-formed and in its place.
    case notarize
    /// The view ended without a block, as far as the signer knows.
    case nullify
    /// The signer holds the notarization and never nullified the view.
    case finalize

    package func encode(to writer: inout BCSWriter) { writer.appendVariant(rawValue) }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let index = try reader.readULEB128()
        guard let kind = VoteKind(rawValue: index) else {
            throw BCSError(.unknownVariant(index), at: start)
        }
        self = kind
    }
}

/// What a vote's signer signs: one subject is one digest.
///
/// Wire: kind, epoch, view, digest (zero if and only if the kind is nullify).
package struct VoteSubject: Hashable, Sendable, BCSCodable {
    package let kind: VoteKind
    package let epoch: Epoch
    package let view: View
    package let digest: Digest

    /// - Precondition: the digest is zero if and only if the kind is nullify.
    package init(kind: VoteKind, epoch: Epoch, view: View, digest: Digest) {
        precondition((digest == .zero) == (kind == .nullify), "\(kind) with digest \(digest)")
        self.kind = kind
        self.epoch = epoch
        self.view = view
        self.digest = digest
    }

    /// The hash that is signed; it binds the chain.
    package func signingDigest(chainID: ChainID) -> Digest {
        var writer = BCSWriter(capacity: 96)
        writer.append(chainID)
        writer.append(self)
        return .hash(.vote, writer.bytes)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(kind)
        writer.append(epoch)
        writer.append(view)
        writer.append(digest)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        kind = try reader.read()
        epoch = try reader.read()
        view = try reader.read()
        digest = try reader.read()
        guard (digest == .zero) == (kind == .nullify) else {
            throw BCSError(
                .invalidValue("a digest that doesn't go with the vote's kind"), at: start)
        }
    }
}

/// One validator's vote. Wire: subject, signer, signature.
package struct Vote: Hashable, Sendable, BCSCodable {
    package let subject: VoteSubject
    package let signer: ValidatorIndex
    package let signature: Signature

    package init(subject: VoteSubject, signer: ValidatorIndex, signature: Signature) {
        self.subject = subject
        self.signer = signer
        self.signature = signature
    }

    package var kind: VoteKind { subject.kind }
    package var view: View { subject.view }
    package var digest: Digest { subject.digest }

    package func encode(to writer: inout BCSWriter) {
        writer.append(subject)
        writer.append(signer)
        writer.append(signature)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        subject = try reader.read()
        signer = try reader.read()
        signature = try reader.read()
    }
}

extension Vote: SignedValue {
    package func signatureClaims(in context: CertificateContext) -> [SignatureClaim]? {
        guard subject.epoch == context.committee.epoch,
            let member = context.committee[signer]
        else { return nil }
        let digest = subject.signingDigest(chainID: context.committee.chainID)
        return [
            SignatureClaim(publicKey: member.votingKey, digest: digest, signature: signature)
        ]
    }
}

/// Two votes of one signer that no honest key signs both: two notarize or two finalize votes of a
/// view for different blocks, or a finalize and a nullify vote of one view.
///
/// Wire: first, second.
package struct Evidence: Hashable, Sendable, BCSCodable {
    package let first: Vote
    package let second: Vote

    /// The proof, or nil if the votes may stand together.
    package init?(_ first: Vote, _ second: Vote) {
        guard Evidence.conflict(first, second) else { return nil }
        self.first = first
        self.second = second
    }

    private static func conflict(_ first: Vote, _ second: Vote) -> Bool {
        guard first.signer == second.signer, first.view == second.view,
            first.subject.epoch == second.subject.epoch
        else { return false }
        if first.kind == second.kind { return first.digest != second.digest }
        return Set([first.kind, second.kind]) == [.finalize, .nullify]
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(first)
        writer.append(second)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        first = try reader.read()
        second = try reader.read()
        guard Evidence.conflict(first, second) else {
            throw BCSError(.invalidValue("two votes that may stand together"), at: start)
        }
    }
}

extension Evidence: SignedValue {
    package func signatureClaims(in context: CertificateContext) -> [SignatureClaim]? {
        guard let first = first.signatureClaims(in: context),
            let second = second.signatureClaims(in: context)
        else { return nil }
        return first + second
    }
}
