internal import Collections
internal import DequeModule
package import Consensus
package import Execution
package import Mempool
package import Primitives

/// A node without its sockets, its disk and its clock: joins consensus, mempool and execution.
///
/// - upon events: each goes to the engine that it is for; what one engine wants of another is
///   passed on before the next event; the mempool's collected messages go out at the end.
/// - upon `build`: the certificates that follow the parent's lanes; with none, the answer waits
///   until there is one or until the leader may propose an empty block. (Building)
/// - upon `check`: the payload's form, the lanes' rule, the executed root, the certificates'
///   signatures. What can't be decided before an execution waits for it. (Checking)
/// - upon `commit`: blocks and lanes go to the store; each block is executed when its certificates
///   are proven and its bodies are here. (Applying)
/// - upon the end of an epoch: when the state names the next committee, consensus and mempool go on
///   with it. (Entering)
///
/// Invariants: the lanes are those of the finalized tip; executed heights rise by one and never
/// pass the finalized height; a block is executed from its certificates alone.
package struct NodeCore: Sendable {
    package let configuration: NodeConfiguration
    /// Shards, owners and verifiers as the finalized chain has them.
    package var layout: ShardLayout { mempool.layout }
    /// Who votes at present.
    package var committee: Committee { mempool.layout.committee }
    /// This node's place in the present committee; nil for one that doesn't vote.
    package var ownIndex: ValidatorIndex? { mempool.ownIndex }
    /// The layout of the epoch before, while blocks of it wait for their execution.
    var former: ShardLayout?
    /// The engine of the epoch before, which still notices votes that contradict each other.
    var formerConsensus: SimplexEngine?
    let store: ChainStore

    package internal(set) var consensus: SimplexEngine
    package internal(set) var mempool: MempoolEngine
    package internal(set) var ledger: Ledger

    /// Payloads of blocks that aren't executed yet, by block.
    var payloads: [Digest: BlockPayload] = [:]
    /// The heights of the blocks in `payloads` and `proven`.
    var pendingHeights: [Digest: Height] = [:]
    /// Payloads of blocks whose signatures hold.
    var proven: [Digest: ProvenPayload] = [:]
    /// Payload checks that are under way.
    var proving: Set<Digest> = []
    /// So many finalized blocks wait in memory for their execution, at most a few more: a node
    /// that executes more slowly than it hears of the chain asks for no more until it caught up.
    static let unexecutedMax = 512
    /// Finalized blocks that aren't executed yet, ascending.
    var unexecuted: Deque<Block> = []
    /// What a chain that isn't executed yet elects, by its newest block.
    var foreseen: (parent: Digest, record: EpochRecord)?
    /// Up to here, the bodies of finalized blocks were asked for ahead of their execution.
    var preparedHeight: Height = 0
    /// Checks that wait for an execution.
    var deferredChecks: [(block: Block, context: ChainContext)] = []
    var pendingBuild: (view: View, context: ChainContext, mayBeEmpty: Bool)?
    var pendingConsensus: Deque<ConsensusEvent> = []
    /// State roots of the newest executed heights.
    var recentRoots: [Height: Digest] = [:]
    var waiting = Waiting()
    /// Transactions executed since the last event, whose receipts aren't in the store yet.
    var freshReceipts: Set<TransactionID> = []
    var lastView: View = 0
    /// The first finalized height, as far as is known, above the floor of a lost signing record.
    var heightAboveFloor: Height?
    /// When the mempool's tick is due, when the own timer is set to, and when a block that waits
    /// for its moment may be built.
    var nextTick = Instant(milliseconds: 0)
    var timerAt: Instant?
    var buildAt: Instant?
    /// How often somebody else was asked than the member that wasn't there.
    private var substitutions = 0
    /// Names what blocks were asked for last.
    private var lastAsked: Digest?
    /// What each peer may still be served, in bytes.
    var allowances: [PeerID: ServingAllowance] = [:]
    /// What others tip.
    package internal(set) var tips = TipHistory()
    /// What this node can prove of others, by act.
    var accusations: [Digest: Accusation] = [:]
    var moment: Moment
    var effects: [NodeEffect] = []

    /// How many heights `recentRoots` goes back.
    static let recentRootsMax = ConsensusParameters.executionLagLimit

    /// Opens a node on a store that holds at least genesis.
    /// - Parameter journal: the consensus records of the last run, in order.
    /// - Throws: `StorageFault` for a store that isn't this genesis' or is damaged.
    package init(
        configuration: NodeConfiguration, source: any KeyValueSource, journal: [JournalRecord],
        at moment: Moment
    ) throws(StorageFault) {
        self.configuration = configuration
        self.moment = moment
        store = ChainStore(source)
        ledger = try Ledger(
            opening: source, genesis: configuration.genesis,
            judge: NodeJudge(configuration), breaking: configuration.planted)
        let height = try store.finalizedHeight()
        let committee = try NodeCore.committee(configuration.genesis, store, height)
        let signed = JournalRecord.epoch(of: journal)
        guard signed <= committee.epoch else {
            throw StorageFault(
                """
                the journal is of epoch \(signed), the store of epoch \(committee.epoch): the \
                store is an older copy, and what was signed since isn't known to both. Run \
                `offpeak db forget-signatures`, and start again: the node then asks the others \
                how far its key got
                """)
        }
        var layout = configuration.layout(of: committee)
        layout.setVerifierSets(ledger.verifierSets)
        mempool = MempoolEngine(
            layout: layout, ownIndex: configuration.ownIndex(in: committee),
            signer: configuration.signer ?? NoKey(), table: try store.lanes(), height: height,
            recovered: try store.acks())
        consensus = SimplexEngine(
            configuration: try NodeCore.consensusConfiguration(
                configuration, committee, store, height),
            journal: journal, at: moment)
        try setFormer()
        try findHeightAboveFloor(upTo: height)
        updateSilence()
        try loadUnexecuted(upTo: height)
    }

    /// What an empty store must hold before a node is opened on it.
    package static func genesisWrites(_ genesis: Genesis) -> WriteSet {
        var (writes, root) = Ledger.genesisWrites(genesis)
        writes.append(ChainStore.rootWrites(root, at: 0))
        return writes
    }

    /// The committee that goes on from the newest finalized block.
    private static func committee(
        _ genesis: Genesis, _ store: ChainStore, _ height: Height
    ) throws(StorageFault) -> Committee {
        let epoch = genesis.epochs.epoch(of: height)
        if genesis.epochs.isLast(height),
            let next = try store.committee(of: epoch.clampedAdvance(by: 1), genesis: genesis)
        {
            return next
        }
        guard let committee = try store.committee(of: epoch, genesis: genesis) else {
            throw StorageFault(
                "the store holds block \(height), but not the committee of its epoch")
        }
        return committee
    }

    /// What consensus of a committee's epoch goes on from.
    static func consensusConfiguration(
        _ configuration: NodeConfiguration, _ committee: Committee, _ store: ChainStore,
        _ height: Height
    ) throws(StorageFault) -> ConsensusConfiguration {
        let epochs = configuration.genesis.epochs
        let start = epochs.first(of: committee.epoch).clampedRetreat(by: 1)
        let genesis = try block(at: start, configuration.genesis, store)
        var tip = ConsensusConfiguration.Tip(block: genesis, certificate: nil)
        var end: EpochEnd?
        if height > start {
            end = try store.end(of: committee.epoch)
            var certificate = end?.certificate
            if certificate == nil { certificate = try store.finalization(at: height) }
            guard let certificate else {
                throw StorageFault("the finalization of block \(height) is missing in the store")
            }
            tip = .init(
                block: try block(at: height, configuration.genesis, store),
                certificate: certificate)
        }
        return consensusConfiguration(configuration, committee, from: genesis, tip: tip, end: end)
    }

    static func consensusConfiguration(
        _ configuration: NodeConfiguration, _ committee: Committee, from start: Block,
        tip: ConsensusConfiguration.Tip, end: EpochEnd? = nil
    ) -> ConsensusConfiguration {
        ConsensusConfiguration(
            committee: committee, ownIndex: configuration.ownIndex(in: committee),
            signer: configuration.signer, genesis: start, tip: tip,
            timing: configuration.timing, signing: configuration.signing,
            lastHeight: configuration.genesis.epochs.last(of: committee.epoch), end: end,
            breaking: configuration.plantedBug)
    }

    private static func block(
        at height: Height, _ genesis: Genesis, _ store: ChainStore
    ) throws(StorageFault) -> Block {
        if height == 0 { return try genesisBlock(genesis, store) }
        guard let block = try store.block(at: height) else {
            throw StorageFault("the finalized block \(height) is missing in the store")
        }
        return block
    }

    private static func genesisBlock(
        _ genesis: Genesis, _ store: ChainStore
    ) throws(StorageFault) -> Block {
        guard let root = try store.stateRoot(at: 0) else {
            throw StorageFault("the store holds no genesis state: it must be made anew")
        }
        return Block.genesis(chainID: genesis.chainID, time: genesis.time, stateRoot: root)
    }

    private mutating func loadUnexecuted(upTo height: Height) throws(StorageFault) {
        let oldest = ledger.height.clampedRetreat(by: NodeCore.recentRootsMax)
        for place in oldest.rawValue...ledger.height.rawValue {
            recentRoots[Height(place)] = try store.stateRoot(at: Height(place))
        }
        guard ledger.height <= height else {
            throw StorageFault(
                "the state stands at height \(ledger.height), beyond the chain's \(height)")
        }
        var next = ledger.height
        if configuration.planted == .executedAgain { next = next.clampedRetreat(by: 1) }
        while next < height, let following = next.next {
            guard let block = try store.block(at: following) else {
                throw StorageFault("the finalized block \(following) is missing in the store")
            }
            unexecuted.append(block)
            next = following
        }
    }

    /// Takes events in, in order, and returns everything to be done, in order.
    /// - Throws: `StorageFault` when the store fails; the core must not be used again.
    package mutating func handle(
        _ events: [NodeEvent], at moment: Moment
    ) throws(StorageFault) -> [NodeEffect] {
        self.moment = moment
        ledger.writesApplied()
        freshReceipts = []
        for event in events { try take(event) }
        try settle()
        defer { effects = [] }
        return effects
    }

    private mutating func take(_ event: NodeEvent) throws(StorageFault) {
        switch event {
        case .start:
            // After a restart execution can be behind what is final.
            try feed(.advanced(ledger.height, verifierSets: ledger.verifierSets))
            try drive(.start)
            try feed(.start)
            try executeReady()
        case .connected(let peer): try feed(.connected(peer))
        case .disconnected(let peer):
            // Identities cost nothing: only debts are remembered.
            allowances = allowances.filter { !$0.value.isFull(at: moment.now) }
            try feed(.disconnected(peer))
        case .received(let peer, let message): try receive(message, from: peer)
        case .checked(let result): try take(result)
        case .timer(.consensus(let id)): try drive(.timer(id))
        case .timer(.mempool): try tick()
        case .submit(let request, let transaction):
            try feed(.submitted(request, transaction))
        case .wait(let request, let id): try wait(request, for: id)
        case .cancelWait(let request): waiting.cancel(request)
        case .ownCapacity(let capacity): try feed(.ownCapacity(capacity))
        case .peerCapacity(let peer, let capacity): try feed(.peerCapacity(peer, capacity))
        case .lookUp(let request, let id):
            effects.append(.reply(request, .fate(id, try fate(of: id))))
        }
    }

    private mutating func tick() throws(StorageFault) {
        if moment.now >= nextTick {
            nextTick = moment.now.advanced(byMilliseconds: MempoolTimes.tick)
            try feed(.tick)
        }
        try build()
        timerAt = nil
    }

    private mutating func receive(
        _ message: NodeMessage, from peer: PeerID
    ) throws(StorageFault) {
        mempool.hear(peer, at: moment.now)
        switch message {
        case .consensus(.syncRequest(let request)): try serve(request, to: peer)
        case .consensus(let message) where message.epoch != consensus.epoch:
            try receive(message, fromAnotherEpochOf: peer)
        case .consensus(let message):
            guard consensus.wants(message, from: peer) else { return }
            effects.append(
                .check(.consensus(peer, message, consensus.context), .consensus))
        case .mempool(.bodyRequest(let digests)): try serve(digests, to: peer)
        case .mempool(let message):
            // Of another epoch: void there, or not yet of use.
            guard message.epoch ?? committee.epoch == committee.epoch else { return }
            try feed(.received(peer, message))
        }
    }

    private mutating func take(_ result: NodeCheckResult) throws(StorageFault) {
        switch result {
        case .mempool(let id, let result): try feed(.checked(id, result))
        case .consensus(let peer, let message):
            guard let message else {
                return effects.append(.penalise(peer, "a consensus message with a wrong signature"))
            }
            // The epoch may have ended since.
            guard message.value.epoch == consensus.epoch else {
                return witness(message, from: peer)
            }
            try drive(.message(from: peer, message))
        case .payload(let block, let payload):
            try finishProving(block, payload)
        }
    }

    /// Lets everything that became possible happen, and sends what the mempool collected.
    private mutating func settle() throws(StorageFault) {
        while try enterNextEpoch() {}
        if consensus.view != lastView {
            lastView = consensus.view
            if mempool.hasIncludable { try drive(.workAvailable) }
        }
        updateSilence()
        var collected = mempool.flush(at: moment)
        while !collected.isEmpty {
            // An execution that a body leads to must find all bodies on disk.
            for effect in collected where effect.isWrite { try perform(effect) }
            for effect in collected where !effect.isWrite { try perform(effect) }
            collected = mempool.flush(at: moment)
        }
        setOwnTimer()
    }

    /// One timer for the mempool's tick, for a batch and for a block that wait for their moment.
    private mutating func setOwnTimer() {
        let wanted = [nextTick, mempool.wakeAt, buildAt].compactMap(\.self).min() ?? nextTick
        guard timerAt == nil || wanted < timerAt ?? wanted else { return }
        timerAt = wanted
        effects.append(.setTimer(.mempool, wanted))
    }

    /// Who is asked for blocks in the place of a member that can't be reached, or that was asked
    /// for the same before: one connected peer after the other. A node that was away for epochs may
    /// find nobody of its committee, or nobody there who has more than it has itself.
    private mutating func reachable(_ peer: PeerID, for what: Digest) -> PeerID {
        let connected = mempool.connected
        let isAgain = lastAsked == what
        lastAsked = what
        guard !connected.isEmpty, isAgain || !connected.contains(peer) else { return peer }
        substitutions += 1
        return connected.sorted()[substitutions % connected.count]
    }

    // MARK: The engines

    /// Gives consensus an event and carries out what it wants, until it wants nothing more.
    mutating func drive(_ event: ConsensusEvent) throws(StorageFault) {
        pendingConsensus.append(event)
        guard pendingConsensus.count == 1 else { return }
        while let next = pendingConsensus.first {
            for effect in consensus.handle(next, at: moment) { try perform(effect) }
            pendingConsensus.removeFirst()
        }
    }

    private mutating func perform(_ effect: ConsensusEffect) throws(StorageFault) {
        switch effect {
        case .persist(let records, let sync): effects.append(.journal(records, sync: sync))
        case .broadcast(let message): effects.append(.broadcast(.consensus(message)))
        case .send(_, .syncRequest) where unexecuted.count >= NodeCore.unexecutedMax:
            break  // asked again upon a timer
        case .send(let peer, .syncRequest(let request)):
            effects.append(
                .send(
                    reachable(peer, for: .hash(.random, of: request)),
                    .consensus(.syncRequest(request))))
        case .send(let peer, .blockRequest(let request)):
            effects.append(
                .send(
                    reachable(peer, for: request.ref.digest), .consensus(.blockRequest(request))))
        case .send(let peer, let message): effects.append(.send(peer, .consensus(message)))
        case .serveBlock(let peer, let digest): try serve(block: digest, to: peer)
        case .setTimer(let id, let at): effects.append(.setTimer(.consensus(id), at))
        case .cancelTimer(let id): effects.append(.cancelTimer(.consensus(id)))
        case .build(let view, let context, let mayBeEmpty):
            pendingBuild = (view, context, mayBeEmpty)
            try build()
        case .check(let block, let context): try check(block, context)
        case .commit(let blocks, let certificate): try commit(blocks, certificate)
        case .commitLast(let blocks, let end): try commit(blocks, end.certificate, end)
        case .evidence(let votes): accuse(votes)
        case .penalise(let peer, let penalty):
            effects.append(.penalise(peer, penalty.rawValue))
        case .halt(let reason): effects.append(.halt(reason))
        case .compact(let records): effects.append(.compactJournal(records))
        }
    }

    /// Hands on what the mempool collected for the disk.
    mutating func writeCollected() throws(StorageFault) {
        for effect in mempool.takeWrites() { try perform(effect) }
    }

    mutating func feed(_ event: MempoolEvent) throws(StorageFault) {
        try mempool.handle(event, at: moment, view: ledger)
    }

    private mutating func perform(_ effect: MempoolEffect) throws(StorageFault) {
        switch effect {
        case .reply(let request, let id, let outcome):
            try reply(request, id, outcome)
        case .send(let peer, let message): effects.append(.send(peer, .mempool(message)))
        case .broadcast(let message): effects.append(.broadcast(.mempool(message)))
        case .multicast(let peers, let message):
            effects.append(.multicast(peers, .mempool(message)))
        case .check(let id, let job, let isLent):
            effects.append(.check(.mempool(id, job), isLent ? .lent : .bulk))
        case .store(let writes):
            effects.append(.write(writes))
            effects.append(.sync)
        case .forget(let writes): effects.append(.write(writes))
        case .workAvailable:
            try build()
            try drive(.workAvailable)
        case .bodyArrived: try executeReady()
        case .penalise(let peer, let reason): effects.append(.penalise(peer, reason))
        case .gone(let id, let reason): try settleWaiting(id, gone: reason)
        case .evidence(let evidence): accuse(evidence)
        }
    }
}
