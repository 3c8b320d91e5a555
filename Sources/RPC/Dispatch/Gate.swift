internal import Synchronization

/// Lets a bounded number through at once, and turns the others away instead of queueing them.
package final class Gate: Sendable {
    private let maximum: Int
    private let inside = Mutex(0)

    /// - Parameter maximum: How many are inside at most.
    package init(maximum: Int) { self.maximum = maximum }

    /// Takes a place; false if none is free. Each true needs one `leave`.
    package func enter() -> Bool {
        inside.withLock { inside in
            guard inside < maximum else { return false }
            inside += 1
            return true
        }
    }

    /// Gives a place back.
    package func leave() {
        inside.withLock { inside in
            precondition(inside > 0, "left a gate that nobody entered")
            inside -= 1
        }
    }
}
