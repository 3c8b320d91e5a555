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
    /// A finalized block at a height includes batches, in the block's order, and passes over the
    /// owners of lanes.
    case included(Height, [BatchCertificate], passedOver: [Lane])
    /// What execution made of the transactions of a block.
    case executed(Timestamp, [ExecutedTransaction])
    /// The executed height, and the sets of verifiers that the state names there.
    case advanced(Height, verifierSets: [UInt64: VerifierSet])
    /// What this machine can check for others; what a peer says that it can.
    case ownCapacity(Capacity)
    case peerCapacity(PeerID, Capacity)
    /// Bodies that execution waits for, by their certificates, which are of the committee's epoch.
    case bodiesWanted([BatchCertificate], of: Committee)
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
    /// To everybody connected.
    case broadcast(MempoolMessage)
    /// To several peers.
    case multicast([PeerID], MempoolMessage)
    /// Run a job on the verifier pool and bring its result back as `checked`; a lent one with what
    /// this machine lends to others.
    case check(CheckID, CheckJob, isLent: Bool)
    /// Write, and have it on disk before anything that follows leaves the node.
    case store(WriteSet)
    /// Delete records that the chain has passed; it needn't be on disk before anything.
    case forget(WriteSet)
    /// A batch became includable.
    case workAvailable
    /// A body that was wanted is in the store.
    case bodyArrived(Digest)
    case penalise(PeerID, String)
    /// A transaction in this node's care will never execute, or has executed.
    case gone(TransactionID, SkipReason)
    /// Somebody signed what it must not.
    case evidence(Evidence)
}

extension MempoolEffect {
    /// Whether it changes what is on disk.
    package var isWrite: Bool {
        switch self {
        case .store, .forget: true
        default: false
        }
    }
}
