import Consensus
import Execution
import Mempool
import Primitives

@testable import NodeCore

/// A whole node's core in some state: each input meets a copy of it.
struct FuzzNode: Sendable {
    let core: NodeCore
    let store: ScratchStore
    let moment: Moment
    /// Timers that were set.
    let timers: Set<NodeTimer>

    /// Events that follow one input at most; more would be a loop.
    private static let eventsMax = 2000

    /// Everything that follows from `events`: checks of signatures are made, and at the end all
    /// timers run out once.
    /// - Throws: `Violation` if the node stops, or sends what nobody would take.
    @discardableResult
    func run(_ events: [NodeEvent]) throws(Violation) -> NodeCore {
        var run = Run(node: self)
        try run.take(events)
        run.moment = Moment(
            now: moment.now.advanced(byMilliseconds: 3000),
            wall: moment.wall.clampedAdvance(by: 3000))
        let due = run.timers.sorted { String(describing: $0) < String(describing: $1) }
        try run.take(due.map { .timer($0) })
        run.core.consensus.checkInvariants()
        try expect(run.core.ledger.totals.isBalanced, "the books don't balance")
        return run.core
    }

    private struct Run {
        let store: ScratchStore
        var core: NodeCore
        var moment: Moment
        var timers: Set<NodeTimer>
        private var count = 0

        init(node: FuzzNode) {
            store = node.store
            core = node.core
            moment = node.moment
            timers = node.timers
            store.reset()
        }

        mutating func take(_ events: [NodeEvent]) throws(Violation) {
            var waiting = events
            while !waiting.isEmpty {
                count += 1
                try expect(count < FuzzNode.eventsMax, "events without end")
                try carryOut(try handle(waiting.removeFirst()), &waiting)
            }
        }

        private mutating func handle(_ event: NodeEvent) throws(Violation) -> [NodeEffect] {
            do throws(StorageFault) {
                return try core.handle([event], at: moment)
            } catch {
                throw Violation("the node stops with a fault of its store: \(error)")
            }
        }

        private mutating func carryOut(
            _ effects: [NodeEffect], _ waiting: inout [NodeEvent]
        ) throws(Violation) {
            for effect in effects {
                switch effect {
                case .write(let writes): store.apply(writes)
                case .send(_, let message), .broadcast(let message), .multicast(_, let message):
                    try expectTakeable(message)
                case .check(let job, _): waiting.append(.checked(job.run(in: core.layout)))
                case .setTimer(let timer, _): timers.insert(timer)
                case .cancelTimer(let timer): timers.remove(timer)
                case .halt(let reason): throw Violation("the node halts: \(reason)")
                case .sync, .journal, .compactJournal, .reply, .penalise, .note: break
                }
            }
        }

        private func expectTakeable(_ message: NodeMessage) throws(Violation) {
            let bytes = message.bcsBytes
            let copy = try canonical(NodeMessage.self, bytes)
            try expect(copy != nil, "a node sends what its peers refuse: \(message)")
        }
    }
}
