/// Why something that arrived had no effect.
package enum GossipRefusal: String, CaseIterable, Hashable, Sendable {
    // A datagram.

    /// Not of the protocol's form or version.
    case malformed
    /// More of its source than its rate.
    case tooMany = "too_many"
    /// From an address that hasn't proven itself; a challenge went back if the rate allowed one.
    case unproven
    /// By this node itself, or turned round.
    case turned
    /// Its timestamp is too far from this node's clock.
    case clock
    /// Its counter was seen before, or lies before the window.
    case replayed
    /// A key agreement would pass the rate.
    case noKey = "no_key"
    /// It can't be opened.
    case forged
    /// Its sender broke the protocol lately.
    case blocked
    /// A challenge or an answer that nobody asked for.
    case unasked
    /// More digests or requests than a peer's rate.
    case tooManyDigests = "too_many_digests"

    // A record.

    case otherChain = "other_chain"
    case fromFuture = "from_future"
    case tooOld = "too_old"
    case badSignature = "bad_signature"
    /// More than the rate of its sender, of its node or of newcomers.
    case tooManyRecords = "too_many_records"
    /// The member table is full.
    case noRoom = "no_room"
}

/// What the engine counted since its start.
package struct GossipFigures: Hashable, Sendable {
    package internal(set) var datagramsReceived: UInt64 = 0
    package internal(set) var datagramsSent: UInt64 = 0
    package internal(set) var bytesReceived: UInt64 = 0
    package internal(set) var bytesSent: UInt64 = 0
    package internal(set) var challengesSent: UInt64 = 0
    /// Key agreements that others caused.
    package internal(set) var agreements: UInt64 = 0
    /// Signatures of records that were checked.
    package internal(set) var signaturesChecked: UInt64 = 0
    package internal(set) var probes: UInt64 = 0
    package internal(set) var probesFailed: UInt64 = 0
    /// Suspicions of this node that it answered.
    package internal(set) var refutations: UInt64 = 0
    package internal(set) var refused: [GossipRefusal: UInt64] = [:]

    package init() {}

    mutating func refuse(_ reason: GossipRefusal) { refused[reason, default: 0] += 1 }
}
