package import Primitives

/// Signatures to check, away from the core.
package enum CheckJob: Sendable {
    /// Transactions that ask for admission, or that a client gave to this node.
    case transactions([SignedTransaction])
    /// Transactions of a batch.
    case work(SignatureWork)
    case acks([Ack])
    case certificate(BatchCertificate)
    case complaint(Complaint)

    /// The number of signatures that `run` checks at most.
    package var signatureCount: Int {
        switch self {
        case .transactions(let transactions):
            transactions.reduce(0) { $0 + $1.authorizations.count }
        case .work(let work): work.signatureCount + (work.checksHeader ? 1 : 0)
        case .acks(let acks): acks.count
        case .certificate(let certificate): 1 + certificate.entries.count
        case .complaint: 1
        }
    }

    /// The bytes of users' transactions that came for the job.
    package var transactionByteCount: Int {
        switch self {
        case .transactions(let transactions): transactions.reduce(0) { $0 + $1.byteCount }
        case .work(let work): work.transactions.reduce(0) { $0 + $1.byteCount }
        case .acks, .certificate, .complaint: 0
        }
    }

    /// Checks every signature of the job, as a batch where it has several.
    package func run(in layout: ShardLayout) -> CheckResult {
        switch self {
        case .transactions(let transactions): .transactions(Verified.checkAll(transactions))
        case .work(let work): work.run(in: layout)
        case .acks(let acks): .acks(Verified.checkAll(acks, in: layout))
        case .certificate(let certificate):
            .certificate(Verified.check(certificate, in: layout))
        case .complaint(let complaint): .complaint(Verified.check(complaint, in: layout))
        }
    }
}

/// Transactions of a batch whose signatures are to be checked.
package struct SignatureWork: Sendable {
    package let header: BatchHeader
    package let transactions: ArraySlice<SignedTransaction>
    /// The first one's index within the batch.
    package let firstIndex: UInt32
    /// Whether the owner's signature is to be checked too.
    package let checksHeader: Bool
    /// The piece whose proof is to be checked too.
    package let piece: ChunkTask.Piece?

    package var signatureCount: Int { transactions.reduce(0) { $0 + $1.authorizations.count } }

    func run(in layout: ShardLayout) -> CheckResult {
        guard !checksHeader || header.claim(in: layout)?.isValid ?? false,
            piece?.isProven(by: header) ?? true
        else { return .work(isGenuine: false, invalid: []) }
        let results = Verified.checkAll(Array(transactions))
        let invalid = results.enumerated().filter { $0.element == nil }
            .map { firstIndex + UInt32($0.offset) }
        return .work(isGenuine: true, invalid: invalid)
    }
}

/// What a job found, in the order of its items.
package enum CheckResult: Sendable {
    case transactions([Verified<SignedTransaction>?])
    /// Whether header and proof hold, and indexes within the batch whose signatures don't.
    case work(isGenuine: Bool, invalid: [UInt32])
    case acks([Verified<Ack>?])
    case certificate(Verified<BatchCertificate>?)
    case complaint(Verified<Complaint>?)
    /// Not done: the machine is wanted by its owner.
    case declined
}
