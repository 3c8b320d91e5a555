internal import Primitives

/// A node of the state tree in memory: its place, its row as the store has it, and the hashes of
/// its binary levels where they save work. An update replaces hashes where they lie, and hands the
/// row out as it is.
///
/// Bytes: the place's half bytes (32), its depth, flags, the cell's units, the position in the
/// table's order (four from 36 on); from 60 on the row: both masks, then hashes and paths, each
/// within one line of the processor's caches; last, at a line's start, the binary hashes of a wide
/// node: that of place p at 32·p, so that two that are hashed together lie together.
///
/// Valid until the table takes up or changes the size of a node.
struct NodeCell {
    /// Which children there are.
    struct Shape: Sendable {
        /// Half bytes with a child, and those with a leaf.
        let present: UInt16
        let leaves: UInt16
    }

    private enum Offset {
        static let depth = 32
        static let flags = 33
        static let units = 34
        static let position = 36
        static let row = 60
        static let hashes = 64
    }

    private enum Flag {
        /// Since the table's hand came by.
        static let used: UInt8 = 1
        /// The binary hashes are there and right but for what is being changed.
        static let filled: UInt8 = 2
        /// Stands for a node that isn't there.
        static let absent: UInt8 = 4
    }

    /// With at most so many children nearly all binary hashes change with each child.
    fileprivate static let narrowCountMax = 4
    /// Room for the hashes of the binary places 1...15: 1 is the top, 2n and 2n + 1 lie below n,
    /// and the children follow as 16...31.
    static let binaryBytes = 16 * 32
    /// Of a cell that stands for a node that isn't there.
    static let absentUnits = 1

    private let base: UnsafeMutableRawPointer

    init(at base: UnsafeMutableRawPointer) { self.base = base }

    /// A cell of `shape.units` or `absentUnits` units, whose contents are undefined yet.
    init(at base: UnsafeMutableRawPointer, place: TreePlace, units: Int, isAbsent: Bool) {
        self.base = base
        base.storeBytes(of: place.prefix, as: Bytes32.self)
        base.storeBytes(of: UInt8(place.depth), toByteOffset: Offset.depth, as: UInt8.self)
        base.storeBytes(
            of: Flag.used | (isAbsent ? Flag.absent : 0), toByteOffset: Offset.flags,
            as: UInt8.self)
        base.storeBytes(of: UInt8(units), toByteOffset: Offset.units, as: UInt8.self)
        (base + Offset.row).initializeMemory(as: UInt8.self, repeating: 0, count: 4)
    }

    // MARK: What the table keeps

    var place: TreePlace { TreePlace(depth: depth, prefix: prefix) }
    private var prefix: Bytes32 { base.load(as: Bytes32.self) }
    private var depth: Int { Int(base.load(fromByteOffset: Offset.depth, as: UInt8.self)) }

    func isAt(_ place: TreePlace) -> Bool { prefix == place.prefix && depth == place.depth }

    var units: Int { Int(base.load(fromByteOffset: Offset.units, as: UInt8.self)) }

    /// Where the cell's number stands in the table's order.
    var position: Int {
        get { Int(base.load(fromByteOffset: Offset.position, as: UInt32.self)) }
        nonmutating set {
            base.storeBytes(of: UInt32(newValue), toByteOffset: Offset.position, as: UInt32.self)
        }
    }

    private var flags: UInt8 {
        get { base.load(fromByteOffset: Offset.flags, as: UInt8.self) }
        nonmutating set {
            base.storeBytes(of: newValue, toByteOffset: Offset.flags, as: UInt8.self)
        }
    }

    var isAbsent: Bool { flags & Flag.absent != 0 }

    var isUsed: Bool {
        get { flags & Flag.used != 0 }
        nonmutating set { flags = newValue ? flags | Flag.used : flags & ~Flag.used }
    }

    private var isFilled: Bool { flags & Flag.filled != 0 }

    // MARK: The row

    var shape: Shape {
        Shape(
            present: UInt16(
                littleEndian: base.load(fromByteOffset: Offset.row, as: UInt16.self)),
            leaves: UInt16(
                littleEndian: base.load(fromByteOffset: Offset.row + 2, as: UInt16.self)))
    }

