import Consensus
import Execution
import Primitives

@testable import Mempool
@testable import NodeCore

/// What a dishonest member could send in place of a message: the same with hashes that fit and with
/// its signature under what was changed. No key of the node itself, and no quorum, ever signs.
struct Repair {
    let keys: FuzzKeys
    /// The place of the node that the message goes to.
    let node: Int
    /// Whether a batch's header keeps its own lengths, right or wrong.
    var keepsLengths = false

    /// What can be sent in place of `bytes`: messages that their decoder takes, each once.
    static func messages(_ bytes: [UInt8], _ keys: FuzzKeys, to node: Int) -> [NodeMessage] {
        var messages: [NodeMessage] = []
        for keepsLengths in [false, true] {
            let repair = Repair(keys: keys, node: node, keepsLengths: keepsLengths)
            guard let message = repair.message(bytes), !messages.contains(message),
                let taken = try? NodeMessage(bcs: message.bcsBytes)
            else { continue }
            messages.append(taken)
        }
        return messages
    }

    /// The repaired message, or nil where there is nothing to repair.
    private func message(_ bytes: [UInt8]) -> NodeMessage? {
        var reader = BCSReader(bytes)
        switch try? reader.readULEB128() {
        case 0: return consensus(&reader).map { .consensus($0) }
        case 1: return mempool(&reader).map { .mempool($0) }
        default: return nil
        }
    }

    // MARK: Consensus

    private func consensus(_ reader: inout BCSReader) -> ConsensusMessage? {
        switch try? reader.readULEB128() {
        case 0: return proposal(&reader).map { .proposal($0) }
        case 1: return lenient(&reader).flatMap(vote).map { .vote($0) }
        case 6: return block(&reader).map { .block($0) }
        case 8: return response(&reader).map { .syncResponse($0) }
        default: return nil
        }
    }

    private func vote(_ vote: Vote) -> Vote? {
        guard let key = keys.voter(vote.signer, not: node) else { return nil }
        let digest = vote.subject.signingDigest(chainID: keys.genesis.chainID)
        return Vote(
            subject: vote.subject, signer: vote.signer, signature: key.signature(over: digest))
    }

    /// A block whose header names its payload.
    private func block(_ reader: inout BCSReader) -> Block? {
        guard let header: BlockHeader = lenient(&reader),
            let payload = try? reader.readBytes(maximum: ConsensusLimits.payloadBytesMax)
        else { return nil }
        let repaired = BlockHeader(
            chainID: header.chainID, epoch: header.epoch, view: header.view,
            height: header.height, parent: header.parent, proposer: header.proposer,
            time: header.time, executed: header.executed, payloadRoot: Block.root(of: payload),
            nextSetHash: header.nextSetHash, tail: header.tail)
        return Block(header: repaired, payload: payload)
    }

    private func proposal(_ reader: inout BCSReader) -> Proposal? {
        guard let block = block(&reader), lenient(&reader, Signature.self) != nil,
            let hasParent = try? reader.readBool()
        else { return nil }
        let parent: Certificate? = hasParent ? lenient(&reader) : nil
        guard hasParent == (parent != nil),
            let skips: [Certificate] = try? reader.readList(
                maximum: ConsensusLimits.skipsMax, elementBytes: 116),
            let key = keys.voter(block.proposer, not: node), block.digest != .zero
        else { return nil }
        let subject = VoteSubject(
            kind: .notarize, epoch: block.epoch, view: block.view, digest: block.digest)
        let digest = subject.signingDigest(chainID: keys.genesis.chainID)
        return Proposal(
            block: block, signature: key.signature(over: digest), parentCertificate: parent,
            skips: skips)
    }

    private func response(_ reader: inout BCSReader) -> SyncResponse? {
        guard
            let count = try? reader.readLength(
                minimum: 1, maximum: ConsensusLimits.syncBlocksMax, elementBytes: 1)
        else { return nil }
        var blocks: [Block] = []
        for _ in 0..<count {
            guard let block = block(&reader) else { return nil }
            blocks.append(block)
        }
        guard let certificate: Certificate = lenient(&reader) else { return nil }
        return SyncResponse(blocks: blocks, certificate: certificate)
    }

