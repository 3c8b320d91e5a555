import Execution
import Foundation
import Gossip
import NIOCore
import NIOPosix
import Primitives
import Testing

@testable import Runtime

/// Records what gossip tells, and lets a test wait for it.
// SAFETY: every property is used with the condition's lock held.
private final class RecordingListener: GossipListener, @unchecked Sendable {
    private let condition = NSCondition()
    private var states: [PeerID: MemberState] = [:]
    private var adverts: [PeerID: Capacity] = [:]

    func reviewed(_ members: [MemberStatus], at now: Instant) {
        change {
            states = [:]
            for member in members { states[member.peerID] = member.state }
        }
    }

    func advertised(_ peer: PeerID, _ capacity: Capacity) { change { adverts[peer] = capacity } }

    private func change(_ body: () -> Void) {
        condition.withLock {
            body()
            condition.broadcast()
        }
    }

    func wait(
        seconds: Double = 20, until holds: ([PeerID: MemberState], [PeerID: Capacity]) -> Bool
    ) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        return condition.withLock {
            while !holds(states, adverts) {
                guard condition.wait(until: end) else { return holds(states, adverts) }
            }
            return true
        }
    }

    func wait(for peers: [PeerID], in state: MemberState, seconds: Double = 20) -> Bool {
        wait(seconds: seconds) { states, _ in peers.allSatisfy { states[$0] == state } }
    }
}

private struct GossipNode {
    let key: SecretKey
    let listener = RecordingListener()
    let metrics = Metrics()
    let gossip: PeerGossip

    var peerID: PeerID { PeerID(key.publicKey) }
    var endpoint: Endpoint? { Endpoint(host: "127.0.0.1", port: gossip.port) }

    init(_ number: UInt8, seeds: [Endpoint?] = [], port: UInt16? = nil) throws {
        key = .test(number)
        let port = try port ?? GossipNode.freePort()
        let own = try #require(Endpoint(host: "127.0.0.1", port: port))
        let settings = GossipSettings(
            chainID: TestNode.chain(1),
            addresses: [PeerAddress(.links, own), PeerAddress(.gossip, own)],
            seeds: seeds.compactMap { $0 })
        gossip = try PeerGossip(
            listen: NetworkAddress(host: "127.0.0.1", port: port), settings: settings,
            identity: key, listener: listener, log: LogLines().logger(), metrics: metrics)
    }

    /// A port that the system gave a socket which is closed again.
    static func freePort() throws -> UInt16 {
        let channel = try DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).wait()
        defer { try? channel.close().wait() }
        return UInt16(try #require(channel.localAddress?.port))
    }
}

@Suite("Gossip over sockets", .serialized)
struct GossipSocketTests {
    @Test("Three nodes find each other from one seed, and hear each other's adverts")
    func join() throws {
        let seed = try GossipNode(41)
        let others = try [42, 43].map { try GossipNode($0, seeds: [seed.endpoint]) }
        defer { for node in [seed] + others { node.gossip.stop() } }
        let began = Date()
        #expect(seed.listener.wait(for: others.map(\.peerID), in: .alive))
        #expect(others[0].listener.wait(for: [seed.peerID, others[1].peerID], in: .alive))
        #expect(others[1].listener.wait(for: [seed.peerID, others[0].peerID], in: .alive))
        print("three nodes found each other within \(Date().timeIntervalSince(began)) s")
        let capacity = Capacity(signaturesPerSecond: 12_345, free: 345)
        others[0].gossip.setCapacity(capacity)
        #expect(others[1].listener.wait { $1[others[0].peerID] == capacity })
    }

    @Test("A farewell is heard at once")
    func farewell() throws {
        let seed = try GossipNode(44)
        let leaver = try GossipNode(45, seeds: [seed.endpoint])
        defer { seed.gossip.stop() }
        #expect(seed.listener.wait(for: [leaver.peerID], in: .alive))
        // Before it knows anybody, it has nobody to say farewell to.
        #expect(leaver.listener.wait(for: [seed.peerID], in: .alive))
        leaver.gossip.stop()
        #expect(seed.listener.wait(for: [leaver.peerID], in: .left, seconds: 3))
    }

