package import Primitives

/// An owner's answer to a forwarded transaction. Wire: variant index, then the payload.
package enum SubmitOutcome: Hashable, Sendable, BCSCodable {
    /// 0: the signatures hold and it has its place.
    case accepted
    /// 1: it can't execute. Payload: the reason, one byte.
    case refused(SkipReason)
    /// 2: another transaction holds its sequence. Payload: that one's id.
    case conflict(TransactionID)
    /// 3: no room. Payload: milliseconds after which to try again.
    case busy(UInt64)
    /// 4: all that the sender has waiting is more than it holds.
    case overspent

    package func encode(to writer: inout BCSWriter) {
        switch self {
        case .accepted: writer.appendVariant(0)
        case .refused(let reason):
            writer.appendVariant(1)
            writer.append(reason.rawValue)
        case .conflict(let id):
            writer.appendVariant(2)
            writer.append(id)
        case .busy(let milliseconds):
            writer.appendVariant(3)
            writer.append(milliseconds)
        case .overspent: writer.appendVariant(4)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: self = .accepted
        case 1:
            let byte = try reader.readUInt8()
            guard let reason = SkipReason(rawValue: byte) else {
                throw BCSError(.unknownVariant(UInt32(byte)), at: start)
            }
            self = .refused(reason)
        case 2: self = .conflict(try reader.read())
        case 3: self = .busy(try reader.readUInt64())
        case 4: self = .overspent
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }
}

/// A transaction with its owner's answer. Wire: id, outcome.
package struct ForwardAnswer: Hashable, Sendable, BCSCodable {
    package let id: TransactionID
    package let outcome: SubmitOutcome

    package init(id: TransactionID, outcome: SubmitOutcome) {
        self.id = id
        self.outcome = outcome
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(id)
        writer.append(outcome)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        id = try reader.read()
        outcome = try reader.read()
    }
}

/// What mempools tell each other. Wire: variant index, then the payload.
package enum MempoolMessage: Hashable, Sendable, BCSCodable {
    /// 0: transactions for their owner (1...512).
    case forward([SignedTransaction])
    /// 1: the owner's answers (1...512).
    case answers([ForwardAnswer])
    /// 2: a sealed batch for validators, with the owner's wish who checks what.
    case batch(Batch, Assignment)
    /// 3: an ack, for the owner.
    case ack(Ack)
    /// 4: a certificate, for everybody.
    case certificate(BatchCertificate)
    /// 5: bodies wanted (1...16 digests).
    case bodyRequest([Digest])
    /// 6: one wanted body.
    case body(Batch)
    /// 7: a wanted body that the sender doesn't have.
    case bodyMissing(Digest)
    /// 8: chunks to check, for a verifier that has no body.
    case task(ChunkTask)
    /// 9: chunks to check of a batch that the receiver holds: its digest, a bit for each chunk.
    case checkAlso(Digest, UInt32)
    /// 10: chunks that the sender won't check now.
    case declined(Digest, UInt32)
    /// 11: a transaction that an owner doesn't seal, for every validator to put before it.
    case appeal(SignedTransaction)
    /// 12: a complaint, for everybody.
    case complaint(Complaint)

    package func encode(to writer: inout BCSWriter) {
        switch self {
        case .forward(let transactions):
            writer.appendVariant(0)
            writer.append(list: transactions)
        case .answers(let answers):
            writer.appendVariant(1)
            writer.append(list: answers)
        case .batch(let batch, let assignment):
            writer.appendVariant(2)
            writer.append(batch)
            writer.append(assignment)
        case .ack(let ack):
            writer.appendVariant(3)
            writer.append(ack)
        case .certificate(let certificate):
            writer.appendVariant(4)
            writer.append(certificate)
        case .bodyRequest(let digests):
            writer.appendVariant(5)
            writer.append(list: digests)
        case .body(let batch):
            writer.appendVariant(6)
            writer.append(batch)
        case .bodyMissing(let digest):
            writer.appendVariant(7)
            writer.append(digest)
        case .task(let task):
            writer.appendVariant(8)
            writer.append(task)
        case .checkAlso(let digest, let chunks):
            writer.appendVariant(9)
            writer.append(digest)
            writer.append(chunks)
        case .declined(let digest, let chunks):
            writer.appendVariant(10)
            writer.append(digest)
            writer.append(chunks)
        case .appeal(let transaction):
            writer.appendVariant(11)
            writer.append(transaction)
        case .complaint(let complaint):
            writer.appendVariant(12)
            writer.append(complaint)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0:
            self = .forward(
                try reader.readList(
                    minimum: 1, maximum: BatchLimits.forwardMax,
                    elementBytes: SignedTransaction.bytesMin))
        case 1:
            self = .answers(
                try reader.readList(
                    minimum: 1, maximum: BatchLimits.forwardMax, elementBytes: 33))
        case 2: self = .batch(try reader.read(), try reader.read())
        case 3: self = .ack(try reader.read())
        case 4: self = .certificate(try reader.read())
        case 5:
            self = .bodyRequest(
                try reader.readList(
                    minimum: 1, maximum: BatchLimits.bodyRequestMax, elementBytes: 32))
        case 6: self = .body(try reader.read())
        case 7: self = .bodyMissing(try reader.read())
        case 8: self = .task(try reader.read())
        case 9: self = .checkAlso(try reader.read(), try reader.readUInt32())
        case 10: self = .declined(try reader.read(), try reader.readUInt32())
        case 11: self = .appeal(try reader.read())
        case 12: self = .complaint(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }
}

extension MempoolMessage {
    /// The epoch that the message is of; nil for one that is of none, or that names something by
    /// its digest only.
    package var epoch: Epoch? {
        switch self {
        case .batch(let batch, _): batch.header.content.epoch
        case .ack(let ack): ack.header.content.epoch
        case .certificate(let certificate): certificate.header.content.epoch
        case .task(let task): task.header.content.epoch
        case .complaint(let complaint): complaint.epoch
        case .forward, .answers, .bodyRequest, .body, .bodyMissing, .checkAlso, .declined,
            .appeal:
            nil
        }
    }
}
