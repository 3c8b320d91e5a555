import Mempool
import Primitives
import Testing

@testable import Runtime

@Suite("Checks of the last minutes")
struct CheckHistoryTests {
    private func counts(_ admission: UInt64) -> SignatureTally {
        var counts = SignatureTally()
        counts.admission = admission
        return counts
    }

    private func at(_ seconds: UInt64) -> Instant { Instant(milliseconds: seconds * 1000) }

    @Test("nothing is known before the first sample")
    func empty() {
        let recent = CheckHistory().recent(counts(5), at: at(100))
        #expect(recent.map(\.minutes) == [1, 5, 15])
        #expect(recent.allSatisfy { $0.milliseconds == 0 && $0.counts.total == 0 })
    }

    @Test("each window counts from its beginning, a young node's from its start")
    func windows() {
        var history = CheckHistory()
        // Ten a second for 400 seconds.
        for second in 0...400 {
            history.note(counts(UInt64(10 * second)), at: at(UInt64(second)))
        }
        let recent = history.recent(counts(4000), at: at(400))
        #expect(recent.map(\.milliseconds) == [60_000, 300_000, 400_000])
        #expect(recent.map(\.counts.admission) == [600, 3000, 4000])
    }

    @Test("samples reach a quarter of an hour back and no further")
    func bounded() {
        var history = CheckHistory()
        for second in 0..<5000 {
            history.note(counts(UInt64(second)), at: at(UInt64(second)))
        }
        let recent = history.recent(counts(5000), at: at(5000))
        #expect(recent[2].milliseconds >= 15 * 60_000)
        #expect(recent[2].milliseconds < 15 * 60_000 + 6_000)
    }
}
