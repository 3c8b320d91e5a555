/// Where a posting stands in the chain: its block, and its place among the block's postings.
package struct PostingPlace: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let height: Height
    /// From 0.
    package let index: UInt32

    package init(height: Height, index: UInt32) {
        self.height = height
        self.index = index
    }

    /// The place in `HEIGHT-INDEX`, or nil.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let height = UInt64(parts[0]), let index = UInt32(parts[1]),
            "\(height)-\(index)" == text
        else { return nil }
        self.init(height: Height(height), index: index)
    }

    /// The place in 12 bytes, or nil.
    package init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == 12 else { return nil }
        height = Height(bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        index = bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    package var description: String { "\(height)-\(index)" }

    /// Height (8 bytes) and index (4 bytes), big-endian: their order is the places' order.
    package var bytes: [UInt8] {
        height.rawValue.bigEndianBytes
            + (0..<4).map { UInt8(truncatingIfNeeded: index >> (24 - 8 * $0)) }
    }

    package static func < (left: PostingPlace, right: PostingPlace) -> Bool {
        (left.height, left.index) < (right.height, right.index)
    }
}
