/// Bounds on what gossip keeps, sends and takes. Each is a count unless its name says otherwise;
/// what is beyond it is dropped and counted.
package enum GossipLimits {
    // Wire.

    /// Bytes of a datagram: below the 1,232 that every IPv6 path carries unfragmented.
    package static let datagramBytesMax = 1_200
    /// Bytes of a record: two of them and a probe fit a datagram.
    package static let recordBytesMax = 512
    /// Addresses of a node: IPv4 and IPv6, for links and for gossip.
    package static let addressesMax = 4
    /// Bytes of a host: the longest name that DNS has.
    package static let hostBytesMax = 255
    /// News in a datagram: as many suspicions as fit.
    package static let newsMax = 32
    /// Records that one digest names: 17 bytes each, beside the sender's own record.
    package static let digestEntriesMax = 32
    /// Datagrams of records that answer one digest; the rest is asked for again.
    package static let answerDatagramsMax = 4

    // Memory.

    /// Nodes in the member table: two of a committee of 256.
    package static let membersMax = 512
    /// Those among them that are neither of the committee, nor bonded, nor configured: whoever
    /// makes identities by the thousand fills this part only.
    package static let strangersMax = 256
    /// Keys, windows and cookies of peers that aren't members; the longest unused go first.
    package static let strangerContactsMax = 256
    /// Source addresses with a bucket of their own; beyond it new ones share one.
    package static let sourcesMax = 4_096
    /// Probes by this node on others' behalf; beyond it requests are ignored.
    package static let relayedProbesMax = 256
    /// Datagrams that a challenge can still ask for again.
    package static let unansweredMax = 128
    /// News that wait to be passed on; beyond it the least urgent go.
    package static let newsWaitingMax = 1_024
    /// Seeds that are asked.
    package static let seedsMax = 1_024

    // Work for others.

    /// Datagrams of one host and port. A member sends about 30 a second when much happens.
    static let datagramsOfSource = Rate(perSecond: 200, burst: 400)
    /// Datagrams of one host: several nodes may share it.
    static let datagramsOfHost = Rate(perSecond: 2_000, burst: 4_000)
    /// Key agreements (60 µs) for one host and port.
    static let agreementsOfSource = Rate(perSecond: 1, burst: 1)
    /// Key agreements for one host: as many nodes as may open links from there.
    static let agreementsOfHost = Rate(perSecond: 16, burst: 64)
    /// Key agreements that others cause: 0.8 % of a core.
    static let agreements = Rate(perSecond: 128, burst: 256)
    /// Challenges, to any address: a forged sender gets back no more than was sent in his name.
    static let challenges = Rate(perSecond: 2_000, burst: 2_000)
    /// Records that one peer passes on and whose signature is looked at (52 µs each).
    static let recordsOfSender = Rate(perSecond: 64, burst: 512)
    /// New records of one node: an advert each second, and a refutation now and then.
    static let recordsOfOrigin = Rate(perSecond: 2, burst: 6)
    /// Nodes that weren't known.
    static let newcomers = Rate(perSecond: 32, burst: 512)
    /// Digests and requests of one peer, each answered by up to `answerDatagramsMax` datagrams.
    static let digestsOfSender = Rate(perSecond: 8, burst: 64)

    /// Nodes that are pinged because one digest lists them as dead.
    static let doubtsOfDigestMax = 8

    // Time, in milliseconds.

    /// How far a datagram's timestamp may be from the own clock, either way.
    package static let clockToleranceMilliseconds: UInt64 = 30_000
    /// How far a record's timestamp may lie in the future.
    package static let recordFutureMilliseconds: UInt64 = 30_000
    /// The age beyond which a record isn't taken: its owner renews it six times in this time.
    package static let recordAgeMilliseconds: UInt64 = 120_000
    /// How long the dead are remembered: longer than their last record can be taken again. Those
    /// that must be known (committee, bonded, configured) are never forgotten.
    package static let deadKeptMilliseconds: UInt64 = 600_000
    /// How long a peer that broke the protocol isn't heard.
    package static let blockMilliseconds: UInt64 = 60_000
    /// Between two records of this node, whatever is said of it.
    package static let recordGapMilliseconds: UInt64 = 500
    /// How long a cookie is good for at least; it is good for twice that at most.
    package static let cookieMilliseconds: UInt64 = 600_000
    /// How long a datagram can be asked for again by a challenge.
    package static let unansweredMilliseconds: UInt64 = 2_000

    // What an advert may say.

    /// Signatures that a machine checks in a second: 256 cores at 20 µs, rounded up.
    package static let signaturesPerSecondMax: UInt32 = 16_000_000
    /// A queue longer than a minute is as good as none at all.
    package static let queueMillisecondsMax: UInt32 = 60_000
    /// 100 gigabits a second.
    package static let kilobitsPerSecondMax: UInt32 = 100_000_000
    /// A pebibyte.
    package static let storageMegabytesMax: UInt32 = 1 << 30
}

/// Periods of the protocol, in milliseconds. The engine's header derives its bound from them.
package struct GossipTimes: Hashable, Sendable {
    /// T: between two probes of a node in good health.
    package var probePeriod: UInt64 = 1_000
    /// For the direct answer to a probe; the rest of the period is for the way round.
    package var ackTimeout: UInt64 = 400
    /// G: between two rounds of telling news.
    package var newsPeriod: UInt64 = 200
    /// D: what a datagram may take one way and still be in time for the bound.
    package var delayMax: UInt64 = 100
    /// Between two comparisons of all records with another node.
    package var syncPeriod: UInt64 = 5_000
    /// After which the own record is made anew, changed or not.
    package var renewPeriod: UInt64 = 20_000
    /// Between two records that only tell another capacity.
    package var advertGap: UInt64 = 1_000
    /// Before a seed is asked again, doubled up to the upper bound.
    package var seedRetry: ClosedRange<UInt64> = 100...5_000
    /// Between two questions to a seed that no known member is at.
    package var seedPeriod: UInt64 = 30_000
    /// Between two farewells, and how long they are said when nobody confirms one.
    package var farewellPeriod: UInt64 = 100
    package var farewellMax: UInt64 = 500

    package init() {}
}
