package import Primitives

/// Which postings of an account are wanted.
package struct PostingQuery: Hashable, Sendable {
    package enum Order: String, Hashable, Sendable, CaseIterable {
        case newest
        case oldest
    }

    package let address: Address
    /// Nil for all.
    package var asset: AssetID?
    /// The first and the last height.
    package var from: Height = 0
    package var through = Height(.max)
    /// Of the blocks: `since <= time < before`.
    package var since: Timestamp = 0
    package var before: Timestamp?
    package var order = Order.newest
    /// The last one that was seen: what follows it in `order` is wanted. A place stays what it is
    /// when blocks arrive, so that nothing is left out and nothing comes twice.
    package var after: PostingPlace?

    package init(of address: Address) { self.address = address }
}

/// A part of an answer.
package struct PostingPage: Hashable, Sendable {
    package let postings: [Posting]
    /// What to ask behind; nil if nothing is left.
    package let next: PostingPlace?
}

extension LedgerReader {
    /// Rows that one page may read where others are passed over: the page then ends early.
    package static let postingsReadMax = 1000
    private static let rowsAtOnce = 128

    /// Since when the store keeps postings; nil if it doesn't.
    package func postingStart() throws(StorageFault) -> PostingStart? {
        try PostingIndex.start(in: source)
    }

    /// The next postings that `query` wants.
    /// - Parameter limit: At least 1. There can be fewer, even none, although more are left.
    package func postings(
        _ query: PostingQuery, limit: Int
    ) throws(StorageFault) -> PostingPage {
        precondition(limit > 0, "a page of \(limit)")
        var range = try PostingRange(query, source)
        var found: [Posting] = []
        var read = 0
        while found.count < limit, read < max(limit, LedgerReader.postingsReadMax) {
            let wanted = query.asset == nil ? limit - found.count : LedgerReader.rowsAtOnce
            let rows = try range.rows(wanted, source)
            if rows.isEmpty { return PostingPage(postings: found, next: nil) }
            for row in rows where found.count < limit {
                let posting = try Posting(row)
                range.pass(posting)
                read += 1
                if query.asset ?? posting.asset == posting.asset { found.append(posting) }
            }
        }
        let isOver = try range.rows(1, source).isEmpty
        return PostingPage(postings: found, next: isOver ? nil : range.passed)
    }
}

/// The keys of one account's postings that a query is about.
private struct PostingRange {
    private let address: Address
    private let order: PostingQuery.Order
    private var start: [UInt8]
    private var end: [UInt8]
    /// The last one that was read.
    private(set) var passed: PostingPlace?

    init(_ query: PostingQuery, _ source: any KeyValueSource) throws(StorageFault) {
        let address = query.address
        let first = try PostingRange.height(query.since, of: address, source)
        var end = PostingRange.key(address, Height(.max)) + [0xFF]
        // Behind every place of the last height.
        if let next = query.through.next { end = PostingRange.key(address, next) }
        if let time = query.before,
            let last = try PostingRange.height(time, of: address, source)
        {
            end = PostingRange.lower(end, PostingRange.key(address, last))
        }
        let from = first.map { Swift.max(query.from, $0) } ?? Height(.max)
        self.address = address
        order = query.order
        start = PostingRange.key(address, from)
        self.end = first == nil ? start : end
        if let place = query.after { pass(place) }
    }

    private static func key(_ address: Address, _ height: Height) -> [UInt8] {
        address.bytes + height.rawValue.bigEndianBytes
    }

    private static func lower(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        left.lexicographicallyPrecedes(right) ? left : right
    }

    private static func higher(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        left.lexicographicallyPrecedes(right) ? right : left
    }

    mutating func pass(_ posting: Posting) { pass(posting.place) }

    private mutating func pass(_ place: PostingPlace) {
        passed = place
        let key = address.bytes + place.bytes
        switch order {
        case .oldest: start = PostingRange.higher(start, key + [0])
        case .newest: end = PostingRange.lower(end, key)
        }
    }

    func rows(_ limit: Int, _ source: any KeyValueSource) throws(StorageFault) -> [KeyValue] {
        guard start.lexicographicallyPrecedes(end) else { return [] }
        return switch order {
        case .oldest: try source.pairs(in: .postings, from: start, before: end, limit: limit)
        case .newest: try source.lastPairs(in: .postings, from: start, before: end, limit: limit)
        }
    }

    /// A height from which on all of an account's postings have at least `time`, and before which
    /// none has; nil if all are older. Times never fall from one block to the next.
    private static func height(
        _ time: Timestamp, of address: Address, _ source: any KeyValueSource
    ) throws(StorageFault) -> Height? {
        if time == 0 { return 0 }
        let behind = key(address, Height(.max)) + [0xFF]
        let last = try source.lastPairs(
            in: .postings, from: address.bytes, before: behind, limit: 1)
        guard let last = last.first else { return nil }
        let newest = try Posting(last)
        guard newest.time >= time else { return nil }
        var low: UInt64 = 0
        var high = newest.place.height.rawValue
        while low < high {
            let middle = low + (high - low) / 2
            let rows = try source.pairs(
                in: .postings, from: key(address, Height(middle)), before: behind, limit: 1)
            guard let row = rows.first else { break }
            let found = try Posting(row)
            if found.time >= time {
                high = middle
            } else {
                low = found.place.height.rawValue + 1
            }
        }
        return Height(low)
    }
}
