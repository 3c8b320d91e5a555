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
/// - The liar votes for everything, and as a leader proposes two blocks on every block that
///   exists. To whom it shows which of them is left open, silence included.
///
/// Left out since it makes no difference to what is signed
/// - Votes for a subject arrive all at once, as many as exist, with the liar's. A single vote
///   that makes no certificate changes nothing but the tally, and a certificate is nothing but
///   its votes. (Nullify votes of weight H act before they are a quorum; so does the timer, at
///   any time.)
/// - A block is offered to a node in the block's view only, and counts as not yet arrived if it
///   leads to no vote. Its certificates come as votes. A proposal that waits for something is one
///   that arrives when that is there.
/// - Blocks that are asked for by digest come at once: those that are certified are with a
///   quorum.
/// - The application finds every block valid; a refused one ends the view as the timer does.
/// - States that differ only by the names of nodes that lead in no view are one.
/// - A certificate of a view that a node has left reaches it as soon as its votes exist, before
///   all else, unless the node still leads a view. It can only let the node finalize in that
///   view, which nothing else of the node hinders any more, and accept a parent or a gap; a vote
///   that this makes possible may still come later, for its block may. A leader chooses its
///   parent by what it holds.
/// - Finalizations reach only nodes that left their view: to the others the notarization, which
///   must exist, does the same, and the finalize vote that it adds changes nothing that isn't
///   final.
///
/// Bounded
/// - Views beyond the last one are entered, and nothing happens in them; four validators of
///   weight 1; a crash keeps all unsynced records or none; time only lets timers expire, so
///   neither liveness nor the growth of Δ nor the clock rule R20 is seen; no evidence, no
///   penalties, no retries.
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
    private var pending: [Pending] = []
    /// For each visited state but the first, the state before it and the step that led there.
    private var origins: [Origin] = []

    private struct Origin {
        let before: Int32
        let node: UInt8
        let code: UInt16
    }

    /// A state whose steps are still to be taken.
    private struct Pending {
        let state: State
        /// The state's number in the order of visits.
        let number: Int32
        let oracle: Oracle
    }

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
        pending = [Pending(state: start, number: 0, oracle: oracle)]
        while report.violation == nil, report.isComplete, let next = pending.popLast() {
            visit(next)
        }
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

    private mutating func visit(_ from: Pending) {
        let state = from.state
        let signed = Signed(
            roles[0].signed[Int(state[0])], roles[1].signed[Int(state[1])],
            roles[2].signed[Int(state[2])])
        for node in 0..<3 where catchUp(node, signed, from) { return }
        for node in 0..<3 {
            let view = roles[node].views[Int(state[node])]
            bringVotes(to: node, in: view, signed, from)
            if view <= pool.views {
                bringBlocks(of: view, to: node, signed, from)
                if roles[node].isAsked[Int(state[node])] { take(.built, of: node, from) }
                take(.timeout, of: node, from)
            }
            guard scope.restarts else { continue }
            take(.restart(keepingAll: true), of: node, from)
            take(.restart(keepingAll: false), of: node, from)
        }
    }

    private mutating func take(_ event: ExploredEvent, of node: Int, _ from: Pending) {
        guard report.violation == nil, report.isComplete else { return }
        let role = roles[node]
        let number = role.step(from.state[node], event)
        let next = role.next[number]
        guard next != from.state[node] else { return }
        report.steps += 1
        let origin = Origin(before: from.number, node: UInt8(node), code: UInt16(event.code))
        guard next >= 0 else {
            let faults = role.steps[number].faults.joined(separator: ", ")
            return blame("node \(node) " + faults, origin)
        }
        var after = from.state
        after[node] = next
        guard visited.insert(key(after)).inserted else { return }
        report.states += 1
        report.traceHash = (report.traceHash ^ key(after)) &* 0x100_0000_01B3
        origins.append(origin)
        if report.states > scope.statesMax { report.isComplete = false }
        var seen = from.oracle
        show(role.steps[number], by: node, to: &seen)
        if let violation = seen.violation { return blame(violation, origin) }
        pending.append(Pending(state: after, number: Int32(origins.count), oracle: seen))
    }

    private func show(_ step: ExploredStep, by node: Int, to oracle: inout Oracle) {
        for block in step.blocks { oracle.register(block) }
        for subject in step.signed { oracle.bind(pool.vote(subject, by: node), by: node) }
        for subject in step.accepted { oracle.accepted(subject, by: node) }
        for block in step.commits { oracle.committed(block, by: node) }
        if let view = step.entered { oracle.entered(view, by: node) }
    }

    private mutating func blame(_ violation: String, _ last: Origin) {
        report.violation = violation
        var origin = last
        var path = [line(origin)]
        while origin.before > 0 {
            origin = origins[Int(origin.before) - 1]
            path.append(line(origin))
        }
        report.path = path.reversed()
    }

    private func line(_ origin: Origin) -> String {
        "node \(origin.node): \(describe(ExploredEvent(code: Int(origin.code))))"
    }

    // MARK: What can happen

    /// What each honest node's key signed.
    private struct Signed {
        let all: (ExplorationPool.Mask, ExplorationPool.Mask, ExplorationPool.Mask)

        init(
            _ first: ExplorationPool.Mask, _ second: ExplorationPool.Mask,
            _ third: ExplorationPool.Mask
        ) {
            all = (first, second, third)
        }

        subscript(node: Int) -> ExplorationPool.Mask {
            node == 0 ? all.0 : node == 1 ? all.1 : all.2
        }
    }

    /// The subjects that others signed, and how many of the two did.
    private func others(_ node: Int, _ signed: Signed) -> (
        any: ExplorationPool.Mask, both: ExplorationPool.Mask
    ) {
        let first = signed[node == 0 ? 1 : 0]
        let second = signed[node == 2 ? 1 : 2]
        return (first | second, first & second)
    }

    /// Takes the one step that comes before all others, if there is one: a certificate of a view
    /// that the node has left.
    private mutating func catchUp(_ node: Int, _ signed: Signed, _ from: Pending) -> Bool {
        let role = roles[node]
        let view = role.views[Int(from.state[node])]
        let leads = scope.schedule.leaders.indices.contains {
            scope.schedule.leaders[$0] == node && UInt64($0 + 1) >= view
        }
        guard !leads else { return false }
        let (any, both) = others(node, signed)
        var left = any
        while left != 0 {
            let subject = left.trailingZeroBitCount
            left &= left - 1
            guard pool.subjects[subject].view.rawValue < view else { continue }
            let count = both & pool.bit(subject) != 0 ? 2 : 1
            let event = ExploredEvent.votes(subject, others: count)
            let number = role.step(from.state[node], event)
            guard role.next[number] != from.state[node] else { continue }
            take(event, of: node, from)
            return true
        }
        return false
    }

    private mutating func bringVotes(
        to node: Int, in view: UInt64, _ signed: Signed, _ from: Pending
    ) {
        let (any, both) = others(node, signed)
        var left = any
        while left != 0 {
            let subject = left.trailingZeroBitCount
            left &= left - 1
            let about = pool.subjects[subject]
            guard about.kind != .finalize || about.view.rawValue < view else { continue }
            let count = both & pool.bit(subject) != 0 ? 2 : 1
            take(.votes(subject, others: count), of: node, from)
        }
        for number in pool.entries.indices
        where any & pool.bit(pool.entries[number].notarize) != 0 {
            take(.badFinalization(number), of: node, from)
        }
    }

    private mutating func bringBlocks(
        of view: UInt64, to node: Int, _ signed: Signed, _ from: Pending
    ) {
        for number in pool.entriesOfView[Int(view)] {
            let entry = pool.entries[number]
            let proposer = entry.proposer
            let isSent =
                entry.isOfLiar
                || (proposer != node && signed[proposer] & pool.bit(entry.notarize) != 0)
            if isSent { take(.proposal(number), of: node, from) }
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
