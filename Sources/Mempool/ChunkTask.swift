package import Primitives

/// Chunks of a batch for a verifier that doesn't hold the body: the owner's header, and for each
/// chunk its transactions with the proof that they are the header's.
///
/// Wire: header, list of pieces (1...32, rising chunks).
package struct ChunkTask: Hashable, Sendable, BCSCodable {
    /// One chunk.
    ///
    /// Wire: chunk (one byte), list of signed transactions (1...4,096), path (at most 16 digests).
    package struct Piece: Sendable, BCSCodable {
        package let chunk: UInt8
        package let transactions: [SignedTransaction]
        package let path: [Digest]
        /// The transactions' leaves, hashed from what arrived.
        private let leaves: [Digest]

        init(_ batch: Batch, chunk: Int, tree: BatchTree) {
            self.chunk = UInt8(chunk)
            transactions = Array(batch.transactions[batch.header.range(ofChunk: chunk)])
            path = tree.path(ofChunk: chunk, size: Int(batch.header.content.chunkSize))
            leaves = []
        }

        /// Whether the transactions that arrived are those of the header's chunk.
        package func isProven(by header: BatchHeader) -> Bool {
            guard Int(chunk) < header.chunkCount else { return false }
            return BatchTree.root(
                ofChunk: Int(chunk), size: Int(header.content.chunkSize), leaves: leaves,
                count: Int(header.content.transactionCount), path: path)
                == header.content.transactionRoot
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(chunk)
            writer.append(list: transactions)
            writer.append(list: path)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            chunk = try reader.readUInt8()
            let count = try reader.readLength(
                minimum: 1, maximum: BatchLimits.transactionsMax,
                elementBytes: SignedTransaction.bytesMin)
            var transactions: [SignedTransaction] = []
            var leaves: [Digest] = []
            transactions.reserveCapacity(count)
            leaves.reserveCapacity(count)
            for _ in 0..<count {
                let place = reader.offset
                transactions.append(try reader.read())
                leaves.append(BatchTree.leaf(reader.slice(from: place)))
            }
            self.transactions = transactions
            self.leaves = leaves
            path = try reader.readList(maximum: 16, elementBytes: 32)
        }
    }

    package let header: BatchHeader
    package let pieces: [Piece]

    /// The chunks of `batch` that `mask` names, of which there is at least one.
    package init(_ batch: Batch, chunks mask: UInt32, tree: BatchTree) {
        header = batch.header
        pieces = (0..<batch.header.chunkCount).filter { mask & 1 << UInt32($0) != 0 }.map {
            Piece(batch, chunk: $0, tree: tree)
        }
    }

    /// Whether the pieces are of chunks that the header has, each with as many transactions as its
    /// chunk.
    var fits: Bool {
        pieces.allSatisfy { piece in
            Int(piece.chunk) < min(header.chunkCount, BatchLimits.chunksMax)
                && piece.transactions.count == header.range(ofChunk: Int(piece.chunk)).count
        }
    }

    /// A bit for each chunk.
    package var mask: UInt32 { pieces.reduce(0) { $0 | 1 << UInt32($1.chunk & 31) } }

    package static func == (left: ChunkTask, right: ChunkTask) -> Bool {
        left.header == right.header && left.mask == right.mask
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(header.digest) }

    package func encode(to writer: inout BCSWriter) {
        writer.append(header)
        writer.append(list: pieces)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        header = try reader.read()
        pieces = try reader.readSortedList(
            minimum: 1, maximum: BatchLimits.chunksMax, elementBytes: SignedTransaction.bytesMin
        ) { (piece: Piece) in piece.chunk }
    }
}

/// Who should check which chunk of a batch: a wish of the owner's that nothing depends on.
///
/// Wire: list of lists of verifiers, one for each chunk (at most 32 of at most 512).
package struct Assignment: Hashable, Sendable, BCSCodable {
    /// By chunk.
    package let chunks: [[VerifierIndex]]

    package init(_ chunks: [[VerifierIndex]]) { self.chunks = chunks }

    /// The chunks that `verifier` should check, a bit for each.
    package func chunks(of verifier: VerifierIndex) -> UInt32 {
        var mask: UInt32 = 0
        for (chunk, verifiers) in chunks.prefix(32).enumerated() where verifiers.contains(verifier)
        {
            mask |= 1 << UInt32(chunk)
        }
        return mask
    }

    package func encode(to writer: inout BCSWriter) {
        writer.appendLength(chunks.count)
        for verifiers in chunks { writer.append(list: verifiers) }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let count = try reader.readLength(
            maximum: BatchLimits.chunksMax, elementBytes: 1)
        var chunks: [[VerifierIndex]] = []
        for _ in 0..<count {
            chunks.append(
                try reader.readList(maximum: VerifierSet.countMax, elementBytes: 2))
        }
        self.chunks = chunks
    }
}
