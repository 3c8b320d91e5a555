package import Primitives

/// Certificates and bodies that this node keeps for the chain.
extension MempoolEngine {
    mutating func consider(_ certificate: BatchCertificate, from peer: PeerID) {
        let content = certificate.header.content
        guard content.position > table[content.lane]?.position ?? 0,
            content.expiryHeight > height, !shelf.holds(certificate.header),
            shelf.count(content.lane) < 2 * BatchLimits.unincludedMax
        else { return }
        // Of a period that isn't known here yet: a block will bring it.
        guard layout.verifiers(for: certificate.header) != nil else { return }
        guard certificate.signatureClaims(in: layout) != nil else {
            return effects.append(.penalise(peer, "a certificate without its thresholds"))
        }
        // Whoever sends it next sends it again, if this one is wrong.
        guard checkingCertificates.insert(certificate.header.digest).inserted else { return }
        startCheck(
            .certificate(certificate), for: .certificate(peer, certificate.header.digest))
    }

    mutating func keep(
        _ certificate: Verified<BatchCertificate>?, of digest: Digest, from peer: PeerID,
        at now: Instant
    ) {
        checkingCertificates.remove(digest)
        guard let certificate else {
            return effects.append(.penalise(peer, "a certificate with a wrong signature"))
        }
        let content = certificate.value.header.content
        guard content.epoch == layout.committee.epoch,
            content.position > table[content.lane]?.position ?? 0,
            content.expiryHeight > height, !shelf.holds(certificate.value.header),
            shelf.count(content.lane) < 2 * BatchLimits.unincludedMax
        else { return }
        shelf.insert(certificate, at: now)
        noteCertified(certificate.value.header, at: now)
        effects.append(.workAvailable)
    }

    /// Takes a certificate that came with a block and was checked there.
    package mutating func learn(_ certificate: Verified<BatchCertificate>, at now: Instant) {
        let content = certificate.value.header.content
        guard content.epoch == layout.committee.epoch,
            content.position > table[content.lane]?.position ?? 0
        else { return }
        shelf.insert(certificate, at: now)
        noteCertified(certificate.value.header, at: now)
    }

    /// Counts transactions that a block carried itself and whose signatures were checked with it.
    package mutating func noteDirect(_ transactions: [Verified<SignedTransaction>]) {
        signatures.direct += transactions.reduce(0) {
            $0 + UInt64($1.value.authorizations.count)
        }
    }

    /// Exactly this certificate, if it was checked before.
    package func verified(_ certificate: BatchCertificate) -> Verified<BatchCertificate>? {
        guard let held = shelf.held(certificate.header), held.value == certificate else {
            return nil
        }
        return held
    }

    /// Whether some certified batch waits for a block and could be in the next one.
    package var hasIncludable: Bool {
        shelf.hasIncludable(after: table)
            || height.next.map { !passable(after: table, at: $0).isEmpty } ?? false
    }

    /// The certificates for a block at `height` whose parent leaves the lanes as `table`.
    package func includable(after table: LaneTable, at height: Height) -> [BatchCertificate] {
        shelf.includable(after: table, at: height, in: layout.settings)
    }

    /// A body that is still in memory.
    package func body(_ digest: Digest) -> Batch? { bodies.held(digest) }

    /// Forgets a body that was executed, wherever it came from: the store has it, and a copy that
    /// was asked for and comes late isn't kept.
    package mutating func releaseBody(_ digest: Digest) {
        _ = bodies.take(wanted: digest)
        bodies.release(digest)
    }

    mutating func want(
        _ certificates: [BatchCertificate], of committee: Committee, at now: Instant
    ) {
        for certificate in certificates {
            let holders = certificate.holders.compactMap { committee[$0] }
                .filter { $0.votingKey != signer.publicKey }.map(\.peerID)
            let bytes = Int(certificate.header.content.byteLength)
            bodies.want(certificate.digest, bytes: bytes, from: holders)
        }
        askForBodies(at: now)
    }

    /// A message of any kind came from `peer`.
    package mutating func hear(_ peer: PeerID, at now: Instant) { bodies.hear(peer, at: now) }

    mutating func askForBodies(at now: Instant) {
        for (peer, digests) in bodies.takeRequests(at: now, connected: connected) {
            for piece in pieces(digests, of: BatchLimits.bodyRequestMax) {
                effects.append(.send(peer, .bodyRequest(Array(piece))))
            }
        }
    }

    /// A body is right if its digest was wanted: the certificate vouches for the rest.
    mutating func take(body batch: Batch, at now: Instant) {
        guard bodies.take(wanted: batch.digest) else { return }
        bodies.keepAnyway(batch)
        var writes = WriteSet()
        writes.put(batch.bcsBytes, in: .batches, for: batch.digest.bytes)
        effects.append(.store(writes))
        effects.append(.bodyArrived(batch.digest))
        askForBodies(at: now)
    }
}
