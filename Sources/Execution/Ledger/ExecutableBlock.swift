package import Primitives

/// A finalized block with the bodies of its batches.
package struct ExecutableBlock: Sendable {
    /// A batch in the order of the block.
    package struct Batch: Sendable {
        /// Who sealed it, of the committee of the block's epoch.
        package let owner: ValidatorIndex
        /// Of the verifier set that its certificate's indexes belong to.
        package let period: UInt64
        /// Who checked what, in order.
        package let chunks: [ChunkCredit]
        package let transactions: [Verified<SignedTransaction>]

        package init(
            owner: ValidatorIndex, period: UInt64, chunks: [ChunkCredit],
            transactions: [Verified<SignedTransaction>]
        ) {
            self.owner = owner
            self.period = period
            self.chunks = chunks
            self.transactions = transactions
        }
    }

    /// Whose acks prove a chunk of a batch: they share its part of the fees.
    package struct ChunkCredit: Hashable, Sendable {
        /// How many the chunk has, invalid ones too: they were checked like the others.
        package let transactions: UInt32
        /// Each counts once.
        package let verifiers: [VerifierIndex]

        package init(transactions: UInt32, verifiers: [VerifierIndex]) {
            self.transactions = transactions
            self.verifiers = verifiers
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
    /// The finalized block's, for the history.
    package let digest: Digest
    package let time: Timestamp
    /// Of the committee of the block's epoch.
    package let proposer: ValidatorIndex
    /// Those that the block carries itself, for twice the base fee; executed before the batches.
    package let direct: [Verified<SignedTransaction>]
    package let batches: [Batch]
    /// Written after the transactions, the last value of a name counting.
    package let systemValues: [SystemValue]

    package init(
        height: Height, digest: Digest, time: Timestamp, proposer: ValidatorIndex,
        direct: [Verified<SignedTransaction>] = [], batches: [Batch] = [],
        systemValues: [SystemValue] = []
    ) {
        self.height = height
        self.digest = digest
        self.time = time
        self.proposer = proposer
        self.direct = direct
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
    /// One for each transaction: the direct ones, then those of the batches, in the block's order.
    package let results: [TransactionResult]
    /// The defaults that the block carried out, in their order.
    package let expiries: [EscrowExpiry]
    package let receiptsRoot: Digest
    /// What the executed transactions paid above the base fee, in their order.
    package let tips: [Amount]
    /// Whether the block weighs more than the target: then the base fee rises.
    package let isAboveTarget: Bool
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
