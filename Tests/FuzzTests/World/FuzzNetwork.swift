import Consensus
import Execution
import Mempool
import NodeCore
import Primitives

/// Four validators and a verifier without a vote in virtual time, without loss: what they tell each
/// other is what the inputs are made from.
struct FuzzNetwork {
    /// A message with its sender, as it arrived at some node.
    struct Heard {
        let from: Int
        let to: Int
        let message: NodeMessage
    }

    private struct Flight {
        let at: UInt64
        let to: Int
        let event: NodeEvent
    }

    let keys: FuzzKeys
    private(set) var cores: [NodeCore] = []
    private(set) var stores: [ScratchStore] = []
    private(set) var journals: [[Consensus.JournalRecord]] = []
    private(set) var timers: [[NodeTimer: UInt64]] = []
    private(set) var heard: [Heard] = []
    private(set) var now: UInt64 = 1
    /// Nothing reaches this node any more, but it is still heard what would have.
    var isolated: Int?
    private var flights: [Flight] = []
    private var lastRequest: UInt64 = 0

    /// - Parameter newcomer: who has no record of its signatures, and waits for others' word.
    init(_ keys: FuzzKeys, newcomer: Int? = nil) throws {
        self.keys = keys
        for (node, key) in keys.nodes.enumerated() {
            let store = ScratchStore()
            store.apply(NodeCore.genesisWrites(keys.genesis))
            let asks = SigningMode.asking(RecordID(low: 1, high: 1))
            let configuration = NodeConfiguration(
                genesis: keys.genesis, signer: key, signing: node == newcomer ? asks : .full)
            cores.append(
                try NodeCore(configuration: configuration, source: store, journal: [], at: moment))
            stores.append(store)
            journals.append([])
            timers.append([:])
        }
        for node in cores.indices {
            let others = cores.indices.filter { $0 != node }
            try handle(
                [.start, .ownCapacity(Capacity(signaturesPerSecond: 20_000, free: 20_000))]
                    + others.map { .connected(keys.peer($0)) }, at: node)
        }
    }

    var moment: Moment {
        Moment(now: Instant(milliseconds: now), wall: Timestamp(FuzzKeys.start + now))
    }

    mutating func submit(_ transaction: SignedTransaction, to node: Int) throws {
        lastRequest += 1
        try handle([.submit(RequestID(lastRequest), transaction)], at: node)
    }

    mutating func run(milliseconds: UInt64) throws {
        let end = now + milliseconds
        while now < end {
            let next = (flights.map(\.at) + timers.flatMap(\.values)).min() ?? end
            now = max(now, min(next, end))
            try deliver()
            try fireTimers()
        }
    }

    private mutating func deliver() throws {
        let due = flights.filter { $0.at <= now }
        flights.removeAll { $0.at <= now }
        for flight in due { try handle([flight.event], at: flight.to) }
    }

    private mutating func fireTimers() throws {
        for node in cores.indices {
            let due = timers[node].filter { $0.value <= now }.keys
                .sorted { String(describing: $0) < String(describing: $1) }
            for timer in due { timers[node][timer] = nil }
            if !due.isEmpty { try handle(due.map { .timer($0) }, at: node) }
        }
    }

    private mutating func handle(_ events: [NodeEvent], at node: Int) throws {
        for effect in try cores[node].handle(events, at: moment) { carryOut(effect, of: node) }
    }

    private mutating func carryOut(_ effect: NodeEffect, of node: Int) {
        switch effect {
        case .write(let writes): stores[node].apply(writes)
        case .journal(let records, _): journals[node] += records
        case .compactJournal(let records): journals[node] = records
        case .send(let peer, let message): send(message, from: node, to: keys.node(peer))
        case .broadcast(let message):
            for to in cores.indices where to != node { send(message, from: node, to: to) }
        case .multicast(let peers, let message):
            for peer in peers { send(message, from: node, to: keys.node(peer)) }
        case .check(let job, _):
            post(.checked(job.run(in: cores[node].layout)), to: node, delay: 0)
        case .setTimer(let timer, let at): timers[node][timer] = at.milliseconds
        case .cancelTimer(let timer): timers[node][timer] = nil
        case .sync, .reply, .penalise, .note, .halt: break
        }
    }

    private mutating func send(_ message: NodeMessage, from: Int, to: Int?) {
        guard let to else { return }
        heard.append(Heard(from: from, to: to, message: message))
        guard to != isolated else { return }
        post(.received(keys.peer(from), message), to: to, delay: 2)
    }

    private mutating func post(_ event: NodeEvent, to node: Int, delay: UInt64) {
        flights.append(Flight(at: now + delay, to: node, event: event))
    }

    /// The node as it is now; the network isn't run any more.
    func frozen(_ node: Int) -> FuzzNode {
        stores[node].freeze()
        return FuzzNode(
            core: cores[node], store: stores[node], moment: moment,
            timers: Set(timers[node].keys))
    }
}
