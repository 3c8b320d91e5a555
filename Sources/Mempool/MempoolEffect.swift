package import Primitives

/// Names a client's request for as long as it is open.
package struct RequestID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Names a checking job until its result is in.
package struct CheckID: Hashable, Sendable {
    package let rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// What reaches the mempool. Each event's duties are in the file named after it.
package enum MempoolEvent: Sendable {
    /// Once, after the start: sealed batches that aren't certified go out again.
    case start
    /// A client of this node wants a transaction in.
    case submitted(RequestID, SignedTransaction)
    /// A peer's message.
    case received(PeerID, MempoolMessage)
    /// A checking job is done.
    case checked(CheckID, CheckResult)
    /// A link to a peer stands, or went.
    case connected(PeerID)
    case disconnected(PeerID)
    /// A finalized block at a height includes batches, in the block's order.
    case included(Height, [BatchCertificate])
    /// What execution made of the transactions of a block.
    case executed(Timestamp, [ExecutedTransaction])
    /// Bodies that execution waits for, by their certificates.
    case bodiesWanted([BatchCertificate])
    /// The engine's own timer, every `MempoolTimes.tick`.
    case tick
}

/// A transaction with what execution made of it; `skipped` is nil if it took its sequence.
package struct ExecutedTransaction: Hashable, Sendable {
    package let signed: SignedTransaction
    package let skipped: SkipReason?

    package init(_ transaction: SignedTransaction, skipped: SkipReason?) {
        signed = transaction
        self.skipped = skipped
    }

    package var id: TransactionID { signed.id }
    package var sender: Address { signed.transaction.sender }
    package var stream: UInt16 { signed.transaction.stream }
    package var sequence: SequenceNumber { signed.transaction.sequence }

    /// Whether the verdict holds for every transaction with this id. The id doesn't cover the
    /// authorizations: somebody can have ordered the same transaction with too few of them.
    package var isDefinite: Bool {
        switch skipped {
        case nil, .expired, .sequenceUsed, .wrongChain: true
        default: false
        }
    }
}

/// What the mempool wants done, in order.
package enum MempoolEffect: Sendable {
    /// Answer a client.
    case reply(RequestID, TransactionID, SubmitOutcome)
    case send(PeerID, MempoolMessage)
    /// To all other validators.
    case broadcast(MempoolMessage)
    /// Run a job on the verifier pool and bring its result back as `checked`.
    case check(CheckID, CheckJob)
    /// Write, and have it on disk before anything that follows leaves the node.
    case store(WriteSet)
    /// Delete records that the chain has passed; it needn't be on disk before anything.
    case forget(WriteSet)
    /// A batch became includable.
    case workAvailable
    /// A body that was wanted is in the store.
    case bodyArrived(Digest)
    case penalise(PeerID, String)
}

/// Signatures to check, away from the core.
package enum CheckJob: Sendable {
    /// Transactions that ask for admission.
    case transactions([SignedTransaction])
    /// The header of a batch and the transactions in `range`.
    case batch(Batch, Range<Int>)
    case acks([Ack])
    case certificate(BatchCertificate)

    /// The number of signatures that `run` checks at most.
    package var signatureCount: Int {
        switch self {
        case .transactions(let transactions): CheckJob.count(transactions[...])
        case .batch(let batch, let range): CheckJob.count(batch.transactions[range])
        case .acks(let acks): acks.count
        case .certificate(let certificate): 1 + certificate.entries.count
        }
    }

    /// The number of users' signatures among them.
    package var transactionSignatureCount: Int {
        switch self {
        case .transactions, .batch: signatureCount
        case .acks, .certificate: 0
        }
    }

    private static func count(_ transactions: ArraySlice<SignedTransaction>) -> Int {
        transactions.reduce(0) { $0 + $1.authorizations.count }
    }

    /// Checks every signature of the job: about 40 µs each, half of that where they are many.
    package func run(in layout: ShardLayout) -> CheckResult {
        switch self {
        case .transactions(let transactions):
            .transactions(transactions.map { Verified.check($0) })
        case .batch(let batch, let range):
            .batch(
                headerValid: batch.header.claim(in: layout)?.isValid ?? false,
                invalid: range.filter { Verified.check(batch.transactions[$0]) == nil }
                    .map { UInt32($0) })
        case .acks(let acks): .acks(acks.map { Verified.check($0, in: layout) })
        case .certificate(let certificate):
            .certificate(Verified.check(certificate, in: layout))
        }
    }
}

/// What a job found, in the order of its items.
package enum CheckResult: Sendable {
    case transactions([Verified<SignedTransaction>?])
    /// Indexes within the batch whose signatures don't hold.
    case batch(headerValid: Bool, invalid: [UInt32])
    case acks([Verified<Ack>?])
    case certificate(Verified<BatchCertificate>?)
}
