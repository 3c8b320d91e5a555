internal import Primitives

/// An address where a node may be found.
struct Seed: Sendable {
    let endpoint: Endpoint
    /// When it is asked next.
    var nextAt: Instant
    var attempts: UInt64 = 0
    /// Who answered there last.
    var peer: PeerID?
    /// The address is this node's own.
    var isSelf = false

    var deadline: Instant? { isSelf ? nil : nextAt }
}

/// What is left to do for a node that leaves.
struct Farewell: Sendable {
    let number: UInt64
    let startedAt: Instant
    var nextAt: Instant
    var heardBy: Set<PeerID> = []
}

extension GossipEngine {
    /// Members that hear a farewell from the node itself, and how many answers are enough.
    private static let farewellTargets = 16
    private static let farewellEnough = 3

    /// Asks seeds where no member is known to be.
    mutating func askSeeds(using generator: inout some RandomNumberGenerator) {
        for place in seeds.indices where !seeds[place].isSelf && seeds[place].nextAt <= moment.now {
            if let peer = seeds[place].peer, members[peer]?.state.isUp ?? false {
                seeds[place].attempts = 0
                seeds[place].nextAt = moment.now.advanced(byMilliseconds: times.seedPeriod)
                continue
            }
            let doubled = times.seedRetry.lowerBound << min(seeds[place].attempts, 16)
            let wait = min(times.seedRetry.upperBound, doubled)
            seeds[place].nextAt = moment.now.advanced(byMilliseconds: wait)
            seeds[place].attempts += 1
            let salt = generator.next()
            unanswered.add(.hello(seed: place), salt, to: seeds[place].endpoint, at: moment.now)
            send(.hello(salt: salt, chain: settings.chainID), to: seeds[place].endpoint)
        }
    }

    /// Somebody at a seed's address said who he is and what he wants: compares records with him.
    mutating func met(
        _ challenge: Datagram.Challenge, bySeed place: Int,
        using generator: inout some RandomNumberGenerator
    ) {
        let peer = challenge.peerID
        guard peer != peerID else { return seeds[place].isSelf = true }
        guard contact(peer) != nil else { return }
        seeds[place].peer = peer
        let endpoint = seeds[place].endpoint
        contacts[peer]?.cookie = challenge.cookie
        contacts[peer]?.prove(endpoint)
        // One comparison at a time: what it doesn't bring, the next one does.
        if pass == nil || members.isEmpty {
            beginPass(with: peer, at: endpoint, using: &generator)
        }
    }

    // MARK: Leaving

    mutating func leave() {
        guard farewell == nil else { return }
        let number = own.sequence
        farewell = Farewell(number: number, startedAt: moment.now, nextAt: moment.now)
        renew(atLeast: 0, isUrgent: true)
    }

    /// Tells members that this node leaves, until enough have heard it or the time is over.
    mutating func sayFarewell(using generator: inout some RandomNumberGenerator) {
        guard let farewell, farewell.nextAt <= moment.now else { return }
        let up = memberIDs.filter {
            members[$0]?.state.isUp == true && !farewell.heardBy.contains($0)
        }
        let isOver = moment.now.millisecondsSince(farewell.startedAt) >= times.farewellMax
        if isOver || up.isEmpty && farewell.heardBy.isEmpty { return finishLeaving() }
        let next = moment.now.advanced(byMilliseconds: times.farewellPeriod)
        self.farewell?.nextAt = next
        for peer in generator.pick(GossipEngine.farewellTargets, of: up) {
            ping(peer, farewell.number, with: [.record(own)], using: &generator)
        }
    }

    mutating func finishFarewell() {
        let up = members.values.count { $0.state.isUp }
        let enough = min(GossipEngine.farewellEnough, up)
        if farewell?.heardBy.count ?? 0 >= enough { finishLeaving() }
    }

    private mutating func finishLeaving() {
        hasLeft = true
        effects.append(.left)
    }
}
