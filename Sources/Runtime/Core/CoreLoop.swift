internal import Consensus
internal import Execution
internal import Logging
internal import Mempool
internal import NodeCore
internal import Primitives
internal import Synchronization

/// The one writer: a thread that owns the core, feeds it and carries out what it wants.
///
/// Effects are carried out in order. What follows a record that must be on disk is held back until
/// the end of the round, when journal and store are synced once for all of it; then messages and
/// replies leave.
// SAFETY: `core`, `timers` and the other variables are touched by the core's own thread only,
// which `start` makes once; the rest is Sendable.
final class CoreLoop: @unchecked Sendable {
    private var core: NodeCore
    private var timers: [NodeTimer: Instant] = [:]
    private var round = Round()
    private var tallies = (executed: UInt64(0), skipped: UInt64(0))
    private var checkHistory = CheckHistory()
    private var finalizedAt: Instant
    /// The sets of verifiers that the network was told last.
    private var toldSets: [UInt64: VerifierSet] = [:]
    private var toldEpoch: Epoch?
    private var toldSeat: Bool?
    private var toldRecovery = KeyRecovery.none
    private var publishedAt = Instant(milliseconds: 0)
    /// Milliseconds between two looks at the core's figures; its own timer fires every 50.
    private static let publishInterval: UInt64 = 20
    private var thread: WorkerThread?

    let queue = CoreQueue()
    let status = Mutex(CoreStatus())
    private let parts: CoreParts
    private let openedAtHeight: Height

    /// What a round collected before its sync.
    private struct Round {
        var frames: [(to: Receivers, frame: OutgoingFrame)] = []
        var replies: [(RequestID, NodeReply)] = []
        var jobs: [(priority: JobPriority, job: NodeCheckJob)] = []
        var syncsJournal = false
        var syncsStore = false
        var writes = false
    }

    init(core: NodeCore, parts: CoreParts) {
        self.core = core
        self.parts = parts
        openedAtHeight = core.consensus.finalizedHeight
        finalizedAt = SystemClock.now
    }

    func start() {
        publish()
        queue.push(.start)
        thread = WorkerThread(name: "core") { [self] in run() }
    }

    /// Ends the thread after the round it is in; what was promised is on disk then.
    func stop() {
        queue.stop()
        thread?.join()
        thread = nil
    }

    private func run() {
        do throws(StorageFault) {
            while let events = queue.take(until: nextDeadline) { try step(events) }
            try parts.syncStore()
        } catch {
            parts.fail(.storage, "\(error)")
        }
    }

    private var nextDeadline: Instant {
        timers.values.min() ?? Instant(milliseconds: .max)
    }

    private func step(_ events: [NodeEvent]) throws(StorageFault) {
        let moment = SystemClock.moment
        let due = timers.filter { $0.value <= moment.now }.keys
        for timer in due { timers[timer] = nil }
        let late = due.sorted { $0.order < $1.order }.map { NodeEvent.timer($0) }
        guard !events.isEmpty || !late.isEmpty else { return }
        let expired = parts.broker.expire(at: moment.now).map { NodeEvent.cancelWait($0) }
        let effects = try core.handle(events + late + expired, at: moment)
        for effect in effects { try carryOut(effect) }
        try finishRound()
        if moment.now >= publishedAt.advanced(byMilliseconds: CoreLoop.publishInterval) {
            publishedAt = moment.now
            publish()
        }
    }

    private func carryOut(_ effect: NodeEffect) throws(StorageFault) {
        switch effect {
        case .write(let writes):
            try parts.store.apply(writes)
            round.writes = true
        case .sync: holdBack { $0.syncsStore = true }
        case .journal(let records, let sync):
            for record in records { parts.append(record) }
            if sync { holdBack { $0.syncsJournal = true } }
        case .compactJournal(let records): try parts.compact(to: records)
        case .send(let peer, let message): collect(message, for: .peers([peer]))
        case .multicast(let peers, let message): collect(message, for: .peers(peers))
        case .broadcast(let message): collect(message, for: .everybody)
        case .check(let job, let priority): round.jobs.append((priority, job))
        case .setTimer(let timer, let at): timers[timer] = at
        case .cancelTimer(let timer): timers[timer] = nil
        case .reply(let request, let reply): round.replies.append((request, reply))
        case .penalise(let peer, let reason): parts.penalise(peer, reason)
        case .note(let note): take(note)
        case .halt(let reason):
            let isForeign = core.consensus.stopCause == .foreignSignature
            parts.fail(isForeign ? .foreignSignature : .invariant, reason)
        }
    }

    /// What stands before a record that must be on disk may leave at once.
    private func holdBack(_ mark: (inout Round) -> Void) {
        if !round.syncsJournal, !round.syncsStore { sendFrames() }
        mark(&round)
    }

    private func collect(_ message: NodeMessage, for receivers: Receivers) {
        let kind = FrameKind(message.channel)
        let bytes = message.bcsBytes
        // Never a trap: what others made us build must not end the process.
        guard bytes.count <= kind.payloadBytesMax else {
            parts.logger.error(
                "a message too large for its frame isn't sent",
                metadata: ["kind": "\(kind.name)", "bytes": "\(bytes.count)"])
            return
        }
        round.frames.append((receivers, OutgoingFrame(kind, bytes)))
    }

    private func sendFrames() {
        guard !round.frames.isEmpty else { return }
        parts.send(round.frames.map { Delivery($0.frame, to: $0.to) })
        round.frames = []
    }

