import Primitives
import TestSupport
import Testing

@testable import Gossip

/// Somebody who knows the format and has keys of his own, and addresses where no node is.
private struct Attacker {
    let key: SecretKey
    let endpoint: Endpoint
    private var counter: UInt64

    init(_ number: UInt8, host: String = "172.16.0.1", port: UInt16 = 6666) throws {
        key = testKey(number)
        endpoint = try #require(Endpoint(host: host, port: port))
        counter = UInt64(number) << 32
    }

    var peerID: PeerID { PeerID(key.publicKey) }

    mutating func seal(
        _ message: GossipMessage, for receiver: PeerID, cookie: UInt64, wall: Timestamp,
        salt: UInt64 = 99
    ) throws -> [UInt8] {
        try sealRaw(
            [UInt8](repeating: 0, count: 8) + message.bcsBytes, receiver, cookie, wall, salt)
    }

    mutating func sealRaw(
        _ plaintext: [UInt8], _ receiver: PeerID, _ cookie: UInt64, _ wall: Timestamp,
        _ salt: UInt64 = 99
    ) throws -> [UInt8] {
        let shared = try #require(key.sharedKey(with: receiver.publicKey))
        let salt = salt & ~1 | Datagram.direction(from: peerID, to: receiver)
        counter += 1
        let nonce = BoxNonce(wall.rawValue, counter, salt)
        return Datagram.sealed(
            .init(
                sender: peerID, timestamp: wall, counter: counter, salt: salt, cookie: cookie,
                box: shared.seal(plaintext, nonce))
        ).bytes
    }

    /// What a node wants from this address, by asking as anybody may.
    func cookie(_ network: inout GossipNetwork, of index: Int) throws -> UInt64 {
        let hello = Datagram.hello(salt: 5, chain: GossipNetwork.chain).bytes
        let effects = network.handle(.datagram(hello, from: endpoint), at: index)
        for case .send(let bytes, _) in effects {
            if case .challenge(let challenge) = try Datagram(bytes) { return challenge.cookie }
        }
        Issue.record("no challenge")
        return 0
    }

    func record(
        _ network: GossipNetwork, sequence: UInt64 = 1, chain: ChainID = GossipNetwork.chain,
        ahead: Int64 = 0, capacity: Capacity = Capacity()
    ) -> PeerRecord {
        PeerRecord(
            chainID: chain, sequence: sequence,
            timestamp: Timestamp(UInt64(Int64(network.moment.wall.rawValue) + ahead)),
            addresses: [PeerAddress(.gossip, endpoint)], roles: .relay, versions: 1...1,
            capacity: capacity, signedBy: key)
    }
}

extension GossipNetwork {
    /// Everything that a datagram without effect must leave as it is.
    fileprivate func beliefs(of index: Int) -> [MemberStatus] { nodes[index].engine.statuses }

    fileprivate func refused(_ reason: GossipRefusal, at index: Int) -> UInt64 {
        nodes[index].engine.figures.refused[reason] ?? 0
    }
}

@Suite struct AttackTests {
    private static func calm(_ count: Int = 3, seed: UInt64 = 77) throws -> GossipNetwork {
        var network = try #require(GossipNetwork.joined(count, seed: seed))
        network.run(until: 3_000)
        return network
    }

    @Test func damagedDatagramsChangeNothing() throws {
        var network = try Self.calm()
        network.keepsTraffic = true
        network.run(until: 8_000)
        var generator = SeededGenerator(seed: 1)
        let kept = network.traffic.filter { $0.to == network.nodes[0].endpoint }.suffix(20)
        let before = network.beliefs(of: 0)
        for (bytes, from, _) in kept {
            for _ in 0..<60 {
                var damaged = bytes
                let bit = generator.place(below: 8 * bytes.count)
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                network.handle(.datagram(damaged, from: from), at: 0)
                let cut = generator.place(below: bytes.count)
                network.handle(.datagram(Array(bytes.prefix(cut)), from: from), at: 0)
                network.handle(.datagram(bytes + [0], from: from), at: 0)
            }
        }
        #expect(network.beliefs(of: 0) == before)
    }

