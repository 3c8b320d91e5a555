package import Primitives

/// A sealed batch: the owner's header and the transactions it stands for.
///
/// Wire: header, then the body: the list of signed transactions (1...4,096, at most 1 MiB).
package struct Batch: Hashable, Sendable {
    package let header: BatchHeader
    package let transactions: [SignedTransaction]
    /// The body's canonical bytes, kept so that nobody encodes them twice.
    package let body: [UInt8]

    package var digest: Digest { header.digest }
    package var lane: Lane { header.content.lane }
    package var position: UInt64 { header.content.position }

    /// The tree over the transactions, built anew: O(bytes).
    package var tree: BatchTree {
        BatchTree(transactions.map { BatchTree.leaf($0.bcsBytes) })
    }

    package static func == (left: Batch, right: Batch) -> Bool { left.header == right.header }
    package func hash(into hasher: inout Hasher) { hasher.combine(header.digest) }

    /// What an owner seals: the body of `transactions` with its root.
    struct Body {
        let transactions: [SignedTransaction]
        let bytes: [UInt8]
        let tree: BatchTree
        var signatureCount: Int { transactions.reduce(0) { $0 + $1.authorizations.count } }

        init(_ transactions: [SignedTransaction]) {
            self.transactions = transactions
            var writer = BCSWriter(capacity: transactions.reduce(8) { $0 + $1.byteCount })
            writer.appendLength(transactions.count)
            var leaves: [Digest] = []
            for transaction in transactions {
                let start = writer.bytes.count
                writer.append(transaction)
                leaves.append(BatchTree.leaf(writer.bytes[start...]))
            }
            bytes = writer.bytes
            tree = BatchTree(leaves)
        }
    }

    init(header: BatchHeader, body: Body) {
        self.header = header
        transactions = body.transactions
        self.body = body.bytes
    }
}

extension Batch: BCSCodable {
    package func encode(to writer: inout BCSWriter) {
        writer.append(header)
        writer.appendFixed(body)
    }

    /// Also refuses a body that isn't the header's: another count, length, signature count or root.
    package init(from reader: inout BCSReader) throws(BCSError) {
        header = try reader.read()
        let start = reader.offset
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
        body = Array(reader.slice(from: start))
        guard matchesHeader(root: BatchTree(leaves).root) else {
            throw BCSError(.invalidValue("a body that isn't the header's"), at: start)
        }
    }

    private func matchesHeader(root: Digest) -> Bool {
        let content = header.content
        return content.transactionRoot == root
            && Int(content.transactionCount) == transactions.count
            && Int(content.byteLength) == body.count && body.count <= BatchLimits.bytesMax
            && Int(content.signatureCount)
                == transactions.reduce(0) { $0 + $1.authorizations.count }
    }
}
