@_spi(Simulation) internal import Consensus
@_spi(Simulation) internal import Primitives

/// Something that can happen to a node.
enum ExploredEvent: Hashable {
    /// The liar's vote for a subject and those of `others` other honest nodes, each twice.
    case votes(Int, others: Int)
    /// The block of the current view's leader with this number.
    case proposal(Int)
    /// A finalization of the block with this number that only the liar signed.
    case badFinalization(Int)
    case timeout
    /// The leader gets what it is to order.
    case built
    case restart(keepingAll: Bool)

    /// 0 ..< 768.
    var code: Int {
        switch self {
        case .timeout: 0
        case .built: 1
        case .restart(let keepingAll): keepingAll ? 2 : 3
        case .proposal(let number): 128 + number
        case .badFinalization(let number): 256 + number
        case .votes(let subject, let others): 384 + 3 * subject + others
        }
    }

    static let codes = 768

    /// The event of a code.
    init(code: Int) {
        switch code {
        case 0: self = .timeout
        case 1: self = .built
        case 2, 3: self = .restart(keepingAll: code == 2)
        case 384...: self = .votes((code - 384) / 3, others: (code - 384) % 3)
        case 256...: self = .badFinalization(code - 256)
        default: self = .proposal(code - 128)
        }
    }
}

/// All states of one honest node and the steps between them, found as they are needed.
///
/// Nodes that never lead are alike, so they share one role: who of the others signed makes no
/// difference to them, only how many did.
final class ExploredRole {
    /// The validator that stands for the role.
    let index: Int
    private let pool: ExplorationPool
    private let configuration: ConsensusConfiguration
    private let restarts: Bool
    private(set) var calls = 0
    private(set) var nodes: [ExploredNode] = []
    private(set) var steps: [ExploredStep] = []
    /// The state after each of `steps`; -1 after one that breaks a rule by itself.
    private(set) var next: [Int32] = []
    private(set) var views: [UInt64] = []
    private(set) var signed: [ExplorationPool.Mask] = []
    /// Whether the application owes the state's leader what to order.
    private(set) var isAsked: [Bool] = []
    private var numbers: [Key: Int32] = [:]
    /// For each state and each event's code the number of the step; -1 if not yet known.
    private var known: [Int32] = []

    /// What a node's future depends on: its state, and the states after a crash.
    private struct Key: Hashable {
        let signed: ExplorationPool.Mask
        let engine: UInt64
        let afterCrash: UInt64
        let afterLoss: UInt64
    }

    init(index: Int, pool: ExplorationPool, scope: ExplorationScope) {
        self.index = index
        self.pool = pool
        restarts = scope.restarts
        configuration = ConsensusConfiguration(
            committee: pool.committee, ownIndex: ValidatorIndex(UInt16(index)),
            signer: SimulatedSigner(index: index), genesis: pool.genesis,
            tip: ConsensusConfiguration.Tip(block: pool.genesis, certificate: nil),
            timing: ConsensusTiming(), breaking: scope.plantedBug)
        let start = Moment(
            now: Instant(milliseconds: 0), wall: Timestamp(Simulation.epochMilliseconds))
        let engine = SimplexEngine(configuration: configuration, journal: [], at: start)
        var run = ExploredRun(
            pool: pool, configuration: configuration, index: index,
            node: ExploredNode(engine: engine))
        run.feed(.start)
        _ = number(of: run.node)
    }

    /// The state in which a node starts for the first time.
    var first: Int32 { 0 }

    /// The number of the step that an event is in a state.
    func step(_ state: Int32, _ event: ExploredEvent) -> Int {
        let place = Int(state) * ExploredEvent.codes + event.code
        let found = known[place]
        if found >= 0 { return Int(found) }
        let step = makeStep(state, event)
        known[place] = Int32(steps.count)
        steps.append(step)
        next.append(step.faults.isEmpty ? step.next : -1)
        return steps.count - 1
    }

    private func makeStep(_ state: Int32, _ event: ExploredEvent) -> ExploredStep {
        let before = nodes[Int(state)]
        var run = ExploredRun(
            pool: pool, configuration: configuration, index: index, node: before)
        carryOut(event, &run)
        calls += run.calls
        var step = run.step
        step.next = isChange(event, step) ? number(of: run.node) : state
        return step
    }

    /// A proposal that leads to no vote can as well come later. Without this a state would remember
    /// votes that count for nothing yet.
    private func isChange(_ event: ExploredEvent, _ step: ExploredStep) -> Bool {
        guard case .proposal = event else { return true }
        return !step.signed.isEmpty || step.entered != nil
    }

    private func carryOut(_ event: ExploredEvent, _ run: inout ExploredRun) {
        switch event {
        case .timeout:
            guard let deadline = run.node.deadline else { return }
            run.node.clock = max(run.node.clock, deadline)
            run.feed(.timer(.view))
        case .built: build(&run)
        case .restart(let keepingAll):
            run.node = ExploredRun.restored(run.node, keepingAll: keepingAll, configuration)
            run.feed(.start)
        case .proposal(let number):
            let proposal = pool.entries[number].proposal
            run.deliver(.proposal(proposal), from: Int(proposal.block.proposer.rawValue))
        case .badFinalization(let number):
            let liar = ExplorationScope.liar
            let vote = pool.vote(pool.entries[number].finalize, by: liar)
            let certificate = Certificate(
                subject: vote.subject, votes: [vote], committee: pool.committee)
            run.deliver(.certificate(certificate), from: liar)
        case .votes(let subject, let others):
            for signer in signers(of: subject, others) {
                for _ in 0..<2 { run.deliver(.vote(pool.vote(subject, by: signer)), from: signer) }
            }
        }
    }

    private func build(_ run: inout ExploredRun) {
        guard let asked = run.node.asked, asked.view == run.node.engine.view else { return }
        run.node.asked = nil
        let contents = BlockContents(
            payload: [0, UInt8(truncatingIfNeeded: index)],
            executed: asked.context.finalized.executed,
            time: Timestamp(Simulation.epochMilliseconds))
        run.feed(.blockBuilt(asked.view, contents))
    }

    /// The liar and as many honest others, the proposer first: its vote came with its block.
    private func signers(of subject: Int, _ others: Int) -> [Int] {
        let proposer = pool.proposer(of: subject)
        let honest = (0..<ExplorationScope.liar).filter { $0 != index }
        let sorted = honest.filter { $0 == proposer } + honest.filter { $0 != proposer }
        return [ExplorationScope.liar] + sorted.prefix(others)
    }

    private func number(of node: ExploredNode) -> Int32 {
        let key = Key(
            signed: node.signed, engine: node.engine.fingerprint,
            afterCrash: afterCrash(node, keepingAll: true),
            afterLoss: afterCrash(node, keepingAll: false))
        if let known = numbers[key] { return known }
        let number = Int32(nodes.count)
        numbers[key] = number
        nodes.append(node)
        views.append(node.engine.view.rawValue)
        signed.append(node.signed)
        isAsked.append(node.asked?.view == node.engine.view)
        known += [Int32](repeating: -1, count: ExploredEvent.codes)
        return number
    }

    private func afterCrash(_ node: ExploredNode, keepingAll: Bool) -> UInt64 {
        guard restarts else { return 0 }
        return ExploredRun.restored(node, keepingAll: keepingAll, configuration)
            .engine.fingerprint
    }
}
