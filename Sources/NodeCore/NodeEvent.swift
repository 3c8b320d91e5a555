package import Consensus
package import Mempool
package import Primitives

/// What comes into a node's core.
package enum NodeEvent: Sendable {
    /// Once, first.
    case start
    case connected(PeerID)
    case disconnected(PeerID)
    /// A decoded message of a peer whose identity the link has proven.
    case received(PeerID, NodeMessage)
    /// A job of `NodeEffect.check` is done.
    case checked(NodeCheckResult)
    case timer(NodeTimer)
    /// A client wants a transaction in; answered by `.submitted`, or by `.settled` if it is final.
    indirect case submit(RequestID, SignedTransaction)
    /// A client wants to know when a transaction's fate is known; answered by `.settled`.
    case wait(RequestID, TransactionID)
    /// What this machine can do for others now; the first tells that it lends anything at all.
    case ownCapacity(Capacity)
    /// What a peer says that it can do.
    indirect case peerCapacity(PeerID, Capacity)
    /// A client no longer waits.
    case cancelWait(RequestID)
    /// A client asks what this node knows of a transaction; answered by `.fate` at once.
    case lookUp(RequestID, TransactionID)
}

/// The timers of a core; setting one replaces the earlier of the same name.
package enum NodeTimer: Hashable, Sendable {
    case consensus(TimerID)
    case mempool
}

/// What a node's core wants done, in order.
///
/// The shell's duties: `write` is visible to reads before the next event; what follows a `sync` or
/// a journal record with `sync` leaves the node only after these are on disk.
package enum NodeEffect: Sendable {
    case write(WriteSet)
    /// Everything written so far must be on disk before what follows.
    case sync
    case journal([JournalRecord], sync: Bool)
    /// Replace the journal's records, after syncing the store.
    case compactJournal([JournalRecord])
    case send(PeerID, NodeMessage)
    /// To every connected peer.
    case broadcast(NodeMessage)
    /// To several peers.
    case multicast([PeerID], NodeMessage)
    case check(NodeCheckJob, JobPriority)
    case setTimer(NodeTimer, Instant)
    case cancelTimer(NodeTimer)
    case reply(RequestID, NodeReply)
    case penalise(PeerID, String)
    /// For the log.
    indirect case note(Note)
    /// An assumption is broken: stop with the exit code for it and keep everything.
    case halt(String)
}

/// Which jobs go first.
package enum JobPriority: Int, Hashable, Sendable, CaseIterable {
    /// Votes, certificates and blocks: someone waits for the result to vote.
    case consensus
    /// Transactions and batches.
    case bulk
    /// What is checked for others with the share of the machine that its owner lends.
    case lent
}

/// What the log is told.
package enum Note: Sendable {
    /// A finalized block was executed.
    case applied(height: Height, transactions: Int, skipped: Int, stateRoot: Digest)
    /// A verifier, an owner or a voter signed what it must not: proof for the ledger.
    case misbehaviour(ReportableEvidence, offender: PublicKey)
}

/// An answer to a client.
package enum NodeReply: Hashable, Sendable {
    case submitted(TransactionID, SubmitOutcome)
    case settled(TransactionID, Fate)
    case fate(TransactionID, Fate)
}

/// What this node knows of a transaction.
package enum Fate: Hashable, Sendable {
    /// It took its sequence in a finalized block; the store has its receipt.
    case final
    /// It had no effect in a finalized block, or can't have one in any that follows.
    case skipped(SkipReason)
    /// This node has it in its care.
    case pending
    /// Nothing.
    case unknown
}

/// Signatures to check away from the core.
package indirect enum NodeCheckJob: Sendable {
    case mempool(CheckID, CheckJob)
    case consensus(PeerID, ConsensusMessage, CertificateContext)
    /// What a block carries and isn't known yet, in the layout of the block's epoch.
    case payload(block: Digest, BlockPayload, in: ShardLayout)

    /// Checks all signatures; may run on any thread.
    package func run(in layout: ShardLayout) -> NodeCheckResult {
        switch self {
        case .mempool(let id, let job): .mempool(id, job.run(in: layout))
        case .consensus(let peer, let message, let context):
            .consensus(peer, Verified.check(message, in: context))
        case .payload(let block, let payload, let layout):
            .payload(block: block, payload.proven(in: layout))
        }
    }

    /// The answer of a job that wasn't done, since the machine is wanted by its owner; nil for one
    /// that is always done.
    package var declined: NodeCheckResult? {
        if case .mempool(let id, .work) = self { .mempool(id, .declined) } else { nil }
    }
}

extension NodeCheckJob {
    /// Bytes that came for the job.
    package var byteCount: Int {
        guard case .mempool(_, let job) = self else { return 0 }
        return job.transactionByteCount
    }
}

/// What a job found.
package indirect enum NodeCheckResult: Sendable {
    case mempool(CheckID, CheckResult)
    /// Nil if a signature is wrong.
    case consensus(PeerID, Verified<ConsensusMessage>?)
    case payload(block: Digest, CheckedPayload)
}

/// A block's payload after the check of all its signatures.
package struct CheckedPayload: Sendable {
    let certificates: [Verified<BatchCertificate>?]
    let direct: [Verified<SignedTransaction>?]
    let complaintsHold: Bool

    /// What was found, in the order of the payload's certificates and direct transactions.
    package init(
        certificates: [Verified<BatchCertificate>?], direct: [Verified<SignedTransaction>?],
        complaintsHold: Bool
    ) {
        self.certificates = certificates
        self.direct = direct
        self.complaintsHold = complaintsHold
    }
}

extension BlockPayload {
    /// Checks all signatures.
    func proven(in layout: ShardLayout) -> CheckedPayload {
        CheckedPayload(
            certificates: Verified.checkAll(certificates, in: layout),
            direct: Verified.checkAll(direct),
            complaintsHold: complaints.allSatisfy { Verified.check($0, in: layout) != nil })
    }
}
