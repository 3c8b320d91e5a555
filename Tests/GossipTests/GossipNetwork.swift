import Primitives
import TestSupport

@testable import Gossip

/// Nodes that gossip in virtual time over a network that loses, delays and parts, all from a seed.
struct GossipNetwork {
    struct Weather {
        /// Of a thousand datagrams, how many get lost.
        var lossPermille: UInt64 = 0
        /// Milliseconds one way.
        var delay: ClosedRange<UInt64> = 1...100
    }

    final class Node {
        var engine: GossipEngine
        var generator: SeededGenerator
        let key: SecretKey
        let endpoint: Endpoint
        var isUp = true
        var hasLeft = false
        /// When its engine wants a tick.
        var dueAt: UInt64 = 0
        var changes: [MemberStatus] = []
        var capacities: [PeerID: Capacity] = [:]

        init(
            engine: GossipEngine, generator: SeededGenerator, key: SecretKey, endpoint: Endpoint
        ) {
            self.engine = engine
            self.generator = generator
            self.key = key
            self.endpoint = endpoint
        }

        var isRunning: Bool { isUp && !hasLeft }
    }

    private struct Flight {
        let at: UInt64
        let number: UInt64
        let bytes: [UInt8]
        let from: Endpoint
        let to: Endpoint
    }

    static let epoch: UInt64 = 1_790_000_000_000
    static let chain: ChainID = filled(7)

    private(set) var nodes: [Node] = []
    var weather = Weather()
    /// The side of each node; datagrams stay on their side.
    var sides: [Endpoint: Int] = [:]
    private(set) var now: UInt64 = 0
    private var flights: [Flight] = []
    private var sent: UInt64 = 0
    private var generator: SeededGenerator
    private let seed: UInt64
    /// Datagrams that arrived at nodes, newest last, if they are kept.
    var keepsTraffic = false
    private(set) var traffic: [(bytes: [UInt8], from: Endpoint, to: Endpoint)] = []
    /// What nodes sent to addresses where no node is.
    private(set) var strays: [(bytes: [UInt8], to: Endpoint)] = []
    /// Bytes from one address to another.
    private(set) var volumes: [[Endpoint]: Int] = [:]

