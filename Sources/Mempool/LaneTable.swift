package import Primitives

/// One of the orders in which batches of a shard come: those of the owner at `rank` in `term`.
///
/// Rank 0 owns the shard for the term; the next ranks stand in while it doesn't answer, and own the
/// shard when complaints have passed over those before them. Positions of a lane rise strictly
/// along the chain, so that a batch is included at most once.
///
/// Wire: shard (two bytes), term (four), rank (two).
package struct Lane: Hashable, Comparable, Sendable, BCSCodable {
    package let shard: UInt16
    /// How often the shard's ranking was drawn anew in this epoch.
    package let term: UInt32
    package let rank: UInt16

    package init(shard: UInt16, term: UInt32, rank: UInt16) {
        self.shard = shard
        self.term = term
        self.rank = rank
    }

    /// The shard's term that the lane belongs to.
    package var tenure: Tenure { Tenure(shard: shard, term: term) }

    package static func < (left: Lane, right: Lane) -> Bool {
        (left.shard, left.term, left.rank) < (right.shard, right.term, right.rank)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(shard)
        writer.append(term)
        writer.append(rank)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        shard = try reader.readUInt16()
        term = try reader.readUInt32()
        rank = try reader.readUInt16()
    }
}

/// A shard during one of its terms. Wire: shard (two bytes), term (four).
package struct Tenure: Hashable, Comparable, Sendable, BCSCodable {
    package let shard: UInt16
    package let term: UInt32

    package init(shard: UInt16, term: UInt32) {
        self.shard = shard
        self.term = term
    }

    package static func < (left: Tenure, right: Tenure) -> Bool {
        (left.shard, left.term) < (right.shard, right.term)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(shard)
        writer.append(term)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        shard = try reader.readUInt16()
        term = try reader.readUInt32()
    }
}

/// The shard table: how far the chain has included each lane, and which ranks complaints have
/// passed over. It is part of the chain's state, so that every voter applies the same rules to a
/// block.
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
        /// The batch claims to be sealed at or above the block's height.
        case early(Lane, UInt64)
        /// Complaints have passed over the lane's owner.
        case passedOver(Lane)
        /// Complaints against a rank that doesn't own the shard, or no longer.
        case notOfRecord(Lane)
    }

    private var heads: [Lane: Head] = [:]
    /// The rank of record, where it isn't 0.
    private var ranks: [Tenure: UInt16] = [:]

    package init() {}

    /// The last included batch, or nil if there is none yet.
    package subscript(lane: Lane) -> Head? { heads[lane] }

    /// Every lane with a head, in order.
    package var lanes: [Lane] { heads.keys.sorted() }

    package mutating func set(_ head: Head, for lane: Lane) { heads[lane] = head }

    /// The rank that owns a shard in a term: 0, or the one after those passed over.
    package func rank(of tenure: Tenure) -> UInt16 { ranks[tenure] ?? 0 }

    /// Every tenure with a rank above 0, in order.
    package var passedOver: [Tenure] { ranks.keys.sorted() }

    package mutating func set(rank: UInt16, of tenure: Tenure) {
        ranks[tenure] = rank == 0 ? nil : rank
    }

    /// Passes over the owner of a lane that complaints of enough weight name; the next rank owns
    /// the shard for the rest of the term. The lane takes no batch any more.
    /// - Throws: `Fault`, and the table is as before.
    package mutating func passOver(_ lane: Lane) throws(Fault) {
        guard rank(of: lane.tenure) == lane.rank, lane.rank < UInt16.max else {
            throw .notOfRecord(lane)
        }
        ranks[lane.tenure] = lane.rank + 1
    }

    /// Forgets the lanes of terms before `oldest`, by shard, whose batches have all expired;
    /// returns them with the tenures forgotten.
    package mutating func prune(
        before oldest: (UInt16) -> UInt32
    ) -> (lanes: [Lane], tenures: [Tenure]) {
        let lanes = heads.keys.filter { $0.term < oldest($0.shard) }.sorted()
        let tenures = ranks.keys.filter { $0.term < oldest($0.shard) }.sorted()
        for lane in lanes { heads[lane] = nil }
        for tenure in tenures { ranks[tenure] = nil }
        return (lanes, tenures)
    }

    /// Includes a batch in a block at `height`.
    ///
    /// Positions rise and the parent is the last included batch. Positions may leave gaps: a batch
    /// that expired before it was included is void, and its owner goes on behind it.
    /// - Throws: `Fault`, and the table is as before.
    package mutating func include(
        _ header: BatchHeader, at height: Height, in settings: BatchSettings
    ) throws(Fault) {
        let content = header.content
        let head = heads[content.lane]
        guard content.lane.rank >= rank(of: content.lane.tenure) else {
            throw .passedOver(content.lane)
        }
        if let head, content.position <= head.position {
            throw .alreadyIncluded(content.lane, content.position)
        }
        guard content.parent == head?.digest ?? .zero else {
            throw .notNext(content.lane, content.position)
        }
        guard content.expiryHeight >= height else {
            throw .expired(content.lane, content.position)
        }
        guard let sealed = header.sealedHeight(settings), sealed < height else {
            throw .early(content.lane, content.position)
        }
        heads[content.lane] = Head(position: content.position, digest: header.digest)
    }
}
