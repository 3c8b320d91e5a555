internal import Gossip
internal import Primitives

/// Which links a node keeps, from who is there and who must be reached.
///
/// Everybody keeps links to all validators. Validators and bonded verifiers also keep links with
/// all bonded verifiers: they check for each other. Others are let in when they dial, up to a
/// limit. Configured peers are dialled whatever gossip says.
struct LinkPlan {
    private let own: PeerID
    private let configured: Set<PeerID>
    /// Peers that are dialled because gossip knows them, and where.
    private var kept: [PeerID: NetworkAddress] = [:]

    /// How long a member is dead before nobody dials it any more, in milliseconds.
    static let deadMilliseconds: UInt64 = 60_000

    init(own: PeerID, configured: Set<PeerID>) {
        self.own = own
        self.configured = configured
    }

    /// What changes: links to keep from now on, or at another address, and links to keep no more.
    struct Change: Hashable {
        var keep: [ConfiguredPeer] = []
        var drop: [PeerID] = []
    }

    mutating func update(
        _ members: [MemberStatus], committee: Committee, bonded: Set<PeerID>, at now: Instant
    ) -> Change {
        let checksForOthers = committee.index(of: own) != nil || bonded.contains(own)
        var wanted: [PeerID: NetworkAddress] = [:]
        for member in members where isReachable(member, at: now) {
            let peer = member.peerID
            let isNeeded =
                committee.index(of: peer) != nil || checksForOthers && bonded.contains(peer)
            guard isNeeded, !configured.contains(peer),
                let endpoint = member.record.endpoints(.links).first
            else { continue }
            wanted[peer] = NetworkAddress(host: endpoint.host, port: endpoint.port)
        }
        defer { kept = wanted }
        return change(to: wanted)
    }

    /// The dead may be back at any moment, for a while; who left won't.
    private func isReachable(_ member: MemberStatus, at now: Instant) -> Bool {
        switch member.state {
        case .alive, .suspect: true
        case .dead: now.millisecondsSince(member.since) < LinkPlan.deadMilliseconds
        case .left: false
        }
    }

    private func change(to wanted: [PeerID: NetworkAddress]) -> Change {
        var change = Change()
        for (peer, address) in wanted.sorted(by: { $0.key < $1.key }) where kept[peer] != address {
            change.keep.append(ConfiguredPeer(peerID: peer, address: address))
        }
        change.drop = kept.keys.filter { wanted[$0] == nil }.sorted()
        return change
    }
}
