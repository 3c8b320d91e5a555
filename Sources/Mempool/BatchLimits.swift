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
    /// Bytes of bodies kept in memory besides the store; beyond it they are read again.
    package static let bodyBytesMax = 64 << 20
    /// Digests in one request for bodies.
    package static let bodyRequestMax = 16
    /// Transactions in one checking job: about 7 ms of one core.
    package static let checkingJobMax = 128

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
    /// How often a missing body is asked for again.
    package static let bodyRetry: UInt64 = 300
    /// The least time between a busy batch of a lane and the next: under load they grow instead of
    /// multiplying, and each costs signatures, messages and a sync on every validator.
    package static let sealInterval: UInt64 = 40
    /// The period of the engine's own timer.
    package static let tick: UInt64 = 50
    /// What a client that met a full pool is told to wait.
    package static let busyRetry: UInt64 = 500
}

/// What genesis says of batches, within `BatchLimits`.
package struct BatchSettings: Hashable, Sendable {
    /// Transactions in a batch.
    package let transactionsMax: Int
    /// Bytes of a batch's body.
    package let bytesMax: Int
    /// Heights after sealing during which a batch can be included.
    package let expiryBlocks: UInt64

    package init(
        transactionsMax: Int = BatchLimits.transactionsMax, bytesMax: Int = BatchLimits.bytesMax,
        expiryBlocks: UInt64 = 1000
    ) {
        self.transactionsMax = min(transactionsMax, BatchLimits.transactionsMax)
        self.bytesMax = min(bytesMax, BatchLimits.bytesMax)
        self.expiryBlocks = expiryBlocks
    }
}

/// Which shard a sender belongs to, and who owns a shard: the same on every node for an epoch.
package struct ShardLayout: Sendable {
    package let committee: Committee
    package let settings: BatchSettings
    package let shardCount: Int
    private let rankings: [[ValidatorIndex]]

    package init(committee: Committee, settings: BatchSettings = BatchSettings()) {
        self.committee = committee
        self.settings = settings
        shardCount = BatchLimits.shardCount(committee: committee.count)
        rankings = (0..<shardCount).map { shard in
            committee.ranking(.owner, salt: UInt64(shard).bcsLittleEndian)
        }
    }

    /// H(shard, epoch ‖ sender) modulo the shard count.
    package func shard(of sender: Address) -> UInt16 {
        var hasher = Hasher256(.shard)
        hasher.update(committee.epoch.bcsBytes)
        hasher.update(sender.bytes32)
        return UInt16(hasher.finalize().bytes32.remainder(dividingBy: UInt64(shardCount)))
    }

    /// The validator at a lane's rank, or nil for a lane that doesn't exist.
    package func owner(of lane: Lane) -> ValidatorIndex? {
        guard Int(lane.shard) < shardCount, Int(lane.rank) < committee.count else { return nil }
        return rankings[Int(lane.shard)][Int(lane.rank)]
    }

    /// The rank of `validator` for `shard`, which exists.
    package func rank(of validator: ValidatorIndex, shard: UInt16) -> UInt16? {
        rankings[Int(shard)].firstIndex(of: validator).map { UInt16($0) }
    }
}
