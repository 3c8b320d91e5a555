package import Primitives

/// What a shard's owner signs of a batch.
///
/// Wire: chainID, epoch, lane, owner, position, parent, transactionRoot, transactionCount,
/// byteLength, signatureCount, chunkSize, expiryHeight, canaryCommitment, reveal (optional),
/// signature. The digest leaves out the signature.
package struct BatchHeader: Hashable, Sendable, BCSCodable {
    /// Everything but the signature.
    package struct Content: Hashable, Sendable, BCSCodable {
        package let chainID: ChainID
        package let epoch: Epoch
        package let lane: Lane
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
        /// Transactions in each chunk but the last; a power of two where there are several, so that
        /// each chunk is a subtree.
        package let chunkSize: UInt32
        /// The last height at which a block may include the batch: that of its sealing plus the
        /// genesis parameter.
        package let expiryHeight: Height
        /// What the owner committed to as planted faults; zero for none.
        package let canaryCommitment: Digest
        /// What stands behind the commitment of the batch that the owner sealed before in the lane.
        package let reveal: CanaryReveal?

        package init(
            chainID: ChainID, epoch: Epoch, lane: Lane, owner: ValidatorIndex,
            position: UInt64, parent: Digest, transactionRoot: Digest, transactionCount: UInt32,
            byteLength: UInt32, signatureCount: UInt32, chunkSize: UInt32, expiryHeight: Height,
            canaryCommitment: Digest = .zero, reveal: CanaryReveal? = nil
        ) {
            self.chainID = chainID
            self.epoch = epoch
            self.lane = lane
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
            self.reveal = reveal
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(chainID)
            writer.append(epoch)
            writer.append(lane)
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
            writer.append(optional: reveal)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            chainID = try reader.read()
            epoch = try reader.read()
            lane = try reader.read()
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
            reveal = try reader.readOptional()
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

    /// The transactions of a chunk that exists.
    package func range(ofChunk chunk: Int) -> Range<Int> {
        let lower = chunk * Int(content.chunkSize)
        return lower..<min(lower + Int(content.chunkSize), Int(content.transactionCount))
    }

    /// A bit for each chunk.
    package var allChunks: UInt32 {
        chunkCount >= 32 ? .max : (1 << UInt32(chunkCount)) - 1
    }

    /// The signature's claim, or nil if the header isn't the lane's owner's or out of limits.
    package func claim(in layout: ShardLayout) -> SignatureClaim? {
        guard isWithinLimits(layout.settings), content.chainID == layout.committee.chainID,
            content.epoch == layout.committee.epoch, let sealed = sealedHeight(layout.settings),
            layout.isOfEpoch(sealed),
            layout.term(of: content.lane.shard, after: sealed) == content.lane.term,
            layout.owner(of: content.lane) == content.owner,
            let owner = layout.committee[content.owner]
        else { return nil }
        return SignatureClaim(
            publicKey: owner.votingKey, digest: digest, signature: signature)
    }

    /// The finalized height at which the owner says that it sealed the batch; nil for one that
    /// can't be. Term and verifier set of the batch follow from it.
    package func sealedHeight(_ settings: BatchSettings) -> Height? {
        let (height, isBelow) = content.expiryHeight.rawValue.subtractingReportingOverflow(
            settings.expiryBlocks)
        return isBelow ? nil : Height(height)
    }

    private func isWithinLimits(_ settings: BatchSettings) -> Bool {
        content.transactionCount > 0
            && Int(content.transactionCount) <= settings.transactionsMax
            && Int(content.byteLength) <= settings.bytesMax
            && content.chunkSize > 0 && content.chunkSize <= UInt32(BatchLimits.transactionsMax)
            && chunkCount <= BatchLimits.chunksMax
            && (chunkCount == 1 || content.chunkSize.nonzeroBitCount == 1)
    }
}

/// Positions of a batch in which its owner planted damaged signatures, with what hid them.
///
/// The commitment in the batch's header is H(canary, salt ‖ positions). Wire: salt, list of
/// positions (1...`BatchLimits.canariesMax`, rising).
package struct CanaryReveal: Hashable, Sendable, BCSCodable {
    package let salt: Bytes32
    package let positions: [UInt32]

    package init(salt: Bytes32, positions: [UInt32]) {
        self.salt = salt
        self.positions = positions
    }

    package var commitment: Digest { Digest.hash(.canary, bcsBytes) }

    package func encode(to writer: inout BCSWriter) {
        writer.append(salt)
        writer.appendLength(positions.count)
        for position in positions { writer.append(position) }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        salt = try reader.readBytes32()
        let start = reader.offset
        let count = try reader.readLength(
            minimum: 1, maximum: BatchLimits.canariesMax, elementBytes: 4)
        var positions: [UInt32] = []
        for _ in 0..<count { positions.append(try reader.readUInt32()) }
        for (left, right) in zip(positions, positions.dropFirst()) where left >= right {
            throw BCSError(.unsorted, at: start)
        }
        self.positions = positions
    }
}
