internal import Primitives

extension WriteSet {
    /// For a planted fault: the first and the second half of the changes.
    var halves: (WriteSet, WriteSet) {
        var parts = (WriteSet(), WriteSet())
        for (place, change) in changes.enumerated() {
            if place < changes.count / 2 {
                parts.0.append(change)
            } else {
                parts.1.append(change)
            }
        }
        return parts
    }
}
