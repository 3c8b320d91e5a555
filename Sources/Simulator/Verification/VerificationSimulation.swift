internal import HeapModule
internal import Mempool
internal import Primitives

/// Mempools of validators and of verifiers without a vote in virtual time, with an adversary that
/// holds as many bonds as the safety argument allows, or one more: first with faults, then healed.
///
/// What is real: the mempool's engines with all their rules, encodings, signatures (each checked
/// once in a run, see CheckRunner), certificates, the shard table, acks on disk. What is made up:
/// agreement (a leader drawn for each view proposes, and Q of the weight must accept), accounts.
///
/// Everything follows from the scenario: two runs give the same trace.
package struct VerificationSimulation {
    /// Virtual milliseconds with faults.
    static let faultyMilliseconds: UInt64 = 5_000
    /// Virtual milliseconds after the healing until all that was wanted is final.
    ///
    /// The longest wait is for an owner that says that something else holds the sequence: nobody
    /// can tell that from the truth, so it lasts for the owner's term, here at most 40 blocks at
    /// 250 ms. Six such terms in a row come once in 729 where a third of the weight lies.
    static let recoveryBound: UInt64 = 60_000
    /// Execution may be so far behind.
    static let lag: UInt64 = 16
    static let wallStart: UInt64 = 1_800_000_000_000

    let scenario: VerificationScenario
    let traffic = Traffic.shared
    let committee: Committee
    let outsider: PeerID
    var nodes: [VerificationNode] = []
    var ring: Ring
    var runner: CheckRunner
    var oracle: VerificationOracle
    var random: SeededRandom
    var sets: SimulatedSets
    var chain: SimulatedChain
    var clients: [SimulatedClient] = []
    var now: UInt64 = 0
    var isHealed = false
    var view: UInt64 = 0
    /// Links that are down.
    var brokenLinks: Set<[Int]> = []
    /// Edge verifiers whose machine is wanted by its owner.
    var wanted: Set<Int> = []
    var lastRequest: UInt64 = 0
    package var report: VerificationReport
    private var trace: Trace
    private var queue = Heap<ScheduledVerification>()
    private var order: UInt64 = 0

    package init(_ scenario: VerificationScenario, tracing: Bool = false) {
        self.scenario = scenario
        let traffic = Traffic.shared
        committee = VerificationSimulation.committee(scenario.weights, traffic)
        sets = SimulatedSets(scenario, committee, traffic)
        let layout = ShardLayout(
            committee: committee, settings: scenario.settings, verifierSets: sets.known(at: 0))
        outsider = PeerID(traffic.nodeKeys[16].publicKey)
        let count = scenario.weights.count + scenario.edgeBonds.count
        let peers = traffic.nodeKeys[..<count].map { PeerID($0.publicKey) } + [outsider]
        ring = Ring(
            traffic: traffic, members: scenario.liars, peers: peers,
            validatorCount: scenario.weights.count, layout: layout, seed: scenario.seed)
        runner = CheckRunner(traffic)
        oracle = VerificationOracle(isOver: scenario.collusion == .over)
        random = SeededRandom(seed: scenario.seed)
        chain = SimulatedChain(accounts: SimulatedAccounts(traffic))
        trace = Trace(keepsLines: tracing)
        report = VerificationReport(scenario)
        for number in 0..<count { addNode(number) }
        addClients()
    }

    static func committee(_ weights: [UInt64], _ traffic: Traffic) -> Committee {
        let validators = weights.enumerated().map { place, weight in
            let key = traffic.nodeKeys[place].publicKey
            return Validator(
                votingKey: key, peerID: PeerID(key), weight: weight, rewardAddress: .zero)
        }
        do {
            return try Committee(chainID: traffic.chainID, epoch: 0, validators: validators)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private mutating func addNode(_ number: Int) {
        let isValidator = number < scenario.weights.count
        nodes.append(
            VerificationNode(
                number: number, key: traffic.nodeKeys[number],
                ownIndex: isValidator ? ValidatorIndex(UInt16(number)) : nil,
                accounts: chain.genesis,
                misbehaviours: (scenario.tricks[number] ?? []).map(\.misbehaviour)))
    }

    var moment: Moment {
        Moment(
            now: Instant(milliseconds: now + 1_000),
            wall: Timestamp(VerificationSimulation.wallStart + now))
    }

    func peer(_ node: Int) -> PeerID { node < nodes.count ? nodes[node].peerID : outsider }

    func node(_ peer: PeerID) -> Int? { nodes.firstIndex { $0.peerID == peer } }

    func isHonest(_ node: Int) -> Bool { node < nodes.count && !nodes[node].isLiar }

    /// Runs until all that honest clients wanted is final after the healing, or something is wrong.
    package mutating func run() -> VerificationReport {
        for node in nodes.indices { schedule(.start(node), after: random.number(in: 0...20)) }
        schedule(.propose, after: 50)
        schedule(.clients, after: 30)
        schedule(.faults, after: 200)
        schedule(.capacities, after: 5)
        schedule(.liars, after: 60)
        if scenario.bursts { schedule(.burst, after: random.number(in: 300...3_000)) }
        schedule(.heal, after: VerificationSimulation.faultyMilliseconds)
        while oracle.violation == nil, !isDone, let next = queue.popMin() {
            now = next.time
            report.events += 1
            carryOut(next.event)
            checkProgress()
        }
        finishReport()
        return report
    }

    package var traceLines: [String] { trace.lines }

    private var isDone: Bool {
        guard isHealed else { return false }
        if scenario.collusion == .over, oracle.badExecuted > 0 { return true }
        return clients.allSatisfy(\.isIdle) && nodes.allSatisfy { $0.executed >= chain.height }
    }

    private mutating func finishReport() {
        report.violation = oracle.violation
        report.badExecuted = oracle.badExecuted
        report.offenders = oracle.offenders
        report.blocks = chain.height.rawValue
        report.executed = chain.executedCount
        report.restarts = nodes.reduce(0) { $0 + $1.restarts }
        report.simulatedMilliseconds = now
        report.passedOver = chain.passedOver
        report.certificates = chain.certificateCount
        report.comparedJobs = runner.compared
        report.traceHash = trace.hash
        if runner.differing > 0 { report.violation = "a job's result differs from its whole run" }
    }

    // MARK: Time

    mutating func schedule(_ event: VerificationEvent, after delay: UInt64) {
        order += 1
        queue.insert(ScheduledVerification(time: now + delay, order: order, event: event))
    }

    mutating func note(
        _ kind: UInt64, _ first: UInt64, _ second: UInt64 = 0, line: @autoclosure () -> String
    ) {
        trace.note(now, (kind, first, second), line: line)
    }

    private mutating func carryOut(_ event: VerificationEvent) {
        switch event {
        case .start(let node): start(node)
        case .deliver(let from, let to, let message): deliver(message, from: from, to: to)
        case .checked(let node, let life, let id, let job, let isLent):
            finish(id, job, isLent: isLent, at: node, life: life)
        case .tick(let node, let life): tick(node, life: life)
        case .chain(let node): followChain(node)
        case .propose: propose()
        case .clients: letClientsAct()
        case .burst: burst()
        case .faults: rollFaults()
        case .relink(let link): relink(link)
        case .capacities: tellCapacities()
        case .liars: letLiarsAct()
        case .heal: heal()
        }
    }

    /// Liveness: what honest users wanted is final within the bound after the healing.
    private mutating func checkProgress() {
        guard isHealed else { return }
        let elapsed = now - VerificationSimulation.faultyMilliseconds
        guard elapsed > VerificationSimulation.recoveryBound else { return }
        let open = clients.flatMap { client in
            client.open.keys.sorted().map { "user \(client.user) \($0)" }
        }
        let behind = nodes.filter { $0.executed < chain.height }.map(\.number)
        oracle.fail(
            "liveness: \(elapsed) ms after the healing \(open.count) payments aren't final "
                + "(\(open.prefix(2))), nodes \(behind) are behind")
    }

    private mutating func heal() {
        isHealed = true
        for link in brokenLinks.sorted(by: { $0.lexicographicallyPrecedes($1) }) { relink(link) }
        for node in nodes.indices where !nodes[node].isUp { schedule(.start(node), after: 1) }
        for place in clients.indices { clients[place].stop() }
    }
}

/// What can happen at a virtual time. Indirect, so that the queue moves pointers and not messages.
indirect enum VerificationEvent {
    case start(Int)
    case deliver(from: Int, to: Int, MempoolMessage)
    case checked(Int, life: Int, CheckID, CheckJob, isLent: Bool)
    case tick(Int, life: Int)
    /// A node hears of finalized blocks.
    case chain(Int)
    case propose
    case clients
    case burst
    case faults
    case relink([Int])
    case capacities
    case liars
    case heal
}

/// An event with its place in time; of events at one time the first scheduled comes first.
struct ScheduledVerification: Comparable {
    let time: UInt64
    let order: UInt64
    let event: VerificationEvent

    static func < (left: Self, right: Self) -> Bool {
        (left.time, left.order) < (right.time, right.order)
    }

    static func == (left: Self, right: Self) -> Bool { left.order == right.order }
}

/// The outcome of one run.
package struct VerificationReport: Sendable, Hashable {
    package let seed: UInt64
    /// What the seed drew.
    package let drew: String
    /// What went wrong, or nil.
    package var violation: String?
    /// Transactions that executed although nobody signed them.
    package var badExecuted = 0
    /// Liars that evidence names.
    package var offenders: Set<Int> = []
    package var blocks: UInt64 = 0
    package var executed: UInt64 = 0
    package var certificates: UInt64 = 0
    package var events: UInt64 = 0
    package var restarts = 0
    package var passedOver: UInt64 = 0
    /// Virtual time at which the first owner was passed over.
    package var firstPassedOverAt: UInt64?
    /// When the first payment of the user whom liars want to harm was tried, and how long it and
    /// the later ones took at most.
    package var victimSince: UInt64?
    package var victimWaitMilliseconds: UInt64 = 0
    /// Batches with planted faults.
    package var planted = 0
    package var declined = 0
    package var comparedJobs = 0
    package var simulatedMilliseconds: UInt64 = 0
    /// From the healing until everything wanted was final.
    package var recoveryMilliseconds: UInt64?
    /// The longest that an honest client waited, from its first attempt.
    package var longestWaitMilliseconds: UInt64 = 0
    /// Equal for equal runs.
    package var traceHash: UInt64 = 0

    init(_ scenario: VerificationScenario) {
        seed = scenario.seed
        let tricks = scenario.tricks.keys.sorted().map { node in
            "\(node): " + (scenario.tricks[node] ?? []).map(\.rawValue).joined(separator: "+")
        }
        drew =
            "weights \(scenario.weights), edge bonds \(scenario.edgeBonds), liars {"
            + tricks.joined(separator: ", ") + "}, spread \(scenario.settings.spread), term "
            + "\(scenario.settings.termBlocks), period \(scenario.settings.periodBlocks), expiry "
            + "\(scenario.settings.expiryBlocks), loss \(scenario.faults.loss), crash "
            + "\(scenario.faults.crash), bursts \(scenario.bursts)"
    }
}
