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
/// An update walks all changed paths of a block together, sorted: each node on the way is read,
/// written and hashed once.
package struct StateTree: Sendable {
    /// A value that was put or, with nil, taken away.
    package struct Change: Hashable, Sendable {
        package let path: Bytes32
        /// `H(stateLeaf, path ‖ value hash)`.
        package let leafHash: Bytes32?

        /// The change of the value at `path` to one whose hash is `valueHash`.
        package init(path: Bytes32, valueHash: Bytes32?) {
            self.path = path
            leafHash = valueHash.map { Digest.hash(.stateLeaf, path, $0).bytes32 }
        }
    }

    /// Nodes of a generation of the cache: with about 250 bytes each, 8 MB in two generations, and
    /// every node of 100,000 values.
    package static let cachedNodesMax = 16_384

    private var nodes: OverlayCache<TreePlace, TreeNode>

    package init(cachedNodesMax: Int = StateTree.cachedNodesMax) {
        nodes = OverlayCache(countMax: cachedNodesMax)
    }

    /// Carries out `changes`, sorted by path, each path once; the nodes that change go to `writes`.
    /// - Returns: The root.
    /// - Throws: `StorageFault` when a node is missing or damaged.
    package mutating func update(
        _ changes: [Change], source: any KeyValueSource, into writes: inout WriteSet
    ) throws(StorageFault) -> Digest {
        let isSorted = zip(changes, changes.dropFirst()).allSatisfy { $0.path < $1.path }
        precondition(isSorted, "changes of the tree unsorted or repeated")
        var root = try node(at: .root, source) ?? TreeNode()
        guard !changes.isEmpty else { return Digest(root.hash) }
        try apply(changes[...], to: &root, depth: 0, source, &writes)
        store(root, at: .root, &writes)
        return Digest(root.hash)
    }

    /// The store has every write that was handed out.
    package mutating func writesApplied() { nodes.writesApplied() }

    private mutating func apply(
        _ changes: ArraySlice<Change>, to node: inout TreeNode, depth: Int,
        _ source: any KeyValueSource, _ writes: inout WriteSet
    ) throws(StorageFault) {
        var rest = changes
        while let first = rest.first {
            let nibble = first.path.nibble(at: depth)
            let group = rest.prefix { $0.path.nibble(at: depth) == nibble }
            rest = rest.dropFirst(group.count)
            node[nibble] = try child(node[nibble], after: group, depth: depth + 1, source, &writes)
        }
    }

    private mutating func child(
        _ child: TreeChild?, after changes: ArraySlice<Change>, depth: Int,
        _ source: any KeyValueSource, _ writes: inout WriteSet
    ) throws(StorageFault) -> TreeChild? {
        guard case .inner = child else {
            let leaves = StateTree.leaves(of: child, after: changes)
            return build(leaves[...], depth: depth, &writes)
        }
        let place = TreePlace(above: changes[changes.startIndex].path, depth: depth)
        guard var node = try node(at: place, source) else { throw StateTree.lacks(place) }
        try apply(changes, to: &node, depth: depth, source, &writes)
        if node.count == 0 || node.onlyLeaf != nil {
            remove(place, &writes)
            return node.onlyLeaf
        }
        store(node, at: place, &writes)
        return .inner(hash: node.hash)
    }

    static func lacks(_ place: TreePlace) -> StorageFault {
        StorageFault(
            "the state tree lacks the node at \(Hex.encode(place.storeKey)): the store is"
                + " damaged; move it away and let the node fetch the chain again")
    }

    /// The leaves below a place that held at most one, sorted by path.
    private static func leaves(
        of child: TreeChild?, after changes: ArraySlice<Change>
    ) -> [Change] {
        var leaves = changes.filter { $0.leafHash != nil }
        guard case .leaf(let path, let hash) = child,
            !changes.contains(where: { $0.path == path })
        else { return leaves }
        let place = leaves.firstIndex { $0.path > path } ?? leaves.count
        leaves.insert(Change(path: path, leafHash: hash), at: place)
        return leaves
    }

    private mutating func build(
        _ leaves: ArraySlice<Change>, depth: Int, _ writes: inout WriteSet
    ) -> TreeChild? {
        guard let first = leaves.first, let hash = first.leafHash else { return nil }
        guard leaves.count > 1 else { return .leaf(path: first.path, hash: hash) }
        var node = TreeNode()
        var rest = leaves
        while let next = rest.first {
            let nibble = next.path.nibble(at: depth)
            let group = rest.prefix { $0.path.nibble(at: depth) == nibble }
            rest = rest.dropFirst(group.count)
            node[nibble] = build(group, depth: depth + 1, &writes)
        }
        store(node, at: TreePlace(above: first.path, depth: depth), &writes)
        return .inner(hash: node.hash)
    }

    private mutating func node(
        at place: TreePlace, _ source: any KeyValueSource
    ) throws(StorageFault) -> TreeNode? {
        switch nodes.recall(place) {
        case .value(let node): return node
        case .deleted: return nil
        case .unknown: break
        }
        guard let bytes = try source.value(in: .nodes, for: place.storeKey) else { return nil }
        do throws(BCSError) {
            let node = try TreeNode(bcs: bytes)
            nodes.keep(node, for: place)
            return node
        } catch {
            throw StorageFault("node \(Hex.encode(place.storeKey)) of the state tree: \(error)")
        }
    }

    private mutating func store(_ node: TreeNode, at place: TreePlace, _ writes: inout WriteSet) {
        nodes.keep(node, for: place)
        writes.put(node.bcsBytes, in: .nodes, for: place.storeKey)
    }

    private mutating func remove(_ place: TreePlace, _ writes: inout WriteSet) {
        nodes.keep(nil, for: place)
        writes.delete(place.storeKey, in: .nodes)
    }
}

extension StateTree.Change {
    fileprivate init(path: Bytes32, leafHash: Bytes32) {
        self.path = path
        self.leafHash = leafHash
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