    /// Jobs start before the sync: checking waits for no disk.
    private func finishRound() throws(StorageFault) {
        startJobs()
        if round.syncsJournal { try parts.syncJournal() }
        if round.syncsStore {
            try parts.syncStore()
        } else if round.writes {
            try parts.store.flushLog()
        }
        sendFrames()
        for (request, reply) in round.replies { parts.broker.answer(request, reply) }
        round = Round()
    }

    private func startJobs() {
        let layout = core.layout
        for (priority, job) in round.jobs {
            if priority == .lent, let declined = job.declined {
                lend(job, in: layout, declined)
                continue
            }
            let queue = queue
            let work: @Sendable () -> Void = { queue.push(.checked(job.run(in: layout))) }
            // A full pool would lose the answer: the core then does the work itself.
            if !parts.pool.submit(priority == .consensus ? .consensus : .bulk, job: work) { work() }
        }
    }

    /// Has a job done with what the machine's owner lends, or hands it back.
    private func lend(_ job: NodeCheckJob, in layout: ShardLayout, _ declined: NodeCheckResult) {
        let queue = queue
        guard parts.share.mayReceiveAssignment(bytes: job.byteCount) else {
            return queue.push(.checked(declined))
        }
        parts.pool.lent.submit({ job.run(in: layout) }) { result in
            queue.push(.checked(result ?? declined))
        }
    }

    private func take(_ note: Note) {
        switch note {
        case .applied(let height, let transactions, let skipped, let root):
            // Its writes stand before this note: the store is right after this height.
            parts.provable.keep(parts.store.snapshot(), at: height)
            tallies.executed += UInt64(transactions - skipped)
            tallies.skipped += UInt64(skipped)
            guard transactions > 0 else { return }
            parts.logger.debug(
                "block applied",
                metadata: [
                    "height": "\(height)", "transactions": "\(transactions)",
                    "skipped": "\(skipped)", "stateRoot": "\(root)",
                ])
        case .misbehaviour(let evidence, let offender):
            parts.logger.warning(
                "somebody with stake signed what it must not",
                metadata: ["offender": "\(offender)", "kind": "\(evidence.name)"])
        }
    }

    /// Tells the network who is bonded, when a period begins or sets were slashed.
    private func tellBonded() {
        let (committee, sets) = (core.committee, core.layout.verifierSets)
        guard sets != toldSets || committee.epoch != toldEpoch else { return }
        toldSets = sets
        toldEpoch = committee.epoch
        parts.trust(committee, Set(sets.values.flatMap { $0.members.map(\.peerID) }))
    }

    private var recovery: KeyRecovery {
        guard core.consensus.isRecovering else { return .none }
        return core.consensus.abstinence.map { .abstains(through: $0) } ?? .asks
    }

    /// An operator wants to know when a validator is silent, and when no longer.
    private func tellRecovery() {
        let present = recovery
        tellSeat()
        guard present != toldRecovery else { return }
        toldRecovery = present
        guard core.ownIndex != nil else { return }
        switch present {
        case .none: parts.logger.notice("this validator votes")
        case .asks:
            parts.logger.notice("this validator asks the others how far its key has signed")
        case .abstains(let view):
            parts.logger.warning(
                "this validator's key may have signed before: it votes after a while",
                metadata: ["above view": "\(view)"])
        }
    }

    /// An operator wants to know when a node enters the committee, and when it leaves.
    private func tellSeat() {
        let (epoch, index) = (core.committee.epoch, core.ownIndex)
        defer { toldSeat = index != nil }
        guard let toldSeat, toldSeat != (index != nil) else { return }
        if let index {
            parts.logger.notice(
                "this node is a validator from here on",
                metadata: ["epoch": "\(epoch)", "index": "\(index)"])
        } else {
            parts.logger.notice(
                "this node isn't in the committee any more", metadata: ["epoch": "\(epoch)"])
        }
    }

    private func publish() {
        let consensus = core.consensus
        tellRecovery()
        var fresh = CoreStatus()
        fresh.view = consensus.view
        fresh.openedAtHeight = openedAtHeight
        fresh.finalizedHeight = consensus.finalizedHeight
        fresh.finalizedDigest = consensus.finalizedDigest
        fresh.appliedHeight = core.ledger.height
        fresh.appliedTime = core.ledger.time
        fresh.stateRoot = core.ledger.stateRoot
        fresh.baseFee = core.ledger.baseFee
        fresh.tips = core.tips
        fresh.leader = core.layout.committee.leader(of: consensus.view)
        fresh.progress = consensus.waitingFor
        fresh.mempool = core.mempool.figures
        fresh.signatures = core.mempool.signatures
        checkHistory.note(core.mempool.signatures, at: SystemClock.now)
        fresh.checkHistory = checkHistory
        fresh.capacity = core.mempool.ownCapacity
        fresh.workers = core.mempool.workerFigures
        fresh.shards = core.mempool.shardFigures
        fresh.evidence = core.evidence
        fresh.layout = core.layout
        tellBonded()
        fresh.recovery = recovery
        fresh.transactionsExecuted = tallies.executed
        fresh.transactionsSkipped = tallies.skipped
        status.withLock { status in
            if fresh.finalizedHeight > status.finalizedHeight { finalizedAt = SystemClock.now }
            fresh.finalizedAt = finalizedAt
            status = fresh
        }
    }
}

extension NodeTimer {
    /// A fixed order for timers that are due together.
    fileprivate var order: Int {
        switch self {
        case .consensus(let id): Int(id.rawValue)
        case .mempool: Int(UInt8.max)
        }
    }
}
