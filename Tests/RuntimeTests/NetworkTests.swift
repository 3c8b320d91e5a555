import Foundation
import Primitives
import TestSupport
import Testing

@testable import Runtime

@Suite("Links between nodes", .serialized)
struct NetworkTests {
    /// Mixed frames: numbered, of every kind for others, some large, some that shrink.
    private func frames(_ count: Int, seed: UInt64) -> [OutgoingFrame] {
        var generator = SeededGenerator(seed: seed)
        let kinds = FrameKind.allCases.filter { $0 != .control }
        return (0..<count).map { number in
            let kind = kinds[Int.random(in: 0..<kinds.count, using: &generator)]
            let size = number % 100 == 0 ? 30_000 : Int.random(in: 0...300, using: &generator)
            let fill = UInt8.random(in: 0...255, using: &generator)
            let head = withUnsafeBytes(of: UInt32(number).littleEndian) { Array($0) }
            return OutgoingFrame(kind, head + [UInt8](repeating: fill, count: size))
        }
    }

    private func isSame(_ received: [Frame], _ sent: [OutgoingFrame]) -> Bool {
        FrameKind.allCases.allSatisfy { kind in
            received.filter { $0.kind == kind }.map(\.payload)
                == sent.filter { $0.kind == kind }.map(\.payload)
        }
    }

    @Test("Two nodes exchange 10,000 mixed frames each way, in order within a kind")
    func exchange() throws {
        let first = try TestNode(.test(1))
        let second = try TestNode(.test(2), peers: [first.peer()])
        defer {
            first.network.stop()
            second.network.stop()
        }
        #expect(first.handler.wait { $0.connections == [second.peerID] })
        #expect(second.handler.wait { $0.connections == [first.peerID] })
        let seed: UInt64 = 42
        let there = frames(10_000, seed: seed)
        let back = frames(10_000, seed: seed + 1)
        for start in stride(from: 0, to: 10_000, by: 50) {
            first.network.send(Array(there[start..<start + 50]), to: second.peerID)
            second.network.broadcast(Array(back[start..<start + 50]))
        }
        #expect(second.handler.wait(seconds: 60) { $0.frames[first.peerID]?.count == 10_000 })
        #expect(first.handler.wait(seconds: 60) { $0.frames[second.peerID]?.count == 10_000 })
        #expect(isSame(second.handler.frames(from: first.peerID), there), "seed \(seed)")
        #expect(isSame(first.handler.frames(from: second.peerID), back), "seed \(seed)")
        let status = try #require(first.network.peers.first)
        #expect(status.peerID == second.peerID)
        #expect(status.direction == .incoming)
        #expect((status.bytesOut[.consensus] ?? 0) > 0)
        #expect((status.bytesIn[.batches] ?? 0) > 0)
        #expect(first.metrics.text().contains("offpeak_network_links 1\n"))
    }

    @Test("A node that ends and starts again is reached again")
    func reconnect() throws {
        let first = try TestNode(.test(1))
        var second = try TestNode(.test(2))
        defer { first.network.stop() }
        first.network.keepLink(to: second.peer())
        #expect(first.handler.wait { $0.connections.count == 1 })
        let port = second.network.port
        second.network.stop()
        #expect(first.handler.wait { $0.closings.count == 1 })
        #expect(first.network.peers.isEmpty)
        second = try TestNode(.test(2), port: port)
        defer { second.network.stop() }
        #expect(first.handler.wait { $0.connections.count == 2 })
        #expect(second.handler.wait { $0.connections.count == 1 })
        first.network.send([OutgoingFrame(.consensus, [7])], to: second.peerID)
        #expect(second.handler.wait { $0.frames[first.peerID]?.count == 1 })
    }

