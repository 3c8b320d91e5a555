internal import Primitives

/// Whom this node probes, and how far it is.
struct Prober: Sendable {
    struct Probe: Sendable {
        let target: PeerID
        let number: UInt64
        /// When the direct way has had its time.
        let directUntil: Instant
        var endsAt: Instant
        /// Who was asked to ping too; nil before it came to that.
        var relays: [PeerID]?
        /// Those of them that said that they get no answer either.
        var nacks: Set<PeerID> = []
        var isAcked = false
    }

    private(set) var probe: Probe?
    /// The rest of the pass, the next one last.
    private var order: [PeerID] = []
    /// Whether members came or went since the pass was made.
    var isStale = false
    private var soon: [PeerID] = []

    var nextDeadline: Instant {
        guard let probe else { return Instant(milliseconds: 0) }
        if probe.isAcked { return soon.isEmpty ? probe.endsAt : Instant(milliseconds: 0) }
        return probe.relays == nil ? probe.directUntil : probe.endsAt
    }

    /// Whether the next probe may begin.
    func isFree(at now: Instant) -> Bool {
        guard let probe else { return true }
        return probe.isAcked && (!soon.isEmpty || probe.endsAt <= now)
    }

    mutating func putFirst(_ peer: PeerID) {
        guard !soon.contains(peer), soon.count < GossipLimits.membersMax else { return }
        soon.append(peer)
    }

    /// The next to probe: those who must come first, then by a pass in chance order. A newcomer
    /// gets a place by chance in the pass under way.
    mutating func next(
        of members: [PeerID], using generator: inout some RandomNumberGenerator
    ) -> PeerID? {
        let present = Set(members)
        while !soon.isEmpty {
            let peer = soon.removeFirst()
            if present.contains(peer) { return peer }
        }
        if isStale { blend(members, using: &generator) }
        while let peer = order.popLast() { if present.contains(peer) { return peer } }
        order = generator.pick(members.count, of: members)
        known = present
        return order.popLast()
    }

    /// Those who had a place in the pass under way.
    private var known: Set<PeerID> = []

    private mutating func blend(
        _ members: [PeerID], using generator: inout some RandomNumberGenerator
    ) {
        isStale = false
        for peer in members where known.insert(peer).inserted {
            order.insert(peer, at: generator.place(below: order.count + 1))
        }
    }

    mutating func begin(_ probe: Probe) { self.probe = probe }

    /// Forgets the probe under way without blame.
    mutating func giveUp() { probe = nil }

    /// The relays were asked; they get their time even if that was late.
    mutating func asked(_ relays: [PeerID], until deadline: Instant) {
        guard let endsAt = probe?.endsAt else { return }
        probe?.relays = relays
        probe?.endsAt = max(endsAt, deadline)
    }

    /// Whether this is the answer to the probe under way, by its target or by way of a relay.
    mutating func acked(_ number: UInt64, by peer: PeerID) -> Bool {
        guard let probe, probe.number == number, !probe.isAcked,
            peer == probe.target || probe.relays?.contains(peer) ?? false
        else { return false }
        self.probe?.isAcked = true
        return true
    }

    mutating func nacked(_ number: UInt64, by peer: PeerID) {
        guard let probe, probe.number == number, probe.relays?.contains(peer) ?? false else {
            return
        }
        self.probe?.nacks.insert(peer)
    }
}

/// A ping for another node.
struct RelayedProbe: Sendable {
    let requester: PeerID
    let endpoint: Endpoint
    /// Under which the requester knows it.
    let number: UInt64
    let target: PeerID
    /// When a nack is due.
    let deadline: Instant
}

extension GossipEngine {
    mutating func probeSoon(_ peer: PeerID) {
        if members[peer]?.state == .alive { prober.putFirst(peer) }
    }

    /// Moves the probe under way on, or begins the next.
    mutating func probe(using generator: inout some RandomNumberGenerator) {
        if let probe = prober.probe, !probe.isAcked {
            if probe.relays == nil, probe.directUntil <= moment.now {
                askRelays(probe, using: &generator)
            } else if probe.endsAt <= moment.now {
                fail(probe)
            }
        }
        if prober.isFree(at: moment.now) { beginProbe(using: &generator) }
    }

