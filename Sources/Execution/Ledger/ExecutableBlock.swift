package import Primitives

/// A finalized block with the bodies of its batches.
package struct ExecutableBlock: Sendable {
    /// A batch in the order of the block.
    package struct Batch: Sendable {
        /// Who sealed it.
        package let owner: ValidatorIndex
        /// Whose acks stand in its certificate.
        package let verifiers: [ValidatorIndex]
        package let transactions: [Verified<SignedTransaction>]

        package init(
            owner: ValidatorIndex, verifiers: [ValidatorIndex],
            transactions: [Verified<SignedTransaction>]
        ) {
            self.owner = owner
            self.verifiers = verifiers
            self.transactions = transactions
        }
    }

    /// A value that another part of the node keeps in the state; nil takes it away.
    package struct SystemValue: Hashable, Sendable {
        /// At most 64 bytes.
        package let name: String
        package let value: [UInt8]?

        package init(name: String, value: [UInt8]?) {
            self.name = name
            self.value = value
        }
    }

    /// One above the ledger's.
    package let height: Height
    package let time: Timestamp
    package let proposer: ValidatorIndex
    package let batches: [Batch]
    /// Written after the transactions, the last value of a name counting.
    package let systemValues: [SystemValue]

    package init(
        height: Height, time: Timestamp, proposer: ValidatorIndex, batches: [Batch] = [],
        systemValues: [SystemValue] = []
    ) {
        self.height = height
        self.time = time
        self.proposer = proposer
        self.batches = batches
        self.systemValues = systemValues
    }
}

/// What a block did.
package struct BlockOutcome: Sendable {
    package let height: Height
    package let stateRoot: Digest
    /// To be written together with what the node itself keeps of the block.
    package let writes: WriteSet
    /// One for each transaction, in the order of the block.
    package let results: [TransactionResult]
    /// The defaults that the block carried out, in their order.
    package let expiries: [EscrowExpiry]
    package let receiptsRoot: Digest
}

/// What became of a transaction of a block.
package enum TransactionResult: Hashable, Sendable {
    case executed(Receipt)
    /// No effect at all; no receipt is written.
    case skipped(TransactionID, SkipReason)
}

/// A deadline's default that a block carried out.
package struct EscrowExpiry: Hashable, Sendable {
    package let escrow: EscrowID
    package let direction: EscrowDirection
    /// All that was held.
    package let amount: Amount
}
