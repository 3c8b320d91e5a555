internal import Primitives

/// What was sent lately, by its salt, in case a challenge asks for it again.
struct Unanswered: Sendable {
    struct Sent: Sendable {
        let what: Question
        let endpoint: Endpoint
        let at: Instant
    }

    enum Question: Sendable {
        /// To whoever is at a seed's address, by the seed's place.
        case hello(seed: Int)
        case message(GossipMessage, to: PeerID)
    }

    private var sent: [UInt64: Sent] = [:]
    /// Oldest first.
    private var salts: [UInt64] = []

    var count: Int { sent.count }

    mutating func add(_ question: Question, _ salt: UInt64, to endpoint: Endpoint, at now: Instant)
    {
        if salts.count >= GossipLimits.unansweredMax { sent[salts.removeFirst()] = nil }
        sent[salt] = Sent(what: question, endpoint: endpoint, at: now)
        salts.append(salt)
    }

    /// What had this salt, once, if it isn't too old.
    mutating func take(_ salt: UInt64, at now: Instant) -> Sent? {
        guard let found = sent.removeValue(forKey: salt) else { return nil }
        salts.removeAll { $0 == salt }
        let age = now.millisecondsSince(found.at)
        return age <= GossipLimits.unansweredMilliseconds ? found : nil
    }
}

extension RandomNumberGenerator {
    /// A place below `count`, which is above zero.
    mutating func place(below count: Int) -> Int { Int(next(upperBound: UInt(count))) }

    /// At most `count` of `values`, in chance order.
    mutating func pick<Value>(_ count: Int, of values: [Value]) -> [Value] {
        var values = values
        let count = min(count, values.count)
        for place in 0..<count {
            values.swapAt(place, place + self.place(below: values.count - place))
        }
        return Array(values.prefix(count))
    }
}
