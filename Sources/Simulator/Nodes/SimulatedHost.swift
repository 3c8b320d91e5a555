internal import Consensus
internal import Execution
internal import NodeCore
internal import Primitives

/// A core in a place of its own: looking at a part of it copies nothing.
final class RunningCore {
    var value: NodeCore
    init(_ value: NodeCore) { self.value = value }
}

/// How far a node got in consensus: views begin anew in each epoch.
struct EpochView: Hashable, Comparable, CustomStringConvertible {
    let epoch: Epoch
    let view: View

    static func < (left: Self, right: Self) -> Bool {
        (left.epoch, left.view) < (right.epoch, right.view)
    }

    var description: String { "\(epoch)/\(view)" }
}

/// A machine with a node on it: the core while it runs, disk and clocks always.
final class SimulatedHost {
    /// What the node is in the network.
    enum Role { case validator, verifier, relay }

    let index: Int
    let role: Role
    let peerID: PeerID
    let configuration: NodeConfiguration
    /// Nil while the node is down.
    var core: RunningCore?
    var store = SimulatedStore()
    var journal = SimulatedJournal()
    var clock: NodeClock
    /// Counts starts and ends: what was under way for an earlier one is void.
    private(set) var life = 0
    private(set) var restarts = 0
    var timers: [NodeTimer: Instant] = [:]
    /// What arrived and wasn't taken yet.
    var inbox: [NodeEvent] = []
    var isAwake = false
    /// Virtual time until which the process doesn't run.
    var frozenUntil: UInt64 = 0
    /// The id of the journal.
    private(set) var record: RecordID
    /// After the loss of its data, until it is as good as before: the newest view that any node had
    /// entered at the loss. Until a later block is final here and beyond the reach of a crash, it
    /// may be what the next loss leaves the network without.
    private(set) var owed: EpochView?
    /// Whether something on its disk was damaged.
    var wasDamaged = false
    /// What the node does against the rules; empty for an honest one.
    var actors: [any NodeMisbehaviour] = []
    /// The greatest heights that this node showed to anybody, to see that answers never go back.
    var shownHeight: Height = 0
    /// Roots of executed heights were compared up to here.
    var place = EpochView(epoch: 0, view: 0)
    var finalizedHeight: Height = 0
    /// Who answered since the start how far this node's key may have signed, by epoch.
    var heard: [Epoch: Set<PeerID>] = [:]

    init(
        index: Int, role: Role, peerID: PeerID, configuration: NodeConfiguration, clock: NodeClock
    ) {
        self.index = index
        self.role = role
        self.peerID = peerID
        self.configuration = configuration
        self.clock = clock
        record = RecordID(low: UInt64(index), high: 0)
        store.apply(NodeCore.genesisWrites(configuration.genesis))
        store.sync()
    }

    var isUp: Bool { core != nil }
    var isHonest: Bool { actors.isEmpty }

    /// - Throws: `StorageFault` for a store or a journal that is damaged.
    func start(at now: UInt64) throws(StorageFault) {
        life += 1
        heard = [:]
        let configuration = configuration.voting(.asking(record))
        let core = RunningCore(
            try NodeCore(
                configuration: configuration, source: store,
                journal: journal.records, at: clock.moment(at: now)))
        self.core = core
        place = EpochView(epoch: core.value.consensus.epoch, view: 0)
        finalizedHeight = core.value.consensus.finalizedHeight
    }

    /// The process ends at once.
    /// - Returns: whether the journal and whether the store lost something.
    func crash(losesPower: Bool, _ random: inout SeededRandom) -> (journal: Bool, store: Bool) {
        stop()
        restarts += 1
        let writes = store.unsyncedCount
        store.crash(losesPower: losesPower, &random)
        if losesPower { shownHeight = 0 }
        return (journal.crash(&random) > 0, losesPower && writes > 0)
    }

    /// The process ends, and so much stays of what nothing protected.
    func crash(keeping kept: CrashPoint.Kept, losesPower: Bool) {
        stop()
        restarts += 1
        store.crash(keeping: kept.writes)
        journal.crash(keeping: kept.records)
        if losesPower { shownHeight = 0 }
    }

    private func stop() {
        life += 1
        core = nil
        timers = [:]
        inbox = []
        isAwake = false
    }

    /// A damaged store is moved away and fetched anew from the others. The signing record belonged
    /// to it, so the node begins another and asks how far its key signed.
    func replaceStore(owing newest: EpochView) {
        stop()
        restarts += 1
        store = SimulatedStore()
        store.apply(NodeCore.genesisWrites(configuration.genesis))
        store.sync()
        journal = SimulatedJournal()
        record = RecordID(low: UInt64(index), high: UInt64(restarts))
        owed = newest
        shownHeight = 0
    }

    var isAmnesiac: Bool { owed != nil }

    /// Whether the node just came to vote again and to hold what it lost; called while it runs.
    func recovers() -> Bool {
        guard let owed, let consensus = core?.value.consensus, !consensus.isRecovering,
            !consensus.isCatchingUp, store.unsyncedCount == 0,
            EpochView(epoch: consensus.epoch, view: consensus.finalizedView) > owed
        else { return false }
        self.owed = nil
        wasDamaged = false
        return true
    }

    // MARK: Coming back

    /// Everything that changes in a host, at some time.
    struct Saved {
        fileprivate let running: (core: RunningCore, value: NodeCore)?
        fileprivate let store: SimulatedStore
        fileprivate let contents: SimulatedStore.Saved
        fileprivate let journal: SimulatedJournal
        fileprivate let clock: NodeClock
        fileprivate let counts: (life: Int, restarts: Int)
        fileprivate let timers: [NodeTimer: Instant]
        fileprivate let inbox: [NodeEvent]
        fileprivate let isAwake: Bool
        fileprivate let frozenUntil: UInt64
        fileprivate let state: (record: RecordID, owed: EpochView?, wasDamaged: Bool)
        fileprivate let heights: (shown: Height, place: EpochView, finalized: Height)
        fileprivate let heard: [Epoch: Set<PeerID>]
    }

    func save() -> Saved {
        Saved(
            running: core.map { ($0, $0.value) }, store: store, contents: store.save(),
            journal: journal, clock: clock, counts: (life, restarts), timers: timers,
            inbox: inbox, isAwake: isAwake, frozenUntil: frozenUntil,
            state: (record, owed, wasDamaged), heights: (shownHeight, place, finalizedHeight),
            heard: heard)
    }

    func restore(_ saved: Saved) {
        core = saved.running?.core
        if let value = saved.running?.value { core?.value = value }
        store = saved.store
        store.restore(saved.contents)
        journal = saved.journal
        clock = saved.clock
        (life, restarts) = saved.counts
        timers = saved.timers
        inbox = saved.inbox
        isAwake = saved.isAwake
        frozenUntil = saved.frozenUntil
        (record, owed, wasDamaged) = saved.state
        (shownHeight, place, finalizedHeight) = saved.heights
        heard = saved.heard
    }
}
