@_spi(Simulation) internal import Consensus
internal import HeapModule
@_spi(Simulation) internal import Primitives

/// A network of engines in virtual time: first with faults, then healed; checked at every step.
///
/// Everything follows from the scenario: two runs give the same trace.
package struct Simulation {
    /// The wall clock at virtual time 0.
    static let epochMilliseconds: UInt64 = 1_800_000_000_000
    /// Virtual time after which the faults end, whatever was reached.
    static let faultyMillisecondsMax: UInt64 = 240_000

    let scenario: Scenario
    let committee: Committee
    let genesis: Block
    var nodes: [SimulatedNode?] = []
    var liar: Liar
    var oracle: Oracle
    var random: SeededRandom
    var now: UInt64 = 0
    var isHealed = false
    /// Which side of the partition each validator is on.
    var sides: [Int]
    var report: SimulationReport
    private var trace: Trace
    private var queue = Heap<Scheduled>()
    private var order: UInt64 = 0
    private var healedAt: UInt64 = 0
    private var heightAtHealing: UInt64 = 0
    private var progressBound: UInt64 = 0

    package init(_ scenario: Scenario, tracing: Bool = false) {
        self.scenario = scenario
        committee = Simulation.committee(weights: scenario.weights)
        genesis = Block.genesis(
            chainID: committee.chainID, time: Timestamp(Simulation.epochMilliseconds),
            stateRoot: .zero)
        random = SeededRandom(seed: scenario.seed)
        oracle = Oracle(committee: committee, liars: scenario.liars)
        liar = Liar(
            committee: committee, indexes: scenario.liars.sorted(), genesis: genesis,
            misbehaviour: scenario.misbehaviour.make(committee: committee, genesis: genesis))
        sides = scenario.weights.map { _ in 0 }
        trace = Trace(keepsLines: tracing)
        report = SimulationReport(seed: scenario.seed)
        oracle.register(genesis)
        for index in scenario.weights.indices { addNode(index) }
    }

    private static func committee(weights: [UInt64]) -> Committee {
        let validators = weights.enumerated().map { index, weight in
            let key = SimulatedSigner(index: index).publicKey
            return Validator(
                votingKey: key, peerID: PeerID(key), weight: weight, rewardAddress: .zero)
        }
        do {
            return try Committee(chainID: .zero, epoch: 0, validators: validators)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private mutating func addNode(_ index: Int) {
        guard !scenario.liars.contains(index) else { return nodes.append(nil) }
        let skew = random.number(in: 0...200)
        let record = RecordID(drawnFrom: &random)
        let configuration = ConsensusConfiguration(
            committee: committee, ownIndex: ValidatorIndex(UInt16(index)),
            signer: SimulatedSigner(index: index), genesis: genesis,
            tip: ConsensusConfiguration.Tip(block: genesis, certificate: nil),
            timing: ConsensusTiming(deltaMax: 5_000), signing: .asking(record),
            breaking: scenario.plantedBug)
        nodes.append(
            SimulatedNode(
                index: index, configuration: configuration, skew: skew, record: record))
    }

    /// Runs until enough blocks are final after the healing, or something is wrong.
    package mutating func run() -> SimulationReport {
        for index in nodes.indices { schedule(.start(index), after: random.number(in: 0...20)) }
        schedule(.faults, after: 1_000)
        schedule(.work, after: 10)
        if !scenario.liars.isEmpty { schedule(.liar, after: 5) }
        while oracle.violation == nil, !isDone, let next = queue.popMin() {
            now = next.time
            report.events += 1
            carryOut(next.event)
            healIfDue()
            checkProgress()
        }
        finishReport()
        return report
    }

    /// The lines of a traced run.
    package var traceLines: [String] { trace.lines }

    private mutating func finishReport() {
        report.violation = oracle.violation
        report.blocks = oracle.height
        report.simulatedMilliseconds = now
        report.restarts = nodes.reduce(0) { $0 + ($1?.restarts ?? 0) }
        report.traceHash = trace.hash
    }

    private var isDone: Bool {
        guard isHealed, oracle.height >= scenario.blocks else { return false }
        return nodes.allSatisfy { node in
            guard let node else { return true }
            return UInt64(node.disk.chain.count) >= max(scenario.blocks, heightAtHealing + 2)
        }
    }

    // MARK: Time

    mutating func schedule(_ event: SimulatedEvent, after delay: UInt64) {
        order += 1
        queue.insert(Scheduled(time: now + delay, order: order, event: event))
    }

    mutating func note(
        _ kind: UInt64, _ first: UInt64, _ second: UInt64 = 0, line: @autoclosure () -> String
    ) {
        trace.note(now, (kind, first, second), line: line)
    }

    // MARK: Healing

    /// The faults end after three quarters of the blocks, or when their time is over.
    private mutating func healIfDue() {
        guard !isHealed else { return }
        let enough = oracle.height >= scenario.blocks * 3 / 4
        guard enough || now >= Simulation.faultyMillisecondsMax else { return }
        isHealed = true
        healedAt = now
        heightAtHealing = oracle.height
        sides = sides.map { _ in 0 }
        for index in nodes.indices where nodes[index]?.isUp == false {
            schedule(.start(index), after: 1)
        }
        let delta = nodes.compactMap { $0?.engine.unitOfTimeInView }.max() ?? 50
        progressBound = oracle.progressMilliseconds(delta: delta)
    }

    /// Liveness: new heights at every node within the bound.
    private mutating func checkProgress() {
        guard isHealed, report.recoveryMilliseconds == nil else { return }
        let goal = heightAtHealing + 1
        let all = nodes.allSatisfy { node in
            guard let node else { return true }
            return UInt64(node.disk.chain.count) >= goal && !node.engine.isRecovering
        }
        if all { report.recoveryMilliseconds = now - healedAt }
        oracle.expect(
            all || now - healedAt <= progressBound,
            "liveness: no new height and vote at every node \(now - healedAt) ms after the healing")
    }
}

/// The outcome of one run.
package struct SimulationReport: Sendable, Hashable {
    package let seed: UInt64
    /// What went wrong, or nil.
    package var violation: String?
    /// Finalized blocks.
    package var blocks: UInt64 = 0
    package var simulatedMilliseconds: UInt64 = 0
    package var events: UInt64 = 0
    package var restarts = 0
    /// Crashes that took the disk, and nodes that vote again after one.
    package var lostDisks = 0
    package var recoveredKeys = 0
    package var evidence = 0
    package var synced = 0
    package var nullifications = 0
    /// From healing to a new height at every node.
    package var recoveryMilliseconds: UInt64?
    /// Equal for equal runs.
    package var traceHash: UInt64 = 0

    init(seed: UInt64) { self.seed = seed }
}