    @Test func noiseNeverTraps() throws {
        var network = try Self.calm()
        var generator = SeededGenerator(seed: 2)
        let before = network.beliefs(of: 0)
        let source = try Attacker(200).endpoint
        for _ in 0..<4_000 {
            var bytes = generator.bytes(generator.place(below: 1_400))
            if bytes.count > 2 { (bytes[0], bytes[1]) = (1, UInt8(generator.place(below: 4))) }
            network.handle(.datagram(bytes, from: source), at: 0)
            network.run(until: 5)
        }
        #expect(network.beliefs(of: 0).map(\.peerID) == before.map(\.peerID))
    }

    @Test func aReplayedDatagramIsRefused() throws {
        var network = try Self.calm()
        network.keepsTraffic = true
        network.run(until: 4_000)
        let kept = network.traffic.filter { $0.to == network.nodes[0].endpoint }
        let sealed = try kept.filter {
            if case .sealed = try Datagram($0.bytes) { true } else { false }
        }
        let before = network.refused(.replayed, at: 0)
        for (bytes, from, _) in sealed {
            let effects = network.handle(.datagram(bytes, from: from), at: 0)
            #expect(effects.isEmpty)
        }
        #expect(network.refused(.replayed, at: 0) - before == UInt64(sealed.count))
    }

    @Test func datagramsThatOvertakeEachOtherAreAllTaken() throws {
        var network = try Self.calm(4)
        network.run(until: 30_000)
        for index in 0..<4 {
            #expect(network.refused(.replayed, at: index) == 0)
            #expect(network.nodes[index].changes.allSatisfy { $0.state == .alive })
        }
    }

    @Test func aReplayFromAnotherAddressIsChallengedOnly() throws {
        var network = try Self.calm()
        network.keepsTraffic = true
        network.run(until: 4_000)
        let other = try Attacker(201).endpoint
        // Only what hasn't arrived could have an effect: hold a datagram back.
        network.kill(0)
        network.run(until: 2_000)
        let last = try #require(network.traffic.last { $0.to == network.nodes[0].endpoint })
        let effects = network.handle(.datagram(last.bytes, from: other), at: 0)
        for case .send(let bytes, let to) in effects {
            #expect(to == other && bytes.count < last.bytes.count)
        }
        #expect(effects.count <= 1)
    }

    @Test func aNodesOwnDatagramsAreNoAnswerToIt() throws {
        var network = try Self.calm()
        network.keepsTraffic = true
        network.run(until: 4_000)
        let sealed = network.traffic.filter { $0.from == network.nodes[0].endpoint }
        let before = network.refused(.turned, at: 0)
        for (bytes, _, to) in sealed {
            // As it was, and in the receiver's name.
            var renamed = bytes
            let index = try #require(network.nodes.firstIndex { $0.endpoint == to })
            renamed.replaceSubrange(2..<34, with: network.id(index).bytes)
            network.handle(.datagram(bytes, from: to), at: 0)
            network.handle(.datagram(renamed, from: to), at: 0)
        }
        #expect(network.refused(.turned, at: 0) - before == UInt64(2 * sealed.count))
    }

    @Test func aDatagramFarFromTheClockIsRefused() throws {
        var network = try Self.calm()
        var attacker = try Attacker(202)
        let cookie = try attacker.cookie(&network, of: 0)
        for distance in [UInt64(30_001), 1 << 40] {
            for wall in [
                network.moment.wall.rawValue + distance,
                network.moment.wall.rawValue - min(distance, 1 << 40),
            ] {
                let bytes = try attacker.seal(
                    GossipMessage(.ping(number: 1, sequence: 0)), for: network.id(0),
                    cookie: cookie, wall: Timestamp(wall))
                let effects = network.handle(.datagram(bytes, from: attacker.endpoint), at: 0)
                #expect(effects.isEmpty)
            }
        }
        #expect(network.refused(.clock, at: 0) == 4)
    }

