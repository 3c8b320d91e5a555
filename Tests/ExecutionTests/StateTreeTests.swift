import Primitives
import TestSupport
import Testing

@testable import Execution

/// The root by the definition alone: no nodes, no half bytes, no updates.
private func naiveRoot(_ leaves: [Bytes32: Bytes32], bit: Int = 0) -> Bytes32 {
    guard !leaves.isEmpty else { return .zero }
    if leaves.count == 1, let leaf = leaves.first {
        return Digest.hash(.stateLeaf, leaf.key, leaf.value).bytes32
    }
    let right = leaves.filter { $0.key.bytes[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1 }
    let left = leaves.filter { right[$0.key] == nil }
    return Digest.hash(
        .stateNode, naiveRoot(left, bit: bit + 1), naiveRoot(right, bit: bit + 1)
    ).bytes32
}

/// A tree on a store, with the set that it should commit to.
private struct Grove {
    var tree: StateTree
    var store = MemoryStore()
    var leaves: [Bytes32: Bytes32] = [:]

    init(cachedBytesMax: Int = 1_000_000, branchedChangesMin: Int = 8) {
        tree = StateTree(
            cachedBytesMax: cachedBytesMax, branchedChangesMin: branchedChangesMin)
    }

    /// - Parameter applied: Whether the store gets the writes at once.
    mutating func update(
        _ changes: [Bytes32: Bytes32?], pending: inout WriteSet, applied: Bool
    ) throws -> Bytes32 {
        let sorted = changes.sorted { $0.key < $1.key }.map {
            StateTree.Change(path: $0.key, valueHash: $0.value)
        }
        let root = try tree.update(sorted, source: store, into: &pending)
        for (path, value) in changes { leaves[path] = value }
        if applied {
            store.apply(pending)
            pending = WriteSet()
            tree.writesApplied()
        }
        return root.bytes32
    }

    /// With a store of its own; the tree's memory is shared until one of them writes.
    func copy() -> Grove {
        var copy = self
        copy.store = store.copy()
        return copy
    }

    /// The hash of the topmost node that the store has.
    var rootOfStoredNodes: Bytes32 {
        get throws {
            let row = try store.value(in: .nodes, for: TreePlace.root.storeKey) ?? []
            return try TreeNode(bcs: row).hash
        }
    }

    var storedNodes: Int {
        get throws {
            try store.pairs(in: .nodes, from: [], before: nil, limit: 1_000_000).count
        }
    }
}

@Suite struct StateTreeTests {
    /// A path out of few enough that updates and deletions meet old ones, many of them with long
    /// common beginnings.
    private func path(_ generator: inout SeededGenerator) -> Bytes32 {
        var bytes = [UInt8](repeating: 0, count: 32)
        let shared = Int(generator.next() % 33)
        for place in shared..<32 { bytes[place] = UInt8(generator.next() % 3) &* 0x55 }
        return Bytes32(bytes) ?? .zero
    }

    private func value(_ generator: inout SeededGenerator) -> Bytes32 {
        Digest.hash(.random, generator.next().bcsLittleEndian).bytes32
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `the root equals the definition after every random update`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        // A cache of a few nodes makes most of them come back from the store.
        var grove = Grove(cachedBytesMax: seed.isMultiple(of: 2) ? 1000 : 1_000_000)
        var pending = WriteSet()
        for step in 0..<60 {
            var changes: [Bytes32: Bytes32?] = [:]
            for _ in 0..<(generator.next() % 20 + 1) {
                let known = grove.leaves.keys.sorted()
                let old = known.isEmpty ? nil : known[Int(generator.next() % UInt64(known.count))]
                let isOld = generator.next() % 3 > 0
                let path = isOld ? old ?? path(&generator) : path(&generator)
                let isPut = generator.next() % 2 == 0
                changes.updateValue(isPut ? value(&generator) : nil, forKey: path)
            }
            let root = try grove.update(
                changes, pending: &pending, applied: generator.next() % 2 == 0)
            #expect(root == naiveRoot(grove.leaves), "seed \(seed), step \(step)")
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `nodes with many children keep the definition's root too`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var grove = Grove(cachedBytesMax: seed.isMultiple(of: 2) ? 20_000 : 1_000_000)
        var pending = WriteSet()
        let paths = (0..<700).map { _ in value(&generator) }
        for step in 0..<25 {
            var changes: [Bytes32: Bytes32?] = [:]
            for _ in 0..<(generator.next() % (step == 0 ? 600 : 150) + 1) {
                let path = paths[Int(generator.next() % UInt64(paths.count))]
                let isPut = generator.next() % 4 > 0
                changes.updateValue(isPut ? value(&generator) : nil, forKey: path)
            }
            let root = try grove.update(
                changes, pending: &pending, applied: generator.next() % 3 > 0)
            let sorted = grove.leaves.sorted { $0.key < $1.key }.map {
                StateTree.Change(path: $0.key, valueHash: $0.value)
            }
            #expect(root == StateTree.root(of: sorted[...]).bytes32, "seed \(seed), step \(step)")
            grove.store.apply(pending)
            for row in try grove.store.pairs(in: .nodes, from: [], before: nil, limit: .max) {
                let node = try TreeNode(bcs: row.value)
                #expect(node.bcsBytes == row.value)
            }
        }
        #expect(try grove.rootOfStoredNodes == naiveRoot(grove.leaves))
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `copies of a tree go their own ways`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var groves = [Grove(cachedBytesMax: seed.isMultiple(of: 2) ? 20_000 : 1_000_000)]
        let paths = (0..<600).map { $0 < 200 ? path(&generator) : value(&generator) }
        for step in 0..<12 {
            if step % 4 == 3 { groves.append(groves[step % groves.count].copy()) }
            for place in groves.indices {
                var changes: [Bytes32: Bytes32?] = [:]
                for _ in 0..<(generator.next() % 80 + 1) {
                    let path = paths[Int(generator.next() % UInt64(paths.count))]
                    let isPut = generator.next() % 4 > 0
                    changes.updateValue(isPut ? value(&generator) : nil, forKey: path)
                }
                var writes = WriteSet()
                let root = try groves[place].update(changes, pending: &writes, applied: true)
                #expect(root == naiveRoot(groves[place].leaves), "seed \(seed), step \(step)")
            }
        }
    }

    @Test func `the cache of nodes keeps its bound`() throws {
        var generator = SeededGenerator(seed: 11)
        var grove = Grove(cachedBytesMax: 30_000)
        var pending = WriteSet()
        for _ in 0..<30 {
            var changes: [Bytes32: Bytes32?] = [:]
            for _ in 0..<40 { changes[value(&generator)] = value(&generator) }
            _ = try grove.update(changes, pending: &pending, applied: true)
            #expect(grove.tree.nodes.bytes <= 30_000)
            #expect(grove.tree.nodes.count > 0)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `the way to every path, taken or free, leads to the root`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var grove = Grove()
        var pending = WriteSet()
        for count in [0, 1, 1, 2, 8, 40] {
            var changes: [Bytes32: Bytes32?] = [:]
            for _ in 0..<count { changes[path(&generator)] = value(&generator) }
            let root = try grove.update(changes, pending: &pending, applied: true)
            let free = (0..<30).map { _ in path(&generator) }
            for path in Array(grove.leaves.keys) + free {
                let way = try StateTree.way(to: path, in: grove.store)
                #expect(grove.leaves[path] == nil || way.leaf == path)
                let end = way.leaf.flatMap { leaf in
                    grove.leaves[leaf].map { Digest.hash(.stateLeaf, leaf, $0).bytes32 }
                }
                #expect(
                    StateProof.root(over: end ?? .zero, at: path, way.siblings) == root,
                    "seed \(seed), \(grove.leaves.count) values, \(path)")
            }
        }
    }

    @Test func `the root doesn't depend on how the set came about`() throws {
        var generator = SeededGenerator(seed: 42)
        let paths = (0..<300).map { _ in Digest.hash(.random, generator.next().bcsLittleEndian) }
        let wanted = paths.prefix(200).map { ($0.bytes32, $0.bytes32) }
        var pending = WriteSet()
        var atOnce = Grove()
        let root = try atOnce.update(
            Dictionary(uniqueKeysWithValues: wanted), pending: &pending, applied: true)
        var detour = Grove()
        for path in paths.shuffled(using: &generator) {
            _ = try detour.update([path.bytes32: .zero], pending: &pending, applied: true)
        }
        var last = Bytes32.zero
        for path in paths.suffix(100) {
            last = try detour.update([path.bytes32: nil], pending: &pending, applied: true)
        }
        for (path, value) in wanted {
            last = try detour.update([path: value], pending: &pending, applied: true)
        }
        #expect(last == root)
        #expect(try detour.storedNodes == atOnce.storedNodes, "stale nodes are left")
    }

    @Test func `an emptied tree has the root of nothing and keeps only its top`() throws {
        var generator = SeededGenerator(seed: 7)
        let paths = (0..<100).map { _ in
            Digest.hash(.random, generator.next().bcsLittleEndian).bytes32
        }
        var grove = Grove()
        var pending = WriteSet()
        let all = Dictionary(uniqueKeysWithValues: paths.map { ($0, $0 as Bytes32?) })
        let full = try grove.update(all, pending: &pending, applied: true)
        #expect(full == naiveRoot(grove.leaves))
        let none = try grove.update(
            all.mapValues { _ in nil }, pending: &pending, applied: true)
        #expect(none == .zero)
        #expect(try grove.storedNodes == 1)
    }

    @Test func `the audit's root equals the definition too`() throws {
        var generator = SeededGenerator(seed: 3)
        for count in [0, 1, 2, 3, 50] {
            let leaves = Dictionary(
                (0..<count).map { _ in (path(&generator), value(&generator)) },
                uniquingKeysWith: { $1 })
            let sorted = leaves.sorted { $0.key < $1.key }.map {
                StateTree.Change(path: $0.key, valueHash: $0.value)
            }
            #expect(StateTree.root(of: sorted[...]).bytes32 == naiveRoot(leaves))
        }
    }

    @Test func `a missing or damaged node stops the node`() throws {
        var generator = SeededGenerator(seed: 9)
        let paths = (0..<200).map { _ in
            Digest.hash(.random, generator.next().bcsLittleEndian).bytes32
        }.sorted()
        let changes = paths.map { StateTree.Change(path: $0, valueHash: $0) }
        let store = MemoryStore()
        var writes = WriteSet()
        var tree = StateTree()
        _ = try tree.update(changes, source: store, into: &writes)
        store.apply(writes)
        var damage = WriteSet()
        let key = TreePlace(above: paths[0], depth: 1).storeKey
        damage.delete(key, in: .nodes)
        let lacking = store.copy()
        lacking.apply(damage)
        var writes2 = WriteSet()
        #expect(throws: StorageFault.self) {
            var fresh = StateTree()
            _ = try fresh.update([changes[0]], source: lacking, into: &writes2)
        }
        damage.put([1, 2, 3], in: .nodes, for: key)
        lacking.apply(damage)
        #expect(throws: StorageFault.self) {
            var fresh = StateTree()
            _ = try fresh.update([changes[0]], source: lacking, into: &writes2)
        }
    }
}
