package import Primitives

/// The sharded mempool of one node.
///
/// Protocol, with S = shard(sender) and the ranking of the validators for S fixed for the epoch:
/// - upon a client's transaction: hand it to rank 0 of S; without an answer within
///   `admissionWait`, or without a block within `inclusionWait`, to the next rank. (Following)
/// - upon a transaction as an owner: first what the finalized state says, then what the sender has
///   waiting, the signatures last; then it waits in the pool and the answer goes back. (Owning)
/// - upon something to seal: at once if all earlier batches of the lane are certified, else when
///   the batch is worth it; header, body and own ack go to disk, then the batch to all. (Owning)
/// - upon a batch as a validator: the lane's owner, within limits, the position free; every
///   signature; body and ack to disk, then the ack to the owner. (Acking)
/// - upon acks as the owner: with Q of the weight stored and H agreeing on the verdict, the
///   certificate, to all. (Acking)
/// - upon a certificate: keep it until a block includes it. (Certifying)
/// - upon a finalized block: lanes move on; void batches return to the pool. (Including)
///
/// Deviation from the plan of the sharded mempool: one chunk that every validator checks, no
/// change of terms within the epoch; each rank has a lane of its own, so that a stand-in needs no
/// agreement that the owner is down. A transaction in two lanes executes once, by its sequence.
///
/// Invariants: see OwnerPool, SealedLane and Witness.
package struct MempoolEngine: Sendable {
    package let layout: ShardLayout
    package let ownIndex: ValidatorIndex?
    let signer: any Signing

    /// The lanes as the finalized chain has them.
    package internal(set) var table: LaneTable
    /// The newest finalized height.
    package internal(set) var height: Height

    var following = Following()
    var pool = OwnerPool()
    var sealedLanes: [Lane: SealedLane] = [:]
    var witness = Witness()
    var shelf = CertificateShelf()
    var bodies = Bodies()
    var connected: Set<PeerID> = []

    var forwardOutbox: [PeerID: [SignedTransaction]] = [:]
    var answerOutbox: [PeerID: [ForwardAnswer]] = [:]
    /// Transactions that asked for admission since the last flush, with who asked (nil: this node).
    var incoming: [(from: PeerID?, transaction: SignedTransaction)] = []
    var incomingAcks: [(from: PeerID, ack: Ack)] = []
    var checks: [CheckID: PendingCheck] = [:]
    /// Transactions whose signatures are being checked, with everybody who asked.
    var asking: [TransactionID: Asking] = [:]
    var lastCheck: UInt64 = 0
    /// When something that waits for its moment can be sealed; the node's timer brings it about.
    package internal(set) var wakeAt: Instant?
    var nextExpirySweep = Instant(milliseconds: 0)
    var effects: [MempoolEffect] = []

    /// Users' signatures that this node has checked since its start.
    package internal(set) var signaturesChecked: UInt64 = 0

    struct Asking: Sendable {
        let transaction: SignedTransaction
        var peers: [PeerID?]
    }

    /// What a checking job was for.
    enum PendingCheck: Sendable {
        case admission([(from: PeerID?, transaction: SignedTransaction)])
        case batch(Digest)
        case acks([PeerID])
        case certificate(PeerID)
    }

    /// - Parameters:
    ///   - ownIndex: nil for a node that doesn't vote: it follows and forwards only.
    ///   - recovered: acks on disk with the batches they are for, in any order.
    package init(
        layout: ShardLayout, ownIndex: ValidatorIndex?, signer: any Signing, table: LaneTable,
        height: Height, recovered: [RecoveredAck] = []
    ) {
        self.layout = layout
        self.ownIndex = ownIndex
        self.signer = signer
        self.table = table
        self.height = height
        restore(
            recovered.sorted { $0.ack.header.content.position < $1.ack.header.content.position })
    }

    /// Takes one event in. Effects collect until `flush`.
    package mutating func handle(
        _ event: MempoolEvent, at moment: Moment, view: some AdmissionView
    ) throws(StorageFault) {
        switch event {
        case .start: resendSealed(at: moment.now, all: true)
        case .submitted(let request, let transaction):
            try submit(request, transaction, at: moment.now, view: view)
        case .received(let peer, let message):
            try receive(message, from: peer, at: moment.now, view: view)
        case .checked(let id, let result):
            try finish(id, result, at: moment.now, view: view)
        case .connected(let peer): connect(peer, at: moment.now)
        case .disconnected(let peer): disconnect(peer, at: moment.now)
        case .included(let height, let certificates):
            include(certificates, at: height, now: moment.now)
        case .executed(let time, let transactions):
            settle(transactions, time: time, at: moment.now)
        case .bodiesWanted(let certificates): want(certificates, at: moment.now)
        case .tick: tick(at: moment.now)
        }
    }

    private mutating func receive(
        _ message: MempoolMessage, from peer: PeerID, at now: Instant, view: some AdmissionView
    ) throws(StorageFault) {
        switch message {
        case .forward(let transactions):
            for transaction in transactions { try ask(transaction, from: peer, view: view) }
        case .answers(let answers):
            for answer in answers { take(answer, from: peer, at: now) }
        case .batch(let batch): consider(batch, from: peer)
        case .ack(let ack): collect(ack, from: peer)
        case .certificate(let certificate): consider(certificate, from: peer)
        case .bodyRequest: break  // answered from the store by the node
        case .body(let batch): take(body: batch, from: peer)
        case .bodyMissing(let digest): bodies.markMissing(digest, at: peer)
        }
    }

    /// Sends what was collected, seals what can be sealed, and returns all effects in order.
    package mutating func flush(at moment: Moment) -> [MempoolEffect] {
        seal(at: moment.now)
        startAdmissionChecks()
        startAckChecks()
        flushOutboxes()
        defer { effects = [] }
        return effects
    }

    private mutating func flushOutboxes() {
        for peer in forwardOutbox.keys.sorted() {
            for piece in MempoolEngine.messages(of: forwardOutbox[peer] ?? []) {
                effects.append(.send(peer, .forward(piece)))
            }
        }
        for peer in answerOutbox.keys.sorted() {
            for piece in pieces(answerOutbox[peer] ?? [], of: BatchLimits.forwardMax) {
                effects.append(.send(peer, .answers(Array(piece))))
            }
        }
        forwardOutbox = [:]
        answerOutbox = [:]
    }

    /// Transactions in messages that are within both limits.
    private static func messages(of transactions: [SignedTransaction]) -> [[SignedTransaction]] {
        var messages: [[SignedTransaction]] = []
        var current: [SignedTransaction] = []
        var bytes = 0
        for transaction in transactions {
            let isFull =
                current.count == BatchLimits.forwardMax
                || bytes + transaction.byteCount > BatchLimits.forwardBytesMax
            if isFull, !current.isEmpty {
                messages.append(current)
                current = []
                bytes = 0
            }
            current.append(transaction)
            bytes += transaction.byteCount
        }
        if !current.isEmpty { messages.append(current) }
        return messages
    }

    func pieces<Element>(_ list: [Element], of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: list.count, by: size).map { list[$0..<min($0 + size, list.count)] }
    }

    mutating func startCheck(_ job: CheckJob, for purpose: PendingCheck) {
        lastCheck += 1
        checks[CheckID(lastCheck)] = purpose
        effects.append(.check(CheckID(lastCheck), job))
    }

    /// Forgets a check that was handed back undone: others do it.
    package mutating func abandon(_ id: CheckID) { checks[id] = nil }

    private mutating func finish(
        _ id: CheckID, _ result: CheckResult, at now: Instant, view: some AdmissionView
    ) throws(StorageFault) {
        guard let purpose = checks.removeValue(forKey: id) else { return }
        switch (purpose, result) {
        case (.admission(let asked), .transactions(let verified)):
            try admit(asked, verified, at: now, view: view)
        case (.batch(let digest), .batch(let headerValid, let invalid)):
            finishPiece(of: digest, headerValid: headerValid, invalid: invalid, at: now)
        case (.acks(let peers), .acks(let acks)):
            for (peer, ack) in zip(peers, acks) { count(ack, from: peer, at: now) }
        case (.certificate(let peer), .certificate(let certificate)):
            keep(certificate, from: peer, at: now)
        default: preconditionFailure("a check's result of another kind than its job")
        }
    }

    private mutating func tick(at now: Instant) {
        handOverDue(at: now)
        resendSealed(at: now, all: false)
        let stale = shelf.takeStale(at: now, wait: MempoolTimes.certificateRetry, limit: 64)
        for certificate in stale {
            effects.append(.broadcast(.certificate(certificate)))
        }
        askForBodies(at: now)
    }

    /// The peer behind a validator's index, which exists.
    func peer(_ index: ValidatorIndex) -> PeerID? { layout.committee[index]?.peerID }
}

