package import Primitives

/// The sharded mempool of one node.
///
/// Protocol, with S = shard(sender) and a ranking of the validators for each term of S; the rank of
/// record owns S:
/// - upon a client's transaction: hand it to the rank of record of S. Without an answer within
///   `admissionWait`, or without a block within `inclusionWait`, remind the owner, or, for a few
///   transactions at once, appeal to all validators and after `appealWait` hand it to the next
///   rank. (Following)
/// - upon an appeal: check the transaction, put it before the owner, and watch; an owner that
///   doesn't seal it within `appealWait`, or doesn't get that certified, is complained of.
///   Complaints of weight H in a block pass the owner over for the rest of its term. (Appealing)
/// - upon a transaction as an owner: first what the finalized state says, then what the sender has
///   waiting, the signatures last; then it waits in the pool and the answer goes back. (Owning)
/// - upon something to seal: at once if all earlier batches of the lane are certified, else when
///   the batch is worth it; header, body and own ack go to disk, then the batch to the validators,
///   with the wish who checks which chunk, and the chunks to verifiers without a vote. (Owning,
///   Assigning)
/// - upon a batch as a validator: the lane's owner, within limits, the position free; the
///   signatures of the chunks it is assigned; body and ack to disk, then the ack to the owner. With
///   no certificate within the rescue's wait, the other chunks too. (Acking)
/// - upon chunks as a verifier without a vote: their proof and their signatures; the ack to the
///   owner; or hand them back at once while the machine is wanted by its owner. (Verifying)
/// - upon acks as the owner: with Q of the weight stored and bonds of H_U agreeing on each chunk,
///   the certificate, to all. Who is late is joined by others; who is wrong is named. (Counting)
/// - upon a certificate: keep it until a block includes it. (Certifying)
/// - upon a finalized block: lanes and terms move on; void batches return to the pool. (Including)
/// - upon a new epoch: its committee owns the shards; all lanes begin anew, and what was on its way
///   to a block goes to the new owners. (Entering)
///
/// Why no signature can slip in: a chunk's verdict needs bonds of H_U that say exactly the same
/// list, so that an honest verifier, who checked every signature of the chunk, said it. Who checks
/// what is the owner's wish alone and matters for speed only.
///
/// Deviations from the plan of the sharded mempool: each rank has a lane of its own in each term,
/// so that a stand-in needs no agreement that the owner is down and a new owner adopts nothing: the
/// old term's lanes stay open until their batches have expired. A transaction in two lanes executes
/// once, by its sequence. Rescue acks go to the owner alone; an owner that is gone is passed over
/// by the ranks after it.
///
/// Invariants: see OwnerPool, SealedLane and Witness.
package struct MempoolEngine: Sendable {
    package internal(set) var layout: ShardLayout
    package internal(set) var ownIndex: ValidatorIndex?
    /// What must not be signed for want of a record; the node says so.
    package var silence = Silence.none
    let signer: any Signing

    /// The lanes as the finalized chain has them.
    package internal(set) var table: LaneTable
    /// The newest finalized height, and the newest executed one.
    package internal(set) var height: Height
    package internal(set) var executedHeight: Height

    var following = Following()
    var appeals = Appeals()
    var pool = OwnerPool()
    var sealedLanes: [Lane: SealedLane] = [:]
    var witness = Witness()
    var workers = Workers()
    var errands = Errands()
    var shelf = CertificateShelf()
    var bodies = Bodies()
    package internal(set) var connected: Set<PeerID> = []
    /// What this machine can check for others; nil for one that was never told a limit.
    package internal(set) var ownCapacity: Capacity?
    /// How long certificates take after this node's ack, in milliseconds, smoothed.
    var certificateWait: UInt64 = 0
    /// How long validators take to store a batch of this node and say so, in milliseconds,
    /// smoothed: how busy everybody is.
    var storageWait: UInt64 = 0

    var forwardOutbox: [PeerID: [SignedTransaction]] = [:]
    var answerOutbox: [PeerID: [ForwardAnswer]] = [:]
    /// Transactions that asked for admission since the last flush, with who asked (nil: this node).
    var incoming: [(from: PeerID?, transaction: SignedTransaction)] = []
    var incomingAcks: [(from: PeerID, ack: Ack)] = []
    var checks: [CheckID: PendingCheck] = [:]
    /// Transactions whose signatures are being checked, with everybody who asked.
    var asking: [TransactionID: Asking] = [:]
    /// How many transactions of a peer, or of this node's clients, wait for their check.
    var askedBy: [PeerID?: Int] = [:]
    /// Certificates under check.
    var checkingCertificates: Set<Digest> = []
    var lastCheck: UInt64 = 0
    /// When something that waits for its moment can be sealed; the node's timer brings it about.
    package internal(set) var wakeAt: Instant?
    var nextExpirySweep = Instant(milliseconds: 0)
    var effects: [MempoolEffect] = []

    /// Users' signatures that this node has checked since its start, by what they were checked for.
    package internal(set) var signatures = SignatureTally()

    struct Asking: Sendable {
        let transaction: SignedTransaction
        var peers: [PeerID?]
    }

    /// What a checking job was for.
    enum PendingCheck: Sendable {
        case admission([(from: PeerID?, transaction: SignedTransaction)])
        case screening(SignedTransaction, Screening)
        case appeal(PeerID, SignedTransaction)
        case work(Digest)
        case acks([PeerID])
        case certificate(PeerID, Digest)
        case complaint(PeerID)
    }

    /// What comes after this node's own look at a client's transaction.
    enum Screening: Sendable { case handOn, appeal, propose }

    /// - Parameters:
    ///   - ownIndex: nil for a node that doesn't vote: it follows and forwards, and checks for
    ///     others if `signer`'s key is that of a bonded verifier.
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
        executedHeight = height
        self.layout.keepRankings(at: height)
        if layout.settings.planted == .ackForgotten { return }
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
        case .included(let height, let certificates, let passedOver):
            include(certificates, passedOver: passedOver, at: height, now: moment.now)
        case .advanced(let height, let sets): advance(to: height, sets)
        case .ownCapacity(let capacity): ownCapacity = capacity
        case .peerCapacity(let peer, let capacity):
            if layout.isBonded(peer) { workers.setHint(capacity, of: peer) }
        case .executed(let time, let transactions):
            settle(transactions, time: time, at: moment.now)
        case .bodiesWanted(let certificates, let committee):
            want(certificates, of: committee, at: moment.now)
        case .tick: try tick(at: moment.now, view: view)
        }
    }

    private mutating func receive(
        _ message: MempoolMessage, from peer: PeerID, at now: Instant, view: some AdmissionView
    ) throws(StorageFault) {
        switch message {
        case .forward(let transactions):
            for transaction in transactions { try ask(transaction, from: peer, view: view) }
        case .answers(let answers):
            for answer in answers { try take(answer, from: peer, at: now, view: view) }
        case .batch(let batch, let assignment): consider(batch, assignment, from: peer, at: now)
        case .ack(let ack): collect(ack, from: peer, at: now)
        case .certificate(let certificate): consider(certificate, from: peer)
        case .bodyRequest: break  // answered from the store by the node
        case .body(let batch): take(body: batch, at: now)
        case .bodyMissing(let digest): bodies.markMissing(digest, at: peer)
        case .task(let task): consider(task, from: peer, at: now)
        case .checkAlso(let digest, let chunks):
            checkAlso(digest, chunks: chunks, from: peer, at: now)
        case .declined(let digest, let chunks):
            takeBack(digest, chunks: chunks, from: peer, at: now)
        case .appeal(let transaction):
            try consider(appeal: transaction, from: peer, at: now, view: view)
        case .complaint(let complaint): consider(complaint, from: peer)
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

    /// What was collected for the disk, in order; the rest stays. Bodies reach the disk before what
    /// is executed from them.
    package mutating func takeWrites() -> [MempoolEffect] {
        let writes = effects.filter(\.isWrite)
        if !writes.isEmpty { effects.removeAll(where: \.isWrite) }
        return writes
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

    mutating func startCheck(
        _ job: CheckJob, for purpose: PendingCheck, isLent: Bool = false
    ) {
        lastCheck += 1
        checks[CheckID(lastCheck)] = purpose
        effects.append(.check(CheckID(lastCheck), job, isLent: isLent))
    }

    private mutating func finish(
        _ id: CheckID, _ result: CheckResult, at now: Instant, view: some AdmissionView
    ) throws(StorageFault) {
        guard let purpose = checks.removeValue(forKey: id) else { return }
        switch (purpose, result) {
        case (.admission(let asked), .transactions(let verified)):
            try admit(asked, verified, at: now, view: view)
        case (.screening(let transaction, let next), .transactions(let verified)):
            screened(
                transaction, isValid: verified.first.flatMap(\.self) != nil, next, at: now)
        case (.appeal(let peer, let transaction), .transactions(let verified)):
            guard verified.first.flatMap(\.self) != nil else {
                return effects.append(.penalise(peer, "an appeal with a wrong signature"))
            }
            try follow(appeal: transaction, from: peer, at: now, view: view)
        case (.work(let digest), .work(let isGenuine, let found)):
            let invalid = layout.settings.planted == .verdictUnseen ? [] : found
            finishPiece(of: digest, at: now) { work in
                work.invalid += invalid
                work.isRefused = work.isRefused || !isGenuine
            }
        case (.work(let digest), .declined):
            finishPiece(of: digest, at: now) { $0.isDeclined = true }
        case (.acks(let peers), .acks(let acks)):
            for (peer, ack) in zip(peers, acks) { count(ack, from: peer, at: now) }
        case (.certificate(let peer, let digest), .certificate(let certificate)):
            keep(certificate, of: digest, from: peer, at: now)
        case (.complaint(let peer), .complaint(let complaint)): keep(complaint, from: peer)
        default: preconditionFailure("a check's result of another kind than its job")
        }
    }

    private mutating func tick(at now: Instant, view: some AdmissionView) throws(StorageFault) {
        try handOverDue(at: now, view: view)
        try complain(at: now, view: view)
        resendSealed(at: now, all: false)
        hedge(at: now)
        rescue(at: now)
        let stale = shelf.takeStale(at: now, wait: MempoolTimes.certificateRetry, limit: 64)
        for certificate in stale {
            effects.append(.broadcast(.certificate(certificate)))
        }
        askForBodies(at: now)
    }

    /// The validators that have a link, in order of their indexes; without this node.
    var connectedValidators: [PeerID] {
        layout.committee.indices.filter { $0 != ownIndex }.compactMap { peer($0) }
            .filter { connected.contains($0) }
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
    /// Own batches that no block has included, and those of them without a certificate.
    package var sealedBatches = 0
    package var uncertifiedBatches = 0
    /// Batches and tasks of others whose signatures are being checked here.
    package var checkingBatches = 0
    /// Certificates that no block has included.
    package var certificates = 0
    /// Checks of signatures under way.
    package var checks = 0
    /// Bodies that execution waits for.
    package var missingBodies = 0
    /// Appeals that are watched, and complaints that wait for a block.
    package var appeals = 0
    package var complaints = 0

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
        figures.uncertifiedBatches = sealedLanes.values.reduce(0) { $0 + $1.uncertifiedCount }
        figures.checkingBatches = witness.checkingCount
        figures.appeals = appeals.watchedCount
        figures.complaints = appeals.complaintCount
        figures.certificates = shelf.count
        figures.checks = checks.count
        figures.missingBodies = bodies.wantedCount
        return figures
    }
}

/// Users' signatures that a node checked, by what they were checked for.
package struct SignatureTally: Hashable, Sendable {
    /// As their owner, before they got their place.
    package var admission: UInt64 = 0
    /// Of other owners' batches, because they asked for it.
    package var assigned: UInt64 = 0
    /// Of batches that didn't get their certificate in time.
    package var rescue: UInt64 = 0
    /// For clients and appeals, before they cost anybody else something.
    package var screening: UInt64 = 0
    /// That a block carries itself.
    package var direct: UInt64 = 0

    package init() {}

    package var total: UInt64 { admission + assigned + rescue + screening + direct }

    /// What was counted since `earlier` was.
    package func since(_ earlier: SignatureTally) -> SignatureTally {
        var counts = SignatureTally()
        counts.admission = admission - min(admission, earlier.admission)
        counts.assigned = assigned - min(assigned, earlier.assigned)
        counts.rescue = rescue - min(rescue, earlier.rescue)
        counts.screening = screening - min(screening, earlier.screening)
        counts.direct = direct - min(direct, earlier.direct)
        return counts
    }

    /// Every purpose with its name, in the order of the fields.
    package static var purposes: [(name: String, count: @Sendable (Self) -> UInt64)] {
        [
            ("admission", { $0.admission }), ("assigned", { $0.assigned }),
            ("rescue", { $0.rescue }), ("screening", { $0.screening }),
            ("direct", { $0.direct }),
        ]
    }
}

extension MempoolEngine {
    /// Users' signatures that this node has checked since its start.
    package var signaturesChecked: UInt64 { signatures.total }

    /// What this node, as an owner, counted of those who check for it, by peer.
    package var workerFigures: [WorkerFigures] {
        workers.tallies.map { peer, worker in
            WorkerFigures(
                peer: peer, speed: workers.speed(of: peer), latency: worker.latency,
                outstanding: worker.outstanding, tally: worker.tally)
        }
    }
}

/// A shard as a node sees it now.
package struct ShardFigures: Hashable, Sendable {
    package let shard: UInt16
    package let term: UInt32
    /// The rank of record: 0, or more where owners were passed over.
    package let rank: UInt16
    package let owner: ValidatorIndex
    /// Transactions that wait here to be sealed.
    package let waiting: Int
    /// Own batches of the shard that no block has included.
    package let sealed: Int
}

extension MempoolEngine {
    /// Every shard with its owner, in order.
    package var shardFigures: [ShardFigures] {
        (0..<UInt16(layout.shardCount)).compactMap { shard in
            let lane = laneOfRecord(shard)
            guard let owner = layout.owner(of: lane) else { return nil }
            let sealed = sealedLanes.filter { $0.key.shard == shard }
                .reduce(0) { $0 + $1.value.sealed.count }
            return ShardFigures(
                shard: shard, term: lane.term, rank: lane.rank, owner: owner,
                waiting: pool.waitingCount(shard: shard), sealed: sealed)
        }
    }
}

/// A verifier as an owner sees it.
package struct WorkerFigures: Hashable, Sendable {
    package let peer: PeerID
    /// Signatures a second that it is taken for.
    package let speed: UInt64
    /// Milliseconds until it answers, smoothed.
    package let latency: UInt64
    /// Signatures that it was asked for and hasn't answered.
    package let outstanding: UInt64
    package let tally: WorkerTally
}
