internal import Primitives

extension GossipEngine {
    /// Takes a record that a peer passed on; whether it was new.
    mutating func take(_ record: PeerRecord, from sender: PeerID) -> Bool {
        let known = record.peerID == peerID ? own.sequence : members[record.peerID]?.record.sequence
        if let known, record.sequence <= known { return false }
        if let reason = refusal(of: record, from: sender) {
            figures.refuse(reason)
            return false
        }
        figures.signaturesChecked += 1
        guard let verified = Verified.check(record, in: settings.chainID) else {
            // Honest peers pass on nothing that they haven't checked.
            figures.refuse(.badSignature)
            block(sender)
            return false
        }
        if record.peerID == peerID {
            outdo(verified.value)
        } else {
            keep(verified.value)
        }
        return true
    }

    /// Why a record isn't worth a look at its signature.
    private mutating func refusal(of record: PeerRecord, from sender: PeerID) -> GossipRefusal? {
        guard record.chainID == settings.chainID else { return .otherChain }
        let (made, wall) = (record.timestamp.rawValue, moment.wall.rawValue)
        if made > wall, made - wall > GossipLimits.recordFutureMilliseconds { return .fromFuture }
        if wall > made, wall - made > GossipLimits.recordAgeMilliseconds { return .tooOld }
        guard contacts[sender]?.records.take(at: moment.now) ?? false else {
            return .tooManyRecords
        }
        if record.peerID == peerID { return nil }
        if let member = members[record.peerID] {
            return member.records.hasOne(at: moment.now) ? nil : .tooManyRecords
        }
        guard hasRoom(for: record.peerID) else { return .noRoom }
        return gate.takeNewcomer(at: moment.now) ? nil : .tooManyRecords
    }

    /// A record of this node that it doesn't know: made before a restart, by a clock ahead.
    private mutating func outdo(_ record: PeerRecord) {
        let (next, overflow) = record.sequence.addingReportingOverflow(1)
        renew(atLeast: overflow ? .max : next, isUrgent: true)
    }

    private mutating func keep(_ record: PeerRecord) {
        let id = record.peerID
        let before = members[id]?.status
        if before == nil {
            makeRoom(for: id)
            members[id] = Member(record, at: moment.now)
            insert(id)
            // Others are probed in their turn: a record mustn't send many pings to its address.
            if isTrusted(id) { prober.putFirst(id) }
        } else {
            members[id]?.replace(record, at: moment.now)
        }
        _ = members[id]?.records.take(at: moment.now)
        guard let after = members[id]?.status else { return }
        let isUrgent = before.map { GossipEngine.isUrgent($0, after) } ?? true
        pass(on: .record(record), isUrgent: isUrgent)
        if isUrgent { effects.append(.changed(after)) }
        if before?.capacity != after.capacity { effects.append(.capacity(id, after.capacity)) }
    }

    /// Whether more than the capacity changed.
    private static func isUrgent(_ before: MemberStatus, _ after: MemberStatus) -> Bool {
        before.state != after.state || before.record.addresses != after.record.addresses
            || before.record.roles != after.record.roles
            || before.record.versions != after.record.versions
    }

    private mutating func insert(_ id: PeerID) {
        let place = memberIDs.firstIndex { $0 > id } ?? memberIDs.endIndex
        memberIDs.insert(id, at: place)
        prober.isStale = true
    }

    // MARK: Room

    private var strangers: [PeerID] { memberIDs.filter { !isTrusted($0) } }

    private func hasRoom(for id: PeerID) -> Bool {
        if isTrusted(id) { return members.count < GossipLimits.membersMax || victim(true) != nil }
        let isFull =
            members.count >= GossipLimits.membersMax
            || strangers.count >= GossipLimits.strangersMax
        return !isFull || victim(false) != nil
    }

    private mutating func makeRoom(for id: PeerID) {
        let isStranger = !isTrusted(id)
        let isFull =
            members.count >= GossipLimits.membersMax
            || isStranger && strangers.count >= GossipLimits.strangersMax
        if isFull, let victim = victim(!isStranger) { forget(victim) }
    }

    /// The stranger that gives way: the longest dead; for one that must be known, any other.
    private func victim(_ isForTrusted: Bool) -> PeerID? {
        let strangers = strangers.compactMap { members[$0]?.status }
        let down = strangers.filter { !$0.state.isUp }.min { $0.since < $1.since }
        return down?.peerID ?? (isForTrusted ? strangers.max { $0.since < $1.since }?.peerID : nil)
    }

    mutating func forget(_ id: PeerID) {
        members[id] = nil
        contacts[id] = nil
        memberIDs.removeAll { $0 == id }
        news.drop(about: id)
        prober.isStale = true
        effects.append(.forgotten(id))
    }

    /// Forgets strangers that are dead for so long that their last record is too old to be taken.
    mutating func forgetDead() {
        for id in strangers {
            guard let status = members[id]?.status, !status.state.isUp,
                moment.now.millisecondsSince(status.since) > GossipLimits.deadKeptMilliseconds
            else { continue }
            forget(id)
        }
    }

    // MARK: The own record

    /// When the own record is to be made anew.
    var renewAt: Instant {
        let isChanged = ownCapacity.differsNoticeably(from: own.capacity)
        let regular = ownMadeAt.advanced(
            byMilliseconds: isChanged ? times.advertGap : times.renewPeriod)
        return min(regular, refutesAt ?? regular)
    }

    mutating func renewIfDue() {
        if renewAt <= moment.now { renew(atLeast: 0, isUrgent: refutesAt != nil) }
    }

    /// Makes the own record anew with a higher sequence and passes it on.
    mutating func renew(atLeast sequence: UInt64, isUrgent: Bool) {
        let (next, overflow) = own.sequence.addingReportingOverflow(1)
        own = PeerRecord(
            chainID: settings.chainID,
            sequence: max(sequence, overflow ? .max : next, moment.wall.rawValue),
            timestamp: moment.wall, addresses: farewell == nil ? settings.addresses : [],
            roles: settings.roles, versions: settings.versions, capacity: ownCapacity,
            signedBy: identity)
        ownMadeAt = moment.now
        refutesAt = nil
        pass(on: .record(own), isUrgent: isUrgent)
    }

    /// Lets news ride on what is sent from now on.
    mutating func pass(on piece: News, isUrgent: Bool) {
        let bounds = bounds
        let subject = piece.subject
        news.add(
            piece, isUrgent: isUrgent, isAboutTrusted: subject == peerID || isTrusted(subject),
            times: isUrgent ? bounds.transmissions : bounds.renewalTransmissions)
    }
}
