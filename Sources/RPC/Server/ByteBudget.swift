internal import Synchronization

/// Bytes that requests and answers under way hold together at most; who finds no room is turned
/// away, not queued. What is small is free: so many of these as there are connections are bounded
/// anyway, and whoever fills the budget with what is large can't keep small requests out.
final class ByteBudget: Sendable {
    private let maximum: Int
    private let taken = Mutex(0)

    init(maximum: Int) { self.maximum = maximum }

    /// Bytes taken now.
    var count: Int { taken.withLock { $0 } }

    fileprivate func take(_ count: Int) -> Bool {
        taken.withLock { taken in
            guard taken + count <= maximum else { return false }
            taken += count
            return true
        }
    }

    fileprivate func give(_ count: Int) { taken.withLock { $0 -= count } }
}

/// What one request, or one answer, has of the budget; given back with the last reference to it.
final class HeldBytes: Sendable {
    private let budget: ByteBudget
    private let held = Mutex(0)

    init(_ budget: ByteBudget) { self.budget = budget }

    deinit { budget.give(held.withLock { $0 }) }

    /// Takes what is missing to `count` bytes; false if there is no room for it.
    func grow(to count: Int) -> Bool {
        guard count > RPCLimits.freeBytesMax else { return true }
        return held.withLock { held in
            guard count > held else { return true }
            guard budget.take(count - held) else { return false }
            held = count
            return true
        }
    }
}
