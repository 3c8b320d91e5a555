import Primitives
import TestSupport

@testable import Gossip

extension FuzzTarget {
    /// Datagrams as they come, and messages that a member of the network seals.
    static let datagram = FuzzTarget(name: "datagram", bytesMax: 1300) {
        datagramSeeds
    } check: { bytes in
        let isDatagram = try checkDatagram(bytes)
        try give(bytes)
        guard let message = try canonical(GossipMessage.self, bytes) else { return isDatagram }
        try give(try seal(message))
        try give(try seal(repaired(message)))
        return true
    }

    private static func checkDatagram(_ bytes: [UInt8]) throws(Violation) -> Bool {
        guard let datagram = try? Datagram(bytes) else { return false }
        try expect(datagram.bytes == bytes, "a datagram of another form is accepted")
        try expect(bytes.count <= GossipLimits.datagramBytesMax, "\(bytes.count) bytes")
        return true
    }

    /// The node gets it from the attacker's address; then time passes.
    private static func give(_ bytes: [UInt8]) throws(Violation) {
        let world = GossipWorld.shared
        var engine = world.engine
        var generator = SeededGenerator(seed: 1)
        let source = GossipWorld.endpoint(3)
        var effects = engine.handle(
            .datagram(bytes, from: source), at: world.moment, using: &generator)
        for seconds in [1, 10, 60] as [UInt64] {
            let moment = Moment(
                now: world.moment.now.advanced(byMilliseconds: seconds * 1000),
                wall: world.moment.wall.clampedAdvance(by: seconds * 1000))
            effects += engine.handle(.tick, at: moment, using: &generator)
        }
        engine.checkInvariants()
        for case .send(let bytes, _) in effects {
            try expect(try checkDatagram(bytes), "a node sends what its peers refuse")
        }
        for case .capacity(_, let capacity) in effects {
            try expect(capacity == capacity.capped, "an advert beyond its limits")
        }
    }

    /// The message in a datagram that opens.
    private static func seal(_ message: GossipMessage) throws(Violation) -> [UInt8] {
        let world = GossipWorld.shared
        let sender = PeerID(world.attacker.publicKey)
        let receiver = world.engine.peerID
        guard let key = world.attacker.sharedKey(with: receiver.publicKey) else {
            throw Violation("no shared key")
        }
        var writer = BCSWriter()
        writer.append(UInt64(0))
        writer.append(message)
        let counter = UInt64.max - 1
        let salt = 2 | Datagram.direction(from: sender, to: receiver)
        let cookie = world.engine.cookies.cookie(
            for: GossipWorld.endpoint(3), at: world.moment.now)
        let nonce = BoxNonce(world.moment.wall.rawValue, counter, salt)
        return Datagram.sealed(
            .init(
                sender: sender, timestamp: world.moment.wall, counter: counter, salt: salt,
                cookie: cookie, box: key.seal(writer.bytes, nonce))
        ).bytes
    }

    /// Its records signed by the attacker, who may say of itself what it likes.
    private static func repaired(_ message: GossipMessage) -> GossipMessage {
        let news = message.news.map { news -> News in
            guard case .record(let record) = news else { return news }
            return .record(
                PeerRecord(
                    chainID: GossipWorld.chain, sequence: record.sequence,
                    timestamp: record.timestamp, addresses: record.addresses,
                    roles: record.roles, versions: record.versions, capacity: record.capacity,
                    signedBy: GossipWorld.shared.attacker))
        }
        return GossipMessage(message.body, news: news)
    }

    private static var datagramSeeds: [FuzzSeed] {
        let world = GossipWorld.shared
        let peers = world.records.map(\.peerID)
        let records = world.records.map { News.record($0) }
        let suspicion = News.suspicion(
            of: peers[0], sequence: world.records[0].sequence, accuser: peers[1])
        let entries = world.records.map {
            RecordDigest.Entry(prefix: $0.prefix, sequence: $0.sequence, isDown: false)
        }.sorted { $0.prefix < $1.prefix }
        let messages: [(String, GossipMessage)] = [
            ("ping", GossipMessage(.ping(number: 1, sequence: 0), news: [suspicion])),
            ("ack", GossipMessage(.ack(number: 1), news: Array(records.prefix(1)))),
            ("nack", GossipMessage(.nack(number: 1))),
            ("request", GossipMessage(.pingRequest(number: 2, target: peers[2]))),
            ("news", GossipMessage(.news, news: records)),
            (
                "digest",
                GossipMessage(.digest(RecordDigest(range: 0 ... .max, entries: entries)))
            ),
            ("records", GossipMessage(.records(hasMore: true), news: Array(records.suffix(2)))),
            ("wanted", GossipMessage(.wanted(world.records.map(\.prefix)))),
        ]
        let kinds = Dictionary(grouping: world.datagrams) { $0.dropFirst().first ?? 0 }
        let plain = kinds.sorted { $0.key < $1.key }.map {
            FuzzSeed("datagram-\($0.key)", $0.value[0])
        }
        return plain + messages.map { FuzzSeed($0.0, $0.1.bcsBytes) }
    }
}
