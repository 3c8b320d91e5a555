package import Primitives

/// What proves to somebody who knows only a state root that a value is part of the state, or that
/// there is none under its name.
///
/// Wire: key, value (optional byte string), neighbour (optional), siblings (list of hashes).
package struct StateProof: Hashable, Sendable, BCSCodable {
    /// Another leaf, at the place where the absent value would be.
    package struct Neighbour: Hashable, Sendable, BCSCodable {
        package let path: Bytes32
        /// `H(stateValue, value)`.
        package let valueHash: Bytes32

        package init(path: Bytes32, valueHash: Bytes32) {
            self.path = path
            self.valueHash = valueHash
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(path)
            writer.append(valueHash)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            path = try reader.readBytes32()
            valueHash = try reader.readBytes32()
        }
    }

    /// The most bytes of a value: twice those of the longest, a set of 512 verifiers.
    package static let valueBytesMax = 128 << 10
    /// The most siblings: one for each bit of a path.
    package static let siblingsMax = 256

    package let key: StateKey
    /// The value; nil if there is none.
    package let value: [UInt8]?
    /// For an absent value whose place another one takes.
    package let neighbour: Neighbour?
    /// The hashes beside the way from the root down, the root's children first.
    package let siblings: [Bytes32]

    package init(
        key: StateKey, value: [UInt8]?, neighbour: Neighbour? = nil, siblings: [Bytes32]
    ) {
        self.key = key
        self.value = value
        self.neighbour = neighbour
        self.siblings = siblings
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(key)
        writer.append(value != nil)
        if let value { writer.appendBytes(value) }
        writer.append(optional: neighbour)
        writer.append(list: siblings)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        key = try reader.read()
        value = try reader.readBool() ? reader.readBytes(maximum: StateProof.valueBytesMax) : nil
        neighbour = try reader.readOptional()
        siblings = try reader.readList(maximum: StateProof.siblingsMax, elementBytes: 32)
    }

    /// The only state root that the proof holds for; nil if it proves nothing under any.
    ///
    /// The tree's definition leaves one way for each key: down from the root by the bits of its
    /// path to the first subtree with one leaf or none. What is at its end is the value's leaf,
    /// another leaf with the same first bits, or nothing.
    package var root: Digest? {
        guard siblings.count <= StateProof.siblingsMax else { return nil }
        let path = key.path
        return end(of: path).map { Digest(StateProof.root(over: $0, at: path, siblings)) }
    }

    /// The root of a tree in which the way to `path` ends at a subtree with this hash.
    static func root(over end: Bytes32, at path: Bytes32, _ siblings: [Bytes32]) -> Bytes32 {
        var hash = end
        for (bit, sibling) in siblings.enumerated().reversed() {
            let isRight = path.bit(at: bit)
            hash =
                Digest.hash(
                    .stateNode, isRight ? sibling : hash, isRight ? hash : sibling
                ).bytes32
        }
        return hash
    }

    /// The hash of the subtree at the end of the way.
    private func end(of path: Bytes32) -> Bytes32? {
        switch (value, neighbour) {
        case (let value?, nil):
            let valueHash = Digest.hash(.stateValue, value).bytes32
            return Digest.hash(.stateLeaf, path, valueHash).bytes32
        case (nil, let other?):
            let isNeighbour = siblings.indices.allSatisfy {
                path.bit(at: $0) == other.path.bit(at: $0)
            }
            guard other.path != path, isNeighbour else { return nil }
            return Digest.hash(.stateLeaf, other.path, other.valueHash).bytes32
        case (nil, nil): return .zero
        case (_?, _?): return nil
        }
    }
}

extension Bytes32 {
    /// The bit at a place counted from the first byte's highest, 0...255.
    fileprivate func bit(at place: Int) -> Bool {
        nibble(at: place / 4) & (8 >> (place % 4)) != 0
    }
}

extension StateTree {
    /// What proves the value under `key`, or that there is none, for the root of the tree in
    /// `source`.
    /// - Throws: `StorageFault` when a node or a value of the way is missing or damaged.
    package static func proof(
        of key: StateKey, in source: any KeyValueSource
    ) throws(StorageFault) -> StateProof {
        let path = key.path
        let way = try way(to: path, in: source)
        guard let leaf = way.leaf else {
            return StateProof(key: key, value: nil, siblings: way.siblings)
        }
        guard let row = try StoredState.row(at: leaf, in: source) else {
            throw StorageFault("the state at \(leaf) is missing although the tree has it")
        }
        guard leaf == path else {
            let neighbour = StateProof.Neighbour(path: leaf, valueHash: row.valueHash)
            return StateProof(key: key, value: nil, neighbour: neighbour, siblings: way.siblings)
        }
        return StateProof(key: key, value: row.value, siblings: way.siblings)
    }

    /// The way from the root towards a path: down to the first subtree with one leaf or none.
    struct Way {
        /// The path of the leaf at its end, nil where none is.
        var leaf: Bytes32?
        /// The hashes beside it, from above.
        var siblings: [Bytes32] = []
    }

    static func way(
        to path: Bytes32, in source: any KeyValueSource
    ) throws(StorageFault) -> Way {
        var way = Way()
        for depth in 0..<64 {
            let place = TreePlace(above: path, depth: depth)
            guard let node = try stored(place, source) else {
                guard depth == 0 else { throw lacks(place) }
                return way
            }
            let step = node.step(towards: path.nibble(at: depth))
            way.siblings += step.siblings
            guard case .inner = step.end else {
                if case .leaf(let leaf, _) = step.end { way.leaf = leaf }
                return way
            }
        }
        throw StorageFault("the state tree goes on below the last half byte of \(path)")
    }

    private static func stored(
        _ place: TreePlace, _ source: any KeyValueSource
    ) throws(StorageFault) -> TreeNode? {
        guard let bytes = try source.value(in: .nodes, for: place.storeKey) else { return nil }
        return try StoredState.decode(bytes, "node \(Hex.encode(place.storeKey)) of the state tree")
    }
}
