internal import Gossip
internal import NodeCore
internal import Primitives
internal import Synchronization

/// Takes what gossip tells to the links and to the core.
final class NodeGossip: GossipListener, Sendable {
    private let network: NetworkBox
    private let queue: CoreQueue
    private let standing: PeerStanding
    private let plan: Mutex<LinkPlan>

    init(network: NetworkBox, queue: CoreQueue, standing: PeerStanding, own: PeerID) {
        self.network = network
        self.queue = queue
        self.standing = standing
        plan = Mutex(LinkPlan(own: own, configured: standing.configured))
    }

    func reviewed(_ members: [MemberStatus], at now: Instant) {
        let (committee, bonded) = (standing.committee, standing.bonded)
        let change = plan.withLock {
            $0.update(members, committee: committee, bonded: bonded, at: now)
        }
        for peer in change.keep { network.value?.keepLink(to: peer) }
        for peer in change.drop { network.value?.dropLink(to: peer) }
    }

    func advertised(_ peer: PeerID, _ capacity: Capacity) {
        queue.push(.peerCapacity(peer, capacity))
    }
}

/// Who is more than a stranger: from the configuration, and from the chain.
final class PeerStanding: Sendable {
    private struct OnChain: Equatable {
        var committee: Committee
        var bonded: Set<PeerID> = []
    }

    let configured: Set<PeerID>
    private let onChain: Mutex<OnChain>

    init(committee: Committee, configured: Set<PeerID>) {
        onChain = Mutex(OnChain(committee: committee))
        self.configured = configured
    }

    /// Who votes in the present epoch.
    var committee: Committee { onChain.withLock { $0.committee } }
    /// The nodes of the bonded verifiers of the present sets, those of the next epoch's validators
    /// among them as soon as they are elected.
    var bonded: Set<PeerID> { onChain.withLock { $0.bonded } }

    /// Replaces them; whether they are others now.
    func set(_ committee: Committee, bonded: Set<PeerID>) -> Bool {
        let next = OnChain(committee: committee, bonded: bonded)
        return onChain.withLock { present in
            defer { present = next }
            return present != next
        }
    }

    /// Whether a node has a link whatever strangers there are.
    func isKnown(_ peer: PeerID) -> Bool {
        committee.index(of: peer) != nil || configured.contains(peer) || bonded.contains(peer)
    }

    var known: Set<PeerID> {
        Set(committee.validators.map(\.peerID)).union(configured).union(bonded)
    }
}

/// Gossip, once it stands: it needs the links' port, and links tell it when they end.
final class GossipBox: Sendable {
    private let gossip = Mutex<PeerGossip?>(nil)
    var value: PeerGossip? { gossip.withLock { $0 } }
    func set(_ value: PeerGossip) { gossip.withLock { $0 = value } }
}
