internal import Primitives

/// What strangers may cost: the rates of everything that is done before a datagram is authentic.
struct SourceGate: Sendable {
    private var datagrams: TokenBuckets<Endpoint>
    private var datagramsByHost: TokenBuckets<String>
    private var agreements: TokenBuckets<Endpoint>
    private var agreementsByHost: TokenBuckets<String>
    private var agreementsOfAll: TokenBucket
    private var challenges: TokenBucket
    private var newcomers: TokenBucket

    init(at now: Instant) {
        datagrams = TokenBuckets(GossipLimits.datagramsOfSource, at: now)
        datagramsByHost = TokenBuckets(GossipLimits.datagramsOfHost, at: now)
        agreements = TokenBuckets(GossipLimits.agreementsOfSource, at: now)
        agreementsByHost = TokenBuckets(GossipLimits.agreementsOfHost, at: now)
        agreementsOfAll = TokenBucket(GossipLimits.agreements, at: now)
        challenges = TokenBucket(GossipLimits.challenges, at: now)
        newcomers = TokenBucket(GossipLimits.newcomers, at: now)
    }

    /// Strangers take no place from members that have shown that they are at their endpoints.
    mutating func keep(_ members: Set<Endpoint>) {
        let hosts = Set(members.map(\.host))
        datagrams.keep(members)
        datagramsByHost.keep(hosts)
        agreements.keep(members)
        agreementsByHost.keep(hosts)
    }

    /// Whether a datagram of a source is looked at.
    mutating func takeDatagram(_ source: Endpoint, at now: Instant) -> Bool {
        datagrams.take(source, at: now) && datagramsByHost.take(source.host, at: now)
    }

    /// Whether a source may cost a key agreement.
    mutating func takeAgreement(_ source: Endpoint, at now: Instant) -> Bool {
        agreements.take(source, at: now) && agreementsByHost.take(source.host, at: now)
            && agreementsOfAll.take(at: now)
    }

    mutating func takeChallenge(at now: Instant) -> Bool { challenges.take(at: now) }
    mutating func takeNewcomer(at now: Instant) -> Bool { newcomers.take(at: now) }

    /// Sources that are kept apart, for the bound on memory.
    var count: Int {
        datagrams.count + datagramsByHost.count + agreements.count + agreementsByHost.count
    }
}
