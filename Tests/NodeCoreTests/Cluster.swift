import Consensus
import Execution
import Mempool
import Primitives
import TestSupport

@testable import NodeCore

/// Whole nodes without sockets and disks, in virtual time: messages take a few seeded
/// milliseconds, stores and journals are in memory and survive a crash as far as they were synced.
struct Cluster {
    struct Member {
        var core: NodeCore?
        var store: MemoryStore
        /// Records that are on disk, and those that a crash loses.
        var journal: [JournalRecord] = []
        var unsynced: [JournalRecord] = []
        var timers: [NodeTimer: Instant] = [:]
        /// Raised by every crash: what was on its way to an earlier life is dropped.
        var life = 0
        var halted: String?
        var replies: [NodeReply] = []
    }

    private struct Flight {
        let at: Instant
        let order: Int
        let to: Int
        let life: Int
        let event: NodeEvent
    }

    let genesis: Genesis
    let votingKeys: [SecretKey]
    let people: [SecretKey]
    private let asks: Bool
    var members: [Member]
    var now = Instant(milliseconds: 1)
    /// Whether a message from one node to another arrives.
    var passes: (_ from: Int, _ to: Int, NodeMessage) -> Bool = { _, _, _ in true }
    private var flights: [Flight] = []
    private var generator: SeededGenerator
    private var order = 0
    private var lastRequest: UInt64 = 0

    /// - Parameters:
    ///   - voting: How many of the nodes genesis gives a vote; all unless it says so.
    ///   - epochBlocks: Heights of an epoch; longer than any test unless it says so.
    ///   - asks: Whether nodes ask others before they sign, as real ones do.
    init(
        seed: UInt64, count: Int = 4, voting: Int? = nil, epochBlocks: UInt64 = 10_240,
        asks: Bool = false
    ) throws {
        self.asks = asks
        generator = SeededGenerator(seed: seed)
        votingKeys = (0..<count).map { TestKeys.key(seed: 500, index: $0) }
        people = (0..<8).map { TestKeys.key(seed: 900, index: $0) }
        genesis = try Cluster.genesis(
            Array(votingKeys.prefix(voting ?? count)), people, epochBlocks)
        members = []
        for _ in 0..<count {
            let store = MemoryStore()
            store.apply(NodeCore.genesisWrites(genesis))
            members.append(Member(core: nil, store: store))
        }
        for node in members.indices { try start(node) }
    }

    private static func genesis(
        _ keys: [SecretKey], _ people: [SecretKey], _ epochBlocks: UInt64
    ) throws -> Genesis {
        let treasury = Policy.single(TestKeys.key(seed: 901, index: 0).publicKey).address
        return try Genesis(
            network: "cluster", prefix: "tst", time: 1000,
            accounts: people.map {
                GenesisAccount(owner: .policy(.single($0.publicKey)), balance: 10_000_000)
            },
            validators: keys.map {
                GenesisValidator(
                    votingKey: $0.publicKey, peerID: PeerID($0.publicKey),
                    rewardAddress: Policy.single($0.publicKey).address, stake: 1_000_000)
            },
            parameters: LedgerParameters(
                fees: FeeParameters(treasury: treasury),
                stake: StakeParameters(minimum: 1_000, epochBlocks: epochBlocks),
                consensus: ConsensusParameters(executionLagMax: epochBlocks < 64 ? 4 : 16),
                verification: VerificationParameters(
                    periodBlocks: min(32, epochBlocks / 2), minimumBond: 1_000,
                    unbondBlocks: 8 * epochBlocks)))
    }

    func peer(_ node: Int) -> PeerID { PeerID(votingKeys[node].publicKey) }
    private func node(_ peer: PeerID) -> Int? {
        votingKeys.firstIndex { PeerID($0.publicKey) == peer }
    }
    private var moment: Moment {
        Moment(now: now, wall: Timestamp(1_000_000 + now.milliseconds))
    }

    // MARK: Life and death

    mutating func start(_ node: Int) throws {
        members[node].core = try NodeCore(
            configuration: NodeConfiguration(
                genesis: genesis, signer: votingKeys[node],
                signing: asks ? .asking(RecordID(low: UInt64(node) + 1, high: 7)) : .full),
            source: members[node].store, journal: members[node].journal, at: moment)
        try handle([.start], at: node)
        for other in members.indices where other != node && members[other].core != nil {
            try handle([.connected(peer(other))], at: node)
            try handle([.connected(peer(node))], at: other)
        }
    }

    /// Ends a node as kill -9 does: unsynced journal records are lost, the store's writes stay.
    mutating func crash(_ node: Int) throws {
        members[node].core = nil
        members[node].unsynced = []
        members[node].timers = [:]
        members[node].life += 1
        for other in members.indices where members[other].core != nil {
            try handle([.disconnected(peer(node))], at: other)
        }
    }

    // MARK: Time

    /// Runs until virtual time has moved on, or until `done`.
    mutating func run(
        milliseconds: UInt64, until done: (Cluster) -> Bool = { _ in false }
    ) throws {
        let end = now.advanced(byMilliseconds: milliseconds)
        while now < end, !done(self) {
            let timer = members.indices.flatMap { members[$0].timers.values }.min()
            let next = [flights.map(\.at).min(), timer].compactMap(\.self).min() ?? end
            now = max(now, min(next, end))
            try deliver()
            try fireTimers()
        }
    }