    @Test func anUnprovenAddressNeverGetsMoreThanItSent() throws {
        var network = try Self.calm(4)
        let agreements = network.nodes[1].engine.figures.agreements
        var generator = SeededGenerator(seed: 3)
        var sent: [Endpoint: Int] = [:]
        for round in 0..<600 {
            var attacker = try Attacker(
                UInt8(round % 100), host: "192.168.\(round % 7).\(round % 100 + 1)")
            // Without reading what comes back, since the address isn't his.
            let bytes =
                switch round % 4 {
                case 0: Datagram.hello(salt: 1, chain: GossipNetwork.chain).bytes
                case 1:
                    try attacker.seal(
                        GossipMessage(.digest(RecordDigest(range: 0 ... .max, entries: []))),
                        for: network.id(1), cookie: 0, wall: network.moment.wall)
                case 2:
                    try attacker.seal(
                        GossipMessage(
                            .ping(number: 7, sequence: 0), news: [.record(attacker.record(network))]
                        ),
                        for: network.id(1), cookie: generator.next(), wall: network.moment.wall)
                default: generator.bytes(generator.place(below: 300))
                }
            sent[attacker.endpoint, default: 0] += bytes.count
            network.handle(.datagram(bytes, from: attacker.endpoint), at: 1)
            network.run(until: 7)
        }
        network.run(until: 60_000)
        var received: [Endpoint: Int] = [:]
        for stray in network.strays { received[stray.to, default: 0] += stray.bytes.count }
        #expect(!received.isEmpty)
        for (endpoint, count) in received {
            #expect(count <= sent[endpoint, default: 0], "\(endpoint)")
        }
        #expect(network.nodes[1].engine.figures.agreements == agreements)
    }

    @Test func aFloodFromOneAddressCostsFewKeysAndTheOthersAreServed() throws {
        var network = try Self.calm(4)
        var attacker = try Attacker(203)
        let cookie = try attacker.cookie(&network, of: 0)
        let agreements = network.nodes[0].engine.figures.agreements
        let challenges = network.nodes[0].engine.figures.challengesSent
        // 20,000 a second for ten seconds: a thousand identities, half with the right cookie.
        let ping = GossipMessage(.ping(number: 1, sequence: 0))
        let bodies = try (0..<1_000).map { number -> [UInt8] in
            var bytes = try attacker.seal(
                ping, for: network.id(0), cookie: number % 2 == 0 ? cookie : 0,
                wall: network.moment.wall)
            bytes.replaceSubrange(2..<6, with: withUnsafeBytes(of: UInt32(number)) { Array($0) })
            bytes[34] = bytes[34] & ~1
            return bytes
        }
        for millisecond in 0..<10_000 {
            for place in 0..<20 {
                let bytes = bodies[(millisecond * 20 + place) % bodies.count]
                network.handle(.datagram(bytes, from: attacker.endpoint), at: 0)
            }
            network.run(until: 1)
        }
        let figures = network.nodes[0].engine.figures
        #expect(figures.agreements - agreements <= 11, "\(figures.agreements - agreements)")
        #expect(figures.challengesSent - challenges <= 2_400)
        #expect(figures.refused[.tooMany] ?? 0 >= 190_000)
        #expect(network.isComplete)
        let others = network.nodes.flatMap(\.changes).filter { $0.state != .alive }
        #expect(others.isEmpty, "\(others.map { ($0.peerID, $0.state, $0.since) })")
        #expect(network.nodes[0].engine.health == 0)
    }

    @Test func manyAddressesOfOneHostShareItsRate() throws {
        var network = try Self.calm()
        var attacker = try Attacker(204)
        let before = network.nodes[0].engine.figures
        for port in UInt16(1)...20_000 {
            let source = try #require(Endpoint(host: attacker.endpoint.host, port: port))
            let bytes = try attacker.seal(
                GossipMessage(.news), for: network.id(0), cookie: UInt64(port),
                wall: network.moment.wall)
            network.handle(.datagram(bytes, from: source), at: 0)
        }
        let after = network.nodes[0].engine.figures
        #expect(after.challengesSent - before.challengesSent <= 2_000)
        #expect(after.agreements == before.agreements)
    }

