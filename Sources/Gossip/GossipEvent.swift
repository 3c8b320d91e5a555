package import Primitives

/// What the engine is told.
package enum GossipEvent: Hashable, Sendable {
    /// A datagram of at most 2^16 bytes arrived from a numeric address.
    case datagram([UInt8], from: Endpoint)
    /// `nextDeadline` has come; too early or too late does no harm.
    case tick
    /// What this node can lend now.
    case capacity(Capacity)
    /// The nodes that must be known: committee, bonded verifiers, configured peers.
    case trust(Set<PeerID>)
    /// A link to a peer ended: it is probed next.
    case linkLost(PeerID)
    /// Say farewell; `left` follows.
    case leave
}

/// What the engine wants done, in order.
package enum GossipEffect: Hashable, Sendable {
    /// Send a datagram; the host may be a name.
    case send([UInt8], to: Endpoint)
    /// A member is new, or its state, addresses, roles or versions changed.
    case changed(MemberStatus)
    /// The dead were dead for long: nothing is known of the node any more.
    case forgotten(PeerID)
    /// What a peer says that it can lend, within the limits of an advert.
    case capacity(PeerID, Capacity)
    /// The farewell was heard, or nobody heard it in time.
    case left
}

/// How a member is, as far as this node knows.
package enum MemberState: String, CaseIterable, Hashable, Sendable {
    case alive
    /// Somebody got no answer from it, and its own word is awaited.
    case suspect
    /// It didn't speak up in time.
    case dead
    /// It said farewell.
    case left

    /// Whether the node takes part.
    package var isUp: Bool { self == .alive || self == .suspect }
}

/// A member, for others to look at.
package struct MemberStatus: Hashable, Sendable {
    package let record: PeerRecord
    package let state: MemberState
    /// When it came into the state.
    package let since: Instant

    package init(record: PeerRecord, state: MemberState, since: Instant) {
        self.record = record
        self.state = state
        self.since = since
    }

    package var peerID: PeerID { record.peerID }
    /// What it says that it can lend, within the limits of an advert.
    package var capacity: Capacity { record.capacity.capped }
}

/// How a node takes part.
package struct GossipSettings: Sendable {
    package var chainID: ChainID
    /// Where this node is reached: at least one address, so that it isn't a farewell.
    package var addresses: [PeerAddress]
    package var roles: PeerRoles
    package var versions: ClosedRange<UInt16>
    package var capacity: Capacity
    /// Addresses of nodes whose id needn't be known.
    package var seeds: [Endpoint]
    package var times: GossipTimes

    package init(
        chainID: ChainID, addresses: [PeerAddress], roles: PeerRoles = [],
        versions: ClosedRange<UInt16> = 1...1, capacity: Capacity = Capacity(),
        seeds: [Endpoint] = [], times: GossipTimes = GossipTimes()
    ) {
        precondition(!addresses.isEmpty, "a node without an address can't be answered")
        self.chainID = chainID
        self.addresses = addresses
        self.roles = roles
        self.versions = versions
        self.capacity = capacity
        self.seeds = Array(seeds.prefix(GossipLimits.seedsMax))
        self.times = times
    }
}
