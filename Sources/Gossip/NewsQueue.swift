internal import Primitives

/// News that wait to be passed on, at most one record and a few suspicions for each node.
///
/// The urgent go first, those about nodes that must be known before others, the less often sent
/// before the more often sent; so a flood of strangers' adverts delays nothing else.
struct NewsQueue: Sendable {
    private struct Key: Hashable {
        let subject: PeerID
        /// Nil for a record.
        let accuser: PeerID?
    }

    private struct Item {
        let news: News
        let bytes: Int
        let isUrgent: Bool
        let isAboutTrusted: Bool
        /// Times it is still to be sent.
        var left: Int
        let number: UInt64

        func goesBefore(_ other: Item) -> Bool {
            if isUrgent != other.isUrgent { return isUrgent }
            if isAboutTrusted != other.isAboutTrusted { return isAboutTrusted }
            if left != other.left { return left > other.left }
            return number < other.number
        }
    }

    private var items: [Key: Item] = [:]
    private var lastNumber: UInt64 = 0

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }

    /// Adds news in place of what was there of the same kind about the same node.
    mutating func add(_ news: News, isUrgent: Bool, isAboutTrusted: Bool, times: Int) {
        if case .record(let record) = news { drop(about: record.peerID) }
        if items.count >= GossipLimits.newsWaitingMax { dropLast() }
        lastNumber += 1
        items[key(of: news)] = Item(
            news: news, bytes: news.bcsBytes.count, isUrgent: isUrgent,
            isAboutTrusted: isAboutTrusted, left: times, number: lastNumber)
    }

    private func key(of news: News) -> Key {
        switch news {
        case .record(let record): Key(subject: record.peerID, accuser: nil)
        case .suspicion(let peer, _, let accuser): Key(subject: peer, accuser: accuser)
        }
    }

    /// Forgets what there is about a node.
    mutating func drop(about peer: PeerID) {
        items = items.filter { $0.key.subject != peer }
    }

    private mutating func dropLast() {
        let last = items.max { $0.value.goesBefore($1.value) }
        if let key = last?.key { items[key] = nil }
    }

    /// News of at most `bytes` together, the most pressing first, counted as sent once more. What
    /// is about `receiver` himself goes to him another way.
    mutating func take(bytes: Int, count: Int, for receiver: PeerID) -> [News] {
        if items.isEmpty { return [] }
        var room = bytes
        var taken: [News] = []
        for (key, item) in items.sorted(by: { $0.value.goesBefore($1.value) }) {
            guard taken.count < count else { break }
            guard item.bytes <= room, key.subject != receiver else { continue }
            room -= item.bytes
            taken.append(item.news)
            items[key]?.left -= 1
            if item.left <= 1 { items[key] = nil }
        }
        return taken
    }
}
