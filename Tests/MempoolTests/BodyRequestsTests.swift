import Primitives
import TestSupport
import Testing

@testable import Mempool

@Suite struct BodyRequestsTests {
    private static let holders = (1...3).compactMap { number in
        PeerID(bytes: [UInt8](repeating: UInt8(number), count: 32))
    }

    private static func digest(_ number: Int) -> Digest {
        .hash(.payload, UInt64(number).bcsLittleEndian)
    }

    /// One line that all holders share, so many bytes in a millisecond; what was asked waits its
    /// turn in it.
    private struct Line {
        let rate: Int
        var queue: [(digest: Digest, left: Int)] = []
        var carried = 0

        mutating func carry(_ milliseconds: Int) -> [Digest] {
            var room = rate * milliseconds
            var arrived: [Digest] = []
            while room > 0, !queue.isEmpty {
                let part = min(room, queue[0].left)
                queue[0].left -= part
                (room, carried) = (room - part, carried + part)
                if queue[0].left == 0 { arrived.append(queue.removeFirst().digest) }
            }
            return arrived
        }
    }

    /// Milliseconds until all bodies are here, and bytes that the line carried.
    private func fetch(_ count: Int, bytes: Int, rate: Int) -> (time: Int, carried: Int) {
        var requests = BodyRequests()
        for number in 0..<count {
            requests.want(Self.digest(number), bytes: bytes, from: Self.holders)
        }
        var line = Line(rate: rate)
        var time = 0
        while requests.count > 0, time < 3_600_000 {
            let asked = requests.take(
                at: Instant(milliseconds: UInt64(time)), connected: Set(Self.holders))
            line.queue += asked.flatMap(\.1).map { ($0, bytes) }
            for digest in line.carry(50) { _ = requests.take(digest) }
            time += 50
        }
        return (time, line.carried)
    }

    @Test(
        "A narrow line carries no body again and again",
        arguments: [
            (400, 13_000, 30, 4), (400, 13_000, 100, 3), (60, 1 << 20, 300, 4),
            (20, 1 << 20, 100, 7),
        ])
    func narrow(count: Int, bytes: Int, rate: Int, factor: Int) {
        let (time, carried) = fetch(count, bytes: bytes, rate: rate)
        let useful = count * bytes
        #expect(carried < factor * useful, "\(carried) for \(useful)")
        #expect(time < factor * useful / rate, "\(time) ms")
    }

    @Test func `a wide line isn't held back`() {
        let (time, carried) = fetch(400, bytes: 13_000, rate: 20_000)
        #expect(time <= 1_000, "\(time) ms")
        #expect(carried == 400 * 13_000)
    }

    @Test func `a lost answer is asked of the next holder`() {
        var requests = BodyRequests()
        requests.want(Self.digest(1), bytes: 100, from: Self.holders)
        var asked: Set<PeerID> = []
        for time in stride(from: 0, to: 4_000, by: 50) {
            let now = Instant(milliseconds: UInt64(time))
            asked.formUnion(requests.take(at: now, connected: Set(Self.holders)).map(\.0))
        }
        #expect(asked.count == 3)
    }

    @Test func `a peer that was silent and speaks again is asked anew at once`() {
        var requests = BodyRequests()
        requests.want(Self.digest(1), bytes: 100, from: Array(Self.holders.prefix(1)))
        let peer = Self.holders[0]
        func ask(_ time: UInt64) -> Bool {
            !requests.take(at: Instant(milliseconds: time), connected: [peer]).isEmpty
        }
        for time in stride(from: UInt64(0), to: 30_000, by: 50) { _ = ask(time) }
        #expect(requests.patience == MempoolTimes.bodyRetryMax)
        #expect(!ask(30_000))
        requests.hear(peer, at: Instant(milliseconds: 30_010))
        #expect(ask(30_010))
        requests.hear(peer, at: Instant(milliseconds: 30_020))
        #expect(!ask(30_020))
    }

    @Test func `only who was asked can say that he hasn't got it, and all of them cause a pause`() {
        var requests = BodyRequests()
        requests.want(Self.digest(1), bytes: 100, from: Self.holders)
        let start = Instant(milliseconds: 0)
        var turns = 0
        for _ in 0..<10 {
            guard let (peer, _) = requests.take(at: start, connected: Set(Self.holders)).first
            else { break }
            turns += 1
            for other in Self.holders where other != peer {
                requests.markMissing(Self.digest(1), at: other)
            }
            #expect(requests.take(at: start, connected: Set(Self.holders)).isEmpty)
            requests.markMissing(Self.digest(1), at: peer)
        }
        #expect(turns == 3)
    }

    @Test func `what is under way is bounded, but one body always is`() {
        var requests = BodyRequests()
        for number in 0..<8 {
            requests.want(Self.digest(number), bytes: 300 << 10, from: Self.holders)
        }
        let start = Instant(milliseconds: 0)
        let asked = requests.take(at: start, connected: Set(Self.holders)).flatMap(\.1)
        #expect(asked == [Self.digest(0)])
        var large = BodyRequests()
        large.want(Self.digest(0), bytes: 8 << 20, from: Self.holders)
        #expect(large.take(at: start, connected: Set(Self.holders)).count == 1)
    }
}
