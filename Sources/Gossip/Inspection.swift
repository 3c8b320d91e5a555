internal import Primitives

extension GossipEngine {
    /// Ends the process if an invariant of the header doesn't hold. O(members).
    package func checkInvariants() {
        precondition(memberIDs.count == members.count, "\(memberIDs.count) of \(members.count) ids")
        precondition(members[peerID] == nil, "a member of itself")
        precondition(members.count <= GossipLimits.membersMax, "\(members.count) members")
        let strangers = contacts.keys.count { members[$0] == nil }
        precondition(strangers <= GossipLimits.strangerContactsMax, "\(strangers) strangers")
        precondition(news.count <= GossipLimits.newsWaitingMax, "\(news.count) news")
        precondition(relayed.count <= GossipLimits.relayedProbesMax, "\(relayed.count) probes")
        for (left, right) in zip(memberIDs, memberIDs.dropFirst()) {
            precondition(left < right, "\(left) before \(right)")
        }
        for id in memberIDs { check(id) }
    }

    private func check(_ id: PeerID) {
        guard let member = members[id] else { preconditionFailure("\(id) isn't there") }
        precondition(member.record.peerID == id, "\(member.record.peerID) as \(id)")
        precondition(
            (member.state == .suspect) == (member.suspicion != nil), "\(id) is \(member.state)")
        precondition(
            (member.state == .left) == member.record.isFarewell, "\(id) is \(member.state)")
    }
}