    private mutating func beginProbe(using generator: inout some RandomNumberGenerator) {
        let up = memberIDs.filter { members[$0]?.state.isUp == true }
        let scale = 1 + health
        let number = generator.next()
        let target = prober.next(of: up, using: &generator)
        prober.begin(
            Prober.Probe(
                target: target ?? peerID, number: number,
                directUntil: moment.now.advanced(byMilliseconds: times.ackTimeout * scale),
                endsAt: moment.now.advanced(byMilliseconds: times.probePeriod * scale),
                isAcked: target == nil))
        guard let target else { return }
        figures.probes += 1
        ping(target, number, using: &generator)
    }

    mutating func ping(
        _ target: PeerID, _ number: UInt64, with news: [News] = [],
        using generator: inout some RandomNumberGenerator
    ) {
        let sequence = members[target]?.record.sequence ?? 0
        let message = GossipMessage(.ping(number: number, sequence: sequence), news: news)
        send(message, to: target, using: &generator)
    }

    private mutating func askRelays(
        _ probe: Prober.Probe, using generator: inout some RandomNumberGenerator
    ) {
        let others = memberIDs.filter { members[$0]?.state == .alive && $0 != probe.target }
        let relays = generator.pick(GossipBounds.relaysOfProbe, of: others)
        let span = (times.probePeriod - times.ackTimeout) * (1 + health)
        prober.asked(relays, until: moment.now.advanced(byMilliseconds: span))
        let request = GossipMessage(.pingRequest(number: probe.number, target: probe.target))
        for relay in relays { send(request, to: relay, using: &generator) }
    }

    private mutating func fail(_ probe: Prober.Probe) {
        prober.giveUp()
        figures.probesFailed += 1
        let relays = probe.relays ?? []
        // Without anybody to ask, nothing says who is at fault.
        changeHealth(by: relays.count - probe.nacks.count)
        members[probe.target]?.turnAddress()
        if let sequence = members[probe.target]?.record.sequence {
            suspect(probe.target, at: sequence, by: peerID)
        }
    }

    mutating func acked(
        _ number: UInt64, by peer: PeerID, using generator: inout some RandomNumberGenerator
    ) {
        if prober.acked(number, by: peer) {
            changeHealth(by: -1)
        } else if let probe = relayed[number], probe.target == peer {
            relayed[number] = nil
            send(
                GossipMessage(.ack(number: probe.number)), to: probe.requester, at: probe.endpoint,
                using: &generator)
        } else if farewell?.number == number {
            farewell?.heardBy.insert(peer)
            finishFarewell()
        } else {
            figures.refuse(.unasked)
        }
    }

    /// Answers a ping, with the own record if the sender has an older one.
    mutating func answer(
        _ number: UInt64, _ sequence: UInt64, to peer: PeerID, at source: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        let news = sequence < own.sequence ? [News.record(own)] : []
        send(
            GossipMessage(.ack(number: number), news: news), to: peer, at: source,
            using: &generator)
    }

    // MARK: For others

    mutating func relay(
        _ number: UInt64, _ target: PeerID, for requester: PeerID, at source: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        guard members[target]?.state.isUp == true, target != requester, members[requester] != nil,
            relayed.count < GossipLimits.relayedProbesMax
        else { return }
        let ownNumber = generator.next()
        relayed[ownNumber] = RelayedProbe(
            requester: requester, endpoint: source, number: number, target: target,
            deadline: moment.now.advanced(byMilliseconds: times.ackTimeout))
        ping(target, ownNumber, using: &generator)
    }

    mutating func endRelayedProbes(using generator: inout some RandomNumberGenerator) {
        let due = relayed.filter { $0.value.deadline <= moment.now }
        for (key, probe) in due.sorted(by: { $0.key < $1.key }) {
            relayed[key] = nil
            send(
                GossipMessage(.nack(number: probe.number)), to: probe.requester,
                at: probe.endpoint, using: &generator)
        }
    }
}
