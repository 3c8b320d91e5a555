@_spi(Simulation) internal import Consensus
@_spi(Simulation) internal import Primitives

/// An ordinary engine that starts every now and then without its journal, so that it signs again
/// what it signed before, and something else.
struct Amnesiac: ConsensusMisbehaviour {
    private let committee: Committee
    private let genesis: Block
    private var minds: [Int: Mind] = [:]

    private struct Mind {
        var engine: SimplexEngine
        var timers: [TimerID: Instant] = [:]
        var events: [ConsensusEvent] = [.start]
        var heard: [(Int, ConsensusMessage)] = []
    }

    init(committee: Committee, genesis: Block) {
        self.committee = committee
        self.genesis = genesis
    }

    mutating func hear(_ message: ConsensusMessage, from: Int, as index: Int, now: UInt64) {
        // What is beyond comes again by the rules of repair.
        guard let count = minds[index]?.heard.count, count < 256 else { return }
        minds[index]?.heard.append((from, message))
    }

    mutating func act(
        as index: Int, with liar: inout Liar, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage] {
        var mind = minds[index] ?? mind(of: index, now)
        if random.chance(4) { mind = self.mind(of: index, now) }
        let sent = think(&mind, now, UInt8(truncatingIfNeeded: random.next()))
        minds[index] = mind
        return sent
    }

    /// Nothing but the genesis is known to it.
    private func mind(of index: Int, _ now: UInt64) -> Mind {
        let configuration = ConsensusConfiguration(
            committee: committee, ownIndex: ValidatorIndex(UInt16(index)),
            signer: SimulatedSigner(index: index), genesis: genesis,
            tip: ConsensusConfiguration.Tip(block: genesis, certificate: nil),
            timing: ConsensusTiming(deltaMax: 5_000), breaking: .blindToTwin)
        return Mind(
            engine: SimplexEngine(
                configuration: configuration, journal: [], at: moment(now)))
    }

    private func moment(_ now: UInt64) -> Moment {
        Moment(
            now: Instant(milliseconds: now),
            wall: Timestamp(Simulation.epochMilliseconds + now))
    }

    /// Everything that came since, and what is due.
    private func think(_ mind: inout Mind, _ now: UInt64, _ mark: UInt8) -> [ConsensusMessage] {
        var sent: [ConsensusMessage] = []
        let heard = mind.heard
        mind.heard = []
        for (from, message) in heard {
            take(message, from, &mind)
            work(&mind, now, mark, &sent)
        }
        for id in TimerID.allCases {
            guard let deadline = mind.timers[id], deadline.milliseconds <= now else { continue }
            mind.timers[id] = nil
            mind.events.append(.timer(id))
        }
        work(&mind, now, mark, &sent)
        return sent
    }

    private func take(_ message: ConsensusMessage, _ from: Int, _ mind: inout Mind) {
        let peer = committee.validators[from].peerID
        guard mind.engine.wants(message, from: peer),
            SimulatedSigner.holds(message.signatureClaims(in: mind.engine.context))
        else { return }
        mind.events.append(.message(from: peer, Verified.simulated(message)))
    }

    private func work(
        _ mind: inout Mind, _ now: UInt64, _ mark: UInt8, _ sent: inout [ConsensusMessage]
    ) {
        while !mind.events.isEmpty {
            for effect in mind.engine.handle(mind.events.removeFirst(), at: moment(now)) {
                switch effect {
                case .broadcast(let message), .send(_, let message): sent.append(message)
                case .setTimer(let id, let deadline): mind.timers[id] = deadline
                case .cancelTimer(let id): mind.timers[id] = nil
                case .check(let block, _):
                    mind.events.append(.blockChecked(block.digest, valid: true))
                case .build(let view, let context, _):
                    let contents = BlockContents(
                        payload: [0, mark], executed: context.finalized.executed,
                        time: moment(now).wall)
                    mind.events.append(.blockBuilt(view, contents))
                case .persist, .serveBlock, .commit, .commitLast, .evidence, .penalise, .halt,
                    .compact:
                    break
                }
            }
        }
    }
}