    private mutating func deliver() throws {
        let due = flights.filter { $0.at <= now }.sorted { ($0.at, $0.order) < ($1.at, $1.order) }
        flights.removeAll { $0.at <= now }
        for flight in due where members[flight.to].life == flight.life {
            try handle([flight.event], at: flight.to)
        }
    }

    private mutating func fireTimers() throws {
        for node in members.indices {
            let due = members[node].timers.filter { $0.value <= now }.keys
                .sorted { String(describing: $0) < String(describing: $1) }
            for timer in due { members[node].timers[timer] = nil }
            if !due.isEmpty { try handle(due.map { .timer($0) }, at: node) }
        }
    }

    mutating func handle(_ events: [NodeEvent], at node: Int) throws {
        guard members[node].core != nil, members[node].halted == nil else { return }
        let moment = moment
        let effects = try members[node].core?.handle(events, at: moment) ?? []
        for effect in effects { carryOut(effect, of: node) }
    }

    private mutating func carryOut(_ effect: NodeEffect, of node: Int) {
        switch effect {
        case .write(let writes): members[node].store.apply(writes)
        case .sync, .cancelTimer, .penalise, .note: break
        case .journal(let records, let sync):
            members[node].unsynced += records
            if sync {
                members[node].journal += members[node].unsynced
                members[node].unsynced = []
            }
        case .compactJournal(let records):
            members[node].journal = records
            members[node].unsynced = []
        case .send(let peer, let message):
            if let to = self.node(peer) { send(message, from: node, to: to) }
        case .broadcast(let message):
            for to in members.indices where to != node { send(message, from: node, to: to) }
        case .multicast(let peers, let message):
            for to in peers.compactMap({ self.node($0) }) { send(message, from: node, to: to) }
        case .check(let job, _):
            guard let layout = members[node].core?.layout else { return }
            post(.checked(job.run(in: layout)), to: node, delay: 0)
        case .setTimer(let timer, let at): members[node].timers[timer] = at
        case .reply(_, let reply): members[node].replies.append(reply)
        case .halt(let reason): members[node].halted = reason
        }
        if case .cancelTimer(let timer) = effect { members[node].timers[timer] = nil }
    }

    private mutating func send(_ message: NodeMessage, from: Int, to: Int) {
        guard members[to].core != nil, passes(from, to, message) else { return }
        // What travels is bytes: an encoding that its own decoder refuses shows here.
        guard let copy = try? NodeMessage(bcs: message.bcsBytes) else {
            preconditionFailure("a message that can't be decoded: \(message)")
        }
        post(.received(peer(from), copy), to: to, delay: 1 + generator.next() % 3)
    }

    private mutating func post(_ event: NodeEvent, to node: Int, delay: UInt64) {
        order += 1
        flights.append(
            Flight(
                at: now.advanced(byMilliseconds: delay), order: order, to: node,
                life: members[node].life, event: event))
    }

    // MARK: Clients

    func address(_ person: Int) -> Address { Policy.single(people[person].publicKey).address }

    func payment(
        from: Int, to: Int, amount: UInt64, sequence: UInt64
    ) -> SignedTransaction {
        transaction(
            from: from, sequence: sequence,
            .transfer(Transfer(to: address(to), amount: Amount(amount))))
    }

    func transaction(
        from: Int, sequence: UInt64, _ operation: Operation
    ) -> SignedTransaction {
        transaction(by: people[from], sequence: sequence, operation)
    }

    func transaction(
        by key: SecretKey, sequence: UInt64, _ operation: Operation
    ) -> SignedTransaction {
        let policy = Policy.single(key.publicKey)
        let transaction = Transaction(
            chainID: genesis.chainID, sender: policy.address,
            sequence: SequenceNumber(sequence),
            validUntil: moment.wall.clampedAdvance(by: 3_600_000), maxFee: 10_000,
            operations: [operation])
        return SignedTransaction(signing: transaction, policies: [policy], by: [key])
    }

    mutating func submit(_ transaction: SignedTransaction, to node: Int) throws {
        lastRequest += 1
        try handle([.submit(RequestID(lastRequest), transaction)], at: node)
    }

    func isFinal(_ transaction: SignedTransaction, at node: Int) -> Bool {
        (try? LedgerReader(members[node].store).receipt(transaction.id)) ?? nil != nil
    }

    func isFinal(_ transactions: [SignedTransaction], at nodes: [Int]) -> Bool {
        nodes.allSatisfy { node in transactions.allSatisfy { isFinal($0, at: node) } }
    }

    func epoch(_ node: Int) -> Epoch { members[node].core?.committee.epoch ?? 0 }

    func height(_ node: Int) -> Height { members[node].core?.ledger.height ?? 0 }

    /// What must hold at any time: equal roots at equal heights, sums that add up, nobody halted.
    func faults() throws -> [String] {
        var faults = members.compactMap(\.halted)
        let chains = members.map { ChainStore($0.store) }
        for node in members.indices.dropFirst() {
            let common = min(height(0), height(node))
            let first = try chains[0].stateRoot(at: common)
            let other = try chains[node].stateRoot(at: common)
            if first != other { faults.append("roots of 0 and \(node) differ at \(common)") }
        }
        for node in members.indices {
            if let totals = members[node].core?.ledger.totals, !totals.isBalanced {
                faults.append("node \(node): \(totals)")
            }
        }
        return faults
    }
}
