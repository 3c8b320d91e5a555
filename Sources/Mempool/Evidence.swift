package import Primitives

/// Proof that somebody signed what it must not: complete in itself, so that whoever holds it can
/// put it before the ledger.
///
/// Wire: variant index, then the payload.
package enum Evidence: Hashable, Sendable, BCSCodable {
    /// 0: a verifier says that it checked a chunk, and its list is wrong about one transaction.
    /// Payload: ack, index, signed transaction, path of that transaction.
    case wrongVerdict(Ack, index: UInt32, SignedTransaction, path: [Digest])
    /// 1: a verifier signed two different lists for a chunk. Payload: header, two entries.
    case conflictingAcks(BatchHeader, AckEntry, AckEntry)
    /// 2: an owner sealed two batches at one position of a lane. Payload: two headers.
    case equivocatingOwner(BatchHeader, BatchHeader)

    /// What the evidence proves.
    package struct Finding: Hashable, Sendable {
        /// Whose signature proves it.
        package let offender: PublicKey
        /// The height at which the batch says it was sealed.
        package let height: Height
        /// The same for every evidence of the same act.
        package let id: Digest
    }

    package func encode(to writer: inout BCSWriter) {
        switch self {
        case .wrongVerdict(let ack, let index, let transaction, let path):
            writer.appendVariant(0)
            writer.append(ack)
            writer.append(index)
            writer.append(transaction)
            writer.append(list: path)
        case .conflictingAcks(let header, let first, let second):
            writer.appendVariant(1)
            writer.append(header)
            writer.append(first)
            writer.append(second)
        case .equivocatingOwner(let first, let second):
            writer.appendVariant(2)
            writer.append(first)
            writer.append(second)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0:
            self = .wrongVerdict(
                try reader.read(), index: try reader.readUInt32(), try reader.read(),
                path: try reader.readList(maximum: 16, elementBytes: 32))
        case 1:
            self = .conflictingAcks(
                try reader.read(), try reader.read(), try reader.read())
        case 2: self = .equivocatingOwner(try reader.read(), try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }

    /// The epoch of the batches that it is about.
    package var epoch: Epoch {
        switch self {
        case .wrongVerdict(let ack, _, _, _): ack.header.content.epoch
        case .conflictingAcks(let header, _, _), .equivocatingOwner(let header, _):
            header.content.epoch
        }
    }

    /// For logs and answers.
    package var name: String {
        switch self {
        case .wrongVerdict: "wrong_verdict"
        case .conflictingAcks: "conflicting_acks"
        case .equivocatingOwner: "equivocating_owner"
        }
    }

    /// What the evidence proves, or nil if it proves nothing: a signature is wrong, the two things
    /// agree, or the set of verifiers isn't known any more.
    ///
    /// A pure function of the bytes and of the sets of verifiers: every node judges alike.
    package func finding(in layout: ShardLayout) -> Finding? {
        switch self {
        case .wrongVerdict(let ack, let index, let transaction, let path):
            guard isWrong(ack, index, transaction, path) else { return nil }
            return finding(ack.header, ack.entry, in: layout)
        case .conflictingAcks(let header, let first, let second):
            guard first.signer == second.signer, first.contradicts(second),
                let one = finding(header, first, in: layout),
                finding(header, second, in: layout) != nil
            else { return nil }
            return one
        case .equivocatingOwner(let first, let second):
            return equivocation(first, second, in: layout)
        }
    }

    private func isWrong(
        _ ack: Ack, _ index: UInt32, _ transaction: SignedTransaction, _ path: [Digest]
    ) -> Bool {
        let content = ack.header.content
        guard content.chunkSize > 0, index < content.transactionCount,
            let listed = ack.entry.invalid(in: Int(index / content.chunkSize)),
            BatchTree.root(
                ofChunk: Int(index), size: 1, leaves: [BatchTree.leaf(transaction.bcsBytes)],
                count: Int(content.transactionCount), path: path) == content.transactionRoot
        else { return false }
        let isValid = Verified.check(transaction) != nil
        return isValid == listed.contains(index)
    }

    /// The signer of an entry, if the signature holds. One act for each verifier and batch.
    private func finding(
        _ header: BatchHeader, _ entry: AckEntry, in layout: ShardLayout
    ) -> Finding? {
        let ack = Ack(header: header, entry: entry)
        guard let claim = ack.signatureClaims(in: layout)?.first, claim.isValid,
            let height = header.sealedHeight(layout.settings)
        else { return nil }
        return Finding(
            offender: claim.publicKey, height: height,
            id: Evidence.id(claim.publicKey, header.digest))
    }

    private func equivocation(
        _ first: BatchHeader, _ second: BatchHeader, in layout: ShardLayout
    ) -> Finding? {
        guard first.content.lane == second.content.lane,
            first.content.position == second.content.position, first.digest != second.digest,
            let one = first.claim(in: layout), let other = second.claim(in: layout),
            one.publicKey == other.publicKey, one.isValid, other.isValid,
            let height = first.sealedHeight(layout.settings)
        else { return nil }
        var place = BCSWriter()
        place.append(first.content.epoch)
        place.append(first.content.lane)
        place.append(first.content.position)
        return Finding(
            offender: one.publicKey, height: height,
            id: Evidence.id(one.publicKey, Digest.hash(.batch, place.bytes)))
    }

    private static func id(_ offender: PublicKey, _ act: Digest) -> Digest {
        var writer = BCSWriter()
        writer.append(offender)
        writer.append(act)
        return Digest.hash(.evidence, writer.bytes)
    }
}
