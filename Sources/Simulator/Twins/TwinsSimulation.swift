@_spi(Simulation) package import Consensus
@_spi(Simulation) internal import Primitives

/// Runs a scenario: messages take no time, and time moves on only when no message is under way.
///
/// - A message belongs to a view: a proposal, vote, certificate or block to its own, everything
///   else to its sender's. It arrives if both engines are on one side in that view.
/// - If no view begins for several times the longest wait, all views so far become whole. What was
///   lost in them is sent again by the rules.
/// - After the last view with sides everything is whole, and a new height must be final at every
///   honest engine within the bound.
///
/// Twins follow the rules, so what they do to others comes from having one key in two places.
package struct TwinsSimulation {
    /// Far more than any run takes.
    private static let eventsMax = 400_000

    let scenario: TwinsScenario
    let committee: Committee
    let owners: [Int]
    var engines: [SimulatedNode] = []
    var oracle: Oracle
    var trace: Trace
    var report: TwinsReport
    var now: UInt64 = 0
    var mail = TwinsMail()
    var restarts: Set<TwinsScenario.Restart>
    var random: SeededRandom
    /// Views up to this one are whole.
    private var whole: View = 0
    private var lastAdvance: UInt64 = 0
    private var highest: View = 1
    private var isHealed = false
    private var healedAt: UInt64 = 0
    private var goal: UInt64 = .max
    private var bound: UInt64 = 0

    package init(_ scenario: TwinsScenario, bug: PlantedBug? = nil, tracing: Bool = false) {
        self.scenario = scenario
        committee = LeaderSchedule.committee(
            validators: scenario.validators, chain: scenario.chain)
        owners = scenario.owners
        oracle = Oracle(committee: committee, liars: Set(scenario.twins))
        trace = Trace(keepsLines: tracing)
        report = TwinsReport(scenario: scenario)
        restarts = Set(scenario.restarts)
        random = SeededRandom(seed: scenario.order ^ scenario.chain << 32)
        mail.isOrdered = scenario.order == 0
        let genesis = Block.genesis(
            chainID: committee.chainID, time: Timestamp(Simulation.epochMilliseconds),
            stateRoot: .zero)
        oracle.register(genesis)
        for owner in owners { add(owner, genesis, bug) }
    }

    private mutating func add(_ owner: Int, _ genesis: Block, _ bug: PlantedBug?) {
        let configuration = ConsensusConfiguration(
            committee: committee, ownIndex: ValidatorIndex(UInt16(owner)),
            signer: SimulatedSigner(publicKey: committee.validators[owner].votingKey),
            genesis: genesis, tip: ConsensusConfiguration.Tip(block: genesis, certificate: nil),
            timing: ConsensusTiming(deltaMax: 5_000),
            breaking: bug ?? (scenario.twins.contains(owner) ? .blindToTwin : nil))
        let record = RecordID(low: UInt64(engines.count), high: 0)
        engines.append(
            SimulatedNode(index: owner, configuration: configuration, skew: 0, record: record))
    }

    /// Whether an engine is one of a pair: its votes bind nobody.
    func isTwin(_ engine: Int) -> Bool { scenario.twins.contains(owners[engine]) }

    package mutating func run() -> TwinsReport {
        for engine in engines.indices { start(engine) }
        while oracle.violation == nil, !isDone {
            report.events += 1
            if let parcel = mail.next(&random) { open(parcel) } else { moveTime() }
            healIfDue()
            checkProgress()
            oracle.expect(report.events < TwinsSimulation.eventsMax, "the run doesn't end")
        }
        report.violation = oracle.violation
        report.views = highest.rawValue
        report.blocks = oracle.height
        report.traceHash = trace.hash
        return report
    }

    /// The lines of a traced run.
    package var traceLines: [String] { trace.lines }

    // MARK: Time

    /// To the earliest timer; of several the first engine's first.
    private mutating func moveTime() {
        var best: (deadline: Instant, engine: Int, id: TimerID)?
        for (place, engine) in engines.enumerated() {
            for id in TimerID.allCases {
                guard let deadline = engine.timers[id],
                    best.map({ deadline < $0.deadline }) ?? true
                else { continue }
                best = (deadline, place, id)
            }
        }
        guard let best else { return oracle.fail("nothing is left to happen") }
        now = max(now, best.deadline.milliseconds)
        engines[best.engine].timers[best.id] = nil
        feed(best.engine, .timer(best.id))
    }

    func isOpen(_ from: Int, _ to: Int, _ view: View) -> Bool {
        isHealed || view <= whole || scenario.joins(from, to, in: view)
    }

    mutating func advanced(to view: View) {
        lastAdvance = now
        highest = max(highest, view)
    }

    private mutating func healIfDue() {
        guard !isHealed else { return }
        let delta = honest.map(\.engine.unitOfTimeInView).max() ?? 0
        let isStuck = now - lastAdvance > 8 * delta + 6_000
        let isOver = highest.rawValue > scenario.views
        guard isStuck || isOver else { return }
        if isStuck, !isOver, whole < highest {
            whole = highest
            lastAdvance = now
            return trace.note(now, (5, whole.rawValue, 0)) { "views up to \(whole) are whole" }
        }
        isHealed = true
        healedAt = now
        goal = oracle.height + 1
        bound = oracle.progressMilliseconds(delta: delta)
        trace.note(now, (6, 0, 0)) { "everything is whole" }
    }

    // MARK: Liveness

    private var honest: [SimulatedNode] {
        engines.indices.filter { !isTwin($0) }.map { engines[$0] }
    }

    private var isDone: Bool { report.recoveryMilliseconds != nil }

    private mutating func checkProgress() {
        guard isHealed else { return }
        let all = engines.indices.allSatisfy {
            isTwin($0) || UInt64(engines[$0].disk.chain.count) >= goal
        }
        if all { report.recoveryMilliseconds = now - healedAt }
        oracle.expect(
            all || now - healedAt <= bound,
            "liveness: no new height at every node \(now - healedAt) ms after the healing")
    }
}

/// The outcome of a scenario.
package struct TwinsReport: Sendable, Hashable {
    package let scenario: TwinsScenario
    /// What went wrong, or nil.
    package var violation: String?
    /// The highest view that was entered.
    package var views: UInt64 = 0
    /// Finalized blocks.
    package var blocks: UInt64 = 0
    package var events = 0
    package var restarts = 0
    package var evidence = 0
    /// From healing to a new height at every honest engine.
    package var recoveryMilliseconds: UInt64?
    /// Equal for equal runs.
    package var traceHash: UInt64 = 0

    init(scenario: TwinsScenario) { self.scenario = scenario }
}
