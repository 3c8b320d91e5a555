internal import CMemory
internal import Primitives

/// Nodes of the state tree in memory, in front of the store: every one that was changed since the
/// store was last up to date, which must not be lost, and others up to a bound in bytes.
///
/// As `ResidentTable`, but that the nodes' bytes lie in an arena and are found through the index
/// alone. A slot is the number of a node's cell; it holds until the node changes its size or the
/// table is trimmed.
struct NodeTable: Sendable {
    let bytesMax: Int
    /// What the nodes take, without cells of no use: after `trim` those are about half as much at
    /// most.
    private(set) var bytes = 0
    private(set) var arena = CellArena()
    private var index = SlotIndex()
    /// All slots, in the order in which the hand goes round.
    private var order: [UInt32] = []
    private var hand = 0

    /// A node's share of the index and the order.
    private static let shareBytes = 20

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// The number of places about which something is known.
    var count: Int { order.count }

    /// Until the next copy of the table is made, nodes may be changed.
    mutating func makeUnique() { arena.makeUnique() }

    /// The node at a slot. Nobody may change it but after `makeUnique`.
    subscript(slot: Int) -> NodeCell {
        @inline(__always) get { NodeCell(at: arena.address(of: slot)) }
    }

    func slot(of place: TreePlace) -> Int? {
        index.find(place.indexHash) { self[$0].isAt(place) }
    }

    /// Says that the child at a half byte of a node will change soon. Each step brings what the
    /// next one reads: the index, the node's beginning, the rest.
    func foresee(_ hash: UInt64, _ nibble: Int, _ step: Foresight) {
        guard step != .index else { return index.foresee(hash) }
        guard let slot = index.candidate(hash) else { return }
        guard step != .value else {
            return offpeak_prefetch(arena.address(of: slot), CellArena.unitBytes)
        }
        self[slot].foresee(nibble) { offpeak_prefetch($0, $1) }
    }

    /// Takes up the node of a row of the store, which isn't there yet.
    /// - Returns: Its slot.
    mutating func insert(row: [UInt8], at place: TreePlace) throws(BCSError) -> Int {
        var reader = BCSReader(row)
        let shape = NodeCell.Shape(try TreeNode.masks(from: &reader))
        let wanted = shape.rowBytes - 4
        guard reader.remaining == wanted else {
            throw reader.fault(.truncated(needed: wanted, left: reader.remaining))
        }
        return insert(row, shape, at: place)
    }

    /// Takes up a node that isn't there yet.
    /// - Returns: Its slot.
    mutating func insert(_ node: TreeNode, at place: TreePlace) -> Int {
        insert(node.bcsBytes, NodeCell.Shape(node.masks), at: place)
    }

    private mutating func insert(
        _ row: [UInt8], _ shape: NodeCell.Shape, at place: TreePlace
    ) -> Int {
        let slot = allocate(shape.units, at: place, isAbsent: false)
        self[slot].setRow(row)
        self[slot].position = order.count
        order.append(UInt32(slot))
        index.insert(place.indexHash, slot)
        bytes += NodeTable.shareBytes
        return slot
    }

    private mutating func allocate(_ units: Int, at place: TreePlace, isAbsent: Bool) -> Int {
        let slot = arena.allocate(units: units)
        bytes += units * CellArena.unitBytes
        _ = NodeCell(
            at: arena.address(of: slot), place: place, units: units, isAbsent: isAbsent)
        return slot
    }

    /// Puts another node, or nil for none, where one is.
    /// - Returns: Its slot.
    mutating func replace(_ slot: Int, with node: TreeNode?) -> Int {
        let place = self[slot].place
        let position = self[slot].position
        release(slot)
        let units = node.map { NodeCell.Shape($0.masks).units } ?? NodeCell.absentUnits
        let other = allocate(units, at: place, isAbsent: node == nil)
        if let node { self[other].setRow(node.bcsBytes) }
        self[other].position = position
        order[position] = UInt32(other)
        if other != slot { index.move(place.indexHash, from: slot, to: other) }
        return other
    }

    private mutating func release(_ slot: Int) {
        let units = self[slot].units
        arena.release(slot, units: units)
        bytes -= units * CellArena.unitBytes
    }

    /// Takes away what goes beyond the bound; the store must have every change.
    mutating func trim() {
        trimToBound()
        // Cells serve only others of their size, and nodes grow.
        if 2 * arena.usedBytes > 3 * bytes + NodeTable.spareBytes { compact() }
    }

    /// Room for cells of no use that is left alone.
    private static let spareBytes = 1 << 20

    /// Moves all nodes to an arena without gaps.
    private mutating func compact() {
        let old = self
        arena = CellArena()
        index = SlotIndex()
        for (position, slot) in old.order.enumerated() {
            let cell = old[Int(slot)]
            let other = arena.allocate(units: cell.units)
            arena.address(of: other).copyMemory(
                from: old.arena.address(of: Int(slot)),
                byteCount: cell.units * CellArena.unitBytes)
            order[position] = UInt32(other)
            index.insert(cell.place.indexHash, other)
        }
    }

    private mutating func trimToBound() {
        guard bytes > bytesMax else { return }
        makeUnique()
        while bytes > bytesMax, !order.isEmpty {
            if hand >= order.count { hand = 0 }
            let slot = Int(order[hand])
            if self[slot].isUsed {
                self[slot].isUsed = false
                hand += 1
            } else {
                remove(slot)
            }
        }
    }

    /// The last one in the order takes the place of the one that goes.
    private mutating func remove(_ slot: Int) {
        let position = self[slot].position
        index.remove(self[slot].place.indexHash, slot)
        release(slot)
        bytes -= NodeTable.shareBytes
        let last = order.removeLast()
        guard position < order.count else { return }
        order[position] = last
        self[Int(last)].position = position
    }
}
