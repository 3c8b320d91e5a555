internal import Primitives

/// How far the nodes were brought near that an update needs: for so many of its changes each.
struct TreeForesight: Sendable {
    /// How many changes ahead each step is.
    fileprivate static let stepChanges = 8
    /// How many changes beyond those that were visited; their nodes fit into the second cache.
    fileprivate static let aheadMax = 256
    /// The nodes above are few and near.
    fileprivate static let depthStart = 2

    /// The first depth without nodes; at most 16.
    fileprivate let depthEnd: Int
    /// Changes that were visited.
    fileprivate var visited = 0
    fileprivate var index = 0
    fileprivate var value = 0
    fileprivate var rest = 0

    init(depthEnd: Int) { self.depthEnd = max(TreeForesight.depthStart, min(depthEnd, 16)) }
}

extension StateTree {
    /// Brings the nodes near that the changes behind a place will need.
    mutating func foresee(after place: Int, _ changes: UnsafeBufferPointer<Change>) {
        let step = TreeForesight.stepChanges
        foresight.visited = place + 1
        guard place + step > foresight.rest else { return }
        foresee(foresight.index, place + 3 * step, .index, changes)
        foresight.index = max(foresight.index, place + 3 * step)
        foresee(foresight.value, place + 2 * step, .value, changes)
        foresight.value = max(foresight.value, place + 2 * step)
        foresee(foresight.rest, place + step, .rest, changes)
        foresight.rest = max(foresight.rest, place + step)
    }

    /// The same for one change more: while hashes are made, memory has nothing to do.
    mutating func foreseeNext(_ changes: UnsafeBufferPointer<Change>) {
        guard foresight.rest < min(changes.count, foresight.visited + TreeForesight.aheadMax)
        else { return }
        foresee(foresight.index, foresight.index + 1, .index, changes)
        foresee(foresight.value, foresight.value + 1, .value, changes)
        foresee(foresight.rest, foresight.rest + 1, .rest, changes)
        foresight.index += 1
        foresight.value += 1
        foresight.rest += 1
    }

    private func foresee(
        _ start: Int, _ end: Int, _ step: Foresight, _ changes: UnsafeBufferPointer<Change>
    ) {
        for place in start..<max(start, min(end, changes.count)) {
            let path = changes[place].path
            var first = TreeForesight.depthStart
            if place > 0 {
                // Down to there the nodes are those of the change before.
                let difference = path.leadingWord ^ changes[place - 1].path.leadingWord
                first = max(first, difference.leadingZeroBitCount / 4 + 1)
            }
            for depth in first..<max(first, foresight.depthEnd) {
                nodes.foresee(
                    TreePlace.indexHash(above: path, depth: depth), path.nibble(at: depth), step)
            }
        }
    }
}
