internal import Consensus
package import Execution
package import Gossip
package import Logging
package import Mempool
package import NodeCore
package import Primitives
internal import Synchronization

/// A running node: store, journal, links, verifier pool and the core's thread.
///
/// Life: `open` takes the home folder's lock and reads everything; `start` lets it take part;
/// `stop` ends it within seconds with everything that was promised on disk.
package final class RunningNode: Sendable {
    package let genesis: Genesis
    package let configuration: Configuration
    package let peerID: PeerID
    /// The key that this node would vote with, nil for a node without one.
    private let votingKey: PublicKey?
    /// Why this validator's former signing record can't be relied on; nil if all is well.
    package let recordLoss: String?
    package let metrics: Metrics
    package let startedAt: Instant

    private let lock: HomeLock
    private let store: RocksStore
    private let loop: CoreLoop
    private let pool: VerifierPool
    private let share: ShareLoop
    /// Nil where the configuration wants none.
    private let scrubber: Scrubber?
    /// Ends the process.
    private let fail: @Sendable (ExitCode, String) -> Void
    private let network: NetworkBox
    private let gossip = GossipBox()
    private let standing: PeerStanding
    private let ownCapacity: Mutex<Capacity>
    private let broker: RequestBroker
    private let provable: ProvableStates
    private let identity: SecretKey
    private let logger: Logger
    private let layout: ShardLayout

    /// Opens the node of a home folder.
    /// - Parameter shareMode: when the machine is lent, instead of what the configuration says.
    /// - Parameter fail: called at most a few times, from any thread, when the node can't go on:
    ///   the process should end with that code at once.
    /// - Throws: `HomeFault` with the exit code.
    package init(
        home: Home, logger: Logger, shareMode: ShareMode? = nil,
        fail: @escaping @Sendable (ExitCode, String) -> Void
    ) throws(HomeFault) {
        // Whatever meets damage says which command mends it.
        let fail: @Sendable (ExitCode, String) -> Void = { code, text in
            fail(code, code == .storage ? StoreAdvice.complete(text, home: home.path) : text)
        }
        self.fail = fail
        lock = try HomeLock(home)
        try home.check()
        configuration = try Configuration.load(home.configuration)
        genesis = try GenesisFile.load(home.genesis)
        identity = try home.loadKey(home.identityKey, role: .identity)
        let voting =
            home.hasValidatorKey ? try home.loadKey(home.validatorKey, role: .voting) : nil
        try home.checkRole(configuration)
        let missing = try home.checkStore(isAlone: try home.isAlone(in: genesis))
        let opened = try home.advising { [configuration, genesis] () throws(HomeFault) in
            try RunningNode.openStorage(home, configuration, genesis)
        }
        store = opened.store
        let core = try home.advising { [genesis] () throws(HomeFault) in
            try RunningNode.openCore(genesis, voting, opened)
        }
        layout = core.layout
        let ownIndex = core.ownIndex
        recordLoss = ownIndex == nil ? nil : opened.record.loss
        votingKey = voting?.publicKey
        peerID = PeerID(identity.publicKey)
        metrics = Metrics()
        startedAt = SystemClock.now
        let mode = shareMode ?? configuration.share.mode ?? (ownIndex == nil ? .idle : .always)
        pool = VerifierPool(
            threadCount: configuration.verifierThreads, lentYields: mode != .always)
        broker = RequestBroker()
        provable = ProvableStates(
            executionLagMax: genesis.parameters.consensus.executionLagMax)
        network = NetworkBox()
        standing = PeerStanding(
            committee: core.committee, configured: Set(configuration.peers.map(\.peerID)))
        ownCapacity = Mutex(
            RunningNode.firstCapacity(threads: pool.threadCount, isValidator: ownIndex != nil))
        self.logger = logger
        let diskTime = TimeCount()
        share = ShareLoop(
            .init(
                mode: mode, settings: configuration.share, lent: pool.lent, diskTime: diskTime,
                logger: logger))
        // What is in the store now, genesis too, is named by the next blocks.
        let present = store.snapshot()
        if let summary = try? LedgerReader(present).summary() {
            provable.keep(present, at: summary.height)
        }
        loop = CoreLoop(
            core: core,
            parts: CoreParts(
                store: opened.store, journal: opened.record.opened.journal,
                mark: opened.record.mark, pool: pool, share: share,
                diskTime: diskTime, broker: broker, provable: provable, logger: logger,
                network: network,
                trust: { [standing, gossip] committee, peers in
                    if standing.set(committee, bonded: peers) {
                        gossip.value?.trust(standing.known)
                    }
                }, fail: fail))
        scrubber =
            configuration.scrubMinutes == 0
            ? nil
            : Scrubber(
                .init(
                    store: opened.store, genesis: genesis,
                    periodMilliseconds: configuration.scrubMinutes * 60_000, logger: logger,
                    damaged: { fail(.storage, $0) }))
        if missing == .fetchable {
            logger.warning(
                "the store is gone: everything is fetched anew from other nodes",
                metadata: ["folder": "\(home.data)"])
        }
        if let cut = opened.record.opened.cut {
            logger.warning(
                "the end of the consensus journal was unfinished and is cut off",
                metadata: ["where": "\(cut)"])
        }
        if let reason = recordLoss {
            logger.warning(
                "the record of what this validator signed is lost",
                metadata: ["reason": "\(reason)"])
        }
    }

    private struct Storage {
        let store: RocksStore
        let record: SigningRecord
    }

    private static func openStorage(
        _ home: Home, _ configuration: Configuration, _ genesis: Genesis
    ) throws(HomeFault) -> Storage {
        let store = try openStore(home, configuration, genesis)
        do throws(StorageFault) {
            let mark = home.hasValidatorKey ? home.validatorMark : nil
            let record = try SigningRecord.open(folder: home.journal, store: store, mark: mark)
            return Storage(store: store, record: record)
        } catch {
            throw HomeFault("\(error)", exitCode: .storage)
        }
    }

    private static func openCore(
        _ genesis: Genesis, _ voting: SecretKey?, _ storage: Storage
    ) throws(HomeFault) -> NodeCore {
        do throws(StorageFault) {
            let opened = storage.record.opened
            var records: [Consensus.JournalRecord] = []
            for record in opened.records { records.append(try record.decoded()) }
            // A node without a vote keeps a journal too, in case that its key gets one.
            let id = RecordID(opened.journal.instance.bytes)
            return try NodeCore(
                configuration: NodeConfiguration(
                    genesis: genesis, signer: voting, signing: id.map { .asking($0) } ?? .observer),
                source: storage.store, journal: records, at: SystemClock.moment)
        } catch {
            throw HomeFault("\(error)", exitCode: .storage)
        }
    }

    /// Opens the links, lets the core run and looks for other nodes.
    /// - Throws: `HomeFault` if an address can't be listened on.
    package func start() throws(HomeFault) {
        loop.start()
        loop.queue.push(.ownCapacity(ownCapacity.withLock { $0 }))
        do throws(NetworkFault) {
            let links = try openLinks()
            network.set(links)
            gossip.set(try openGossip(linkPort: links.port))
        } catch {
            loop.stop()
            network.value?.stop()
            throw HomeFault(error.description, exitCode: .failure)
        }
        gossip.value?.trust(standing.known)
        share.start { [weak self] in self?.setOwnCapacity($0) }
        scrubber?.start()
        NodeMetrics.register(self, in: metrics)
        if let scrubber { ScrubMetrics.register(metrics) { scrubber.status } }
    }

    private func openLinks() throws(NetworkFault) -> PeerNetwork {
        var limits = NetworkLimits()
        limits.linksMax = configuration.limits.connections
        limits.linksPerAddressMax = configuration.limits.connectionsPerAddress
        limits.guestsMax = configuration.limits.guests
        let settings = NetworkSettings(
            listen: configuration.listen, peers: configuration.peers,
            isAllowed: { [standing] in standing.isKnown($0) },
            limits: limits, log: logger, metrics: metrics)
        return try PeerNetwork(
            settings: settings, identity: identity, chainID: genesis.chainID,
            handler: LinkReader(
                queue: loop.queue, network: network, gossip: gossip, logger: logger))
    }

    private func openGossip(linkPort: UInt16) throws(NetworkFault) -> PeerGossip {
        let links = NetworkAddress(host: configuration.listen.host, port: linkPort)
        let listen = configuration.gossip ?? links
        let seeds = configuration.seeds + configuration.peers.map(\.address)
        let settings = GossipSettings(
            chainID: genesis.chainID,
            addresses: try OwnAddress.record(
                advertised: configuration.advertised, links: links, gossip: listen),
            roles: roles, versions: LinkMessage.version...LinkMessage.version,
            capacity: ownCapacity.withLock { $0 },
            seeds: seeds.compactMap { Endpoint(host: $0.host, port: $0.port) })
        return try PeerGossip(
            listen: listen, settings: settings, identity: identity,
            listener: NodeGossip(
                network: network, queue: loop.queue, standing: standing, own: peerID),
            log: logger, metrics: metrics)
    }

    private var roles: PeerRoles {
        switch configuration.role {
        case .validator: .validator
        case .verifier: .verifier
        case .relay: .relay
        case nil: ownIndex != nil ? .validator : .relay
        }
    }

    /// What this node can lend before anybody measured how much of it is wanted otherwise: a
    /// validator's checks are what it is there for.
    private static func firstCapacity(threads: Int, isValidator: Bool) -> Capacity {
        let speed = MachineSpeed.signaturesPerSecond(threads: threads)
        let free = isValidator ? speed : 0
        return Capacity(signaturesPerSecond: speed, free: free, forecast: free)
    }

    /// Tells core and peers what this node can lend now.
    package func setOwnCapacity(_ capacity: Capacity) {
        let isOther = ownCapacity.withLock { present in
            defer { present = capacity }
            return present != capacity
        }
        guard isOther else { return }
        loop.queue.push(.ownCapacity(capacity))
        gossip.value?.setCapacity(capacity)
    }

    /// What this node can lend, as it was told last.
    package var capacity: Capacity { ownCapacity.withLock { $0 } }

    /// Every other node that gossip knows, by rising peer id.
    package var members: [MemberStatus] { gossip.value?.members ?? [] }

    /// Answers every open request, and every later one, at once with `stopping`: whoever serves
    /// clients calls it before it waits for their requests to end.
    package func endRequests() { broker.close() }

    /// Ends everything in order: clients' requests, a farewell to others, what is lent, the core's
    /// round, whose last messages still leave, then the links and the disk.
    package func stop() {
        endRequests()
        gossip.value?.stop()
        share.stop()
        scrubber?.stop()
        loop.stop()
        network.value?.stop()
        pool.stop()
        provable.forget()
        try? store.close()
        lock.release()
    }

    // MARK: For clients

    /// The core's figures after its last round.
    package var status: CoreStatus { loop.status.withLock { $0 } }

    /// How far the store was read again; nil where nothing reads it.
    package var scrubStatus: ScrubStatus? { scrubber?.status }

    /// Ends the process: what is in the store can't be trusted.
    package func stop(for fault: StorageFault) { fail(.storage, fault.description) }

    package var peers: [PeerStatus] { network.value?.peers ?? [] }

    /// The store as it is now.
    package func snapshot() -> StoreSnapshot { store.snapshot() }

    /// The newest state that can be proven to others; nil where there is none yet.
    package func provableState() throws(StorageFault) -> ProvableState? {
        try provable.newest(in: store.snapshot())
    }

    /// Shards, owners and verifiers as they are now.
    package var shardLayout: ShardLayout { status.layout ?? layout }
    package var storeBytes: UInt64 { store.sizeOnDisk }
    package var openRequests: Int { broker.openCount }
    package var queuedEvents: Int { loop.queue.count }
    package var verifierCounters: VerifierPool.Counters { pool.counters }
    /// What is lent of this machine now.
    package var shareStatus: ShareStatus { share.status }
    package var uptimeMilliseconds: UInt64 { SystemClock.now.millisecondsSince(startedAt) }

    /// Milliseconds since a block was last finalized here.
    package var sinceFinalized: UInt64 {
        SystemClock.now.millisecondsSince(status.finalizedAt)
    }

    /// Who votes in the present epoch.
    package var committee: Committee { shardLayout.committee }
    /// This node's place in the present committee, nil for a node without a vote.
    package var ownIndex: ValidatorIndex? { votingKey.flatMap { committee.index(of: $0) } }

    /// The weight of this validator and of those that it has links with.
    package var connectedWeight: UInt64 {
        let committee = committee
        let ownIndex = ownIndex
        let own = ownIndex.map { committee.weight(of: $0) } ?? 0
        let others = peers.compactMap { committee.index(of: $0.peerID) }
        return others.filter { $0 != ownIndex }.reduce(own) { $0 + committee.weight(of: $1) }
    }

    /// What became of a submission.
    package enum Submission: Sendable {
        case outcome(SubmitOutcome)
        /// It was final before.
        case final
        /// No owner answered in time.
        case unanswered
        /// The node stops; the transaction may have been taken.
        case stopping
    }

    /// Hands a transaction in.
    package func submit(
        _ transaction: SignedTransaction, atMostMilliseconds milliseconds: UInt64
    ) async -> Submission {
        let reply = await ask(atMostMilliseconds: milliseconds) { .submit($0, transaction) }
        switch reply {
        case .reply(.submitted(_, let outcome)): return .outcome(outcome)
        case .reply(.settled): return .final
        case .full: return .outcome(.busy(MempoolTimes.busyRetry))
        case .stopping: return .stopping
        default: return .unanswered
        }
    }

    /// Waits for a transaction's fate; nil if it isn't known within `milliseconds`.
    package func wait(
        for id: TransactionID, atMostMilliseconds milliseconds: UInt64
    ) async -> Fate? {
        let reply = await ask(atMostMilliseconds: milliseconds) { .wait($0, id) }
        guard case .reply(.settled(_, let fate)) = reply else { return nil }
        return fate
    }

    /// What this node knows of a transaction, nil while it stops.
    package func lookUp(_ id: TransactionID) async -> Fate? {
        let reply = await ask(atMostMilliseconds: 5_000) { .lookUp($0, id) }
        guard case .reply(.fate(_, let fate)) = reply else { return nil }
        return fate
    }

    private enum Answer { case reply(NodeReply), late, full, stopping }

    /// Gives the core a request and waits for its answer, for the deadline or for the task's end.
    private func ask(
        atMostMilliseconds milliseconds: UInt64, _ event: (RequestID) -> NodeEvent
    ) async -> Answer {
        let request = broker.newRequest()
        let event = event(request)
        let deadline = SystemClock.now.advanced(byMilliseconds: milliseconds)
        let wasTaken = Mutex(true)
        let reply = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard broker.register(request, until: deadline, continuation) else { return }
                let isTaken = loop.queue.pushClient(event)
                if !isTaken { wasTaken.withLock { $0 = false } }
                // A task that was cancelled before it was registered is answered here.
                if !isTaken || Task.isCancelled { broker.answer(request, nil) }
            }
        } onCancel: {
            broker.answer(request, nil)
            loop.queue.push(.cancelWait(request))
        }
        if let reply { return .reply(reply) }
        if broker.isClosed { return .stopping }
        return wasTaken.withLock { $0 } ? .late : .full
    }
}

/// The links, once they stand: core and links need each other.
final class NetworkBox: Sendable {
    private let network = Mutex<PeerNetwork?>(nil)
    var value: PeerNetwork? { network.withLock { $0 } }
    func set(_ value: PeerNetwork) { network.withLock { $0 = value } }
}
