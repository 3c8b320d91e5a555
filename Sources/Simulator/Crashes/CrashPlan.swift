/// Which storage writes of a run are numbered, and at which of them it crashes.
struct CrashPlan {
    /// What happens at a write that is chosen.
    enum Choice {
        /// The run splits: for each mode it crashes there and goes on to its end, then it comes
        /// back and goes on as if nothing had happened. Every `step`-th write is chosen, and the
        /// first of each kind; of those a part.
        case each(step: Int, part: Int, of: Int)
        /// The run crashes there, and that is all.
        case once(number: Int, CrashPoint.Mode)
    }

    let victim: CrashPoint.Victim
    let choice: Choice
    /// Blocks that must become final after the crash.
    let blocksAfter: UInt64
    /// Writes of each kind so far.
    private(set) var writes: [StorageWrite: Int] = [:]
    private(set) var count = 0
    private var chosen = 0
    /// Told of each point before the run crashes there, for who watches a run that traps.
    var trying: @Sendable (CrashPoint) -> Void = { _ in }
    /// What became of the runs that split off.
    var runs: [CrashRun] = []
    /// Whether the crash lies behind.
    var isOver = false

    /// So many writes of each kind are chosen whatever the step is.
    private static let firstOfKind = 3

    init(_ victim: CrashPoint.Victim, _ choice: Choice, blocksAfter: UInt64) {
        self.victim = victim
        self.choice = choice
        self.blocksAfter = blocksAfter
    }

    /// Gives a write its number and tells in which modes the run crashes there.
    mutating func number(_ write: StorageWrite, of host: SimulatedHost) -> [CrashPoint.Mode] {
        guard !isOver, victim == .all || host.index == 0 else { return [] }
        count += 1
        writes[write, default: 0] += 1
        switch choice {
        case .each(let step, let part, let parts):
            let isEarly = (writes[write] ?? 0) <= CrashPlan.firstOfKind
            guard isEarly || (count - 1) % step == 0 else { return [] }
            chosen += 1
            return chosen % parts == part ? CrashPoint.Mode.allCases : []
        case .once(let number, let mode):
            return number == count ? [mode] : []
        }
    }

    /// Milliseconds after the restart in which a new block must be executed everywhere.
    func recoveryBound(_ deltaBase: UInt64) -> UInt64 { max(10 * deltaBase, 5_000) }
}

/// What became of a run that crashed at a point.
package struct CrashRun: Sendable, Hashable {
    package let point: CrashPoint
    /// What went wrong, or nil.
    package let violation: String?
    /// From the restart to a new block executed at every node.
    package let recoveryMilliseconds: UInt64?
    /// Equal to that of a run from the beginning that crashes there.
    package let traceHash: UInt64
}
