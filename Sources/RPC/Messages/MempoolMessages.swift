/// What `mempool_status` answers: what isn't in a block yet, as this node sees it.
package struct MempoolStatus: Codable, Hashable, Sendable {
    /// Transactions that this node admitted as an owner and no block holds yet.
    package let transactions: Int
    /// Their bytes.
    package let bytes: Int
    /// Batches sealed here that no block holds yet.
    package let batchesOpen: Int
    /// Certified batches that no block holds yet, of any owner.
    package let batchesCertified: Int
    package let queues: MempoolQueues
    /// In order of shard.
    package let shards: [ShardInfo]

    package init(
        transactions: Int, bytes: Int, batchesOpen: Int, batchesCertified: Int,
        queues: MempoolQueues, shards: [ShardInfo]
    ) {
        self.transactions = transactions
        self.bytes = bytes
        self.batchesOpen = batchesOpen
        self.batchesCertified = batchesCertified
        self.queues = queues
        self.shards = shards
    }
}

/// What is under way in a node's mempool.
package struct MempoolQueues: Codable, Hashable, Sendable {
    /// Transactions of this node's clients whose fate is open.
    package let following: Int
    /// Batches sealed here that lack a certificate.
    package let batchesUncertified: Int
    /// Batches and chunks of others whose signatures are being checked here.
    package let batchesChecking: Int
    /// Checks of signatures under way.
    package let checks: Int
    /// Batches that execution waits for.
    package let bodiesMissing: Int
    /// Appeals of clients' nodes that this validator watches.
    package let appeals: Int
    /// Complaints about owners that wait for a block.
    package let complaints: Int

    package init(
        following: Int, batchesUncertified: Int, batchesChecking: Int, checks: Int,
        bodiesMissing: Int, appeals: Int, complaints: Int
    ) {
        self.following = following
        self.batchesUncertified = batchesUncertified
        self.batchesChecking = batchesChecking
        self.checks = checks
        self.bodiesMissing = bodiesMissing
        self.appeals = appeals
        self.complaints = complaints
    }
}

/// A shard and who seals its batches.
package struct ShardInfo: Codable, Hashable, Sendable {
    package let shard: UInt16
    /// The shard's term: each has a ranking of owners of its own.
    package let term: UInt32
    /// The owner's rank in it: above 0 where owners were passed over.
    package let rank: UInt16
    /// The owner's index in the committee.
    package let owner: UInt16
    /// Transactions of this shard that wait at this node to be sealed.
    package let transactions: Int
    /// Batches of this shard that this node sealed and no block holds yet.
    package let batches: Int

    package init(
        shard: UInt16, term: UInt32, rank: UInt16, owner: UInt16, transactions: Int, batches: Int
    ) {
        self.shard = shard
        self.term = term
        self.rank = rank
        self.owner = owner
        self.transactions = transactions
        self.batches = batches
    }
}
