package import Primitives

/// Proof that a batch can be fetched and which of its transactions have valid signatures.
///
/// Valid iff: V1 the header is its lane's owner's and within limits; V2 the validators who stored
/// the body weigh at least Q; V3 for each chunk, verifiers with bonds of at least H_U give exactly
/// the certificate's list of invalid indexes, so that an honest one among them did; V4 every
/// signature is valid, signers are distinct and in rising order. The verifiers are those of the
/// period in which the owner says it sealed the batch.
///
/// Wire: header, entries (1...512, rising signers), verdict (the invalid indexes of the whole
/// batch, rising).
package struct BatchCertificate: Hashable, Sendable, BCSCodable {
    package let header: BatchHeader
    package let entries: [AckEntry]
    /// Indexes of transactions that must not execute.
    package let invalid: [UInt32]

    package var digest: Digest { header.digest }
    package var lane: Lane { header.content.lane }
    package var position: UInt64 { header.content.position }

    package init(header: BatchHeader, entries: [AckEntry], invalid: [UInt32]) {
        self.header = header
        self.entries = entries
        self.invalid = invalid
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(header)
        writer.append(list: entries)
        writer.appendLength(invalid.count)
        for index in invalid { writer.append(index) }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        header = try reader.read()
        entries = try reader.readSortedList(
            minimum: 1, maximum: BatchLimits.entriesMax, elementBytes: 72
        ) { (entry: AckEntry) in entry.signer }
        let start = reader.offset
        let count = try reader.readLength(
            maximum: BatchLimits.transactionsMax, elementBytes: 4)
        var invalid: [UInt32] = []
        for _ in 0..<count { invalid.append(try reader.readUInt32()) }
        for (left, right) in zip(invalid, invalid.dropFirst()) where left >= right {
            throw BCSError(.unsorted, at: start)
        }
        self.invalid = invalid
    }

    /// The certificate's exact bytes, named: what a node remembers as checked.
    package var fingerprint: Digest { Digest.hash(.batch, of: self) }

    /// The validators that hold the body, in rising order.
    package var holders: [ValidatorIndex] {
        entries.filter(\.stored).map { ValidatorIndex($0.signer.rawValue) }
    }

    /// The verifiers that checked a chunk and found what the certificate says, in rising order.
    package func verifiers(ofChunk chunk: Int) -> [VerifierIndex] {
        let verdict = invalid(in: chunk)
        return entries.filter { $0.invalid(in: chunk) == verdict }.map(\.signer)
    }

    /// The certificate's own verdict on one chunk.
    package func invalid(in chunk: Int) -> [UInt32] {
        let size = UInt64(header.content.chunkSize)
        let lower = UInt64(chunk) * size
        return invalid.filter { UInt64($0) >= lower && UInt64($0) < lower + size }
    }
}

extension BatchCertificate: VerdictProof {
    /// V1 to V4 but for the signatures themselves, which are the claims.
    package func signatureClaims(in layout: ShardLayout) -> [SignatureClaim]? {
        guard let owner = header.claim(in: layout),
            let verifiers = layout.verifiers(for: header), areDistinct,
            meetsThresholds(layout, verifiers)
        else { return nil }
        var claims = [owner]
        for entry in entries {
            guard entry.fits(header, of: verifiers), let signer = verifiers[entry.signer] else {
                return nil
            }
            claims.append(
                SignatureClaim(
                    publicKey: signer.key, digest: entry.digest(of: header),
                    signature: entry.signature))
        }
        return claims
    }

    /// Signers that rise, so that none counts twice, whoever made this value.
    private var areDistinct: Bool {
        zip(entries, entries.dropFirst()).allSatisfy { $0.signer < $1.signer }
    }

    func meetsThresholds(_ layout: ShardLayout, _ verifiers: VerifierSet) -> Bool {
        let committee = layout.committee
        let needed =
            layout.settings.planted == .verdictOfOne ? 1 : verifiers.validityThreshold
        guard invalid.allSatisfy({ $0 < header.content.transactionCount }),
            committee.weight(of: holders) >= committee.quorum
        else { return false }
        return (0..<header.chunkCount).allSatisfy { chunk in
            verifiers.bond(of: self.verifiers(ofChunk: chunk)) >= needed
        }
    }
}
