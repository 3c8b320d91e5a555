package import Primitives

/// Bounds of the mempool, each with its reason.
package enum BatchLimits {
    /// Transactions in a batch: one acker's check of 4,096 signatures takes 0.2 s on one core.
    package static let transactionsMax = 4096
    /// Bytes of a batch's body: one frame.
    package static let bytesMax = 1 << 20
    /// Chunks of a batch: one bit each in an ack.
    package static let chunksMax = 32
    /// Batches of a lane that its owner keeps uncertified at once.
    package static let uncertifiedMax = 4
    /// Batches of a lane that ackers hold before one is included; beyond it they don't answer.
    package static let unincludedMax = 64
    /// Ready transactions at which an owner seals although an earlier batch isn't certified yet.
    package static let eagerSealTransactions = 512
    /// Transactions that are worth a batch: the fixed costs of one are some of theirs then.
    package static let worthyTransactions = 256
    /// Transactions in a batch from which on its lane counts as busy.
    package static let busyTransactions = 4
    /// Bytes of certificates in a block's payload.
    package static let payloadBytesMax = 768 << 10
    /// Transactions in a block: bounds the time that one execution takes.
    package static let blockTransactionsMax = 16_384
    /// Entries of a certificate.
    package static let entriesMax = Committee.countMax
    /// Transactions that wait in the pool of this node as an owner; more are refused as busy.
    package static let poolTransactionsMax = 65_536
    /// Transactions of one sender in the pool.
    package static let senderTransactionsMax = 64
    /// Transactions that this node follows for its own clients; more are refused as busy.
    package static let followedMax = 131_072
    /// Transactions in one forwarding message.
    package static let forwardMax = 512
    /// Bytes of the transactions in one forwarding message: a frame holds 1 MiB.
    package static let forwardBytesMax = 900 << 10
    /// Certificates in a block: with their signatures what a voter checks in about 0.3 s.
    package static let blockCertificatesMax = 1024
    /// Bytes of the bodies that a block orders: a node may have to hold all of them at once. Four
    /// times what the transactions of a full block of single payments take.
    package static let blockBodyBytesMax: UInt64 = 16 << 20
    /// Bytes of bodies kept in memory besides the store; beyond it they are read again.
    package static let bodyBytesMax = 64 << 20
    /// Bytes of bodies of one owner that no block has included, of a committee of `count`: what all
    /// owners together leave lying stays within what is kept in memory, so that nobody's rescue
    /// fails because another's batches are never certified. At least two batches.
    package static func ownerBytesMax(committee count: Int) -> UInt64 {
        UInt64(max(bodyBytesMax / max(count, 1), 2 * bytesMax))
    }

    /// Digests in one request for bodies.
    package static let bodyRequestMax = 16
    /// Transactions of a validator that wait for their check at an owner: half a second of a core.
    package static let askingOfValidatorMax = 16_384
    /// The same of a node without a vote.
    package static let askingOfGuestMax = 1024
    /// Transactions in one checking job: a few milliseconds of one core.
    package static let checkingJobMax = 128
    /// Transactions of a chunk at least, unless the batch is smaller: less isn't worth a message.
    package static let chunkTransactionsMin = 64
    /// Chunks that an owner makes at most of a batch: each costs its verifiers a signature.
    package static let chunksAimed = 4
    /// Signatures that an owner has under way with one verifier; beyond it others are asked.
    package static let outstandingSignaturesMax: UInt64 = 65_536
    /// Chunks that an edge verifier checks or has waiting at once; more are declined.
    package static let tasksMax = 256
    /// The same of one owner.
    package static let ownerTasksMax = 64
    /// Planted faults of a batch.
    package static let canariesMax = 16
    /// Transactions of a batch for each planted fault.
    package static let canaryInterval = 256
    /// Transactions that a leader puts into a block itself: each voter checks them all.
    package static let directMax = 64
    /// Bytes of them.
    package static let directBytesMax = 128 << 10
    /// Complaints of a block: the passing over of so many owners.
    package static let complaintsMax = 16
    /// Appeals of one peer that are looked into within a second.
    package static let appealsPerSecond: UInt64 = 32
    /// Appeals of a node's own that run at once: where an owner seals nothing one shows it as well
    /// as all, and each costs every validator a look.
    package static let appealsAtOnce = 4
    /// Appeals that a validator watches at once.
    package static let watchedMax = 1024
    /// Verifier sets that a certificate may be of, the present one included: so many periods after
    /// its sealing at the latest a batch is included or void.
    package static let periodsMax: UInt64 = 9

    /// Shards of a committee of `count`: at least twice its size, a power of two in 8...1024.
    package static func shardCount(committee count: Int) -> Int {
        var shards = 8
        while shards < 2 * count, shards < 1024 { shards *= 2 }
        return shards
    }
}