    /// The row of the store.
    var row: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Offset.row, count: shape.rowBytes)
    }

    /// Takes over a row whose shape the cell was made for.
    func setRow(_ row: [UInt8]) {
        row.withUnsafeBytes { row in
            UnsafeMutableRawBufferPointer(start: base + Offset.row, count: row.count)
                .copyMemory(from: row)
        }
    }

    /// The same node in its parts.
    func unpacked() throws(BCSError) -> TreeNode { try TreeNode(bcs: Array(row)) }

    /// What an update reads of the node when the child at a half byte changes.
    func foresee(_ nibble: Int, _ bring: (UnsafeRawPointer, Int) -> Void) {
        let shape = shape
        bring(base + Offset.hashes, shape.rowBytes)
        guard shape.isWide, isFilled else { return }
        let binary = base + shape.binaryStart
        var place = (16 + nibble) / 2
        while place > 0 {
            bring(binary + 32 * place, 32)
            place /= 2
        }
    }

    // MARK: Children

    func child(_ nibble: Int) -> TreeChild? {
        let shape = shape
        guard shape.hasChild(nibble) else { return nil }
        guard shape.hasLeaf(nibble) else { return .inner(hash: load(at: shape.offset(of: nibble))) }
        let offset = shape.offset(of: nibble)
        return .leaf(path: load(at: offset), hash: load(at: offset + 32))
    }

    private func load(at offset: Int) -> Bytes32 {
        Bytes32(loading: UnsafeRawBufferPointer(start: base + offset, count: 32))
    }

    /// Replaces the hash of the child at a half byte, which is there.
    func setHash(_ hash: Bytes32, of nibble: Int) {
        let offset = shape.hashOffset(of: nibble)
        hash.withUnsafeBytes { hash in
            UnsafeMutableRawBufferPointer(start: base + offset, count: 32).copyMemory(from: hash)
        }
    }

    /// Replaces the hash of the leaf with this path.
    /// - Returns: Whether it is there.
    func setLeaf(_ path: Bytes32, _ hash: Bytes32, at nibble: Int) -> Bool {
        let shape = shape
        guard shape.hasLeaf(nibble), load(at: shape.offset(of: nibble)) == path else {
            return false
        }
        setHash(hash, of: nibble)
        return true
    }
}

extension NodeCell.Shape {
    init(_ masks: (present: UInt16, leaves: UInt16)) {
        self.init(present: masks.present, leaves: masks.leaves)
    }

    var isWide: Bool { present.nonzeroBitCount > NodeCell.narrowCountMax }

    /// Of the row in the store.
    var rowBytes: Int { 4 &+ 32 &* (present.nonzeroBitCount &+ leaves.nonzeroBitCount) }

    /// Where binary hashes begin, or would begin.
    var binaryStart: Int { (60 &+ rowBytes &+ 63) & ~63 }

    /// Of the cell.
    var units: Int {
        (binaryStart + (isWide ? NodeCell.binaryBytes : 0)) / CellArena.unitBytes
    }

    func hasChild(_ nibble: Int) -> Bool { present >> UInt16(nibble) & 1 == 1 }

    func hasLeaf(_ nibble: Int) -> Bool { leaves >> UInt16(nibble) & 1 == 1 }

    /// Where the entry of a child begins, or would begin.
    func offset(of nibble: Int) -> Int {
        let before = (1 as UInt16) << UInt16(nibble) &- 1
        let hashes = (present & before).nonzeroBitCount &+ (leaves & before).nonzeroBitCount
        return 64 &+ 32 &* hashes
    }

    func hashOffset(of nibble: Int) -> Int {
        offset(of: nibble) &+ (hasLeaf(nibble) ? 32 : 0)
    }
}

// MARK: Binary levels

extension NodeCell.Shape {
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
    ///   - base: The cell.
    ///   - binary: Its binary hashes.
    @inline(__always)
    fileprivate func copyHash(
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
            target.copyMemory(from: binary + 32 * place, byteCount: 32)
        }
    }
}

extension NodeCell {
    /// The binary places whose hashes must be made after those of some children changed: bit n for
    /// place n.
    func places(above changed: UInt16) -> UInt16 {
        let shape = shape
        return shape.places(above: isFilled && shape.isWide ? changed : .max)
    }

    /// Where binary hashes lie.
    /// - Parameter scratch: Those of a narrow node meanwhile: `binaryBytes`.
    private func binary(
        _ shape: Shape, _ scratch: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        shape.isWide ? base + shape.binaryStart : scratch
    }

    /// Copies what the hashes of binary places are made of, 64 bytes for each.
    func copyPairs(
        _ places: UInt16, _ scratch: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer
    ) {
        let shape = shape
        let binary = binary(shape, scratch)
        var (rest, target) = (places, target)
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            shape.copyHash(at: 2 * place, from: base, binary, to: target)
            shape.copyHash(at: 2 * place + 1, from: base, binary, to: target + 32)
            target += 64
            rest &= rest &- 1
        }
    }

    /// Takes over the hashes of binary places, 32 bytes for each.
    func setHashes(
        _ places: UInt16, _ scratch: UnsafeMutableRawPointer, from hashes: UnsafeRawPointer
    ) {
        let binary = binary(shape, scratch)
        var (rest, hashes) = (places, hashes)
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            (binary + 32 * place).copyMemory(from: hashes, byteCount: 32)
            hashes += 32
            rest &= rest &- 1
        }
    }

    /// All binary hashes are there.
    /// - Returns: The topmost.
    func finish(_ scratch: UnsafeMutableRawPointer) -> Bytes32 {
        flags |= Flag.filled
        let shape = shape
        return withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { top in
            guard let target = top.baseAddress else { return .zero }
            shape.copyHash(at: 1, from: base, binary(shape, scratch), to: target)
            return Bytes32(loading: UnsafeRawBufferPointer(top))
        }
    }
}