    @Test(arguments: [true, false])
    func strangersInPlentyTakeNoPlaceFromMembers(isKept: Bool) throws {
        let now = Instant(milliseconds: 1_000_000)
        var gate = SourceGate(at: now)
        let member = try #require(Endpoint(host: "12.0.0.1", port: 7))
        if isKept { gate.keep([member]) }
        for place in 0..<20_000 {
            let host = "11.\(place / 62_500).\(place / 250 % 250).\(place % 250)"
            let stranger = try #require(Endpoint(host: host, port: 1))
            _ = gate.takeDatagram(stranger, at: now)
        }
        #expect(gate.takeDatagram(member, at: now) == isKept)
    }

    @Test func memoryIsBoundedWhateverArrives() throws {
        var network = try Self.calm()
        var generator = SeededGenerator(seed: 4)
        for round in 0..<30_000 {
            let host = "11.\(round / 250 % 250).\(round % 250).1"
            let source = try #require(Endpoint(host: host, port: UInt16(1 + round % 60_000)))
            var bytes = generator.bytes(120)
            (bytes[0], bytes[1]) = (1, UInt8(round % 3))
            network.handle(.datagram(bytes, from: source), at: 0)
            if round % 100 == 0 { network.run(until: 10) }
        }
        let limit =
            GossipLimits.membersMax + GossipLimits.membersMax + GossipLimits.strangerContactsMax
            + GossipLimits.newsWaitingMax + GossipLimits.unansweredMax
            + 4 * GossipLimits.sourcesMax + GossipLimits.relayedProbesMax
        #expect(network.nodes[0].engine.itemsKept <= limit)
    }

    @Test func strangersInPlentyDontDriveOutThoseThatMustBeKnown() throws {
        var network = try Self.calm(4)
        var attacker = try Attacker(205)
        let cookie = try attacker.cookie(&network, of: 0)
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<400 {
            let key = TestKeys.key(seed: generator.next(), index: 0)
            let record = PeerRecord(
                chainID: GossipNetwork.chain, sequence: 1, timestamp: network.moment.wall,
                addresses: [PeerAddress(.gossip, attacker.endpoint)], roles: .validator,
                versions: 1...1, capacity: Capacity(), signedBy: key)
            let bytes = try attacker.seal(
                GossipMessage(.news, news: [.record(record)]), for: network.id(0), cookie: cookie,
                wall: network.moment.wall)
            network.handle(.datagram(bytes, from: attacker.endpoint), at: 0)
            network.run(until: 40)
        }
        let engine = network.nodes[0].engine
        #expect(engine.statuses.count <= GossipLimits.strangersMax + 3)
        #expect((1...3).allSatisfy { engine.status(of: network.id($0))?.state == .alive })
    }
}

@Suite struct RecordTests {
    private func network() throws -> (GossipNetwork, Attacker, UInt64) {
        var network = try #require(GossipNetwork.joined(3, seed: 88))
        network.run(until: 2_000)
        let attacker = try Attacker(210)
        return (network, attacker, try attacker.cookie(&network, of: 0))
    }

    private func tell(
        _ record: PeerRecord, _ network: inout GossipNetwork, _ attacker: inout Attacker,
        _ cookie: UInt64
    ) throws {
        let bytes = try attacker.seal(
            GossipMessage(.news, news: [.record(record)]), for: network.id(0), cookie: cookie,
            wall: network.moment.wall)
        network.handle(.datagram(bytes, from: attacker.endpoint), at: 0)
    }

