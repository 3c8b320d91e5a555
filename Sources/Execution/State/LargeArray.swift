internal import CMemory

/// In which pages the system maps memory.
enum PageSize: Sendable {
    /// The usual: for what grows for ever, since a large page must be cleared before it is used.
    case small
    /// 2 MiB where the system can: for what stays and is read here and there.
    case large

    /// Tells the system about memory that nothing was written to yet.
    func ask(for memory: UnsafeMutableRawBufferPointer) {
        guard self == .large else { return }
        offpeak_prefer_large_pages(memory.baseAddress, memory.count)
    }
}

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
            PageSize.large.ask(for: UnsafeMutableRawBufferPointer(target))
            count = target.initialize(fromContentsOf: self)
        }
    }
}
