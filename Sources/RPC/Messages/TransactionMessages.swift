package import Primitives

/// What `transaction_submit` answers once the signatures hold and the transaction has its place in
/// a shard. The same bytes again give the same answer.
package struct SubmitResult: Codable, Hashable, Sendable {
    /// `txn` text.
    package let id: String
    /// `pending`, or what has become of it already.
    package let state: TransactionState

    package init(
        id: String, state: TransactionState
    ) {
        self.id = id
        self.state = state
    }
}

/// What has become of a transaction.
package enum TransactionState: String, Codable, Hashable, Sendable {
    /// Accepted, not in a finalized block yet.
    case pending
    /// In a finalized block and executed; the receipt says how.
    case final
    /// In a finalized block without any effect; the reason says why.
    case skipped
    /// This node has never seen it, or has forgotten it unexecuted.
    case unknown
}

/// What `transaction_get` and `transaction_wait` answer.
package struct TransactionStatus: Codable, Hashable, Sendable {
    /// `txn` text.
    package let id: String
    package let state: TransactionState
    /// Present exactly in state `final`.
    package let receipt: ReceiptInfo?
    /// The stable name of a `SkipReason`; present exactly in state `skipped`.
    package let reason: String?
    /// A sentence for people, for example why nothing is finalized at present.
    package let note: String?

    package init(
        id: String, state: TransactionState, receipt: ReceiptInfo? = nil, reason: String? = nil,
        note: String? = nil
    ) {
        self.id = id
        self.state = state
        self.receipt = receipt
        self.reason = reason
        self.note = note
    }
}

/// The result of an executed transaction.
package struct ReceiptInfo: Codable, Hashable, Sendable {
    /// `txn` text.
    package let transaction: String
    package let height: Height
    /// The place among the block's transactions.
    package let index: UInt32
    /// What the sender paid, tip included.
    package let fee: Amount
    package let outcome: ReceiptOutcome
    /// Present exactly if the outcome is `failed`.
    package let failure: OperationFailure?
    /// `esc` texts of the escrows that it created.
    package let escrows: [String]
    /// `ast` texts of the assets that it issued.
    package let assets: [String]
    /// `prp` texts of the proposals that it made.
    package let proposals: [String]

    package init(
        transaction: String, height: Height, index: UInt32, fee: Amount, outcome: ReceiptOutcome,
        failure: OperationFailure? = nil, escrows: [String], assets: [String] = [],
        proposals: [String] = []
    ) {
        self.transaction = transaction
        self.height = height
        self.index = index
        self.fee = fee
        self.outcome = outcome
        self.failure = failure
        self.escrows = escrows
        self.assets = assets
        self.proposals = proposals
    }
}

/// Whether the operations took effect.
package enum ReceiptOutcome: String, Codable, Hashable, Sendable {
    case success
    /// No operation took effect; the fee is paid and the sequence used.
    case failed
}

/// Which operation failed, and why.
package struct OperationFailure: Codable, Hashable, Sendable {
    /// Its place in the transaction, from 0.
    package let operation: Int
    /// Stable; programs act on it.
    package let code: UInt16
    /// The stable name of the code.
    package let reason: String

    package init(
        operation: Int, code: UInt16, reason: String
    ) {
        self.operation = operation
        self.code = code
        self.reason = reason
    }
}

/// What `transaction_find` answers: who used a sequence of a stream.
package struct StreamUse: Codable, Hashable, Sendable {
    /// `txn` text.
    package let id: String
    /// The block that executed it.
    package let height: Height
    /// The signed transaction's bytes in base64; absent where the node doesn't have them any more.
    package let transaction: String?

    package init(id: String, height: Height, transaction: String?) {
        self.id = id
        self.height = height
        self.transaction = transaction
    }
}
