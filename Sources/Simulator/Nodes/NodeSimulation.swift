internal import Consensus
internal import Execution
internal import NodeCore
internal import Primitives

/// A network of whole nodes in virtual time: cores with simulated links, disks and clocks, users
/// who pay each other, accidents and liars. First a phase in which things break, in which nothing
/// wrong may happen; then everything works again, and everything must come to its end.
///
/// Everything follows from the scenario: two runs give the same trace.
package struct NodeSimulation {
    /// Virtual time after which the faults end, whatever was reached.
    static let faultyMillisecondsMax: UInt64 = 240_000
    /// Virtual time after the healing in which a new block must be executed everywhere, if that is
    /// more than ten times the longest Δ of an honest node at the healing: waits grow while nothing
    /// becomes final, and only a new block shortens them.
    static let recoveryMillisecondsMax: UInt64 = 5_000
    /// Until a node whose data was damaged starts anew.
    static let repairMilliseconds: ClosedRange<UInt64> = 500...5_000
    /// Virtual time after the healing in which every errand must have come to its end.
    static let settlingMillisecondsMax: UInt64 = 180_000

    let scenario: NodeScenario
    let genesis: Genesis
    let supply: Amount
    var hosts: [SimulatedHost] = []
    var users: [SimulatedUser]
    /// So many of the users, the first, pay; the others own bonds.
    let payers: Int
    /// Nodes whose candidacy stands as far as their owners know.
    var standing: Set<Int>
    var history = NodeHistory()
    /// Agreement and everything else.
    var oracle: Oracle
    /// Votes and certificates, by epoch.
    var votes: [Epoch: Oracle] = [:]
    var checks: NodeOracle
    var random: SeededRandom
    var tape: FaultTape
    var marks = Marks()
    var trace: NodeTrace
    var now: UInt64 = 0
    var isHealed = false
    var healedAt: UInt64 = 0
    /// The longest Δ of an honest node then, in milliseconds.
    var deltaAtHealing: UInt64 = 0
    /// Which side of the partition each node is on.
    var sides: [Int]
    /// Open questions of users: by request, who asked about which of his attempts, and whom.
    var questions: [UInt64: Question] = [:]
    var lastRequest: UInt64 = 0
    /// Escrows that are known to users.
    var escrows: [SimulatedEscrow] = []
    /// Those that somebody may have decided about.
    var touchedEscrows: Set<EscrowID> = []
    var actorContexts: [Int: ActorContext] = [:]
    /// When the last node whose data was damaged was to start anew.
    var repairedAt: UInt64 = 0
    /// The newest view that some honest node knows to be final, and since when.
    var newestFinal: (place: EpochView, at: UInt64) = (EpochView(epoch: 0, view: 0), 0)
    /// Weight of nodes that may still lose their data.
    var faultyWeightLeft: UInt64
    var report: NodeReport
    /// Where the run crashes at a storage write, if it is a run of crash points.
    var crashes: CrashPlan?
    /// Finalized blocks until the run ends.
    var blocksWanted: UInt64
    private var queue = NodeEventQueue()
    var heightAtHealing: UInt64 = 0
    var recovered = false
    /// Whether some core took something in since the last look at all of them.
    var didFeed = false

    struct Question {
        let user: Int
        let errand: Int
        let attempt: Int
        let host: Int
        /// Whether the transaction was handed in, and not only asked about.
        let isSubmission: Bool
    }

    package init(_ scenario: NodeScenario, tracing: Bool = false) {
        self.scenario = scenario
        let people = NodeWorld.users(scenario)
        genesis = NodeWorld.genesis(scenario, people)
        supply = genesis.supply
        users = people
        payers = people.count { $0.node == nil }
        standing = Set(scenario.weights.indices)
        random = SeededRandom(seed: scenario.seed &* 0x9E37_79B9 &+ 11)
        tape = FaultTape(seed: scenario.seed, allowed: scenario.allowed)
        let voting = scenario.liars.keys.filter { $0 < scenario.weights.count }
        oracle = Oracle(committee: genesis.committee, liars: Set(voting))
        checks = NodeOracle(supply: genesis.supply)
        sides = Array(repeating: 0, count: scenario.nodeCount)
        trace = NodeTrace(columns: tracing ? scenario.nodeCount : nil)
        faultyWeightLeft = scenario.faultyWeightLeft
        report = NodeReport(seed: scenario.seed)
        blocksWanted = scenario.blocks
        for index in 0..<scenario.nodeCount { addHost(index) }
    }

    private mutating func addHost(_ index: Int) {
        let drift = Int64(random.number(in: 0...2 * scenario.faults.drift))
        let clock = NodeClock(
            drift: drift - Int64(scenario.faults.drift),
            offset: Int64(random.number(in: 0...200)))
        let host = NodeWorld.host(index, scenario, genesis, clock)
        if let tricks = scenario.liars[index] {
            host.actors = tricks.map(\.actor)
            actorContexts[index] = ActorContext(
                index: index, signer: NodeWorld.key(index), committee: genesis.committee,
                victim: users[0].address,
                random: SeededRandom(seed: random.next()))
        }
        hosts.append(host)
    }

    /// Runs until enough is final and everything came to its end, or something is wrong.
    package mutating func run() -> NodeReport {
        registerGenesis()
        for index in hosts.indices { schedule(.start(index), after: random.number(in: 0...50)) }
        for index in users.indices { schedule(.user(index), after: random.number(in: 50...500)) }
        schedule(.faults, after: 1_000)
        runOn()
        return report
    }

    mutating func runOn() {
        while oracle.violation == nil, !isDone, let next = queue.pop() {
            now = next.time
            report.events += 1
            carryOut(next.event)
            healIfDue()
            checkProgress()
        }
        if oracle.violation == nil { checkEnd() }
        finishReport()
    }

    private mutating func registerGenesis() {
        guard
            let core = try? NodeCore(
                configuration: hosts[0].configuration, source: hosts[0].store, journal: [],
                at: hosts[0].clock.moment(at: 0))
        else { return oracle.fail("a node can't be opened on genesis") }
        judge(0, at: hosts[0]) { oracle, _ in oracle.register(core.consensus.finalized) }
    }

    /// Has the oracle of an epoch look at something of a node; nothing where nobody knows the
    /// epoch's committee any more.
    mutating func judge(
        _ epoch: Epoch, at host: SimulatedHost, _ look: (inout Oracle, _ index: Int) -> Void
    ) {
        if votes[epoch] == nil {
            let core = host.core ?? hosts.lazy.compactMap(\.core).first
            let committee =
                core?.value.ledger.epochs[epoch] ?? (epoch == 0 ? genesis.committee : nil)
            guard let committee else { return }
            let liars = scenario.liars.keys.compactMap { committee.index(of: hosts[$0].peerID) }
            votes[epoch] = Oracle(
                committee: committee, liars: Set(liars.map { Int($0.rawValue) }))
            noteChange(to: committee)
        }
        guard var judge = votes[epoch] else { return }
        look(&judge, judge.index(of: host.peerID) ?? -1)
        if let violation = judge.violation { oracle.fail("epoch \(epoch): \(violation)") }
        votes[epoch] = judge
    }

    private mutating func finishReport() {
        report.violation = oracle.violation
        report.blocks = checks.height
        report.transactions = history.final.count
        report.simulatedMilliseconds = now
        report.restarts = hosts.reduce(0) { $0 + $1.restarts }
        report.traceHash = trace.hash
        report.marks = marks
        report.firedFaults = tape.fired
    }

    /// The lines of a traced run.
    package var traceLines: [String] {
        [NodeTrace.header(hosts.map { NodeWorld.name($0) })] + trace.lines
    }

    // MARK: Time

    mutating func schedule(_ event: NodeSimulationEvent, after delay: UInt64) {
        queue.insert(event, at: now + delay)
    }

    private mutating func carryOut(_ event: NodeSimulationEvent) {
        switch event {
        case .start(let index): start(hosts[index])
        case .deliver(let from, let to, let life, let message):
            deliver(message, from: from, to: to, life: life)
        case .hand(let index, let life, let event):
            if hosts[index].life == life { put(event, to: hosts[index]) }
        case .wake(let index, let life): wake(hosts[index], life: life)
        case .timer(let index, let life, let timer, let deadline):
            fire(timer, deadline, of: hosts[index], life: life)
        case .faults: rollFaults()
        case .user(let index): act(index)
        case .giveUp(let index, let request): giveUp(index, request)
        }
    }

    // MARK: Phases

    /// The faults end after three quarters of the blocks, or when their time is over.
    private mutating func healIfDue() {
        guard !isHealed else { return }
        let enough = checks.height >= scenario.blocks * 3 / 4
        guard enough || now >= NodeSimulation.faultyMillisecondsMax else { return }
        isHealed = true
        healedAt = now
        heightAtHealing = checks.height
        let waits = honestHosts.compactMap { $0.core?.value.consensus.unitOfTimeInView }
        deltaAtHealing = waits.max() ?? 0
        heal()
    }

    /// Whether new errands may begin.
    var isDraining: Bool { isHealed && checks.height >= blocksWanted }

    private var isDone: Bool {
        guard isDraining, recovered, users.allSatisfy(\.isIdle) else { return false }
        let goal = max(blocksWanted, heightAtHealing + 2)
        return honestHosts.allSatisfy {
            guard let core = $0.core?.value else { return false }
            return core.ledger.height.rawValue >= goal && !core.consensus.isRecovering
        }
            && haveEqualHeights
    }

    private var haveEqualHeights: Bool {
        let heights = honestHosts.map { $0.core?.value.ledger.height ?? 0 }
        return heights.allSatisfy { $0 == heights.first }
    }

    var honestHosts: [SimulatedHost] { hosts.filter(\.isHonest) }

    private mutating func checkProgress() {
        guard isHealed, now >= healedAt else { return }
        if !recovered {
            if didFeed { lookForRecovery() }
            oracle.expect(
                recovered || now - healedAt <= recoveryBound,
                "liveness: no new block everywhere \(now - healedAt) ms after the healing")
        }
        guard now - healedAt > NodeSimulation.settlingMillisecondsMax else { return }
        oracle.fail("liveness: \(unsettled) \(now - healedAt) ms after the healing")
    }

    private mutating func lookForRecovery() {
        didFeed = false
        let goal = heightAtHealing + 1
        recovered = honestHosts.allSatisfy {
            guard let core = $0.core?.value else { return false }
            return core.ledger.height.rawValue >= goal && !core.consensus.isRecovering
        }
        guard recovered else { return }
        report.recoveryMilliseconds = now - healedAt
        marks.reach(.recoveredAfterHealing)
    }

    /// A node that finds its data damaged is started anew later.
    private var recoveryBound: UInt64 {
        if let crashes { return crashes.recoveryBound(scenario.rules.deltaBase) }
        let repair = max(repairedAt, healedAt) - healedAt
        let delta = max(deltaAtHealing, scenario.rules.deltaBase)
        return max(NodeSimulation.recoveryMillisecondsMax, 10 * delta) + repair
    }

    private var unsettled: String {
        let waiting = users.filter { !$0.isIdle }.map {
            "user \($0.index): \($0.errand.map { "\($0)" } ?? "nothing") at sequence \($0.next)"
        }
        return waiting.isEmpty
            ? "nodes stand at different heights" : waiting.joined(separator: ", ")
    }
}

/// The outcome of one run.
package struct NodeReport: Sendable, Hashable {
    package let seed: UInt64
    /// What went wrong, or nil.
    package var violation: String?
    /// Executed blocks.
    package var blocks: UInt64 = 0
    /// Reported final to users.
    package var transactions = 0
    package var simulatedMilliseconds: UInt64 = 0
    package var events: UInt64 = 0
    package var messages: UInt64 = 0
    package var restarts = 0
    /// From the healing to a new block executed at every node.
    package var recoveryMilliseconds: UInt64?
    /// Equal for equal runs.
    package var traceHash: UInt64 = 0
    package var marks = Marks()
    /// Fault decisions that took effect.
    package var firedFaults: [Int] = []

    init(seed: UInt64) { self.seed = seed }
}
