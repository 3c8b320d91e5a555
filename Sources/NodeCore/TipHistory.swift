internal import Collections
internal import DequeModule
package import Primitives

/// What was paid above the base fee in the newest blocks: what others pay to be earlier.
package struct TipHistory: Sendable {
    /// Blocks that are remembered; those without transactions don't count.
    static let blocksMax = 32
    /// Tips of a block that are remembered, evenly out of all.
    static let tipsMax = 64

    private var blocks: Deque<[UInt64]> = []

    package init() {}

    /// Notes the tips of a block's executed transactions.
    package mutating func note(_ tips: [Amount]) {
        guard !tips.isEmpty else { return }
        let sorted = tips.map(\.rawValue).sorted()
        let count = min(sorted.count, TipHistory.tipsMax)
        blocks.append((1...count).map { sorted[$0 * sorted.count / count - 1] })
        if blocks.count > TipHistory.blocksMax { blocks.removeFirst() }
    }

    /// The tip that `permille` in a thousand of the remembered don't exceed; 0 without any.
    package func tip(atPermille permille: Int) -> Amount {
        let all = blocks.flatMap { $0 }.sorted()
        guard !all.isEmpty else { return 0 }
        return Amount(all[min(all.count - 1, all.count * min(max(permille, 0), 1000) / 1000)])
    }
}
