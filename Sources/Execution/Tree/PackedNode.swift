internal import CMemory
internal import Primitives

/// A node of the state tree as the store has it, with the hashes of its binary levels where they
/// save work: an update replaces hashes where they lie, and hands the bytes out as they are.
struct PackedNode: ResidentValue {
    /// Which children there are.
    struct Shape: Sendable {
        /// Half bytes with a child, and those with a leaf.
        let present: UInt16
        let leaves: UInt16
    }

    /// With at most so many children nearly all binary hashes change with each child.
    fileprivate static let narrowCountMax = 4
    /// Room for the hashes of the binary places 1...15: 1 is the top, 2n and 2n + 1 lie below n,
    /// and the children follow as 16...31.
    static let binaryBytes = 15 * 32

    let shape: Shape
    /// Whether the binary hashes are there and right but for what is being changed.
    var isFilled = false
    /// Room for binary hashes if it is wide, then the row; empty for a node that isn't there.
    private(set) var bytes: [UInt8]

    var isAbsent: Bool { bytes.isEmpty }
    private var rowStart: Int { shape.rowStart }

    var heapBytes: Int { bytes.isEmpty ? 0 : bytes.count + 48 }

    func foreseeHeap() {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            offpeak_prefetch(base - 32, 32 + bytes.count)
        }
    }

    /// What stands for a node that isn't there.
    static let absent = PackedNode(Shape(present: 0, leaves: 0))

    private init(_ shape: Shape) {
        self.shape = shape
        bytes = []
    }

    init(_ node: TreeNode) {
        self.init(Shape(node.masks), row: node.bcsBytes)
    }

    /// The node of a row of the store.
    init(row: [UInt8]) throws(BCSError) {
        var reader = BCSReader(row)
        let shape = Shape(try TreeNode.masks(from: &reader))
        let wanted = 32 * (shape.present.nonzeroBitCount + shape.leaves.nonzeroBitCount)
        guard reader.remaining == wanted else {
            throw reader.fault(.truncated(needed: wanted, left: reader.remaining))
        }
        self.init(shape, row: row)
    }

    private init(_ shape: Shape, row: [UInt8]) {
        self.init(shape)
        if shape.isWide {
            bytes.reserveCapacity(PackedNode.binaryBytes + row.count)
            bytes.append(contentsOf: repeatElement(0, count: PackedNode.binaryBytes))
            bytes.append(contentsOf: row)
        } else {
            bytes = row
        }
    }

    /// The row of the store, valid during the call.
    func withRow<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[rowStart...])) }
    }

    /// The same node in its parts.
    func unpacked() throws(BCSError) -> TreeNode { try TreeNode(bcs: Array(bytes[rowStart...])) }

    // MARK: Children

    func child(_ nibble: Int) -> TreeChild? {
        guard shape.hasChild(nibble) else { return nil }
        guard shape.hasLeaf(nibble) else { return .inner(hash: childHash(nibble)) }
        return .leaf(path: leafPath(nibble), hash: childHash(nibble))
    }

    /// The path of the leaf at a half byte.
    func leafPath(_ nibble: Int) -> Bytes32 { load(at: shape.offset(of: nibble)) }

    /// The hash of the child at a half byte.
    func childHash(_ nibble: Int) -> Bytes32 { load(at: shape.hashOffset(of: nibble)) }

    private func load(at offset: Int) -> Bytes32 {
        bytes.withUnsafeBytes {
            Bytes32(loading: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + 32]))
        }
    }

    /// Replaces the hash of the child at a half byte.
    mutating func setHash(_ hash: UnsafeRawBufferPointer, of nibble: Int) {
        let offset = shape.hashOffset(of: nibble)
        bytes.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + 32]).copyMemory(from: hash)
        }
    }

    /// Replaces the hash of the leaf with this path.
    /// - Returns: Whether it is there.
    mutating func setLeaf(_ path: Bytes32, _ hash: Bytes32, at nibble: Int) -> Bool {
        guard shape.hasLeaf(nibble), leafPath(nibble) == path else { return false }
        hash.withUnsafeBytes { setHash($0, of: nibble) }
        return true
    }
}

extension PackedNode.Shape {
    init(_ masks: (present: UInt16, leaves: UInt16)) {
        self.init(present: masks.present, leaves: masks.leaves)
    }

