@_spi(Simulation) internal import Consensus
internal import Primitives

/// Visits every state that four validators, one of them a liar, can get into in the first views
/// under one order of leaders, and has the shared oracle look at each.
///
/// Exhaustive
/// - Every honest node's real engine; in every state, for every node, everything that can happen:
///   votes arrive, the leader's block arrives, the view's timer expires, the application answers
///   the leader, the node stops and starts with all of its journal or with what was synced. So
///   messages come in any order, late, twice or never, each node on its own.
/// - The liar votes for everything, and as a leader proposes two blocks on every block that exists.
///   To whom it shows which of them is left open, silence included.
///
/// Left out since it makes no difference to what is signed
/// - Votes for a subject arrive all at once, as many as exist, with the liar's. A single vote that
///   makes no certificate changes nothing but the tally, and a certificate is nothing but its votes.
///   (Nullify votes of weight H act before they are a quorum; so does the timer, at any time.)
/// - A block is offered to a node in the block's view only, once its parent's notarization is
///   possible, and counts as not yet arrived if it leads to no vote. Its certificates come as votes.
///   A proposal that waits for something is one that arrives when that is there.
/// - Blocks that are asked for by digest come at once: those that are certified are with a quorum.
/// - The application finds every block valid; a refused one ends the view as the timer does.
/// - States that differ only by the names of nodes that lead in no view are one.
///
/// Bounded
/// - Views beyond the last one are entered, and nothing happens in them; four validators of weight 1;
///   a crash keeps all unsynced records or none; time only lets timers expire, so neither liveness
///   nor the growth of Δ nor the clock rule R20 is seen; no evidence, no penalties, no retries.
///
/// Safety needs no more than the first visit of a state: what the oracle checks of votes depends on
/// the set of votes, and what it checks of a vote's grounds can only become more true by others.
package struct Exploration {
    private let scope: ExplorationScope
    private let pool: ExplorationPool
    /// Of validators 0 to 2; those that never lead share one.
    private let roles: [ExploredRole]
    /// Places of the nodes that never lead.
    private let alike: [Int]
    private var visited: Set<UInt64> = []
    private var oracle: Oracle
    private var report: ExplorationReport
    private var path: [(node: Int, event: ExploredEvent)] = []

    /// The state of each honest node by its number within its role.
    private typealias State = SIMD4<Int32>

    package init(_ scope: ExplorationScope) {
        self.scope = scope
        pool = ExplorationPool(scope: scope)
        alike = (0..<3).filter { !scope.schedule.leaders.contains($0) }
        var roles: [ExploredRole] = []
        for index in 0..<3 {
            if let first = alike.first, first < index, alike.contains(index) {
                roles.append(roles[first])
            } else {
                roles.append(ExploredRole(index: index, pool: pool, scope: scope))
            }
        }
        self.roles = roles
        oracle = Oracle(committee: pool.committee, liars: [ExplorationScope.liar])
        oracle.register(pool.genesis)
        report = ExplorationReport(leaders: scope.description)
    }

    package mutating func run() -> ExplorationReport {
        let start = State(roles[0].first, roles[1].first, roles[2].first, 0)
        visited.insert(key(start))
        report.states = 1
        visit(start, oracle)
        for (place, role) in roles.enumerated()
        where roles.firstIndex(where: { $0 === role }) == place {
            report.localStates += role.nodes.count
            report.engineCalls += role.calls
        }
        return report
    }

    /// 21 bits for each node; those that are alike in rising order.
    private func key(_ state: State) -> UInt64 {
        var state = state
        if alike.count > 1 { sort(&state, alike[0], alike[1]) }
        if alike.count > 2 {
            sort(&state, alike[1], alike[2])
            sort(&state, alike[0], alike[1])
        }
        return UInt64(state[0]) << 42 | UInt64(state[1]) << 21 | UInt64(state[2])
    }

    private func sort(_ state: inout State, _ first: Int, _ second: Int) {
        guard state[first] > state[second] else { return }
        (state[first], state[second]) = (state[second], state[first])
    }

    private mutating func visit(_ state: State, _ oracle: Oracle) {
        let signed = Signed(
            roles[0].signed[Int(state[0])], roles[1].signed[Int(state[1])],
            roles[2].signed[Int(state[2])])
        for node in 0..<3 {
            let view = roles[node].views[Int(state[node])]
            bringVotes(to: node, signed, in: state, oracle)
            if view <= pool.views {
                bringBlocks(of: view, to: node, signed, in: state, oracle)
                if roles[node].isAsked[Int(state[node])] {
                    take(.built, of: node, in: state, oracle)
                }
                take(.timeout, of: node, in: state, oracle)
            }
            guard scope.restarts else { continue }
            take(.restart(keepingAll: true), of: node, in: state, oracle)
            take(.restart(keepingAll: false), of: node, in: state, oracle)
        }
    }

    private mutating func take(
        _ event: ExploredEvent, of node: Int, in state: State, _ oracle: Oracle
    ) {
        guard report.violation == nil, report.isComplete else { return }
        let role = roles[node]
        let number = role.step(state[node], event)
        let next = role.next[number]
        guard next != state[node] else { return }
        report.steps += 1
        path.append((node, event))
        defer { path.removeLast() }
        guard next >= 0 else {
            return blame("node \(node) " + role.steps[number].faults.joined(separator: ", "))
        }
        var after = state
        after[node] = next
        guard visited.insert(key(after)).inserted else { return }
        report.states += 1
        report.traceHash = (report.traceHash ^ key(after)) &* 0x100_0000_01B3
        if report.states > scope.statesMax { report.isComplete = false }
        var seen = oracle
        show(role.steps[number], by: node, to: &seen)
        if let violation = seen.violation { return blame(violation) }
        visit(after, seen)
    }

    private func show(_ step: ExploredStep, by node: Int, to oracle: inout Oracle) {
        for block in step.blocks { oracle.register(block) }
        for subject in step.signed { oracle.bind(pool.vote(subject, by: node), by: node) }
        for subject in step.accepted { oracle.accepted(subject, by: node) }
        for block in step.commits { oracle.committed(block, by: node) }
        if let view = step.entered { oracle.entered(view, by: node) }
    }

    private mutating func blame(_ violation: String) {
        report.violation = violation
        report.path = path.map { "node \($0.node): \(describe($0.event))" }
    }

    // MARK: What can happen

    /// What each honest node's key signed.
    private struct Signed {
        let all: (ExplorationPool.Mask, ExplorationPool.Mask, ExplorationPool.Mask)
        /// By two or more: with the liar a quorum.
        let twice: ExplorationPool.Mask

        init(
            _ first: ExplorationPool.Mask, _ second: ExplorationPool.Mask,
            _ third: ExplorationPool.Mask
        ) {
            all = (first, second, third)
            twice = first & second | first & third | second & third
        }

        subscript(node: Int) -> ExplorationPool.Mask {
            node == 0 ? all.0 : node == 1 ? all.1 : all.2
        }
    }

    private mutating func bringVotes(
        to node: Int, _ signed: Signed, in state: State, _ oracle: Oracle
    ) {
        let first = signed[node == 0 ? 1 : 0]
        let second = signed[node == 2 ? 1 : 2]
        var left = first | second
        while left != 0 {
            let subject = left.trailingZeroBitCount
            left &= left - 1
            let others = first & second & pool.bit(subject) != 0 ? 2 : 1
            take(.votes(subject, others: others), of: node, in: state, oracle)
        }
        for number in pool.entries.indices
        where (first | second) & pool.bit(pool.entries[number].notarize) != 0 {
            take(.badFinalization(number), of: node, in: state, oracle)
        }
    }

    private mutating func bringBlocks(
        of view: UInt64, to node: Int, _ signed: Signed, in state: State, _ oracle: Oracle
    ) {
        for number in pool.entriesOfView[Int(view)] {
            let entry = pool.entries[number]
            guard entry.parent == 0 || signed.twice & entry.parent != 0 else { continue }
            let proposer = entry.proposer
            let isSent =
                entry.isOfLiar
                || (proposer != node && signed[proposer] & pool.bit(entry.notarize) != 0)
            if isSent { take(.proposal(number), of: node, in: state, oracle) }
        }
    }

    private func describe(_ event: ExploredEvent) -> String {
        switch event {
        case .votes(let number, let others):
            let subject = pool.subjects[number]
            let digest = subject.digest.description.prefix(8)
            let what = subject.kind == .nullify ? "" : " for \(digest)"
            return "\(subject.kind) votes of \(subject.view)\(what), \(others) of them honest"
        case .proposal(let number):
            let block = pool.entries[number].block
            return "block \(block.ref) of \(block.proposer) on \(block.parent)"
        case .badFinalization(let number):
            return "a finalization of \(pool.entries[number].block.ref) by the liar alone"
        case .timeout: return "timeout"
        case .built: return "proposes"
        case .restart(let keepingAll):
            return keepingAll ? "restarts" : "restarts without unsynced records"
        }
    }
}
