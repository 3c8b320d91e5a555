package import Primitives

/// The commitment to the state: a sparse Merkle tree over 256-bit paths.
///
/// The root depends on the set of paths and values alone, not on how it came about. With the bits
/// of a path read from the first byte's highest, the hash of a subtree is
///
/// - without a leaf: 32 zero bytes;
/// - with exactly one: `H(stateLeaf, path ‖ H(stateValue, value))`, at whatever depth;
/// - else: `H(stateNode, left ‖ right)`, an empty side being 32 zero bytes.
///
/// Stored as a 16-ary tree (a Jellyfish Merkle tree: Gao, Hu, Wu, 2021): one record for four binary
/// levels, under the half bytes that lead to it, its leaves inside it. Each record is the newest
/// version and replaces the one before it in the write that changes it, so that no stale node is
/// ever left to prune; an older height is read from a snapshot of the store at that height.
///
/// An update walks all changed paths of a block together, sorted: each node on the way is read and
/// changed once, from the top down. Then hashes are made from the lowest nodes up, all those of a
/// binary level together (StateTree+Hashing.swift).
package struct StateTree: Sendable {
    /// A value that was put or, with nil, taken away.
    package struct Change: Hashable, Sendable {
        package let path: Bytes32
        /// `H(stateLeaf, path ‖ value hash)`.
        package let leafHash: Bytes32?

        /// The change of the value at `path` to one whose hash is `valueHash`.
        package init(path: Bytes32, valueHash: Bytes32?) {
            self.init(
                path: path,
                leafHash: valueHash.map { Digest.hash(.stateLeaf, path, $0).bytes32 })
        }

        init(path: Bytes32, leafHash: Bytes32?) {
            self.path = path
            self.leafHash = leafHash
        }
    }

    /// What becomes of the value at a path.
    package struct Leaf: Hashable, Sendable {
        package let path: Bytes32
        /// `H(stateValue, value)`; nil takes it away.
        package let valueHash: Bytes32?

        package init(path: Bytes32, valueHash: Bytes32?) {
            self.path = path
            self.valueHash = valueHash
        }
    }

    /// Changes in the order of their leaves, whose hashes are made together.
    package static func changes(of leaves: [Leaf]) -> [Change] {
        var queue = HashQueue(.stateLeaf)
        for leaf in leaves {
            if let hash = leaf.valueHash { queue.append(leaf.path, hash) }
        }
        var hashes = queue.takeHashes()[...]
        return leaves.map { leaf in
            Change(
                path: leaf.path, leafHash: leaf.valueHash == nil ? nil : hashes.popFirst())
        }
    }

    /// Memory for nodes that no update is changing, in bytes: about all nodes of a million values.
    /// Beyond it those are read from the store again that were asked for the longest time ago.
    package static let cachedBytesMax = 192 << 20

    var nodes: NodeTable
    let hasher = PairHasher(.stateNode)
    /// What the update that goes on has changed, by depth; as many depths as any update had.
    var changed: [[ChangedNode]] = []

    var foresight = TreeForesight(depthEnd: 0)

    /// A node that an update has changed.
    struct ChangedNode: Sendable {
        var slot: Int
        /// Where the node above it stands in the list of its depth, and at which half byte of it
        /// this one hangs.
        let parent: Int
        let nibble: Int
        /// The binary places whose hashes must be made; nothing for a node that is gone.
        var places: UInt16 = 0
        var isGone = false
    }

    /// From so many changes on, those below a branch of the root fill vectors well enough by
    /// themselves.
    private let branchedChangesMin: Int

    package init(cachedBytesMax: Int = StateTree.cachedBytesMax, branchedChangesMin: Int = 1024) {
        self.branchedChangesMin = branchedChangesMin
        nodes = NodeTable(bytesMax: cachedBytesMax)
    }

    /// Carries out `changes`, sorted by path, each path once; the nodes that change go to `writes`.
    /// - Returns: The root.
    /// - Throws: `StorageFault` when a node is missing or damaged.
    package mutating func update(
        _ changes: [Change], source: any KeyValueSource, into writes: inout WriteSet
    ) throws(StorageFault) -> Digest {
        let isSorted = zip(changes, changes.dropFirst()).allSatisfy { $0.path < $1.path }
        precondition(isSorted, "changes of the tree unsorted or repeated")
        nodes.makeUnique()
        let known = try slot(of: .root, source)
        let root = known ?? put(TreeNode(), at: .root)
        guard !changes.isEmpty else { return try Digest(unpacked(root).hash) }
        for depth in changed.indices { changed[depth].removeAll(keepingCapacity: true) }
        foresight = TreeForesight(depthEnd: changed.count)
        return try changes.withUnsafeBufferPointer { (changes) throws(StorageFault) in
            try visit(
                ChangedNode(slot: root, parent: 0, nibble: 0), at: 0,
                Group(changes: changes, range: 0..<changes.count), source, &writes)
            return Digest(makeHashes(from: 0, changes, into: &writes))
        }
    }

    /// The store has every write that was handed out.
    package mutating func writesApplied() { nodes.trim() }

    // MARK: From the top down

    /// Changes that follow each other.
    private struct Group {
        let changes: UnsafeBufferPointer<Change>
        let range: Range<Int>

        var first: Change { changes[range.lowerBound] }

        /// Those at the beginning whose paths have the same half byte at a depth.
        func prefix(at depth: Int, from start: Int) -> Group {
            let nibble = changes[start].path.nibble(at: depth)
            var end = start + 1
            while end < range.upperBound, changes[end].path.nibble(at: depth) == nibble { end += 1 }
            return Group(changes: changes, range: start..<end)
        }
    }

    /// Changes a node and those below it, but not yet their hashes.
    /// - Returns: What hangs at its place then; the hash of a node is still the old one.
    @discardableResult
    private mutating func visit(
        _ node: ChangedNode, at depth: Int, _ group: Group, _ source: any KeyValueSource,
        _ writes: inout WriteSet
    ) throws(StorageFault) -> TreeChild? {
        let place = note(node, at: depth)
        let slot = node.slot
        var changedNibbles: UInt16 = 0
        /// The node in its parts, once it gets or loses a child.
        var parts: TreeNode?
        var start = group.range.lowerBound
        while start < group.range.upperBound {
            let part = group.prefix(at: depth, from: start)
            start = part.range.upperBound
            let nibble = part.first.path.nibble(at: depth)
            foresee(after: part.range.lowerBound, group.changes)
            changedNibbles |= 1 << UInt16(nibble)
            if replaceLeaf(part, nibble, of: slot, &parts) { continue }
            let old = parts.map { $0[nibble] } ?? nodes[slot].child(nibble)
            var new = try child(
                old, part, ChangedNode(slot: 0, parent: place, nibble: nibble), at: depth + 1,
                source, &writes)
            // A branch of the root is finished while its nodes are still near.
            if depth == 0, group.changes.count >= branchedChangesMin {
                let hash = makeHashes(from: 1, group.changes, into: &writes)
                if case .inner = new { new = .inner(hash: hash) }
            }
            if parts == nil {
                if case .inner = old, case .inner(let hash) = new {
                    if depth == 0 { setHash(hash, of: nibble, in: slot) }
                    continue
                }
                parts = try unpacked(slot)
            }
            parts?[nibble] = new
        }
        guard let parts else {
            changed[depth][place].places = nodes[slot].places(above: changedNibbles)
            nodes[slot].isUsed = true
            return .inner(hash: .zero)
        }
        if depth > 0, parts.count == 0 || parts.onlyLeaf != nil {
            writes.delete(nodes[slot].place.storeKey, in: .nodes)
            changed[depth][place].slot = nodes.replace(slot, with: nil)
            changed[depth][place].isGone = true
            return parts.onlyLeaf
        }
        let replaced = nodes.replace(slot, with: parts)
        changed[depth][place].slot = replaced
        changed[depth][place].places = nodes[replaced].places(above: .max)
        return .inner(hash: .zero)
    }

    /// Replaces the hash of a single leaf that is there already: what most changes are.
    private mutating func replaceLeaf(
        _ part: Group, _ nibble: Int, of slot: Int, _ parts: inout TreeNode?
    ) -> Bool {
        guard part.range.count == 1, let hash = part.first.leafHash else { return false }
        let path = part.first.path
        guard parts == nil else {
            guard case .leaf(path, _) = parts?[nibble] else { return false }
            parts?[nibble] = .leaf(path: path, hash: hash)
            return true
        }
        return nodes[slot].setLeaf(path, hash, at: nibble)
    }

    /// - Parameter node: Where the child hangs; its slot isn't known yet.
    private mutating func child(
        _ child: TreeChild?, _ group: Group, _ node: ChangedNode, at depth: Int,
        _ source: any KeyValueSource, _ writes: inout WriteSet
    ) throws(StorageFault) -> TreeChild? {
        guard case .inner = child else {
            let leaves = StateTree.leaves(of: child, after: Array(group.changes[group.range]))
            return build(leaves[...], node, at: depth)
        }
        let place = TreePlace(above: group.first.path, depth: depth)
        guard let slot = try slot(of: place, source) else { throw StateTree.lacks(place) }
        return try visit(
            ChangedNode(slot: slot, parent: node.parent, nibble: node.nibble), at: depth, group,
            source, &writes)
    }

    static func lacks(_ place: TreePlace) -> StorageFault {
        StorageFault(
            "the state tree lacks the node at \(Hex.encode(place.storeKey)): the store is"
                + " damaged; move it away and let the node fetch the chain again")
    }

    /// The leaves below a place that held at most one, sorted by path.
    private static func leaves(
        of child: TreeChild?, after changes: [Change]
    ) -> [Change] {
        var leaves = changes.filter { $0.leafHash != nil }
        guard case .leaf(let path, let hash) = child,
            !changes.contains(where: { $0.path == path })
        else { return leaves }
        let place = leaves.firstIndex { $0.path > path } ?? leaves.count
        leaves.insert(Change(path: path, leafHash: hash), at: place)
        return leaves
    }

    /// Makes the nodes over leaves where none were.
    private mutating func build(
        _ leaves: ArraySlice<Change>, _ node: ChangedNode, at depth: Int
    ) -> TreeChild? {
        guard let first = leaves.first, let hash = first.leafHash else { return nil }
        guard leaves.count > 1 else { return .leaf(path: first.path, hash: hash) }
        let place = note(node, at: depth)
        var parts = TreeNode()
        var rest = leaves
        while let next = rest.first {
            let nibble = next.path.nibble(at: depth)
            let group = rest.prefix { $0.path.nibble(at: depth) == nibble }
            rest = rest.dropFirst(group.count)
            parts[nibble] = build(
                group, ChangedNode(slot: 0, parent: place, nibble: nibble), at: depth + 1)
        }
        let slot = put(parts, at: TreePlace(above: first.path, depth: depth))
        changed[depth][place] = ChangedNode(
            slot: slot, parent: node.parent, nibble: node.nibble,
            places: nodes[slot].places(above: .max))
        return .inner(hash: .zero)
    }

    /// - Returns: Its place in the list of its depth.
    private mutating func note(_ node: ChangedNode, at depth: Int) -> Int {
        if changed.count <= depth { changed.append([]) }
        changed[depth].append(node)
        return changed[depth].count - 1
    }

    // MARK: Nodes in memory

    /// Where the node lies in memory; nil if there is none.
    private mutating func slot(
        of place: TreePlace, _ source: any KeyValueSource
    ) throws(StorageFault) -> Int? {
        if let slot = nodes.slot(of: place) { return nodes[slot].isAbsent ? nil : slot }
        guard let row = try source.value(in: .nodes, for: place.storeKey) else { return nil }
        do throws(BCSError) {
            return try nodes.insert(row: row, at: place)
        } catch {
            throw StorageFault("node \(Hex.encode(place.storeKey)) of the state tree: \(error)")
        }
    }

    private func unpacked(_ slot: Int) throws(StorageFault) -> TreeNode {
        do throws(BCSError) {
            return try nodes[slot].unpacked()
        } catch {
            throw StorageFault("a node of the state tree: \(error)")
        }
    }

    /// - Returns: Where it lies.
    private mutating func put(_ node: TreeNode, at place: TreePlace) -> Int {
        guard let slot = nodes.slot(of: place) else { return nodes.insert(node, at: place) }
        return nodes.replace(slot, with: node)
    }
}

extension StateTree {
    /// The root of a set of paths and value hashes, straight from the definition.
    ///
    /// O(n log n); for audits. `leaves` are sorted by path, each path once.
    package static func root(of leaves: ArraySlice<Change>, bit: Int = 0) -> Digest {
        guard let first = leaves.first, let hash = first.leafHash else { return .zero }
        guard leaves.count > 1 else { return Digest(hash) }
        let isRight = { (leaf: Change) in
            leaf.path.nibble(at: bit / 4) & (8 >> (bit % 4)) != 0
        }
        let middle = leaves.firstIndex(where: isRight) ?? leaves.endIndex
        return .hash(
            .stateNode, root(of: leaves[..<middle], bit: bit + 1).bytes32,
            root(of: leaves[middle...], bit: bit + 1).bytes32)
    }
}
