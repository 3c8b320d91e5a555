import Primitives
import TestSupport

@testable import Gossip

/// Four nodes that know each other; the first one meets the inputs, and the last one's key is the
/// attacker's.
struct GossipWorld: Sendable {
    static let shared = GossipWorld()
    static let chain: ChainID = filled(7)

    let engine: GossipEngine
    let attacker: SecretKey
    let moment: Moment
    /// What the nodes sent each other.
    let datagrams: [[UInt8]]
    let records: [PeerRecord]

    private struct Flight {
        let bytes: [UInt8]
        let from: Int
        let to: Int
    }

    private init() {
        let keys = (0..<4).map { TestKeys.key(seed: 80, index: $0) }
        var generator = SeededGenerator(seed: 80)
        var now: UInt64 = 1000
        var engines = keys.indices.map { index in
            GossipEngine(
                settings: GossipWorld.settings(index), identity: keys[index],
                at: GossipWorld.moment(now), using: &generator)
        }
        var sent: [[UInt8]] = []
        let trusted = Set(keys.map { PeerID($0.publicKey) })
        for index in engines.indices {
            _ = engines[index].handle(
                .trust(trusted), at: GossipWorld.moment(now), using: &generator)
        }
        while now < 21_000 {
            now += 100
            var flights: [Flight] = []
            for index in engines.indices {
                let effects = engines[index].handle(
                    .tick, at: GossipWorld.moment(now), using: &generator)
                flights += GossipWorld.flights(effects, from: index)
            }
            while !flights.isEmpty {
                let flight = flights.removeFirst()
                sent.append(flight.bytes)
                let event = GossipEvent.datagram(
                    flight.bytes, from: GossipWorld.endpoint(flight.from))
                let effects = engines[flight.to].handle(
                    event, at: GossipWorld.moment(now), using: &generator)
                flights += GossipWorld.flights(effects, from: flight.to)
            }
        }
        engine = engines[0]
        attacker = keys[3]
        moment = GossipWorld.moment(now)
        datagrams = sent
        records = engines.map(\.own)
    }

    private static func flights(_ effects: [GossipEffect], from: Int) -> [Flight] {
        effects.compactMap { effect in
            guard case .send(let bytes, let endpoint) = effect,
                let to = (0..<4).first(where: { GossipWorld.endpoint($0) == endpoint })
            else { return nil }
            return Flight(bytes: bytes, from: from, to: to)
        }
    }

    private static func settings(_ index: Int) -> GossipSettings {
        GossipSettings(
            chainID: chain, addresses: [PeerAddress(.gossip, endpoint(index))],
            roles: .validator, capacity: Capacity(signaturesPerSecond: 1000, free: 1000),
            seeds: index == 0 ? [] : [endpoint(0)])
    }

    static func endpoint(_ index: Int) -> Endpoint {
        guard let endpoint = Endpoint(host: "10.0.0.\(index + 1)", port: 9009) else {
            preconditionFailure("an address")
        }
        return endpoint
    }

    private static func moment(_ now: UInt64) -> Moment {
        Moment(now: Instant(milliseconds: now), wall: Timestamp(FuzzKeys.start + now))
    }
}
