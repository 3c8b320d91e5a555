package import Primitives

/// The commitment to a block's receipts: a binary tree whose leaves are `H(receipt, 0 ‖ receipt)`
/// and whose nodes are `H(receipt, 1 ‖ left ‖ right)`, an odd one passing up as it is; the root is
/// `H(receipt, 2 ‖ count as eight bytes, little-endian ‖ top)`, the top of none being zeros.
package enum ReceiptTree {
    /// The most hashes beside the way of a receipt to the top: a block has fewer than 2^32.
    package static let pathMax = 32

    package static func leaf(_ receipt: Receipt) -> Bytes32 {
        Digest.hash(.receipt, [0] + receipt.bcsBytes).bytes32
    }

    /// Leaves whose hashes are made together.
    struct Leaves {
        private var queue = HashQueue(.receipt)

        /// - Parameter receipt: The bytes of one.
        mutating func append(_ receipt: UnsafeRawBufferPointer) { queue.append(0, receipt) }

        /// The leaves in the order of their receipts.
        mutating func takeHashes() -> [Bytes32] { queue.takeHashes() }
    }

    /// The root that a receipt's path leads to, as the `index`-th of `count`.
    /// - Parameter path: The hashes beside the way up, the neighbour of the leaf first.
    /// - Returns: nil if the path has too few or too many hashes.
    package static func root(
        of receipt: Receipt, count: UInt64, path: [Bytes32]
    ) -> Digest? {
        var place = UInt64(receipt.index)
        guard place < count else { return nil }
        var width = count
        var hash = leaf(receipt)
        var rest = path[...]
        while width > 1 {
            if place ^ 1 < width {
                guard let sibling = rest.popFirst() else { return nil }
                hash = place & 1 == 1 ? node(sibling, hash) : node(hash, sibling)
            }
            place >>= 1
            width = width / 2 + width % 2
        }
        return rest.isEmpty ? root(top: hash, count: count) : nil
    }

    static func root(top: Bytes32, count: UInt64) -> Digest {
        .hash(.receipt, [2] + count.bcsLittleEndian + top.bytes)
    }

    /// The root of a block without receipts.
    static let emptyRoot = root(top: .zero, count: 0)

    private static func node(_ left: Bytes32, _ right: Bytes32) -> Bytes32 {
        Digest.hash(.receipt, [1] + left.bytes + right.bytes).bytes32
    }

    /// The top over hashes of one level; zeros over none.
    static func top(_ hashes: some Collection<Bytes32>) -> Bytes32 {
        var level = Array(hashes)
        while level.count > 1 { level = parents(of: level) }
        return level.first ?? .zero
    }

    /// The hashes beside the way from the `index`-th hash of a level to the top.
    static func path(of index: Int, in hashes: [Bytes32]) -> [Bytes32] {
        var path: [Bytes32] = []
        var level = hashes
        var place = index
        while level.count > 1 {
            if level.indices.contains(place ^ 1) { path.append(level[place ^ 1]) }
            level = parents(of: level)
            place /= 2
        }
        return path
    }

    private static func parents(of level: [Bytes32]) -> [Bytes32] {
        var queue = HashQueue(.receipt)
        for place in stride(from: 0, to: level.count - 1, by: 2) {
            queue.append(1, level[place], level[place + 1])
        }
        let odd = level.count % 2 == 1 ? level.suffix(1) : []
        return queue.takeHashes() + odd
    }
}

/// The trees of the blocks' receipts in the store: chunks of leaves, and over them a row with the
/// chunks' tops, so that a proof reads two rows however many receipts its block has.
///
/// A block without receipts has no rows.
enum StoredReceiptTree {
    /// Leaves in a chunk; a power of two, so that a chunk is a subtree.
    static let chunkSize = 1024
    private static let chunkPrefix: UInt8 = 0x80
    private static let summaryPrefix: UInt8 = 0x81

    /// Wire: count, tops.
    struct Summary: Hashable, BCSCodable {
        /// The block's receipts, at least 1.
        let count: UInt32
        /// Of each chunk.
        let tops: [Bytes32]

        init(count: UInt32, tops: [Bytes32]) {
            self.count = count
            self.tops = tops
        }

