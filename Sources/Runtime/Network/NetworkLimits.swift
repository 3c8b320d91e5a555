/// Bounds and times of the links. Beyond a bound a link is refused or closed, with a reason.
package struct NetworkLimits: Hashable, Sendable {
    /// Links in both directions, those in their handshake included.
    package var linksMax = 256
    /// Links that one source address may open: many nodes can share an address.
    package var linksPerAddressMax = 64
    /// Links with nodes that are neither of the committee, nor bonded, nor configured: enough for
    /// relays and newcomers, and the rest stays for those that the chain needs.
    package var guestsMax = 32
    /// Bytes of unfinished frames that guests hold together: each may hold one of every kind, and
    /// the largest must still get through. Beyond it: the link that holds the most is closed.
    package var guestBytesMax = 32 << 20
    /// Frames of one guest that are read in a second, and at once after a pause. Beyond it: the
    /// link isn't read for a while.
    package var guestFrames = InflowRate(perSecond: 500, burst: 1_000)
    /// The same of all guests together.
    package var allGuestsFrames = InflowRate(perSecond: 2_000, burst: 4_000)
    /// Bytes of frames, unpacked, of one guest: a relay's clients send a tenth of it.
    package var guestInflow = InflowRate(perSecond: 4 << 20, burst: 8 << 20)
    /// The same of all guests together.
    package var allGuestsInflow = InflowRate(perSecond: 16 << 20, burst: 32 << 20)
    /// Handshakes under way that others began: each costs a millisecond of CPU.
    package var handshakesMax = 32
    /// From the connection to the open link.
    package var handshakeMilliseconds: UInt64 = 5_000
    /// For a connection that was dialled to come about.
    package var connectMilliseconds: UInt64 = 3_000
    /// Between pings on an open link.
    package var pingMilliseconds: UInt64 = 2_000
    /// Without a byte from the peer: four pings went unanswered.
    package var silenceMilliseconds: UInt64 = 8_000
    /// How often times are looked at.
    package var tickMilliseconds: UInt64 = 250
    /// Before the first attempt to dial again; doubled up to `redialMilliseconds.upperBound`.
    package var redialMilliseconds: ClosedRange<UInt64> = 50...5_000
    /// Open for this long, a link counts as good and the next dial starts from the shortest wait.
    package var goodLinkMilliseconds: UInt64 = 5_000
    /// How often a reader that was stopped looks whether it may go on.
    package var resumeMilliseconds: UInt64 = 10
    /// Bytes handed to the system that it hasn't sent yet: what is urgent waits behind them.
    package var unsentBytesMax = 128 << 10
    /// Deliveries that wait for the network thread; beyond it the newest are dropped, as a full
    /// link drops them.
    package var deliveriesMax = 100_000

    package init() {}
}

/// Waits between attempts to dial: doubling, with jitter, so that nodes don't dial in step.
struct Backoff {
    private let range: ClosedRange<UInt64>
    private var attempts: UInt64 = 0

    init(_ range: ClosedRange<UInt64>) { self.range = range }

    /// The next wait in milliseconds: between half and the whole of the doubled bound.
    mutating func next(using generator: inout some RandomNumberGenerator) -> UInt64 {
        let doubled = range.lowerBound << min(attempts, 32)
        attempts += 1
        let bound = min(range.upperBound, doubled)
        return UInt64.random(in: max(1, bound / 2)...max(1, bound), using: &generator)
    }

    mutating func reset() { attempts = 0 }
}

/// What peers did wrong, and for how long they are kept away.
///
/// Points halve every minute. At `pointsMax` a peer is banned: 10 s at first, twice as long each
/// time after that, an hour at most.
struct PeerScores<Peer: Hashable> {
    static var pointsMax: Double { 100 }
    private static var scoresMax: Int { 16_384 }
    private static var halfLifeMilliseconds: Double { 60_000 }
    private static var banMilliseconds: ClosedRange<UInt64> { 10_000...3_600_000 }

    private struct Score {
        var points = 0.0
        var at: UInt64
        var bans: UInt64 = 0
        var bannedUntil: UInt64 = 0
    }

    private var scores: [Peer: Score] = [:]

    /// Counts points against a peer; true if that bans it. Times are milliseconds that only rise.
    mutating func penalise(_ peer: Peer, points: Int, at now: UInt64) -> Bool {
        var score = scores[peer] ?? Score(at: now)
        score.points = PeerScores.decayed(score.points, now - min(now, score.at)) + Double(points)
        score.at = now
        let isBanned = score.points >= PeerScores.pointsMax
        if isBanned {
            let range = PeerScores.banMilliseconds
            let length = min(range.upperBound, range.lowerBound << min(score.bans, 20))
            score.bannedUntil = now + length
            score.bans += 1
            score.points = 0
        }
        scores[peer] = score
        if scores.count > PeerScores.scoresMax { prune(at: now) }
        return isBanned
    }

    /// Identities cost nothing, so what isn't banned may be forgotten, and beyond the bound all is.
    private mutating func prune(at now: UInt64) {
        scores = scores.filter { $0.value.bannedUntil > now }
        if scores.count > PeerScores.scoresMax { scores = [:] }
    }

    /// Milliseconds until the peer is let in again; 0 if it isn't banned.
    func banRemaining(_ peer: Peer, at now: UInt64) -> UInt64 {
        guard let until = scores[peer]?.bannedUntil, until > now else { return 0 }
        return until - now
    }

    private static func decayed(_ points: Double, _ elapsed: UInt64) -> Double {
        var points = points
        var rest = Double(elapsed)
        while rest >= halfLifeMilliseconds, points > 0.01 {
            points /= 2
            rest -= halfLifeMilliseconds
        }
        return points * (1 - rest / (2 * halfLifeMilliseconds))
    }
}
