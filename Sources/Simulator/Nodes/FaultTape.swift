internal import Primitives

/// The decisions whether something breaks, numbered in the order in which they were made.
///
/// They come from a generator of their own, so that a run in which only some of them take effect
/// stays close to the run in which all did: that is how a failing run is made shorter.
struct FaultTape {
    private let seed: UInt64
    private let allowed: Set<Int>?
    private(set) var count = 0
    /// Decisions that took effect, rising.
    private(set) var fired: [Int] = []

    init(seed: UInt64, allowed: Set<Int>?) {
        self.seed = seed
        self.allowed = allowed
    }

    /// Whether the next thing breaks.
    /// - Parameter share: how often, in `whole`.
    mutating func fires(_ share: UInt64, in whole: UInt64 = 1_000) -> Bool {
        guard share > 0 else { return false }
        count += 1
        var random = SeededRandom(seed: seed ^ UInt64(count) &* 0x9E6C_63D0_985B_3A6F)
        guard random.next() % whole < share, allowed?.contains(count) ?? true else { return false }
        fired.append(count)
        return true
    }
}