        var root: Digest { ReceiptTree.root(top: ReceiptTree.top(tops), count: UInt64(count)) }

        func encode(to writer: inout BCSWriter) {
            writer.append(count)
            writer.append(list: tops)
        }

        init(from reader: inout BCSReader) throws(BCSError) {
            count = try reader.readUInt32()
            let chunks = (Int(count) + chunkSize - 1) / chunkSize
            tops = try reader.readList(minimum: chunks, maximum: chunks, elementBytes: 32)
        }
    }

    /// What a row of the column that isn't of the log is.
    enum Row {
        case chunk(Height, UInt32)
        case summary(Height)

        init?(storeKey key: [UInt8]) {
            let height = Height(key.dropFirst().prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
            switch (key.first, key.count) {
            case (chunkPrefix, 13):
                self = .chunk(height, key.suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
            case (summaryPrefix, 9): self = .summary(height)
            default: return nil
            }
        }
    }

    /// Notes the tree of a block's receipts, over their leaves.
    /// - Returns: Its root.
    static func write(
        _ leaves: [Bytes32], at height: Height, into writes: inout WriteSet
    ) -> Digest {
        guard !leaves.isEmpty else { return ReceiptTree.emptyRoot }
        var tops: [Bytes32] = []
        for start in stride(from: 0, to: leaves.count, by: chunkSize) {
            let chunk = leaves[start..<min(start + chunkSize, leaves.count)]
            writes.put(
                chunk.flatMap(\.bytes), in: .history, for: chunkKey(height, UInt32(tops.count)))
            tops.append(ReceiptTree.top(chunk))
        }
        let summary = Summary(count: UInt32(leaves.count), tops: tops)
        writes.put(summary.bcsBytes, in: .history, for: summaryKey(height))
        return summary.root
    }

    static func summary(
        _ height: Height, in source: any KeyValueSource
    ) throws(StorageFault) -> Summary? {
        guard let bytes = try source.value(in: .history, for: summaryKey(height)) else {
            return nil
        }
        return try StoredState.decode(bytes, "the receipts' tree of block \(height)")
    }

    /// The leaves of a chunk.
    static func chunk(
        _ chunk: UInt32, of height: Height, in source: any KeyValueSource
    ) throws(StorageFault) -> [Bytes32] {
        let bytes = try source.value(in: .history, for: chunkKey(height, chunk)) ?? []
        guard !bytes.isEmpty, bytes.count % 32 == 0, bytes.count <= chunkSize * 32 else {
            throw StorageFault(
                "chunk \(chunk) of the receipts' tree of block \(height) is missing or damaged")
        }
        return stride(from: 0, to: bytes.count, by: 32).compactMap {
            Bytes32(bytes[$0..<($0 + 32)])
        }
    }

    /// The count of the block's receipts, and the hashes beside a receipt's way to the top.
    static func path(
        of receipt: Receipt, in source: any KeyValueSource
    ) throws(StorageFault) -> (count: UInt64, path: [Bytes32]) {
        let place = Int(receipt.index)
        guard let summary = try summary(receipt.height, in: source), place < summary.count else {
            throw StorageFault(
                "the receipts' tree of block \(receipt.height) lacks receipt \(receipt.index)")
        }
        let leaves = try chunk(UInt32(place / chunkSize), of: receipt.height, in: source)
        guard leaves.indices.contains(place % chunkSize) else {
            throw StorageFault(
                "the receipts' tree of block \(receipt.height) lacks receipt \(receipt.index)")
        }
        let below = ReceiptTree.path(of: place % chunkSize, in: leaves)
        let above = ReceiptTree.path(of: place / chunkSize, in: summary.tops)
        return (UInt64(summary.count), below + above)
    }

    private static func chunkKey(_ height: Height, _ chunk: UInt32) -> [UInt8] {
        [chunkPrefix] + height.rawValue.bigEndianBytes
            + (0..<4).map { UInt8(truncatingIfNeeded: chunk >> (24 - 8 * $0)) }
    }

    private static func summaryKey(_ height: Height) -> [UInt8] {
        [summaryPrefix] + height.rawValue.bigEndianBytes
    }
}
