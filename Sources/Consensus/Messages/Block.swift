package import Primitives

/// A block by its view and digest. Wire: view, digest.
package struct BlockRef: Hashable, Sendable, BCSCodable, CustomStringConvertible {
    package let view: View
    package let digest: Digest

    package init(view: View, digest: Digest) {
        self.view = view
        self.digest = digest
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(view)
        writer.append(digest)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        view = try reader.read()
        digest = try reader.read()
    }

    package var description: String { "\(view)/\(digest.description.prefix(8))" }
}

/// The state that a block's proposer had reached: execution runs behind the order of blocks.
/// Wire: height, state root.
package struct ExecutedRef: Hashable, Sendable, BCSCodable {
    package let height: Height
    package let stateRoot: Digest

    package init(height: Height, stateRoot: Digest) {
        self.height = height
        self.stateRoot = stateRoot
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(height)
        writer.append(stateRoot)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        height = try reader.read()
        stateRoot = try reader.read()
    }
}

/// Everything of a block but its payload; its hash is the block's digest.
///
/// Wire: chainID, epoch, view, height, parent, proposer, time, executed, payloadRoot,
/// nextSetHash (optional), tail.
package struct BlockHeader: Hashable, Sendable, BCSCodable {
    package let chainID: ChainID
    package let epoch: Epoch
    package let view: View
    package let height: Height
    package let parent: BlockRef
    package let proposer: ValidatorIndex
    /// Above the parent's.
    package let time: Timestamp
    package let executed: ExecutedRef
    /// The hash of the payload.
    package let payloadRoot: Digest
    /// The committee of the next epoch, in the last block of an epoch.
    package let nextSetHash: Digest?
    /// Whether the block only serves to finalize the last one of its epoch.
    package let tail: Bool

    package init(
        chainID: ChainID, epoch: Epoch, view: View, height: Height, parent: BlockRef,
        proposer: ValidatorIndex, time: Timestamp, executed: ExecutedRef, payloadRoot: Digest,
        nextSetHash: Digest? = nil, tail: Bool = false
    ) {
        self.chainID = chainID
        self.epoch = epoch
        self.view = view
        self.height = height
        self.parent = parent
        self.proposer = proposer
        self.time = time
        self.executed = executed
        self.payloadRoot = payloadRoot
        self.nextSetHash = nextSetHash
        self.tail = tail
    }

    /// The block's digest.
    package var digest: Digest { .hash(.block, of: self) }

    package func encode(to writer: inout BCSWriter) {
        writer.append(chainID)
        writer.append(epoch)
        writer.append(view)
        writer.append(height)
        writer.append(parent)
        writer.append(proposer)
        writer.append(time)
        writer.append(executed)
        writer.append(payloadRoot)
        writer.append(optional: nextSetHash)
        writer.append(tail)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        chainID = try reader.read()
        epoch = try reader.read()
        view = try reader.read()
        height = try reader.read()
        parent = try reader.read()
        proposer = try reader.read()
        time = try reader.read()
        executed = try reader.read()
        payloadRoot = try reader.read()
        nextSetHash = try reader.readOptional()
        tail = try reader.readBool()
    }
}

/// A place in the order of payloads, proposed by the leader of its view.
///
/// Wire: header, payload (byte string of at most 1 MiB, whose hash the header must carry).
package struct Block: Hashable, Sendable, BCSCodable {
    /// Bytes of a block without payload and without a hash of the next set.
    static let bytesMin = 181

    package let header: BlockHeader
    /// Opaque to this module.
    package let payload: [UInt8]
    /// The header's hash, computed once.
    package let digest: Digest

    /// The block of `header` and its payload.
    /// - Precondition: the header carries the payload's hash.
    package init(header: BlockHeader, payload: [UInt8]) {
        precondition(payload.count <= ConsensusLimits.payloadBytesMax, "\(payload.count) bytes")
        precondition(header.payloadRoot == Block.root(of: payload), "another payload's root")
        self.header = header
        self.payload = payload
        digest = header.digest
    }

    /// The block that an epoch starts from: nobody proposed or signed it.
    package static func genesis(
        chainID: ChainID, epoch: Epoch = 0, time: Timestamp, stateRoot: Digest
    ) -> Block {
        let header = BlockHeader(
            chainID: chainID, epoch: epoch, view: 0, height: 0,
            parent: BlockRef(view: 0, digest: .zero), proposer: ValidatorIndex(0), time: time,
            executed: ExecutedRef(height: 0, stateRoot: stateRoot), payloadRoot: root(of: []))
        return Block(header: header, payload: [])
    }

    /// What the header carries for `payload`.
    package static func root(of payload: [UInt8]) -> Digest { .hash(.payload, payload) }

    package func encode(to writer: inout BCSWriter) {
        writer.append(header)
        writer.appendBytes(payload)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        header = try reader.read()
        let start = reader.offset
        payload = try reader.readBytes(maximum: ConsensusLimits.payloadBytesMax)
        guard Block.root(of: payload) == header.payloadRoot else {
            throw BCSError(.invalidValue("a payload that isn't the header's"), at: start)
        }
        digest = header.digest
    }

    package static func == (left: Block, right: Block) -> Bool { left.digest == right.digest }
    package func hash(into hasher: inout Hasher) { hasher.combine(digest) }

    package var chainID: ChainID { header.chainID }
    package var epoch: Epoch { header.epoch }
    package var view: View { header.view }
    package var height: Height { header.height }
    package var parent: BlockRef { header.parent }
    package var proposer: ValidatorIndex { header.proposer }
    package var time: Timestamp { header.time }
    package var executed: ExecutedRef { header.executed }
    package var payloadRoot: Digest { header.payloadRoot }
    package var ref: BlockRef { BlockRef(view: view, digest: digest) }

    /// The block as blocks of `epoch` name it: what an earlier epoch ended with stands at view 0.
    package func ref(in epoch: Epoch) -> BlockRef {
        BlockRef(view: self.epoch == epoch ? view : 0, digest: digest)
    }
}