    init(seed: UInt64) {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    var moment: Moment {
        Moment(
            now: Instant(milliseconds: 1_000_000 + now), wall: Timestamp(GossipNetwork.epoch + now))
    }

    static func endpoint(_ index: Int) -> Endpoint {
        guard let endpoint = Endpoint(host: "10.0.\(index / 200).\(index % 200 + 1)", port: 9009)
        else { preconditionFailure("an address") }
        return endpoint
    }

    func id(_ index: Int) -> PeerID { nodes[index].engine.peerID }

    /// Starts a node that knows the addresses of `seeds` only.
    mutating func add(
        seeds: [Int], trustsAll: Bool = true, roles: PeerRoles = .validator,
        capacity: Capacity = Capacity()
    ) {
        let index = nodes.count
        let key = TestKeys.key(seed: seed, index: index)
        let endpoint = GossipNetwork.endpoint(index)
        var own = SeededGenerator(seed: seed &* 1000 &+ UInt64(index))
        let settings = settings(of: index, roles, capacity, seeds)
        let engine = GossipEngine(settings: settings, identity: key, at: moment, using: &own)
        nodes.append(Node(engine: engine, generator: own, key: key, endpoint: endpoint))
        if trustsAll {
            let all = Set((0..<80).map { PeerID(TestKeys.key(seed: seed, index: $0).publicKey) })
            handle(.trust(all), at: index)
        }
    }

    /// A network of `count` nodes that all know each other; nil if that took more than a minute.
    static func joined(_ count: Int, seed: UInt64, loss: UInt64 = 0) -> GossipNetwork? {
        var network = GossipNetwork(seed: seed)
        network.weather.lossPermille = loss
        for index in 0..<count { network.add(seeds: index == 0 ? [] : [0]) }
        guard network.run(until: 60_000, { $0.isComplete }) else { return nil }
        return network
    }

    /// Whether each node that is up takes all others that are up for alive.
    var isComplete: Bool {
        let up = nodes.filter(\.isUp)
        return up.allSatisfy { node in
            up.allSatisfy { other in
                other.engine.peerID == node.engine.peerID
                    || node.engine.status(of: other.engine.peerID)?.state == .alive
            }
        }
    }

    /// Whether all that are up take `index` to be in one of `states`.
    func allTake(_ index: Int, for states: Set<MemberState>) -> Bool {
        nodes.indices.filter { $0 != index && nodes[$0].isUp }.allSatisfy {
            nodes[$0].engine.status(of: id(index)).map { states.contains($0.state) } ?? false
        }
    }

    /// Lets a node believe that another gives no answer.
    mutating func accuse(_ victim: Int, by index: Int) {
        guard let status = nodes[index].engine.status(of: id(victim)) else { return }
        nodes[index].engine.suspect(
            id(victim), at: status.record.sequence, by: id(index))
    }

    mutating func kill(_ index: Int) { nodes[index].isUp = false }

    /// Starts a node again that knows nothing but its key.
    mutating func restart(_ index: Int, seeds: [Int]) {
        let settings = settings(of: index, .validator, Capacity(), seeds)
        let node = nodes[index]
        node.engine = GossipEngine(
            settings: settings, identity: node.key, at: moment, using: &node.generator)
        nodes[index].isUp = true
        handle(.tick, at: index)
    }

    private func settings(
        of index: Int, _ roles: PeerRoles, _ capacity: Capacity, _ seeds: [Int]
    ) -> GossipSettings {
        let endpoint = GossipNetwork.endpoint(index)
        return GossipSettings(
            chainID: GossipNetwork.chain,
            addresses: [PeerAddress(.links, endpoint), PeerAddress(.gossip, endpoint)],
            roles: roles, capacity: capacity, seeds: seeds.map(GossipNetwork.endpoint))
    }

    // MARK: Time

    /// Runs until `isDone` or for `span` milliseconds more; whether it was done.
    @discardableResult
    mutating func run(
        until span: UInt64, _ isDone: (GossipNetwork) -> Bool = { _ in false }
    ) -> Bool {
        let end = now + span
        var lookAt = now
        while now < end {
            if lookAt <= now {
                for node in nodes { node.engine.checkInvariants() }
                if isDone(self) { return true }
                lookAt = now + 50
            }
            step(until: end)
        }
        return isDone(self)
    }

    /// Does what is due now, and moves on to what is due next.
    private mutating func step(until end: UInt64) {
        for index in nodes.indices where nodes[index].isRunning && nodes[index].dueAt <= now {
            handle(.tick, at: index)
        }
        deliver()
        let due = nodes.filter(\.isRunning).map(\.dueAt).min() ?? end
        now = min(end, max(now + 1, min(due, flights.first?.at ?? end)))
    }

    private mutating func deliver() {
        while let flight = flights.first, flight.at <= now {
            pop()
            if sides[flight.from] != sides[flight.to] { continue }
            if keepsTraffic { traffic.append((flight.bytes, flight.from, flight.to)) }
            if let index = index(at: flight.to) {
                if nodes[index].isUp {
                    handle(.datagram(flight.bytes, from: flight.from), at: index)
                }
            } else {
                strays.append((flight.bytes, flight.to))
            }
        }
    }

    private func index(at endpoint: Endpoint) -> Int? {
        let parts = endpoint.host.split(separator: ".").compactMap { Int($0) }
        guard endpoint.port == 9009, parts.count == 4, parts[0] == 10 else { return nil }
        let index = parts[2] * 200 + parts[3] - 1
        return nodes.indices.contains(index) ? index : nil
    }

    /// Hands an event to a node and sends what it wants sent.
    @discardableResult
    mutating func handle(_ event: GossipEvent, at index: Int) -> [GossipEffect] {
        let node = nodes[index]
        let effects = node.engine.handle(event, at: moment, using: &node.generator)
        nodes[index].dueAt = nodes[index].engine.nextDeadline.since(1_000_000)
        for effect in effects {
            switch effect {
            case .send(let bytes, let to): launch(bytes, from: nodes[index].endpoint, to: to)
            case .changed(let status): nodes[index].changes.append(status)
            case .capacity(let peer, let capacity): nodes[index].capacities[peer] = capacity
            case .forgotten: break
            case .left: nodes[index].hasLeft = true
            }
        }
        return effects
    }

    /// Puts a datagram on its way.
    mutating func launch(_ bytes: [UInt8], from: Endpoint, to: Endpoint) {
        volumes[[from, to], default: 0] += bytes.count
        if generator.next(upperBound: 1000) < weather.lossPermille { return }
        let span = weather.delay.upperBound - weather.delay.lowerBound + 1
        let delay = weather.delay.lowerBound + generator.next(upperBound: span)
        sent += 1
        push(Flight(at: now + delay, number: sent, bytes: bytes, from: from, to: to))
    }

    // MARK: The heap of flights, the soonest first

    private static func precedes(_ left: Flight, _ right: Flight) -> Bool {
        (left.at, left.number) < (right.at, right.number)
    }

    private mutating func push(_ flight: Flight) {
        flights.append(flight)
        var child = flights.count - 1
        while child > 0, GossipNetwork.precedes(flights[child], flights[(child - 1) / 2]) {
            flights.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func pop() {
        flights.swapAt(0, flights.count - 1)
        flights.removeLast()
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < flights.count }
            guard
                let least = children.min(by: { GossipNetwork.precedes(flights[$0], flights[$1]) }),
                GossipNetwork.precedes(flights[least], flights[parent])
            else { return }
            flights.swapAt(least, parent)
            parent = least
        }
    }
}

extension Instant {
    /// Milliseconds since `start`, zero before it.
    fileprivate func since(_ start: UInt64) -> UInt64 {
        milliseconds > start ? milliseconds - start : 0
    }
}
