internal import Primitives

/// A node that this one knows of.
struct Member: Sendable {
    private(set) var record: PeerRecord
    private(set) var state: MemberState
    private(set) var since: Instant
    /// Only while the state is `suspect`.
    private(set) var suspicion: Suspicion?
    /// Which of the record's addresses is tried.
    private var turn = 0
    /// New records that the node may still have.
    var records: TokenBucket

    init(_ record: PeerRecord, at now: Instant) {
        self.record = record
        state = record.isFarewell ? .left : .alive
        since = now
        records = TokenBucket(GossipLimits.recordsOfOrigin, at: now)
    }

    var status: MemberStatus { MemberStatus(record: record, state: state, since: since) }

    /// Where it is sent datagrams, nil if its record doesn't say.
    var endpoint: Endpoint? {
        let endpoints = record.endpoints(.gossip)
        return endpoints.isEmpty ? nil : endpoints[turn % endpoints.count]
    }

    /// Tries another of its addresses next.
    mutating func turnAddress() { turn = (turn + 1) % GossipLimits.addressesMax }

    /// Takes a newer record: the node's own word that it is there, or that it leaves.
    mutating func replace(_ record: PeerRecord, at now: Instant) {
        if record.addresses != self.record.addresses { turn = 0 }
        self.record = record
        suspicion = nil
        set(record.isFarewell ? .left : .alive, at: now)
    }

    mutating func suspect(_ suspicion: Suspicion, at now: Instant) {
        self.suspicion = suspicion
        set(.suspect, at: now)
    }

    mutating func die(at now: Instant) {
        suspicion = nil
        set(.dead, at: now)
    }

    /// Gives a suspect more time: this node itself was asleep.
    mutating func extendSuspicion(byMilliseconds gap: UInt64) {
        guard let startedAt = suspicion?.startedAt else { return }
        suspicion?.startedAt = startedAt.advanced(byMilliseconds: gap)
    }

    private mutating func set(_ state: MemberState, at now: Instant) {
        if state != self.state { since = now }
        self.state = state
    }
}

/// Why a member may be dead.
struct Suspicion: Hashable, Sendable {
    var startedAt: Instant
    /// Who got no answer; the first began it.
    var accusers: Set<PeerID>
    /// For the number of nodes at its start.
    let bounds: GossipBounds

    init(by accuser: PeerID, bounds: GossipBounds, at now: Instant) {
        startedAt = now
        accusers = [accuser]
        self.bounds = bounds
    }

    /// Adds an accuser; false if he is one already or enough are there.
    mutating func confirm(by accuser: PeerID) -> Bool {
        guard accusers.count <= bounds.confirmationsWanted else { return false }
        return accusers.insert(accuser).inserted
    }

    /// When the suspect counts as dead.
    var deadline: Instant {
        startedAt.advanced(
            byMilliseconds: bounds.suspicion(confirmations: accusers.count - 1))
    }
}

/// What this node needs to talk with a peer, member or not.
struct Contact: Sendable {
    let key: SharedKey
    /// The counter of the last datagram to the peer. It starts from the time, so that it rises over
    /// restarts too, and goes up by one: the peer's window is for what overtakes on the way.
    var sent: UInt64
    var window = ReplayWindow()
    /// What the peer wants from this node's address; zero before it said so.
    var cookie: UInt64 = 0
    /// Endpoints that answered, the newest last: only these get more than a bare question.
    private(set) var proven: [Endpoint] = []
    var blockedUntil = Instant(milliseconds: 0)
    /// Records that the peer may still pass on.
    var records: TokenBucket
    /// Digests that it may still send.
    var digests: TokenBucket
    /// When it was last asked for its own record.
    var askedAt: Instant?
    var usedAt: Instant

    private static let provenMax = 4

    init(_ key: SharedKey, at moment: Moment) {
        self.key = key
        sent = moment.wall.rawValue &* 1000
        records = TokenBucket(GossipLimits.recordsOfSender, at: moment.now)
        digests = TokenBucket(GossipLimits.digestsOfSender, at: moment.now)
        usedAt = moment.now
    }

    func isProven(_ endpoint: Endpoint) -> Bool { proven.contains(endpoint) }

    mutating func prove(_ endpoint: Endpoint) {
        if proven.last == endpoint { return }
        proven.removeAll { $0 == endpoint }
        if proven.count >= Contact.provenMax { proven.removeFirst() }
        proven.append(endpoint)
    }
}