    // MARK: Mempool

    private func mempool(_ reader: inout BCSReader) -> MempoolMessage? {
        switch try? reader.readULEB128() {
        case 2:
            guard let batch = batch(&reader), let wish: Assignment = lenient(&reader) else {
                return nil
            }
            return .batch(batch, wish)
        case 3: return lenient(&reader).flatMap(ack).map { .ack($0) }
        case 6: return batch(&reader).map { .body($0) }
        case 8: return task(&reader).map { .task($0) }
        case 12: return lenient(&reader).flatMap(complaint).map { .complaint($0) }
        default: return nil
        }
    }

    private func batch(_ reader: inout BCSReader) -> Batch? {
        guard let header: BatchHeader = lenient(&reader),
            let transactions: [SignedTransaction] = try? reader.readList(
                minimum: 1, maximum: BatchLimits.transactionsMax, elementBytes: 1)
        else { return nil }
        return batch(header, transactions)
    }

    /// The batch that the header's owner could seal of `transactions`.
    private func batch(_ header: BatchHeader, _ transactions: [SignedTransaction]) -> Batch? {
        let body = Batch.Body(transactions.map(keys.repaired))
        let old = header.content
        guard body.bytes.count <= BatchLimits.bytesMax,
            let key = keys.voter(old.owner, not: node)
        else { return nil }
        let content = BatchHeader.Content(
            chainID: old.chainID, epoch: old.epoch, lane: old.lane, owner: old.owner,
            position: old.position, parent: old.parent, transactionRoot: body.tree.root,
            transactionCount: keepsLengths ? old.transactionCount : UInt32(transactions.count),
            byteLength: keepsLengths ? old.byteLength : UInt32(body.bytes.count),
            signatureCount: keepsLengths ? old.signatureCount : UInt32(body.signatureCount),
            chunkSize: old.chunkSize,
            expiryHeight: old.expiryHeight, canaryCommitment: old.canaryCommitment,
            reveal: old.reveal)
        return Batch(header: BatchHeader(signing: content, by: key), body: body)
    }

    /// Chunks of the batch that the task's transactions make.
    private func task(_ reader: inout BCSReader) -> ChunkTask? {
        guard let task: ChunkTask = lenient(&reader),
            let batch = batch(task.header, task.pieces.flatMap(\.transactions)), !keepsLengths,
            1...BatchLimits.chunksMax ~= batch.header.chunkCount
        else { return nil }
        return ChunkTask(batch, chunks: batch.header.allChunks, tree: batch.tree)
    }

    private func ack(_ ack: Ack) -> Ack? {
        let signer = Int(ack.entry.signer.rawValue)
        guard signer != node, keys.nodes.indices.contains(signer) else { return nil }
        let entry = ack.entry
        let digest = entry.digest(of: ack.header)
        return Ack(
            header: ack.header,
            entry: AckEntry(
                signer: entry.signer, stored: entry.stored, chunks: entry.chunks,
                verdicts: entry.verdicts, signature: keys.nodes[signer].signature(over: digest)))
    }

    private func complaint(_ complaint: Complaint) -> Complaint? {
        keys.voter(complaint.signer, not: node).map { key in
            Complaint(
                complaint.lane, at: complaint.height, of: keys.genesis.committee,
                signer: complaint.signer, key: key)
        }
    }
}

extension FuzzKeys {
    /// The transaction signed by those whose accounts it speaks for, as far as they are people
    /// here; as it is if none of them is.
    func repaired(_ signed: SignedTransaction) -> SignedTransaction {
        let transaction = signed.transaction
        let signers = ([transaction.sender] + transaction.cosigners).compactMap {
            secret(of: $0)
        }
        guard !signers.isEmpty else { return signed }
        return SignedTransaction(signing: transaction, policies: signed.policies, by: signers)
    }
}
