@_spi(Simulation) internal import Consensus
internal import Primitives

/// An honest node: its engine while it runs, and its disk always.
final class SimulatedNode {
    let index: Int
    let peerID: PeerID
    private let template: ConsensusConfiguration
    /// Milliseconds that its wall clock runs ahead.
    let skew: UInt64
    var disk: SimulatedDisk
    /// After the loss of its disk, until it is as good as before: the newest view that any node
    /// had entered at the loss. What was notarized there was perhaps on this disk alone but for
    /// those of nodes that are faulty next, so signing again isn't enough: a later block must be
    /// final here, and beyond the reach of a crash.
    private(set) var owedView: View?
    /// Of no meaning while the node is down.
    var engine: SimplexEngine
    private(set) var isUp = false
    /// Counts starts: what was under way for an earlier one is void.
    var incarnation = 0
    var timers: [TimerID: Instant] = [:]
    private(set) var restarts = 0

    init(index: Int, configuration: ConsensusConfiguration, skew: UInt64, record: RecordID) {
        self.index = index
        self.skew = skew
        disk = SimulatedDisk(id: record)
        template = configuration
        peerID = configuration.committee.validators[index].peerID
        let start = Moment(now: Instant(milliseconds: 0), wall: 0)
        engine = SimplexEngine(configuration: configuration, journal: [], at: start)
    }

    func moment(at now: UInt64) -> Moment {
        Moment(
            now: Instant(milliseconds: now),
            wall: Timestamp(Simulation.epochMilliseconds + now + skew))
    }

    func start(at now: UInt64) {
        incarnation += 1
        isUp = true
        engine = SimplexEngine(
            configuration: configuration(), journal: disk.journal, at: moment(at: now))
    }

    func crash(_ random: inout SeededRandom) {
        restarts += 1
        isUp = false
        incarnation += 1
        timers = [:]
        disk.crash(&random)
    }

    /// After a crash.
    func loseDisk(_ random: inout SeededRandom, owing newest: View) {
        owedView = newest
        disk.lose(newID: RecordID(drawnFrom: &random))
    }

    var isAmnesiac: Bool { owedView != nil }

    /// Whether it just came to hold all it lost; called while it runs.
    func recovers() -> Bool {
        guard let owedView, !engine.isRecovering, disk.syncedView > owedView else { return false }
        self.owedView = nil
        return true
    }

    private func configuration() -> ConsensusConfiguration {
        let genesis = template.genesis
        let last = disk.chain.last
        let tip = ConsensusConfiguration.Tip(
            block: last?.block ?? genesis, certificate: last?.certificate)
        return ConsensusConfiguration(
            committee: template.committee, ownIndex: template.ownIndex, signer: template.signer,
            genesis: genesis, tip: tip, timing: template.timing,
            signing: template.signing == .full ? .full : .asking(disk.id),
            breaking: template.plantedBug)
    }
}

extension RecordID {
    init(drawnFrom random: inout SeededRandom) {
        self.init(low: random.next(), high: random.next())
    }
}
