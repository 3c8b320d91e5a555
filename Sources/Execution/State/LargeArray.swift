internal import CMemory

extension Array {
    /// Appends to an array that may become large and is read here and there: as it grows it moves
    /// to memory that the system may map in large pages.
    @inline(__always)
    mutating func appendLarge(_ element: Element) {
        if count == capacity { self = movedToTwiceTheRoom() }
        append(element)
    }

    private func movedToTwiceTheRoom() -> [Element] {
        Array(unsafeUninitializedCapacity: Swift.max(8, 2 * capacity)) { target, count in
            offpeak_prefer_large_pages(
                target.baseAddress, MemoryLayout<Element>.stride * target.count)
            count = target.initialize(fromContentsOf: self)
        }
    }
}