    var isWide: Bool { present.nonzeroBitCount > PackedNode.narrowCountMax }
    var rowStart: Int { isWide ? PackedNode.binaryBytes : 0 }

    func hasChild(_ nibble: Int) -> Bool { present >> UInt16(nibble) & 1 == 1 }

    func hasLeaf(_ nibble: Int) -> Bool { leaves >> UInt16(nibble) & 1 == 1 }

    /// Where the entry of a child begins, or would begin.
    func offset(of nibble: Int) -> Int {
        let before = (1 as UInt16) << UInt16(nibble) &- 1
        let hashes = (present & before).nonzeroBitCount &+ (leaves & before).nonzeroBitCount
        return rowStart &+ 4 &+ 32 &* hashes
    }

    func hashOffset(of nibble: Int) -> Int {
        offset(of: nibble) &+ (hasLeaf(nibble) ? 32 : 0)
    }
}

// MARK: Binary levels

extension PackedNode.Shape {
    /// The half bytes below a binary place, 1...15.
    private func mask(below place: Int) -> UInt16 {
        let level = Int.bitWidth - 1 - place.leadingZeroBitCount
        let width = 16 >> level
        let first = (place &- (1 << level)) &* width
        return UInt16(truncatingIfNeeded: (1 << width) - 1) << UInt16(truncatingIfNeeded: first)
    }

    /// The binary places with more than one leaf below, whose hashes are made of two others: bit n
    /// for place n.
    private var madePlaces: UInt16 {
        var any = UInt32(present)
        var many = UInt32(present & ~leaves)
        var places: UInt32 = 0
        // From each level to the one above, where two places become one.
        var width: UInt32 = 8
        while width > 0 {
            many = Self.halved(many | any & any >> 1 & 0x5555)
            any = Self.halved(any)
            places |= many << width
            width >>= 1
        }
        return UInt16(truncatingIfNeeded: places)
    }

    /// The binary places whose hashes must be made after those of some children changed: bit n for
    /// place n.
    fileprivate func places(above changed: UInt16) -> UInt16 {
        var level = UInt32(changed)
        var places: UInt32 = 0
        var width: UInt32 = 8
        while width > 0 {
            level = Self.halved(level)
            places |= level << width
            width >>= 1
        }
        return UInt16(truncatingIfNeeded: places) & madePlaces
    }

    /// Bit n of the result is set where bit 2n or 2n + 1 of sixteen is.
    private static func halved(_ bits: UInt32) -> UInt32 {
        var bits = (bits | bits >> 1) & 0x5555
        bits = (bits | bits >> 1) & 0x3333
        bits = (bits | bits >> 2) & 0x0F0F
        return (bits | bits >> 4) & 0x00FF
    }

    /// Copies the hash at a place: 1...15 a binary one, from 16 on that of a child.
    /// - Parameters:
    ///   - base: The node's bytes.
    ///   - binary: Its binary hashes.
    @inline(__always)
    func copyHash(
        at place: Int, from base: UnsafeRawPointer, _ binary: UnsafeRawPointer,
        to target: UnsafeMutableRawPointer
    ) {
        let here = present & (place < 16 ? mask(below: place) : 1 << UInt16(place - 16))
        if here == 0 {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: 32)
        } else if place >= 16 || here & (here &- 1) == 0 && here & leaves != 0 {
            let offset = hashOffset(of: here.trailingZeroBitCount)
            target.copyMemory(from: base + offset, byteCount: 32)
        } else {
            target.copyMemory(from: binary + 32 * (place - 1), byteCount: 32)
        }
    }
}

extension PackedNode {
    /// The binary places whose hashes must be made after those of some children changed: bit n for
    /// place n.
    func places(above changed: UInt16) -> UInt16 {
        shape.places(above: isFilled && shape.isWide ? changed : .max)
    }

    /// Calls `body` with the node's bytes and with the place of its binary hashes.
    /// - Parameter scratch: Where those of a narrow node lie meanwhile.
    @inline(__always)
    mutating func withHashes<Result>(
        _ scratch: UnsafeMutableRawPointer,
        _ body: (UnsafeRawPointer, UnsafeMutableRawPointer) -> Result
    ) -> Result {
        let isWide = shape.isWide
        return bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { preconditionFailure("a node without bytes") }
            return body(base, isWide ? base : scratch)
        }
    }
}
