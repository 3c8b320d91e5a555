@_spi(Simulation) internal import Consensus
@_spi(Simulation) internal import Primitives

/// One honest node in an exploration: its engine, its journal, and what its key signed so far.
struct ExploredNode {
    var engine: SimplexEngine
    var journal: [JournalRecord] = []
    /// Records from the start that survive a crash.
    var synced = 0
    var signed: ExplorationPool.Mask = 0
    /// Grows only with timers that were waited for.
    var clock = Instant(milliseconds: 0)
    var deadline: Instant?
    /// What the engine asked for as a leader.
    var asked: (view: View, context: ChainContext)?
}

/// What one step of a node shows to others and to the oracle.
struct ExploredStep {
    /// The node's state after it.
    var next: Int32 = 0
    /// Subjects that were voted for.
    var signed: [Int] = []
    var accepted: [VoteSubject] = []
    var commits: [Block] = []
    var faults: [String] = []
    var blocks: [Block] = []
    /// The view that was entered.
    var entered: View?
}

/// Carries out one event and whatever the engine's application and network answer at once.
struct ExploredRun {
    let pool: ExplorationPool
    let configuration: ConsensusConfiguration
    let index: Int
    var node: ExploredNode
    var step = ExploredStep()
    private(set) var calls = 0
    private var queue: [ConsensusEvent] = []

    init(
        pool: ExplorationPool, configuration: ConsensusConfiguration, index: Int,
        node: ExploredNode
    ) {
        self.pool = pool
        self.configuration = configuration
        self.index = index
        self.node = node
    }

    private var moment: Moment {
        Moment(now: node.clock, wall: Timestamp(Simulation.epochMilliseconds))
    }

    /// The engine that a crash leaves, with all records or with the synced ones.
    static func restored(
        _ node: ExploredNode, keepingAll: Bool, _ configuration: ConsensusConfiguration
    ) -> ExploredNode {
        var restored = node
        if !keepingAll { restored.journal.removeLast(node.journal.count - node.synced) }
        restored.synced = restored.journal.count
        restored.asked = nil
        restored.engine = SimplexEngine(
            configuration: configuration, journal: restored.journal,
            at: Moment(
                now: node.clock, wall: Timestamp(Simulation.epochMilliseconds)))
        return restored
    }

    mutating func feed(_ event: ConsensusEvent) {
        queue.append(event)
        while !queue.isEmpty {
            let before = node.engine.view
            let effects = node.engine.handle(queue.removeFirst(), at: moment)
            calls += 1
            node.engine.checkInvariants()
            for effect in effects { carryOut(effect) }
            if node.engine.view < before { step.faults.append("went back") }
            if node.engine.view > before { step.entered = node.engine.view }
        }
    }

    /// A message that passes the checks which stand before the engine.
    mutating func deliver(_ message: ConsensusMessage, from sender: Int) {
        let peer = pool.committee.validators[sender].peerID
        guard node.engine.wants(message, from: peer),
            SimulatedSigner.holds(message.signatureClaims(in: node.engine.context))
        else { return }
        feed(.message(from: peer, Verified.simulated(message)))
    }

    private mutating func carryOut(_ effect: ConsensusEffect) {
        switch effect {
        case .persist(let records, let sync): persist(records, sync)
        case .broadcast(let message): send(message)
        case .send(_, .blockRequest(let request)):
            // Whoever certified a block has its bytes.
            guard let block = pool.block(request.ref.digest) else { return }
            let peer = pool.committee.validators[ExplorationScope.liar].peerID
            queue.append(.message(from: peer, Verified.simulated(.block(block))))
        case .send(_, let message): send(message)
        case .setTimer(.view, let deadline): node.deadline = deadline
        case .build(let view, let context, _): node.asked = (view, context)
        case .check(let block, _): queue.append(.blockChecked(block.digest, valid: true))
        case .commit(let blocks, _), .commitLast(let blocks, _): step.commits += blocks
        case .penalise(_, let reason): step.faults.append("penalises somebody: \(reason)")
        case .halt(let reason): step.faults.append("halts: \(reason)")
        // Which others signed is made up, so evidence against them means nothing here.
        case .evidence, .setTimer, .cancelTimer, .serveBlock, .compact: break
        }
    }

    private mutating func persist(_ records: [JournalRecord], _ sync: Bool) {
        node.journal += records
        if sync { node.synced = node.journal.count }
        for record in records {
            switch record {
            case .vote(let vote): sign(vote)
            case .block(let block): step.blocks.append(block)
            case .certificate(let certificate): step.accepted.append(certificate.subject)
            case .floor, .introduced, .epoch: break
            }
        }
    }

    private mutating func sign(_ vote: Vote) {
        guard vote.view.rawValue <= pool.views else { return }
        if vote.digest != .zero, pool.block(vote.digest) == nil, let block = ownBlock(vote) {
            pool.add(block)
        }
        let number = pool.number(of: vote.subject)
        guard node.signed & pool.bit(number) == 0 else { return }
        node.signed |= pool.bit(number)
        step.signed.append(number)
    }

    /// The block of an own proposal, which is journaled with its vote.
    private func ownBlock(_ vote: Vote) -> Block? {
        for case .block(let block) in node.journal.reversed() where block.digest == vote.digest {
            return block
        }
        return nil
    }

    /// What leaves: only votes matter, since everything else can be made of them.
    private mutating func send(_ message: ConsensusMessage) {
        let vote: Vote
        switch message {
        case .vote(let sent): vote = sent
        case .proposal(let proposal): vote = proposal.vote
        default: return
        }
        guard vote.view.rawValue <= pool.views else { return }
        if !node.journal[..<node.synced].contains(.vote(vote)) {
            step.faults.append("sent a \(vote.kind) vote of \(vote.view) unrecorded")
            if case .proposal(let proposal) = message { pool.add(proposal.block) }
            sign(vote)
        }
    }
}
