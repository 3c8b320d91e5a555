package import Primitives

/// The hashes of an append-only Merkle log (RFC 9162, section 2.1) over SHA-256: what clients check
/// and what a log is made of. Leaves are numbered from 0.
package enum MerkleLog {
    /// `SHA-256(0 ‖ entry)`.
    package static func leaf(_ entry: [UInt8]) -> Bytes32 { .sha256([0] + entry) }

    /// `SHA-256(1 ‖ left ‖ right)`.
    package static func node(_ left: Bytes32, _ right: Bytes32) -> Bytes32 {
        .sha256([1] + left.bytes + right.bytes)
    }

    /// The root of a log without entries: the hash of nothing.
    package static let emptyRoot = Bytes32.sha256([])

    /// The most hashes of an inclusion proof: one for each bit of a leaf's number.
    package static let pathMax = 64

    /// The root that a leaf's inclusion proof leads to (RFC 9162, section 2.1.3.2).
    /// - Parameters:
    ///   - path: The hashes beside the way up, the leaf's neighbour first.
    ///   - count: Of the log's entries.
    /// - Returns: nil if the proof has too few or too many hashes, or the leaf isn't of the log.
    package static func root(
        of leaf: Bytes32, at index: UInt64, count: UInt64, path: [Bytes32]
    ) -> Bytes32? {
        guard index < count else { return nil }
        var place = index
        var last = count - 1
        var hash = leaf
        for sibling in path {
            guard last > 0 else { return nil }
            if place & 1 == 1 || place == last {
                hash = node(sibling, hash)
                // A subtree that isn't full hangs higher up: it has no neighbour on the right.
                while place & 1 == 0, place != 0 {
                    place >>= 1
                    last >>= 1
                }
            } else {
                hash = node(hash, sibling)
            }
            place >>= 1
            last >>= 1
        }
        return last == 0 ? hash : nil
    }

    /// The most hashes of a consistency proof.
    package static let consistencyMax = 65

    /// Whether a log of `second` entries with the root `secondRoot` begins with the log of `first`
    /// entries that has the root `firstRoot` (RFC 9162, section 2.1.4.2).
    /// - Parameters:
    ///   - first: At least 1; at most `second`. For equal counts the roots must be equal and the
    ///     proof empty.
    ///   - path: The proof.
    package static func isConsistent(
        first: UInt64, _ firstRoot: Bytes32, second: UInt64, _ secondRoot: Bytes32,
        path: [Bytes32]
    ) -> Bool {
        guard first > 0, first < second else {
            return first > 0 && first == second && firstRoot == secondRoot && path.isEmpty
        }
        // A full tree stands in the proof as the root that is known.
        var rest = (first & (first - 1) == 0 ? [firstRoot] + path : path)[...]
        guard let start = rest.popFirst() else { return false }
        var (place, last) = (first - 1, second - 1)
        while place & 1 == 1 { (place, last) = (place >> 1, last >> 1) }
        var (old, new) = (start, start)
        for hash in rest {
            guard last > 0 else { return false }
            if place & 1 == 1 || place == last {
                (old, new) = (node(hash, old), node(hash, new))
                while place & 1 == 0, place != 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                new = node(new, hash)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 && old == firstRoot && new == secondRoot
    }
}

/// A place in a log: a full subtree of 2^level leaves, the `index`-th of its level from the left.
struct LogPlace: Hashable, Sendable {
    let level: UInt8
    let index: UInt64

    /// The first key of the column for what isn't a place.
    static let levelEnd: UInt8 = 64

    /// The key in the store: level (one byte), index (eight bytes, big-endian).
    var storeKey: [UInt8] { [level] + index.bigEndianBytes }

    init(level: UInt8, index: UInt64) {
        self.level = level
        self.index = index
    }

    /// - Returns: nil for a key that is no place's.
    init?(storeKey key: [UInt8]) {
        guard key.count == 9, key[0] < LogPlace.levelEnd else { return nil }
        level = key[0]
        index = key.dropFirst().reduce(0) { $0 << 8 | UInt64($1) }
    }

    var parent: LogPlace { LogPlace(level: level + 1, index: index >> 1) }
    /// The other child of the parent.
    var neighbour: LogPlace { LogPlace(level: level, index: index ^ 1) }
    /// - Precondition: the level is above 0.
    var left: LogPlace { LogPlace(level: level - 1, index: index << 1) }

    /// The full subtrees that a log of `count` entries consists of, the largest first.
    static func peaks(of count: UInt64) -> [LogPlace] {
        (0..<UInt8(64)).reversed().filter { count >> $0 & 1 == 1 }.map {
            LogPlace(level: $0, index: (count >> $0) - 1)
        }
    }
}
