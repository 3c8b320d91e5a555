package import Primitives

/// What `chain_head` answers: the newest block that is executed and stored.
package struct ChainHead: Codable, Hashable, Sendable {
    package let height: Height
    /// `blk` text.
    package let digest: String
    package let view: View
    package let time: Timestamp
    /// After this block; 64 hexadecimal digits.
    package let stateRoot: String
    /// The newest finalized block; not below `height`.
    package let finalizedHeight: Height

    package init(
        height: Height, digest: String, view: View, time: Timestamp, stateRoot: String,
        finalizedHeight: Height
    ) {
        self.height = height
        self.digest = digest
        self.view = view
        self.time = time
        self.stateRoot = stateRoot
        self.finalizedHeight = finalizedHeight
    }
}

/// What `block_get` answers.
package struct BlockSummary: Codable, Hashable, Sendable {
    package let height: Height
    /// `blk` text.
    package let digest: String
    /// `blk` text.
    package let parent: String
    package let epoch: Epoch
    package let view: View
    /// The leader's index in the committee.
    package let proposer: UInt16
    package let time: Timestamp
    /// The height whose state root the header carries: execution may lag behind.
    package let executedHeight: Height
    /// After the block at `executedHeight`; 64 hexadecimal digits.
    package let executedStateRoot: String
    /// The state's root after this block, hex; absent until the node has executed it.
    package let stateRoot: String?
    /// What the block carries itself, executed before its batches: `txn` texts in that order.
    package let direct: [String]
    /// In order of execution.
    package let batches: [BatchSummary]

    package init(
        height: Height, digest: String, parent: String, epoch: Epoch, view: View,
        proposer: UInt16, time: Timestamp, executedHeight: Height, executedStateRoot: String,
        stateRoot: String? = nil, direct: [String] = [], batches: [BatchSummary]
    ) {
        self.height = height
        self.digest = digest
        self.parent = parent
        self.epoch = epoch
        self.view = view
        self.proposer = proposer
        self.time = time
        self.executedHeight = executedHeight
        self.executedStateRoot = executedStateRoot
        self.stateRoot = stateRoot
        self.direct = direct
        self.batches = batches
    }
}

/// A batch of a block.
package struct BatchSummary: Codable, Hashable, Sendable {
    /// `bat` text.
    package let digest: String
    /// The sealing validator's index in the committee.
    package let owner: UInt16
    /// `txn` texts in order of execution.
    package let transactions: [String]

    package init(
        digest: String, owner: UInt16, transactions: [String]
    ) {
        self.digest = digest
        self.owner = owner
        self.transactions = transactions
    }
}

/// What `genesis_get` answers.
package struct GenesisInfo: Codable, Hashable, Sendable {
    /// The network's name.
    package let network: String
    /// What human-readable ids begin with.
    package let prefix: String
    /// 64 hexadecimal digits: the hash of `canonical`.
    package let chainID: String
    package let time: Timestamp
    /// Units of the native asset.
    package let supply: Amount
    /// Accounts with a balance from the start.
    package let accounts: Int
    package let validators: Int
    package let parameters: FeeParameters
    /// The canonical bytes in base64.
    package let canonical: String

    package init(
        network: String, prefix: String, chainID: String, time: Timestamp, supply: Amount,
        accounts: Int, validators: Int, parameters: FeeParameters, canonical: String
    ) {
        self.network = network
        self.prefix = prefix
        self.chainID = chainID
        self.time = time
        self.supply = supply
        self.accounts = accounts
        self.validators = validators
        self.parameters = parameters
        self.canonical = canonical
    }
}

/// What a wallet needs to reckon a fee: `baseFee` times the weight, which is the sum of bytes,
/// signatures and operations, each times its own weight.
package struct FeeParameters: Codable, Hashable, Sendable {
    /// For each unit of weight.
    package let baseFee: Amount
    /// For each byte of the signed transaction.
    package let byteWeight: UInt64
    /// For each authorization.
    package let signatureWeight: UInt64
    /// For each operation.
    package let writeWeight: UInt64
    /// What the first use of a further stream costs.
    package let streamDeposit: Amount
    /// What is kept back of the payer's for each escrow, until it closes.
    package let escrowDeposit: Amount
    /// What is kept back for each issued asset that an account holds, as long as it does.
    package let holdingDeposit: Amount
    /// What is kept back of the issuer's for each asset, until it is retired.
    package let assetDeposit: Amount

    package init(
        baseFee: Amount, byteWeight: UInt64, signatureWeight: UInt64, writeWeight: UInt64,
        streamDeposit: Amount, escrowDeposit: Amount, holdingDeposit: Amount,
        assetDeposit: Amount
    ) {
        self.baseFee = baseFee
        self.byteWeight = byteWeight
        self.signatureWeight = signatureWeight
        self.writeWeight = writeWeight
        self.streamDeposit = streamDeposit
        self.escrowDeposit = escrowDeposit
        self.holdingDeposit = holdingDeposit
        self.assetDeposit = assetDeposit
    }
}

/// What `fee_estimate` answers.
package struct FeeEstimate: Codable, Hashable, Sendable {
    /// The newest executed block.
    package let height: Height
    /// What a unit of weight costs in the next block, rounded up.
    package let baseFee: Amount
    /// The weight of a block's transactions that leaves the base fee as it is.
    package let targetWeight: UInt64
    /// From the cheapest to the surest.
    package let levels: [FeeLevelEstimate]

    package init(
        height: Height, baseFee: Amount, targetWeight: UInt64, levels: [FeeLevelEstimate]
    ) {
        self.height = height
        self.baseFee = baseFee
        self.targetWeight = targetWeight
        self.levels = levels
    }
}

/// How much a sender cares about being early, and about a base fee that rises meanwhile.
package enum FeeLevel: String, Codable, Hashable, Sendable, CaseIterable {
    /// The present base fee: waits, or is skipped, when it rises.
    case economy
    /// Twice the base fee, and what half of the others tip.
    case standard
    /// Four times the base fee, and an eighth more than nine in ten others tip.
    case urgent
}

/// What to sign for a level: `maxFee` = weight × `baseFeeMax` + `tip`.
package struct FeeLevelEstimate: Codable, Hashable, Sendable {
    package let level: FeeLevel
    package let baseFeeMax: Amount
    package let tip: Amount

    package init(level: FeeLevel, baseFeeMax: Amount, tip: Amount) {
        self.level = level
        self.baseFeeMax = baseFeeMax
        self.tip = tip
    }
}
