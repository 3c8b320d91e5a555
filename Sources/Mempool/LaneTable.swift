package import Primitives

/// How far the chain has included each lane: part of the chain's state, so that every voter
/// applies the same rule to a block.
package struct LaneTable: Hashable, Sendable {
    /// A lane's last included batch. Wire: position, digest.
    package struct Head: Hashable, Sendable, BCSCodable {
        package let position: UInt64
        package let digest: Digest

        package init(position: UInt64, digest: Digest) {
            self.position = position
            self.digest = digest
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(position)
            writer.append(digest)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            position = try reader.readUInt64()
            digest = try reader.read()
        }
    }

    /// Why a block may not include a batch.
    package enum Fault: Error, Hashable, Sendable {
        /// The lane already has a batch at this or a later position.
        case alreadyIncluded(Lane, UInt64)
        /// The batch doesn't continue the lane's last included one.
        case notNext(Lane, UInt64)
        /// The batch expired below the block's height.
        case expired(Lane, UInt64)
    }

    private var heads: [Lane: Head] = [:]

    package init() {}

    /// The last included batch, or nil if there is none yet.
    package subscript(lane: Lane) -> Head? { heads[lane] }

    /// Every lane with a head, in order.
    package var lanes: [Lane] { heads.keys.sorted() }

    package mutating func set(_ head: Head, for lane: Lane) { heads[lane] = head }

    /// Includes a batch in a block at `height`.
    ///
    /// Positions rise and the parent is the last included batch. Positions may leave gaps: a batch
    /// that expired before it was included is void, and its owner goes on behind it.
    /// - Throws: `Fault`, and the table is as before.
    package mutating func include(
        _ header: BatchHeader, at height: Height
    ) throws(Fault) {
        let content = header.content
        let head = heads[content.lane]
        if let head, content.position <= head.position {
            throw .alreadyIncluded(content.lane, content.position)
        }
        guard content.parent == head?.digest ?? .zero else {
            throw .notNext(content.lane, content.position)
        }
        guard content.expiryHeight >= height else {
            throw .expired(content.lane, content.position)
        }
        heads[content.lane] = Head(position: content.position, digest: header.digest)
    }
}