/// Times of the mempool, all in milliseconds.
package enum MempoolTimes {
    /// How long a node waits for an owner's answer before it hands a transaction to the next rank.
    package static let admissionWait: UInt64 = 400
    /// How long an admitted transaction may stay without a block before the next rank gets it too.
    package static let inclusionWait: UInt64 = 2000
    /// The longest wait between two handovers.
    package static let handoverWaitMax: UInt64 = 30_000
    /// How often an owner sends an uncertified batch again to those who didn't answer.
    package static let batchRetry: UInt64 = 500
    /// How often a certificate that no block has included is sent again.
    package static let certificateRetry: UInt64 = 1000
    /// How soon a missing body is asked for again at first, how soon on a line that doesn't bring
    /// bodies in that time, and what is given to a large body for its length.
    package static let bodyRetry: UInt64 = 300
    package static let bodyRetryMax: UInt64 = 2_400
    package static let bodyCarryingMax: UInt64 = 20_000
    /// The least time between a busy batch of a lane and the next: under load they grow instead of
    /// multiplying, and each costs signatures, messages and a sync on every validator.
    package static let sealInterval: UInt64 = 40
    /// The same where less waits than is worth a batch.
    package static let smallSealInterval: UInt64 = 120
    /// The same where validators are so busy that they take long to store a batch.
    package static let sealIntervalMax: UInt64 = 400
    /// The period of the engine's own timer.
    package static let tick: UInt64 = 50
    /// How long a validator waits for an owner to seal what was put before it until it complains.
    package static let appealWait: UInt64 = 1000
    /// The least time that a verifier has for its chunk before another is asked as well.
    package static let hedgeWait: UInt64 = 250
    /// The most.
    package static let hedgeWaitMax: UInt64 = 4000
    /// After so long without a certificate every holder checks what isn't checked, unasked; longer
    /// where certificates take longer.
    package static let rescueWait: UInt64 = 1000
    /// The most.
    package static let rescueWaitMax: UInt64 = 8000
    /// How long a verifier that was late or declined isn't asked first.
    package static let lateness: UInt64 = 1000
    /// Heights by which execution may be behind before validators ack nothing more and owners
    /// admit nothing more: half of what a vote allows by default, so that agreement goes on.
    package static let executionLagMax: UInt64 = 8
    /// What a client that met a full pool is told to wait.
    package static let busyRetry: UInt64 = 500
}

/// What genesis says of batches, shards and verification, within `BatchLimits`.
package struct BatchSettings: Hashable, Sendable {
    /// Transactions in a batch.
    package let transactionsMax: Int
    /// Bytes of a batch's body.
    package let bytesMax: Int
    /// Heights after sealing during which a batch can be included; at most those of eight periods.
    package let expiryBlocks: UInt64
    /// Heights for which a shard keeps its ranking of owners.
    package let termBlocks: UInt64
    /// Heights for which a set of verifiers stands.
    package let periodBlocks: UInt64
    /// Heights for which a complaint counts.
    package let complaintBlocks: UInt64
    /// Whether signatures are spread: if not, every validator checks every one.
    package let spread: Bool
    /// For simulations: the rule that is broken.
    package var planted: PlantedFault?

    package init(
        transactionsMax: Int = BatchLimits.transactionsMax, bytesMax: Int = BatchLimits.bytesMax,
        expiryBlocks: UInt64 = 1000, termBlocks: UInt64 = 128, periodBlocks: UInt64 = 32,
        complaintBlocks: UInt64 = 8, spread: Bool = true
    ) {
        self.transactionsMax = min(transactionsMax, BatchLimits.transactionsMax)
        self.bytesMax = min(bytesMax, BatchLimits.bytesMax)
        self.termBlocks = max(1, termBlocks)
        self.periodBlocks = max(1, periodBlocks)
        let (latest, overflow) = self.periodBlocks.multipliedReportingOverflow(
            by: BatchLimits.periodsMax - 1)
        self.expiryBlocks = min(expiryBlocks, overflow ? .max : latest)
        self.complaintBlocks = complaintBlocks
        self.spread = spread
    }

    /// The period of a height.
    package func period(of height: Height) -> UInt64 { height.rawValue / periodBlocks }

    /// The first height of a period.
    package func firstHeight(ofPeriod period: UInt64) -> Height {
        let (height, overflow) = period.multipliedReportingOverflow(by: periodBlocks)
        return Height(overflow ? .max : height)
    }
}