    @Test("Links that were stopped take calls, also a second stop, and do nothing")
    func afterStop() async {
        await #expect(processExitsWith: .success) {
            // A task on a loop that has ended then ends the process instead of writing a line.
            setenv("SWIFTNIO_STRICT", "1", 1)
            let node = try TestNode(.test(1))
            node.network.stop()
            node.network.broadcast([OutgoingFrame(.consensus, [7])])
            node.network.keepLink(to: node.peer())
            node.network.dropLink(to: node.peerID)
            node.network.penalise(node.peerID, reason: "none", points: 1)
            node.network.stop()
        }
    }

    @Test("Two nodes that dial each other at once keep one link")
    func bothDial() throws {
        let first = try TestNode(.test(1))
        let second = try TestNode(.test(2))
        defer {
            first.network.stop()
            second.network.stop()
        }
        first.network.keepLink(to: second.peer())
        second.network.keepLink(to: first.peer())
        #expect(first.handler.wait { $0.connections.count == 1 })
        #expect(second.handler.wait { $0.connections.count == 1 })
        for number in UInt8(0)..<100 {
            first.network.send([OutgoingFrame(.consensus, [number])], to: second.peerID)
        }
        #expect(second.handler.wait { $0.frames[first.peerID]?.count == 100 })
        #expect(first.handler.connectionCount == 1)
        #expect(second.handler.connectionCount == 1)
        #expect(first.handler.reasons.isEmpty)
        #expect(first.network.peers.count == 1)
    }

    @Test("A peer with another genesis is refused, and both chain ids are in the log")
    func otherGenesis() throws {
        let first = try TestNode(.test(1), chain: 1)
        let second = try TestNode(.test(2), chain: 2, peers: [first.peer()])
        defer {
            first.network.stop()
            second.network.stop()
        }
        let ids = ["\(TestNode.chain(1))", "\(TestNode.chain(2))"]
        #expect(second.log.wait(for: ["another genesis"] + ids))
        #expect(first.handler.connectionCount == 0)
        #expect(second.handler.connectionCount == 0)
    }

    @Test("A node that is neither a validator nor configured is refused")
    func unknownPeer() throws {
        let first = try TestNode(.test(1), isAllowed: { _ in false })
        let second = try TestNode(.test(2), peers: [first.peer()])
        defer {
            first.network.stop()
            second.network.stop()
        }
        #expect(first.log.wait(for: ["neither a validator nor configured", "\(second.peerID)"]))
        #expect(first.handler.connectionCount == 0)
        #expect(second.handler.connectionCount == 0)
    }

    @Test("A node at the address of another one is refused")
    func wrongPeer() throws {
        let first = try TestNode(.test(1))
        let wanted = PeerID(SecretKey.test(9).publicKey)
        let second = try TestNode(.test(2), peers: [first.peer(wanted)])
        defer {
            first.network.stop()
            second.network.stop()
        }
        #expect(second.log.wait(for: ["the node at this address is \(first.peerID)", "\(wanted)"]))
        #expect(first.handler.connectionCount == 0)
    }

    @Test("Random bytes, a frame of 4 GiB and silence at the port leave the node unharmed")
    func strangers() throws {
        var limits = TestNode.limits
        limits.handshakeMilliseconds = 300
        let first = try TestNode(.test(1), limits: limits)
        let second = try TestNode(.test(2))
        defer {
            first.network.stop()
            second.network.stop()
        }
        for seed in UInt64(0)..<20 {
            var generator = SeededGenerator(seed: seed)
            let bytes = (0..<Int.random(in: 1...2000, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            #expect(try Stranger(port: first.network.port).sendAndDrain(bytes), "seed \(seed)")
        }
        #expect(try Stranger(port: first.network.port).sendAndDrain([1, 0, 255, 255, 255, 255]))
        // Without a byte, the time for the handshake ends the connection.
        #expect(try Stranger(port: first.network.port).sendAndDrain([]))
        #expect(first.log.wait(for: ["didn't finish the handshake in time"]))
        second.network.keepLink(to: first.peer())
        #expect(first.handler.wait { $0.connections == [second.peerID] })
    }

    @Test("Links beyond the limit for one address are refused")
    func limits() throws {
        var limits = TestNode.limits
        limits.linksPerAddressMax = 2
        let first = try TestNode(.test(1), limits: limits)
        defer { first.network.stop() }
        let others = try (2...5).map { try TestNode(.test($0), peers: [first.peer()]) }
        defer { for other in others { other.network.stop() } }
        #expect(first.handler.wait { $0.connections.count == 2 })
        #expect(first.log.wait(for: ["2 links come from 127.0.0.1"]))
        #expect(first.network.peers.count == 2)
    }

    @Test("A peer whose points reach the limit is disconnected and stays banned")
    func penalty() throws {
        let first = try TestNode(.test(1))
        let second = try TestNode(.test(2), peers: [first.peer()])
        defer {
            first.network.stop()
            second.network.stop()
        }
        #expect(first.handler.wait { $0.connections.count == 1 })
        first.network.penalise(second.peerID, reason: "a wrong signature", points: 60)
        first.network.penalise(second.peerID, reason: "a wrong signature", points: 60)
        #expect(first.handler.wait { $0.closings == [.penalised("a wrong signature")] })
        #expect(second.handler.wait { $0.closings.count == 1 })
        #expect(first.log.wait(for: ["is banned for"]))
        #expect(first.network.peers.isEmpty)
    }

    @Test("A saturated node stops reading, and goes on where it stopped")
    func backPressure() throws {
        let first = try TestNode(.test(1))
        let second = try TestNode(.test(2), peers: [first.peer()])
        defer {
            first.network.stop()
            second.network.stop()
        }
        #expect(first.handler.wait { $0.connections.count == 1 })
        first.handler.isSaturated = true
        var generator = SeededGenerator(seed: 4)
        let noise = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let frames = (0..<100).map { _ in OutgoingFrame(.batches, noise) }
        second.network.send(frames, to: first.peerID)
        // A node that stopped reading takes no more than what one read brings.
        #expect(!first.handler.wait(seconds: 0.3) { $0.frames[second.peerID]?.count == 100 })
        first.handler.isSaturated = false
        #expect(first.handler.wait { $0.frames[second.peerID]?.count == 100 })
    }

    @Test("A link is closed when more waits than its kind may hold")
    func overflow() throws {
        let first = try TestNode(.test(1))
        let second = try TestNode(.test(2), peers: [first.peer()])
        defer {
            first.network.stop()
            second.network.stop()
        }
        #expect(second.handler.wait { $0.connections.count == 1 })
        first.handler.isSaturated = true
        var generator = SeededGenerator(seed: 4)
        let noise = (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for _ in 0..<40 { second.network.send([OutgoingFrame(.batches, noise)], to: first.peerID) }
        #expect(second.handler.wait { $0.closings.contains(.tooSlow(.batches)) })
    }

    @Test("Pings measure the round trip, and a silent peer is given up")
    func keepAlive() throws {
        var limits = TestNode.limits
        limits.pingMilliseconds = 20
        limits.silenceMilliseconds = 400
        let first = try TestNode(.test(1), limits: limits)
        let second = try TestNode(.test(2))
        defer {
            first.network.stop()
            second.network.stop()
        }
        first.network.keepLink(to: second.peer())
        #expect(first.handler.wait { $0.connections.count == 1 })
        // The peer reads nothing: it answers no ping.
        second.handler.isSaturated = true
        second.network.broadcast([])
        #expect(first.handler.wait { $0.closings.contains { $0.name == "silent" } })
    }

    @Test("A port in use is refused with what to do")
    func portInUse() throws {
        let first = try TestNode(.test(1))
        defer { first.network.stop() }
        #expect {
            _ = try TestNode(.test(2), port: first.network.port)
        } throws: { "\($0)".contains("can't listen on 127.0.0.1:\(first.network.port)") }
    }
}

@Suite("Waits and bans")
struct BackoffTests {
    private let generator = Box(SeededGenerator(seed: 1))

    private func next(_ backoff: Box<Backoff>) -> UInt64 {
        backoff.value.next(using: &generator.value)
    }

    @Test("Waits double up to their bound, with jitter within the half")
    func backoff() {
        let backoff = Box(Backoff(50...5000))
        for bound in [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000] as [UInt64] {
            #expect((bound / 2...bound).contains(next(backoff)))
        }
        for _ in 0..<100 { #expect(next(backoff) >= 2500) }
        backoff.value.reset()
        #expect(next(backoff) <= 50)
    }

    @Test("Points fade, bans grow")
    func scores() {
        let scores = Box(PeerScores<Int>())
        #expect(!scores.change { $0.penalise(1, points: 60, at: 0) })
        #expect(!scores.change { $0.penalise(1, points: 60, at: 60_000) })
        #expect(scores.value.banRemaining(1, at: 60_000) == 0)
        #expect(scores.change { $0.penalise(1, points: 60, at: 60_000) })
        #expect(scores.value.banRemaining(1, at: 60_000) == 10_000)
        #expect(scores.value.banRemaining(1, at: 70_000) == 0)
        #expect(scores.change { $0.penalise(1, points: 100, at: 100_000) })
        #expect(scores.value.banRemaining(1, at: 100_000) == 20_000)
        #expect(scores.value.banRemaining(2, at: 0) == 0)
        for _ in 0..<100 { _ = scores.value.penalise(1, points: 100, at: 200_000) }
        #expect(scores.value.banRemaining(1, at: 200_000) == 3_600_000)
    }
}

/// A bare TCP connection.
struct Stranger {
    private let descriptor: Int32

    struct Refused: Error {}

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Refused() }
    }

    /// Sends bytes and reads until the other end closes; false if it doesn't within 20 s.
    func sendAndDrain(_ bytes: [UInt8]) -> Bool {
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }
}
