package import Primitives

/// One of the orders in which batches of a shard come: those of the owner at `rank`.
///
/// Rank 0 owns the shard; the next ranks stand in while it doesn't answer. Positions of a lane
/// rise strictly along the chain, so that a batch is included at most once.
///
/// Wire: shard, rank, two bytes each.
package struct Lane: Hashable, Comparable, Sendable, BCSCodable {
    package let shard: UInt16
    package let rank: UInt16

    package init(shard: UInt16, rank: UInt16) {
        self.shard = shard
        self.rank = rank
    }

    package static func < (left: Lane, right: Lane) -> Bool {
        (left.shard, left.rank) < (right.shard, right.rank)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(shard)
        writer.append(rank)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        shard = try reader.readUInt16()
        rank = try reader.readUInt16()
    }
}

/// What a shard's owner signs of a batch.
///
/// Wire: chainID, epoch, shard, term, rank, owner, position, parent, transactionRoot,
/// transactionCount, byteLength, signatureCount, chunkSize, expiryHeight, canaryCommitment,
/// signature. The digest leaves out the signature.
package struct BatchHeader: Hashable, Sendable, BCSCodable {
    /// Everything but the signature.
    package struct Content: Hashable, Sendable, BCSCodable {
        package let chainID: ChainID
        package let epoch: Epoch
        package let lane: Lane
        /// How often the shard's ranking was drawn anew in this epoch.
        package let term: UInt32
        package let owner: ValidatorIndex
        /// Above that of every included batch of the lane.
        package let position: UInt64
        /// The lane's batch before this one that isn't void, or zero for the first.
        package let parent: Digest
        /// Root of the tree over the transactions' bytes.
        package let transactionRoot: Digest
        /// 1...`BatchLimits.transactionsMax`.
        package let transactionCount: UInt32
        /// Bytes of the body, at most `BatchLimits.bytesMax`.
        package let byteLength: UInt32
        /// Signatures in all transactions together.
        package let signatureCount: UInt32
        /// Transactions in each chunk but the last.
        package let chunkSize: UInt32
        /// The last height at which a block may include the batch.
        package let expiryHeight: Height
        /// What the owner committed to as planted faults; zero for none.
        package let canaryCommitment: Digest

        package init(
            chainID: ChainID, epoch: Epoch, lane: Lane, term: UInt32, owner: ValidatorIndex,
            position: UInt64, parent: Digest, transactionRoot: Digest, transactionCount: UInt32,
            byteLength: UInt32, signatureCount: UInt32, chunkSize: UInt32, expiryHeight: Height,
            canaryCommitment: Digest = .zero
        ) {
            self.chainID = chainID
            self.epoch = epoch
            self.lane = lane
            self.term = term
            self.owner = owner
            self.position = position
            self.parent = parent
            self.transactionRoot = transactionRoot
            self.transactionCount = transactionCount
            self.byteLength = byteLength
            self.signatureCount = signatureCount
            self.chunkSize = chunkSize
            self.expiryHeight = expiryHeight
            self.canaryCommitment = canaryCommitment
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(chainID)
            writer.append(epoch)
            writer.append(lane.shard)
            writer.append(term)
            writer.append(lane.rank)
            writer.append(owner)
            writer.append(position)
            writer.append(parent)
            writer.append(transactionRoot)
            writer.append(transactionCount)
            writer.append(byteLength)
            writer.append(signatureCount)
            writer.append(chunkSize)
            writer.append(expiryHeight)
            writer.append(canaryCommitment)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            chainID = try reader.read()
            epoch = try reader.read()
            let shard = try reader.readUInt16()
            term = try reader.readUInt32()
            lane = Lane(shard: shard, rank: try reader.readUInt16())
            owner = try reader.read()
            position = try reader.readUInt64()
            parent = try reader.read()
            transactionRoot = try reader.read()
            transactionCount = try reader.readUInt32()
            byteLength = try reader.readUInt32()
            signatureCount = try reader.readUInt32()
            chunkSize = try reader.readUInt32()
            expiryHeight = try reader.read()
            canaryCommitment = try reader.read()
        }
    }

    package let content: Content
    /// The owner's signature over the digest.
    package let signature: Signature
    /// The batch's name, computed once.
    package let digest: Digest

    package init(signing content: Content, by signer: any Signing) {
        self.content = content
        digest = Digest.hash(.batch, of: content)
        signature = signer.signature(over: digest)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(content)
        writer.append(signature)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        content = try reader.read()
        digest = Digest.hash(.batch, reader.slice(from: start))
        signature = try reader.read()
    }

    /// Chunks of the batch: 1...32 for a header within its limits.
    package var chunkCount: Int {
        guard content.chunkSize > 0 else { return 0 }
        return (Int(content.transactionCount) + Int(content.chunkSize) - 1)
            / Int(content.chunkSize)
    }

    /// The signature's claim, or nil if the header isn't the lane's owner's or out of limits.
    package func claim(in layout: ShardLayout) -> SignatureClaim? {
        guard isWithinLimits(layout.settings), content.chainID == layout.committee.chainID,
            content.epoch == layout.committee.epoch, content.term == 0,
            layout.owner(of: content.lane) == content.owner,
            let owner = layout.committee[content.owner]
        else { return nil }
        return SignatureClaim(
            publicKey: owner.votingKey, digest: digest, signature: signature)
    }

    private func isWithinLimits(_ settings: BatchSettings) -> Bool {
        content.transactionCount > 0
            && Int(content.transactionCount) <= settings.transactionsMax
            && Int(content.byteLength) <= settings.bytesMax
            && content.chunkSize > 0 && chunkCount <= BatchLimits.chunksMax
    }
}
