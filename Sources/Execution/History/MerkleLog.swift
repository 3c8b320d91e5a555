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