    @Test func aRecordSurvivesItsBytesAndNothingElseDoes() throws {
        let (network, attacker, _) = try network()
        #expect(checkDecoder(attacker.record(network)).isEmpty)
        #expect(attacker.record(network).bcsBytes.count <= 200)
        let digest = RecordDigest(
            range: 3...9, entries: [.init(prefix: 4, sequence: 5, isDown: true)])
        for body in [
            GossipMessage.Body.ping(number: 1, sequence: 2), .ack(number: 3), .nack(number: 4),
            .pingRequest(number: 5, target: attacker.peerID), .news, .digest(digest),
            .records(hasMore: true), .wanted([1, 2]),
        ] {
            let suspicion = News.suspicion(
                of: attacker.peerID, sequence: 1, accuser: network.id(0))
            #expect(checkDecoder(GossipMessage(body, news: [suspicion])).isEmpty)
        }
    }

    @Test func aForgedRecordIsRefusedAndItsSenderIsntHeardForAWhile() throws {
        var (network, attacker, cookie) = try network()
        let known = try #require(network.nodes[0].engine.status(of: network.id(1))).record
        // A newer record of node 1, with the attacker's signature.
        var bytes = known.bcsBytes
        bytes[64] &+= 1
        let forged = try PeerRecord(bcs: bytes)
        #expect(forged.sequence > known.sequence)
        try tell(forged, &network, &attacker, cookie)
        #expect(network.nodes[0].engine.status(of: network.id(1))?.record == known)
        #expect(network.nodes[0].engine.figures.refused[.badSignature] == 1)
        try tell(attacker.record(network), &network, &attacker, cookie)
        #expect(network.nodes[0].engine.figures.refused[.blocked] == 1)
        #expect(network.nodes[0].engine.status(of: attacker.peerID) == nil)
    }

    @Test func anOlderRecordDoesntComeBack() throws {
        var (network, attacker, cookie) = try network()
        try tell(attacker.record(network, sequence: 9), &network, &attacker, cookie)
        try tell(attacker.record(network, sequence: 8), &network, &attacker, cookie)
        #expect(network.nodes[0].engine.status(of: attacker.peerID)?.record.sequence == 9)
    }

    @Test func recordsOfAnotherChainOrTimeAreRefused() throws {
        var (network, attacker, cookie) = try network()
        let records = [
            attacker.record(network, chain: filled(8)), attacker.record(network, ahead: 30_001),
            attacker.record(network, ahead: -120_001),
        ]
        for record in records { try tell(record, &network, &attacker, cookie) }
        let figures = network.nodes[0].engine.figures
        #expect(figures.refused[.otherChain] == 1)
        #expect(figures.refused[.fromFuture] == 1)
        #expect(figures.refused[.tooOld] == 1)
        #expect(network.nodes[0].engine.status(of: attacker.peerID) == nil)
        try tell(attacker.record(network, ahead: 29_000), &network, &attacker, cookie)
        #expect(network.nodes[0].engine.status(of: attacker.peerID)?.state == .alive)
    }

    @Test func anAdvertIsHeldToWhatAMachineCanBe() throws {
        var (network, attacker, cookie) = try network()
        let endless = Capacity(
            signaturesPerSecond: .max, free: .max, forecast: .max, queueMilliseconds: .max,
            kilobitsPerSecond: .max, storageMegabytes: .max)
        try tell(
            attacker.record(network, capacity: endless), &network, &attacker, cookie)
        let told = try #require(network.nodes[0].capacities[attacker.peerID])
        #expect(told == endless.capped)
        #expect(told.free == GossipLimits.signaturesPerSecondMax)
        let odd = Capacity(signaturesPerSecond: 10, free: 20, forecast: 30)
        #expect(odd.capped.free == 10 && odd.capped.forecast == 10)
    }

    @Test func aFloodOfOneNodesRecordsIsHeldToItsRate() throws {
        var (network, attacker, cookie) = try network()
        let before = network.nodes[0].engine.figures.signaturesChecked
        for sequence in UInt64(1)...500 {
            try tell(
                attacker.record(network, sequence: sequence), &network, &attacker, cookie)
            network.run(until: 10)
        }
        let checked = network.nodes[0].engine.figures.signaturesChecked - before
        #expect(checked <= 30, "\(checked) signatures in five seconds")
    }

