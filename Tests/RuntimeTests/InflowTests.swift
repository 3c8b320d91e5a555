import NIOCore
import Primitives
import TestSupport
import Testing

@testable import Runtime

@Suite("What may come of strangers")
struct InflowTests {
    @Test("a rate lets its burst through, then so much a second, and debts are paid by time")
    func budget() {
        var budget = InflowBudget(InflowRate(perSecond: 100, burst: 10), at: 1000)
        budget.take(9, at: 1000)
        let first = budget.hasRoom(at: 1000)
        budget.take(51, at: 1000)
        // 50 are owed, and half a second pays them.
        let inDebt = budget.hasRoom(at: 1500)
        let paid = budget.hasRoom(at: 1501)
        #expect([first, inDebt, paid] == [true, false, true])
        let afterLong = budget.hasRoom(at: .max)
        budget.take(10, at: .max)
        // A clock that went back pays nothing.
        let before = budget.hasRoom(at: 0)
        #expect([afterLong, before] == [true, false])
    }

    @Test("what is unfinished is counted, and forgotten with its link")
    func unfinished() throws {
        var decoder = FrameDecoder()
        let chunk = [UInt8](repeating: 7, count: 1000)
        let header: [UInt8] = [FrameKind.sync.rawValue, FrameFormat.more, 0xe8, 3, 0, 0]
        decoder.receive(.init(bytes: header + chunk + header + chunk.prefix(10)))
        let frame = try decoder.next(Zstd())
        #expect(frame == nil)
        #expect(decoder.heldBytes == 1000 + header.count + 10)
        decoder.forget()
        #expect(decoder.heldBytes == 0)
    }

    @Test("a stranger that sends more than it may isn't read for a while; a known node is")
    func slowed() throws {
        var generator = SeededGenerator(seed: 4)
        let noise = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var limits = TestNode.limits
        limits.guestsMax = 4
        limits.guestFrames = InflowRate(perSecond: 100, burst: 10)
        for isKnown in [true, false] {
            let first = try TestNode(.test(1), limits: limits, isAllowed: { _ in isKnown })
            let second = try TestNode(.test(2), peers: [first.peer()])
            #expect(first.handler.wait { $0.connections.count == 1 })
            let frames = (0..<60).map { _ in OutgoingFrame(.batches, noise) }
            second.network.send(Array(frames.prefix(40)), to: first.peerID)
            second.network.send(Array(frames.dropFirst(40)), to: first.peerID)
            let sent = frames.count
            let early = first.handler.wait(seconds: 0.2) { $0.frames[second.peerID]?.count == sent }
            if !isKnown { #expect(!early) }
            #expect(first.handler.wait { ($0.frames[second.peerID]?.count ?? 0) >= 30 })
            first.network.stop()
            second.network.stop()
        }
    }

    @Test("a process that may open too few files for its links says so")
    func files() throws {
        #expect(try OpenFiles.reserve(links: 4, connections: 100) == 100)
        #expect(throws: HomeFault.self) {
            try OpenFiles.reserve(links: 1 << 40, connections: 100)
        }
    }
}