/// An ack found on disk at the start, with the batch that it is for.
package struct RecoveredAck: Sendable {
    package let ack: Ack
    package let batch: Batch

    package init(ack: Ack, batch: Batch) {
        self.ack = ack
        self.batch = batch
    }
}

/// Sizes of the mempool's parts.
package struct MempoolFigures: Hashable, Sendable {
    /// Transactions of this node's clients whose fate is open.
    package var following = 0
    /// Transactions admitted by this node as an owner.
    package var pooled = 0
    /// Their bytes.
    package var pooledBytes = 0
    /// Those that aren't sealed, by shard.
    package var waitingByShard: [Int: Int] = [:]
    /// Own batches that no block has included.
    package var sealedBatches = 0
    /// Certificates that no block has included.
    package var certificates = 0
    /// Checks of signatures under way.
    package var checks = 0
    /// Bodies that execution waits for.
    package var missingBodies = 0

    package init() {}
}

extension MempoolEngine {
    package var figures: MempoolFigures {
        var figures = MempoolFigures()
        figures.following = following.count
        figures.pooled = pool.count
        figures.pooledBytes = pool.byteCount
        for shard in pool.readyShards {
            figures.waitingByShard[Int(shard)] = pool.waitingCount(shard: shard)
        }
        figures.sealedBatches = sealedLanes.values.reduce(0) { $0 + $1.sealed.count }
        figures.certificates = shelf.count
        figures.checks = checks.count
        figures.missingBodies = bodies.wantedCount
        return figures
    }
}
