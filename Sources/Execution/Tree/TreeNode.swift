internal import Primitives

/// What hangs below a node of the state tree at one half byte.
enum TreeChild: Hashable, Sendable {
    /// The only value below this place. `hash` is `H(stateLeaf, path ‖ value hash)` wherever the
    /// leaf hangs, so that it moves up and down without being made again.
    case leaf(path: Bytes32, hash: Bytes32)
    /// A subtree of at least two leaves, stored as a node of its own.
    case inner(hash: Bytes32)

    var hash: Bytes32 {
        switch self {
        case .leaf(_, let hash), .inner(let hash): hash
        }
    }
}

/// The place of a node: the half bytes that all paths below it begin with.
struct TreePlace: Hashable, Sendable {
    /// The number of half bytes, 0...63.
    let depth: Int
    /// The half bytes, then zeros.
    let prefix: Bytes32

    /// The place at `depth` above `path`.
    init(above path: Bytes32, depth: Int) {
        self.depth = depth
        prefix = path.keepingNibbles(depth)
    }

    /// A place whose half bytes are known, the others zero.
    init(depth: Int, prefix: Bytes32) {
        self.depth = depth
        self.prefix = prefix
    }

    static let root = TreePlace(above: .zero, depth: 0)

    /// The key in the store: the depth (one byte), then the half bytes, two to a byte.
    var storeKey: [UInt8] {
        prefix.withUnsafeBytes { [UInt8(depth)] + $0.prefix((depth + 1) / 2) }
    }

    /// Appends the key in the store.
    func appendStoreKey(to bytes: inout [UInt8]) {
        bytes.append(UInt8(depth))
        prefix.withUnsafeBytes { bytes.append(contentsOf: $0.prefix((depth + 1) / 2)) }
    }
}

extension TreePlace {
    /// Of `SlotIndex`. Paths are hashes: their first word spreads as well as the whole.
    var indexHash: UInt64 { SlotIndex.hash(prefix.leadingWord, UInt64(depth)) }

    /// The `indexHash` of the place at a depth below 16 above `path`.
    static func indexHash(above path: Bytes32, depth: Int) -> UInt64 {
        let kept: UInt64 = depth == 0 ? 0 : .max << UInt64(64 - 4 * depth)
        return SlotIndex.hash(path.leadingWord & kept, UInt64(depth))
    }
}

/// Sixteen binary levels' worth of the state tree: the children at the next half byte.
///
/// Wire: bits of the present children (two bytes), bits of the leaves among them (two bytes), then
/// each child by half byte: a leaf as path and hash, a subtree as its hash.
struct TreeNode: Hashable, Sendable {
    private var present: UInt16 = 0
    private var leaves: UInt16 = 0
    /// Those present, in the order of their half bytes.
    private var children: [TreeChild] = []

    var count: Int { children.count }

    /// Half bytes with a child, and those with a leaf.
    var masks: (present: UInt16, leaves: UInt16) { (present, leaves) }

    /// The only child, if it is a leaf.
    var onlyLeaf: TreeChild? {
        children.count == 1 && leaves != 0 ? children[0] : nil
    }

    /// The child at a half byte, 0...15.
    subscript(nibble: Int) -> TreeChild? {
        get { present & bit(nibble) == 0 ? nil : children[place(of: nibble)] }
        set {
            let place = place(of: nibble)
            switch (present & bit(nibble) != 0, newValue) {
            case (true, let child?): children[place] = child
            case (true, nil): children.remove(at: place)
            case (false, let child?): children.insert(child, at: place)
            case (false, nil): break
            }
            mark(nibble, newValue)
        }
    }

    private mutating func mark(_ nibble: Int, _ child: TreeChild?) {
        present &= ~bit(nibble)
        leaves &= ~bit(nibble)
        guard let child else { return }
        present |= bit(nibble)
        if case .leaf = child { leaves |= bit(nibble) }
    }

    private func bit(_ nibble: Int) -> UInt16 { 1 << UInt16(nibble) }

    private func place(of nibble: Int) -> Int {
        (present & (bit(nibble) &- 1)).nonzeroBitCount
    }

    /// The hash of the subtree: 32 zero bytes without a leaf, the leaf's hash with one.
    var hash: Bytes32 { hash(from: 0, width: 16) }

    /// The way to a half byte through the four binary levels of this node.
    struct Step {
        /// The hashes beside the way, from above.
        var siblings: [Bytes32] = []
        /// The only leaf below the place where the way ends, or the node that it leads on to; nil
        /// where nothing is.
        var end: TreeChild?
    }

    /// Goes towards `nibble` as far as more than one leaf lies below.
    func step(towards nibble: Int) -> Step {
        var step = Step()
        var from = 0
        var width = 16
        while width > 1, !isAtMostOneLeaf(from, width) {
            width /= 2
            let isRight = nibble & width != 0
            step.siblings.append(hash(from: isRight ? from : from + width, width: width))
            if isRight { from += width }
        }
        let here = present & mask(from, width)
        if here != 0 { step.end = children[place(of: here.trailingZeroBitCount)] }
        return step
    }

    /// Whether nothing or a single leaf is among these half bytes.
    private func isAtMostOneLeaf(_ nibble: Int, _ width: Int) -> Bool {
        let here = present & mask(nibble, width)
        return here == 0 || here & (here &- 1) == 0 && here & leaves != 0
    }

    private func mask(_ nibble: Int, _ width: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: (1 << width) - 1) << UInt16(nibble)
    }

    private func hash(from nibble: Int, width: Int) -> Bytes32 {
        let here = present & mask(nibble, width)
        guard here != 0 else { return .zero }
        if width == 1 || isAtMostOneLeaf(nibble, width) {
            return children[place(of: here.trailingZeroBitCount)].hash
        }
        let half = width / 2
        return Digest.hash(
            .stateNode, hash(from: nibble, width: half), hash(from: nibble + half, width: half)
        ).bytes32
    }
}

extension TreeNode: BCSCodable {
    func encode(to writer: inout BCSWriter) {
        writer.append(present)
        writer.append(leaves)
        for child in children {
            if case .leaf(let path, _) = child { writer.append(path) }
            writer.append(child.hash)
        }
    }

    init(from reader: inout BCSReader) throws(BCSError) {
        (present, leaves) = try TreeNode.masks(from: &reader)
        children.reserveCapacity(present.nonzeroBitCount)
        for nibble in 0..<16 where present & bit(nibble) != 0 {
            if leaves & bit(nibble) != 0 {
                let path = try reader.readBytes32()
                children.append(.leaf(path: path, hash: try reader.readBytes32()))
            } else {
                children.append(.inner(hash: try reader.readBytes32()))
            }
        }
    }

    /// The half bytes with a child, and those with a leaf.
    static func masks(
        from reader: inout BCSReader
    ) throws(BCSError) -> (present: UInt16, leaves: UInt16) {
        let present = try reader.readUInt16()
        let leaves = try reader.readUInt16()
        guard leaves & ~present == 0 else {
            throw reader.fault(.invalidValue("a leaf that isn't present"))
        }
        return (present, leaves)
    }
}