    @Test("Gossip that was stopped takes calls, also a second stop, and does nothing")
    func afterStop() async {
        await #expect(processExitsWith: .success) {
            // A task on a loop that has ended then ends the process instead of writing a line.
            setenv("SWIFTNIO_STRICT", "1", 1)
            let node = try GossipNode(46)
            node.gossip.stop()
            node.gossip.trust([node.peerID])
            node.gossip.linkLost(node.peerID)
            node.gossip.setCapacity(Capacity())
            node.gossip.stop()
        }
    }

    @Test("A node whose socket closes without a word is dead within the bound")
    func death() throws {
        let seed = try GossipNode(48)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let pool = NIOThreadPool(numberOfThreads: 1)
        defer {
            seed.gossip.stop()
            try? group.syncShutdownGracefully()
        }
        let victim = SecretKey.test(49)
        let own = try #require(Endpoint(host: "127.0.0.1", port: try GossipNode.freePort()))
        let settings = GossipSettings(
            chainID: TestNode.chain(1), addresses: [PeerAddress(.gossip, own)],
            seeds: [try #require(seed.endpoint)])
        let eventLoop = group.next()
        let loop = try eventLoop.submit {
            NIOLoopBound(
                GossipLoop(
                    settings, identity: victim, listener: RecordingListener(),
                    log: LogLines().logger(), view: GossipView(), eventLoop: eventLoop,
                    gate: LoopGate(eventLoop), resolver: pool), eventLoop: eventLoop)
        }.wait()
        let channel = try DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(loop.value)
                }
            }
            .bind(host: own.host, port: Int(own.port)).wait()
        try eventLoop.submit { loop.value.begin(channel) }.wait()
        let peer = PeerID(victim.publicKey)
        #expect(seed.listener.wait(for: [peer], in: .alive))
        try channel.close().wait()
        let began = Date()
        // Twice the bound of virtual time: this machine may have other things to do.
        let bound = Double(GossipBounds(n: 2).deathKnown) / 1000
        #expect(seed.listener.wait(for: [peer], in: .dead, seconds: 2 * bound))
        print("a death was known after \(Date().timeIntervalSince(began)) s of \(bound)")
    }

    @Test("A flood from a raw socket costs no key, and the others are served")
    func flood() throws {
        let seed = try GossipNode(46)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer {
            seed.gossip.stop()
            try? group.syncShutdownGracefully()
        }
        let target = try SocketAddress(ipAddress: "127.0.0.1", port: Int(seed.gossip.port))
        let raw = try DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).wait()
        var generator = SystemRandomNumberGenerator()
        let until = Date(timeIntervalSinceNow: 2)
        var sent = 0
        var friend: GossipNode?
        while Date() < until {
            for _ in 0..<200 {
                var bytes = (0..<140).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
                (bytes[0], bytes[1]) = (1, 0)
                raw.write(
                    AddressedEnvelope(
                        remoteAddress: target, data: raw.allocator.buffer(bytes: bytes)),
                    promise: nil)
            }
            sent += 200
            raw.flush()
            Thread.sleep(forTimeInterval: 0.01)
            if friend == nil, sent > 5_000 { friend = try GossipNode(47, seeds: [seed.endpoint]) }
        }
        let peer = try #require(friend)
        defer { peer.gossip.stop() }
        #expect(seed.listener.wait(for: [peer.peerID], in: .alive, seconds: 5))
        #expect(peer.listener.wait(for: [seed.peerID], in: .alive, seconds: 5))
        let figures = seed.gossip.figures
        print("flood: \(sent) datagrams, \(figures.refused), \(figures.agreements) agreements")
        #expect(figures.agreements <= 2)
        try? raw.close().wait()
    }
}

@Suite("Which links gossip asks for")
struct LinkPlanTests {
    private func status(
        _ key: SecretKey, _ state: MemberState, port: UInt16 = 9, since: UInt64 = 0
    ) throws -> MemberStatus {
        let endpoint = try #require(Endpoint(host: "10.0.0.1", port: port))
        let record = PeerRecord(
            chainID: TestNode.chain(1), sequence: 1, timestamp: 1,
            addresses: [PeerAddress(.links, endpoint)], roles: .relay, versions: 1...1,
            capacity: Capacity(), signedBy: key)
        return MemberStatus(
            record: record, state: state, since: Instant(milliseconds: since))
    }

