internal import Primitives

/// How often something may happen.
struct Rate: Hashable, Sendable {
    /// In the long run.
    let perSecond: UInt64
    /// At once, after a pause.
    let burst: UInt64
}

/// What is left of a rate; starts full.
struct TokenBucket: Hashable, Sendable {
    private let rate: Rate
    /// In thousandths.
    private var level: UInt64
    private var at: Instant

    init(_ rate: Rate, at now: Instant) {
        self.rate = rate
        level = rate.burst * 1000
        at = now
    }

    /// Takes one if there is one.
    mutating func take(at now: Instant) -> Bool {
        refill(at: now)
        guard level >= 1000 else { return false }
        level -= 1000
        return true
    }

    /// Whether one could be taken.
    func hasOne(at now: Instant) -> Bool {
        var copy = self
        return copy.take(at: now)
    }

    /// Whether nothing was taken lately: forgetting the bucket forgives nothing.
    func isFull(at now: Instant) -> Bool {
        var copy = self
        copy.refill(at: now)
        return copy.level == rate.burst * 1000
    }

    private mutating func refill(at now: Instant) {
        let full = rate.burst * 1000
        // A pause of an hour fills every bucket; the product stays within 64 bits.
        let elapsed = min(now.millisecondsSince(at), 3_600_000)
        level = min(full, level + elapsed * rate.perSecond)
        at = max(at, now)
    }
}

/// A bucket for each key, in bounded memory.
struct TokenBuckets<Key: Hashable & Sendable>: Sendable {
    private let rate: Rate
    private var buckets: [Key: TokenBucket] = [:]
    /// What keys share that find no room.
    private var common: TokenBucket
    private var sweptAt: Instant
    /// Keys that have a bucket of their own whatever others do.
    private var kept: Set<Key> = []

    init(_ rate: Rate, at now: Instant) {
        self.rate = rate
        common = TokenBucket(rate, at: now)
        sweptAt = now
    }

    var count: Int { buckets.count }

    mutating func take(_ key: Key, at now: Instant) -> Bool {
        if buckets[key] != nil { return buckets[key]?.take(at: now) ?? false }
        if buckets.count >= GossipLimits.sourcesMax { sweep(at: now) }
        guard buckets.count < GossipLimits.sourcesMax || kept.contains(key) else {
            return common.take(at: now)
        }
        var bucket = TokenBucket(rate, at: now)
        let isTaken = bucket.take(at: now)
        buckets[key] = bucket
        return isTaken
    }

    /// Keeps a place for `keys`, of which there are few, and for no others.
    mutating func keep(_ keys: Set<Key>) { kept = keys }

    /// Forgets full buckets, at most once a second: a look at all of them mustn't be had for each
    /// datagram.
    private mutating func sweep(at now: Instant) {
        guard now.millisecondsSince(sweptAt) >= 1000 else { return }
        sweptAt = now
        buckets = buckets.filter { !$0.value.isFull(at: now) }
    }
}
