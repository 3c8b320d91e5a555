import NodeCore
import Primitives
import Testing

@Suite struct TipHistoryTests {
    @Test func `without transactions nobody tips`() {
        var tips = TipHistory()
        tips.note([])
        for permille in [-1, 0, 500, 1000, 2000] { #expect(tips.tip(atPermille: permille) == 0) }
    }

    @Test func `it tells what so many don't exceed`() {
        var tips = TipHistory()
        tips.note((0..<10).map { Amount($0) })
        #expect(tips.tip(atPermille: 0) == 0)
        #expect(tips.tip(atPermille: 500) == 5)
        #expect(tips.tip(atPermille: 900) == 9)
        #expect(tips.tip(atPermille: 1000) == 9)
    }

    @Test func `old blocks and the many of a large one don't drown the others`() {
        var tips = TipHistory()
        for _ in 0..<100 { tips.note([1000]) }
        for _ in 0..<32 { tips.note([3]) }
        #expect(tips.tip(atPermille: 1000) == 3)
        tips.note([Amount](repeating: 77, count: 100_000))
        #expect(tips.tip(atPermille: 100) == 3)
        #expect(tips.tip(atPermille: 900) == 77)
        // The highest of a block is among those that are remembered.
        for _ in 0..<32 { tips.note((1...127).map { Amount($0) }) }
        #expect(tips.tip(atPermille: 1000) == 127)
    }
}