    private func committee(of keys: [SecretKey]) throws -> Committee {
        try Committee(
            chainID: TestNode.chain(1), epoch: 0,
            validators: keys.map {
                Validator(
                    votingKey: $0.publicKey, peerID: PeerID($0.publicKey), weight: 1,
                    rewardAddress: .zero)
            })
    }

    @Test("Validators are dialled by everybody, bonded verifiers by those who check with them")
    func chosen() throws {
        let keys = (UInt8(50)...54).map { SecretKey.test($0) }
        let ids = keys.map { PeerID($0.publicKey) }
        let committee = try committee(of: [keys[0], keys[1]])
        let members = try keys.map { try status($0, .alive) }
        let now = Instant(milliseconds: 0)
        func kept(_ own: Int) -> Set<PeerID> {
            var plan = LinkPlan(own: ids[own], configured: [ids[4]])
            let others = members.filter { $0.peerID != ids[own] }
            return Set(
                plan.update(others, committee: committee, bonded: [ids[2]], at: now).keep
                    .map(\.peerID))
        }
        #expect(kept(0) == [ids[1], ids[2]])
        #expect(kept(2) == [ids[0], ids[1]])
        #expect(kept(3) == [ids[0], ids[1]])
    }

    @Test("Another address is taken, a farewell and a long death end the dialling")
    func changes() throws {
        let keys = (UInt8(50)...51).map { SecretKey.test($0) }
        let other = PeerID(keys[1].publicKey)
        let committee = try committee(of: keys)
        var plan = LinkPlan(own: PeerID(keys[0].publicKey), configured: [])
        func change(
            _ state: MemberState, port: UInt16 = 9, since: UInt64 = 0, at now: UInt64 = 0
        ) throws -> LinkPlan.Change {
            plan.update(
                [try status(keys[1], state, port: port, since: since)], committee: committee,
                bonded: [], at: Instant(milliseconds: now))
        }
        #expect(try change(.alive).keep.map(\.address.port) == [9])
        #expect(try change(.suspect) == LinkPlan.Change())
        #expect(try change(.alive, port: 10).keep.map(\.address.port) == [10])
        #expect(try change(.dead, port: 10, at: 59_999) == LinkPlan.Change())
        #expect(try change(.dead, port: 10, at: 60_000).drop == [other])
        #expect(try change(.alive, port: 10).keep.map(\.peerID) == [other])
        #expect(try change(.left, port: 10).drop == [other])
    }
}

@Suite("Guests", .serialized)
struct GuestTests {
    @Test("Strangers are let in while there is room for guests, members always")
    func room() throws {
        var limits = TestNode.limits
        limits.guestsMax = 1
        let member = PeerID(SecretKey.test(62).publicKey)
        let host = try TestNode(.test(60), limits: limits, isAllowed: { $0 == member })
        let first = try TestNode(.test(61), peers: [host.peer()])
        defer {
            host.network.stop()
            first.network.stop()
        }
        #expect(host.handler.wait { $0.connections == [first.peerID] })
        let second = try TestNode(.test(63), peers: [host.peer()])
        defer { second.network.stop() }
        #expect(host.log.wait(for: ["1 strangers have links"]))
        let known = try TestNode(.test(62), peers: [host.peer()])
        defer { known.network.stop() }
        #expect(host.handler.wait { $0.connections == [first.peerID, member] })
        #expect(second.handler.connectionCount == 0)
    }

    @Test("A peer at another address is dialled there, and one that is dropped not at all")
    func moves() throws {
        let target = try TestNode(.test(64))
        let dialler = try TestNode(.test(65))
        defer {
            target.network.stop()
            dialler.network.stop()
        }
        let wrong = ConfiguredPeer(
            peerID: target.peerID, address: NetworkAddress(host: "127.0.0.1", port: 1))
        dialler.network.keepLink(to: wrong)
        dialler.network.keepLink(to: target.peer())
        #expect(target.handler.wait { $0.connections == [dialler.peerID] })
        dialler.network.dropLink(to: target.peerID)
        target.network.penalise(dialler.peerID, reason: "the test", points: 100)
        #expect(dialler.handler.wait { !$0.closings.isEmpty })
        #expect(dialler.network.peers.isEmpty)
    }
}
