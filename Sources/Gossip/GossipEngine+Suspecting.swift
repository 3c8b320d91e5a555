internal import Primitives

extension GossipEngine {
    /// Takes in that `accuser` got no answer from the node whose record has this sequence.
    ///
    /// A claim about another sequence than the known one is out of date, or made up.
    mutating func suspect(_ peer: PeerID, at sequence: UInt64, by accuser: PeerID) {
        if peer == peerID { return refute(sequence) }
        guard accuser != peer, accuser == peerID || members[accuser] != nil,
            let member = members[peer], member.record.sequence == sequence
        else { return }
        switch member.state {
        case .alive:
            let suspicion = Suspicion(by: accuser, bounds: bounds, at: moment.now)
            members[peer]?.suspect(suspicion, at: moment.now)
            if let status = members[peer]?.status { effects.append(.changed(status)) }
        case .suspect:
            guard var suspicion = member.suspicion, suspicion.confirm(by: accuser) else { return }
            members[peer]?.suspect(suspicion, at: moment.now)
        case .dead, .left: return
        }
        pass(on: .suspicion(of: peer, sequence: sequence, accuser: accuser), isUrgent: true)
    }

    /// Answers a suspicion of this node with a newer record: at once, unless the last one is so
    /// young that somebody may want to keep this node busy.
    private mutating func refute(_ sequence: UInt64) {
        guard sequence == own.sequence, farewell == nil, refutesAt == nil else { return }
        figures.refutations += 1
        changeHealth(by: 1)
        refutesAt = ownMadeAt.advanced(byMilliseconds: GossipLimits.recordGapMilliseconds)
        renewIfDue()
    }

    /// Ends the suspicions whose time is over: those members are dead, here.
    mutating func endSuspicions() {
        for id in memberIDs {
            guard let deadline = members[id]?.suspicion?.deadline, deadline <= moment.now else {
                continue
            }
            members[id]?.die(at: moment.now)
            news.drop(about: id)
            if let status = members[id]?.status { effects.append(.changed(status)) }
        }
    }

    /// Moves the local health score within 0...8.
    mutating func changeHealth(by change: Int) {
        let moved = Int(health) + change
        health = UInt64(min(8, max(0, moved)))
    }
}