    @Test func aLiarCanMakeNobodyDeadWhoAnswers() throws {
        var (network, attacker, cookie) = try network()
        try tell(attacker.record(network), &network, &attacker, cookie)
        for _ in 0..<600 {
            let sequence = network.nodes[1].engine.own.sequence
            let claims = [0, 2].map {
                News.suspicion(of: network.id(1), sequence: sequence, accuser: network.id($0))
            }
            let bytes = try attacker.seal(
                GossipMessage(.news, news: claims), for: network.id(0), cookie: cookie,
                wall: network.moment.wall)
            network.handle(.datagram(bytes, from: attacker.endpoint), at: 0)
            network.run(until: 100)
        }
        let states = network.nodes.flatMap(\.changes).filter { $0.peerID == network.id(1) }
        #expect(states.contains { $0.state == .suspect })
        #expect(states.allSatisfy { $0.state != .dead })
        #expect(network.nodes[1].engine.figures.refutations <= 130)
    }

    @Test func anAddressInARecordThatNobodyAnswersAtGetsBarePingsOnly() throws {
        var (network, attacker, cookie) = try network()
        let victim = try #require(Endpoint(host: "172.16.9.9", port: 53))
        let record = PeerRecord(
            chainID: GossipNetwork.chain, sequence: 1, timestamp: network.moment.wall,
            addresses: [PeerAddress(.gossip, victim)], roles: .relay, versions: 1...1,
            capacity: Capacity(), signedBy: attacker.key)
        try tell(record, &network, &attacker, cookie)
        network.run(until: 60_000)
        let toVictim = network.strays.filter { $0.to == victim }
        #expect(!toVictim.isEmpty)
        #expect(toVictim.allSatisfy { $0.bytes.count <= 300 })
        #expect(toVictim.count <= 120, "\(toVictim.count) in a minute from three nodes")
    }
}

@Suite struct WindowTests {
    @Test func eachNumberIsTakenOnceAndTheOldNotAtAll() {
        var generator = SeededGenerator(seed: 6)
        var window = ReplayWindow()
        var taken: Set<UInt64> = []
        var highest: UInt64 = 0
        for _ in 0..<20_000 {
            let near = highest > 80 ? highest - 80 : 0
            let number = near + generator.next(upperBound: 100)
            let isFresh = !taken.contains(number) && (taken.isEmpty || number + 64 > highest)
            #expect(window.allows(number) == isFresh)
            if isFresh {
                window.note(number)
                taken.insert(number)
                highest = max(highest, number)
            }
        }
        window.note(.max)
        #expect(!window.allows(.max) && !window.allows(0) && window.allows(.max - 1))
    }

    @Test func aBucketGivesItsBurstAndThenItsRate() {
        var bucket = TokenBucket(Rate(perSecond: 10, burst: 5), at: Instant(milliseconds: 0))
        var given = 0
        for millisecond in UInt64(0)..<2_000 {
            if bucket.take(at: Instant(milliseconds: millisecond)) { given += 1 }
        }
        #expect(given == 5 + 19)
        let isGiven = bucket.take(at: Instant(milliseconds: .max))
        #expect(isGiven)
    }

    @Test func aSharedKeyOpensAtTheOtherEndOnly() throws {
        let (left, right, other) = (testKey(1), testKey(2), testKey(3))
        let nonce = BoxNonce(1, 2, 3)
        let sealed = try #require(left.sharedKey(with: right.publicKey)).seal([1, 2, 3], nonce)
        let back = try #require(right.sharedKey(with: left.publicKey))
        #expect(back.open(sealed, nonce) == [1, 2, 3])
        #expect(back.open(sealed, BoxNonce(1, 2, 4)) == nil)
        #expect(other.sharedKey(with: left.publicKey)?.open(sealed, nonce) == nil)
        #expect("\(back)" == "SharedKey([redacted])")
        // No point of the group, and points of small order.
        #expect(left.sharedKey(with: filled(0xFF)) == nil)
        #expect(left.sharedKey(with: filled(0)) == nil)
    }
}
