package import Primitives

/// Who is there: membership over datagrams, with records that only their owners can make.
///
/// Protocol (T, G, D, L, S, ... are those of `GossipTimes` and `GossipBounds`):
/// - each T·(1 + health): ping the next member, in an order that chance makes anew for each pass.
///   No ack within `ackTimeout`·(1 + health): ask three others to ping it. None by the end of the
///   period either: suspect it. (Probing)
/// - upon a ping: ack, with the own record if the sender has an older one. Upon a ping request:
///   ping for him; pass the ack on, or send a nack when the time for one is over. (Probing)
/// - health, 0...8: up for a failed probe, unless all who were asked answered with a nack (then the
///   others are heard well, and the probed one is at fault), and for each refutation; down for each
///   ack. A node that hears badly is slower to accuse. (Probing)
/// - upon a suspicion of a member at its present sequence, by this node or told by another: it is a
///   suspect from now on, here; tell others. Each further accuser, up to K, shortens the time that
///   it has. Whoever sends anything to a suspect tells it. (Suspecting)
/// - upon a suspicion of this node: a record with a higher sequence, told to all. (Suspecting)
/// - upon the end of a suspicion's time: the member is dead, here. Nobody is believed dead on
///   another's word: a liar can begin a suspicion, which the suspect's own word ends, and no more.
/// - upon a record: newer than what is known, of this chain, neither too old nor from the future,
///   within the rates, signed by its node: take it, tell others. It ends a suspicion and wakes the
///   dead. (Records)
/// - each G: if there are news, to three members that have answered before; news also ride on every
///   ping, ack and request. Urgent news are sent λL times by each node, others L times.
/// - each `syncPeriod`: compare all records with a member, page by page; ping one of the dead, and
///   tell it that it is taken for dead: so partitions heal. (Syncing)
/// - at the start, and whenever nobody at a seed's address is known: ask who is there; he answers
///   with a cookie; then compare records with him. (Joining)
/// - upon `leave`: ping members with a record without addresses until three have answered.
/// - upon a datagram: within its source's rate; with the cookie that was given to its address, else
///   a challenge of 50 bytes goes back and nothing else happens; its timestamp near the own clock;
///   its counter new; a key for its sender, within the rate of key agreements; then it is opened.
///   (Receiving)
///
/// Invariants: this node's sequence only rises; a member's too; members, contacts, news, buckets
/// and probes are bounded by `GossipLimits`; an address that hasn't proven itself gets challenges
/// only, each smaller than what came in its name, or the bare pings and hellos that a signed record
/// or the configuration asks for.
///
/// The bound, for n nodes of which at least half are healthy (health 0), a loss of at most a
/// quarter of all datagrams and a delay of at most D one way:
/// - A given node's n - 1 fellows each probe it once in every pass of n - 1 periods, so any of them
///   within 2n - 3 periods. Their orders are independent: each period, n/2 healthy ones hit it with
///   1/(n - 1) each, and miss it all with less than e^(-1/2); 28 periods in a row with less than
///   10^-6. So `periodsToProbe` = min(2n - 3, 28), and one more T until the probe has failed.
/// - While less than half know a piece of news, a round in which each who knows tells three others
///   makes them (1 + 3·3/4·1/2) > 2 times as many, in the mean: L = ⌈log2(n + 1)⌉ rounds until half
///   know it. The last to learn it have sent it λL times after ⌈λL/3⌉ rounds more. By then a given
///   node was told by each other λL/(n - 1) times in the mean, and missed all with e^(-3/4·λL):
///   with λ = 4 below n^-4 for each node. A round takes G, and its datagrams D:
///   S = (L + ⌈λL/3⌉)·(G + D).
/// - A suspicion lasts 2S + T at least: within S it is with the suspect, within another S his
///   answer is with all, so the living aren't taken for dead while the above holds. Unconfirmed it
///   lasts twice that.
/// - Each node's own clock of a suspicion starts when it hears of it. So all know of a death within
///   (periodsToProbe + 1)·T + S + 2·(2S + T), and of a farewell within `farewellMax` + S.
///   For n = 2: 12 s; 4: 19 s; 16: 49 s; 64: 57 s. An ended link makes its peers probe at once.
///
/// Sources: A. Das, I. Gupta, A. Motivala, "SWIM: Scalable Weakly-consistent Infection-style
/// Process Group Membership Protocol", DSN 2002; A. Dadgar, J. Phillips, J. Currey, "Lifeguard:
/// Local Health Awareness for More Accurate Failure Detection", DSN-W 2018; the handbooks of
/// HashiCorp's memberlist and Apple's swift-cluster-membership for what they do in practice.
/// Deviations: the incarnation is the signed record's sequence; deaths aren't told, since others'
/// word of them can't be proven; a farewell is a signed record.
package struct GossipEngine: Sendable {
    package let peerID: PeerID
    let settings: GossipSettings
    let identity: SecretKey
    var times: GossipTimes { settings.times }

    /// What this node tells of itself.
    package internal(set) var own: PeerRecord
    package internal(set) var figures = GossipFigures()
    /// What the next record is to say.
    var ownCapacity: Capacity
    var ownMadeAt: Instant
    /// When a suspicion of this node is answered.
    var refutesAt: Instant?

    var members: [PeerID: Member] = [:]
    /// The keys of `members`, ascending.
    var memberIDs: [PeerID] = []
    var contacts: [PeerID: Contact] = [:]
    /// When the members' places at the gate are looked up again.
    private var keptAt = Instant(milliseconds: 0)
    var trusted: Set<PeerID> = []
    var news = NewsQueue()
    var unanswered = Unanswered()
    let cookies: AddressCookies
    var gate: SourceGate

    var prober = Prober()
    var relayed: [UInt64: RelayedProbe] = [:]
    /// 0 (well) to 8.
    package internal(set) var health: UInt64 = 0
    var seeds: [Seed]
    var pass: SyncPass?
    var farewell: Farewell?
    var hasLeft = false
    var newsAt: Instant
    var syncAt: Instant
    /// When the next tick was wanted at the last one.
    var dueAt: Instant

    var moment: Moment
    var effects: [GossipEffect] = []

    /// The engine of a node that knows nobody yet.
    package init(
        settings: GossipSettings, identity: SecretKey, at moment: Moment,
        using generator: inout some RandomNumberGenerator
    ) {
        self.settings = settings
        self.identity = identity
        self.moment = moment
        peerID = PeerID(identity.publicKey)
        ownCapacity = settings.capacity
        ownMadeAt = moment.now
        own = PeerRecord(
            chainID: settings.chainID, sequence: moment.wall.rawValue, timestamp: moment.wall,
            addresses: settings.addresses, roles: settings.roles, versions: settings.versions,
            capacity: settings.capacity, signedBy: identity)
        cookies = AddressCookies(using: &generator)
        gate = SourceGate(at: moment.now)
        seeds = settings.seeds.map { Seed(endpoint: $0, nextAt: moment.now) }
        newsAt = moment.now
        syncAt = moment.now.advanced(byMilliseconds: settings.times.syncPeriod)
        dueAt = moment.now
    }

    /// Takes an event in; what is to be done comes back in order.
    package mutating func handle(
        _ event: GossipEvent, at moment: Moment, using generator: inout some RandomNumberGenerator
    ) -> [GossipEffect] {
        self.moment = moment
        if hasLeft { return [] }
        switch event {
        case .datagram(let bytes, let source): receive(bytes, from: source, using: &generator)
        case .tick: tick(using: &generator)
        case .capacity(let capacity): ownCapacity = capacity
        case .trust(let peers): trusted = peers.subtracting([peerID])
        case .linkLost(let peer): probeSoon(peer)
        case .leave: leave()
        }
        defer { effects = [] }
        return effects
    }

    /// What every member is, by rising peer id; without this node.
    package var statuses: [MemberStatus] { memberIDs.compactMap { members[$0]?.status } }

    package func status(of peer: PeerID) -> MemberStatus? { members[peer]?.status }

    /// The promise for the nodes that take part as far as this one knows.
    package var bounds: GossipBounds {
        GossipBounds(n: 1 + members.values.count { $0.state.isUp }, times: times)
    }

    /// Everything that is bounded, for the bound on memory.
    package var itemsKept: Int {
        members.count + contacts.count + news.count + unanswered.count + gate.count + relayed.count
    }

    // MARK: Time

    /// When `tick` has something to do.
    package var nextDeadline: Instant {
        if let farewell { return farewell.nextAt }
        var deadlines = [prober.nextDeadline, syncAt, renewAt]
        if !news.isEmpty { deadlines.append(newsAt) }
        if let pass { deadlines.append(pass.endsAt) }
        deadlines += seeds.compactMap(\.deadline)
        deadlines += relayed.values.map(\.deadline)
        deadlines += members.values.compactMap { $0.suspicion?.deadline }
        return deadlines.min() ?? syncAt
    }

    private mutating func tick(using generator: inout some RandomNumberGenerator) {
        defer { dueAt = nextDeadline }
        if farewell != nil { return sayFarewell(using: &generator) }
        allowForSleep()
        keepMembersApart()
        endSuspicions()
        probe(using: &generator)
        endRelayedProbes(using: &generator)
        askSeeds(using: &generator)
        compare(using: &generator)
        renewIfDue()
        tellNews(using: &generator)
    }

    /// The members' places at the gate, looked up now and then.
    private mutating func keepMembersApart() {
        guard keptAt <= moment.now else { return }
        keptAt = moment.now.advanced(byMilliseconds: times.probePeriod)
        gate.keep(
            Set(
                members.compactMap { id, member in
                    guard let endpoint = member.endpoint,
                        contacts[id]?.isProven(endpoint) ?? false
                    else { return nil }
                    return endpoint
                }))
    }

    /// A node that was stopped for a while has heard nothing: that isn't others' fault.
    private mutating func allowForSleep() {
        let gap = moment.now.millisecondsSince(dueAt)
        guard gap > 2 * times.probePeriod else { return }
        for id in memberIDs { members[id]?.extendSuspicion(byMilliseconds: gap) }
        prober.giveUp()
    }

    private mutating func tellNews(using generator: inout some RandomNumberGenerator) {
        guard !news.isEmpty, newsAt <= moment.now else { return }
        newsAt = moment.now.advanced(byMilliseconds: times.newsPeriod)
        let reachable = memberIDs.filter { id in
            guard members[id]?.state.isUp == true, let endpoint = members[id]?.endpoint else {
                return false
            }
            return contacts[id]?.isProven(endpoint) ?? false
        }
        for peer in generator.pick(GossipBounds.fanOut, of: reachable) where !news.isEmpty {
            send(GossipMessage(.news), to: peer, using: &generator)
        }
    }

    /// Whether a node must be known whatever strangers there are.
    func isTrusted(_ peer: PeerID) -> Bool { trusted.contains(peer) }
}
