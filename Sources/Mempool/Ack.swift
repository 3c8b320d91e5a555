package import Primitives

/// The indexes of a chunk's transactions whose signatures don't hold, in rising order.
///
/// Wire: chunk (one byte), list of indexes within the batch (four bytes each).
package struct ChunkVerdict: Hashable, Sendable, BCSCodable {
    package let chunk: UInt8
    package let invalid: [UInt32]

    package init(chunk: UInt8, invalid: [UInt32]) {
        self.chunk = chunk
        self.invalid = invalid
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(chunk)
        writer.appendLength(invalid.count)
        for index in invalid { writer.append(index) }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        chunk = try reader.readUInt8()
        let start = reader.offset
        let count = try reader.readLength(
            minimum: 1, maximum: BatchLimits.transactionsMax, elementBytes: 4)
        var invalid: [UInt32] = []
        invalid.reserveCapacity(count)
        for _ in 0..<count { invalid.append(try reader.readUInt32()) }
        for (left, right) in zip(invalid, invalid.dropFirst()) where left >= right {
            throw BCSError(.unsorted, at: start)
        }
        self.invalid = invalid
    }
}

/// What a verifier says of a batch: that it holds the body on disk (validators only), and which
/// signatures of the chunks that it checked don't hold.
///
/// Wire: signer, stored, chunks (four bytes, bit i for chunk i), list of verdicts with invalid
/// indexes (sorted by chunk, each with at least one), signature. Signed: H(ack, chainID ‖ epoch ‖
/// batch ‖ stored ‖ chunks ‖ verdicts).
package struct AckEntry: Hashable, Sendable, BCSCodable {
    package let signer: VerifierIndex
    package let stored: Bool
    package let chunks: UInt32
    package let verdicts: [ChunkVerdict]
    package let signature: Signature

    package init(
        signer: VerifierIndex, stored: Bool, chunks: UInt32, verdicts: [ChunkVerdict],
        signature: Signature
    ) {
        self.signer = signer
        self.stored = stored
        self.chunks = chunks
        self.verdicts = verdicts
        self.signature = signature
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(signer)
        writer.append(stored)
        writer.append(chunks)
        writer.append(list: verdicts)
        writer.append(signature)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        signer = try reader.read()
        stored = try reader.readBool()
        chunks = try reader.readUInt32()
        verdicts = try reader.readSortedList(
            maximum: BatchLimits.chunksMax, elementBytes: 6
        ) { (verdict: ChunkVerdict) in verdict.chunk }
        signature = try reader.read()
    }

    /// What the signer signs for the batch of `header`.
    package func digest(of header: BatchHeader) -> Digest {
        AckEntry.digest(header, stored: stored, chunks: chunks, verdicts: verdicts)
    }

    static func digest(
        _ header: BatchHeader, stored: Bool, chunks: UInt32, verdicts: [ChunkVerdict]
    ) -> Digest {
        var writer = BCSWriter(capacity: 96)
        writer.append(header.content.chainID)
        writer.append(header.content.epoch)
        writer.append(header.digest)
        writer.append(stored)
        writer.append(chunks)
        writer.append(list: verdicts)
        return Digest.hash(.ack, writer.bytes)
    }

    /// Whether this entry covers all that `other` of the same signer covers, and more.
    func saysMore(than other: AckEntry) -> Bool {
        chunks & other.chunks == other.chunks && (stored || !other.stored)
            && (chunks != other.chunks || stored != other.stored)
    }

    /// Whether this entry and another one for the same batch disagree about a chunk that both say
    /// they checked.
    package func contradicts(_ other: AckEntry) -> Bool {
        (0..<BatchLimits.chunksMax).contains { chunk in
            guard let own = invalid(in: chunk), let others = other.invalid(in: chunk) else {
                return false
            }
            return own != others
        }
    }

    /// The indexes that this entry calls invalid in `chunk`, or nil if it didn't check it.
    package func invalid(in chunk: Int) -> [UInt32]? {
        guard chunk < 32, chunks & 1 << UInt32(chunk) != 0 else { return nil }
        return verdicts.first { Int($0.chunk) == chunk }?.invalid ?? []
    }

    /// Whether the entry is a member's, says something, and speaks only of chunks and indexes that
    /// the batch has.
    func fits(_ header: BatchHeader, of verifiers: VerifierSet) -> Bool {
        guard verifiers[signer] != nil, stored || chunks != 0,
            !stored || verifiers.isValidator(signer)
        else { return false }
        return fits(header)
    }

    private func fits(_ header: BatchHeader) -> Bool {
        let count = header.chunkCount
        guard count >= 1, count <= BatchLimits.chunksMax else { return false }
        let all = count == 32 ? UInt32.max : (1 << UInt32(count)) - 1
        guard chunks & ~all == 0 else { return false }
        let size = UInt64(header.content.chunkSize)
        return verdicts.allSatisfy { verdict in
            guard chunks & 1 << UInt32(verdict.chunk & 31) != 0, Int(verdict.chunk) < count else {
                return false
            }
            let lower = UInt64(verdict.chunk) * size
            let upper = min(lower + size, UInt64(header.content.transactionCount))
            return verdict.invalid.allSatisfy { UInt64($0) >= lower && UInt64($0) < upper }
        }
    }
}

/// An ack on its way to the batch's owner. Wire: header, entry.
package struct Ack: Hashable, Sendable, BCSCodable {
    package let header: BatchHeader
    package let entry: AckEntry

    package init(header: BatchHeader, entry: AckEntry) {
        self.header = header
        self.entry = entry
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(header)
        writer.append(entry)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        header = try reader.read()
        entry = try reader.read()
    }
}

extension Ack: SignedValue {
    /// The entry's signature; whoever counts it knows the header.
    package func signatureClaims(in layout: ShardLayout) -> [SignatureClaim]? {
        guard let verifiers = layout.verifiers(for: header), entry.fits(header, of: verifiers),
            let signer = verifiers[entry.signer]
        else { return nil }
        return [
            SignatureClaim(
                publicKey: signer.key, digest: entry.digest(of: header),
                signature: entry.signature)
        ]
    }
}
