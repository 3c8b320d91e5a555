package import Primitives

/// What a node checks signatures as.
package enum CheckerRole: String, Codable, Hashable, Sendable {
    /// Votes; its stake is its bond.
    case validator
    /// Bonded without a vote.
    case verifier
    /// Without vote and bond: what it says of signatures counts nothing.
    case relay
}

/// What `verification_status` answers: who checks signatures, as this node sees it.
package struct VerificationStatus: Codable, Hashable, Sendable {
    /// This node, `nod` text.
    package let peerID: String
    package let role: CheckerRole
    /// What this node has bonded in the present period, in units of stake; 0 for a relay and while
    /// it is jailed.
    package let bond: UInt64
    /// Whether bonds above a third check each signature; if not, all validators do.
    package let spread: Bool
    /// Users' signatures that this node has checked since its start.
    package let checked: CheckCounts
    /// The same over the last 1, 5 and 15 minutes.
    package let recent: [RecentChecks]
    /// What this machine lends; absent if nobody told it a limit.
    package let capacity: CapacityInfo?
    /// Who checked for this node as an owner of shards, in order of peer id.
    package let checkers: [CheckerInfo]
    /// Acts of others that this node can prove, in order of height; at most 32.
    package let evidence: [EvidenceInfo]

    package init(
        peerID: String, role: CheckerRole, bond: UInt64, spread: Bool, checked: CheckCounts,
        recent: [RecentChecks], capacity: CapacityInfo? = nil, checkers: [CheckerInfo],
        evidence: [EvidenceInfo]
    ) {
        self.peerID = peerID
        self.role = role
        self.bond = bond
        self.spread = spread
        self.checked = checked
        self.recent = recent
        self.capacity = capacity
        self.checkers = checkers
        self.evidence = evidence
    }
}

/// Users' signatures by what they were checked for.
package struct CheckCounts: Codable, Hashable, Sendable {
    /// As their owner, before they got their place.
    package let admission: UInt64
    /// Of other owners' batches, because they asked for it.
    package let assigned: UInt64
    /// Of batches that didn't get their certificate in time.
    package let rescue: UInt64
    /// For clients and appeals, before they cost anybody else something.
    package let screening: UInt64
    /// That a block carries itself.
    package let direct: UInt64

    package init(
        admission: UInt64 = 0, assigned: UInt64 = 0, rescue: UInt64 = 0, screening: UInt64 = 0,
        direct: UInt64 = 0
    ) {
        self.admission = admission
        self.assigned = assigned
        self.rescue = rescue
        self.screening = screening
        self.direct = direct
    }

    package var total: UInt64 { [assigned, rescue, screening, direct].reduce(admission, &+) }
}

/// What was checked over the last minutes.
package struct RecentChecks: Codable, Hashable, Sendable {
    package let minutes: UInt64
    /// What of them is known: less while the node is younger.
    package let milliseconds: UInt64
    package let checked: CheckCounts

    package init(minutes: UInt64, milliseconds: UInt64, checked: CheckCounts) {
        self.minutes = minutes
        self.milliseconds = milliseconds
        self.checked = checked
    }
}

/// What a machine can check for others.
package struct CapacityInfo: Codable, Hashable, Sendable {
    /// When it does nothing else.
    package let signaturesPerSecond: UInt32
    /// The part that is free now.
    package let free: UInt32
    /// The part that is expected to be free over the next seconds.
    package let forecast: UInt32
    /// How long a signature that arrives now waits.
    package let queueMilliseconds: UInt32

    package init(
        signaturesPerSecond: UInt32, free: UInt32, forecast: UInt32, queueMilliseconds: UInt32
    ) {
        self.signaturesPerSecond = signaturesPerSecond
        self.free = free
        self.forecast = forecast
        self.queueMilliseconds = queueMilliseconds
    }
}

/// Somebody who checks for this node, as this node sees it. Counts are signatures, but for `wrong`.
package struct CheckerInfo: Codable, Hashable, Sendable {
    /// `nod` text.
    package let peerID: String
    package let role: CheckerRole
    /// In units of stake, in the present period.
    package let bond: UInt64
    /// Signatures a second that it is taken for.
    package let signaturesPerSecond: UInt64
    /// Until it answers, smoothed.
    package let latencyMilliseconds: UInt64
    /// Asked for and not answered yet.
    package let outstanding: UInt64
    package let asked: UInt64
    package let answered: UInt64
    /// Asked of others as well, because no answer came in time.
    package let late: UInt64
    /// Handed back.
    package let declined: UInt64
    /// Verdicts that were wrong.
    package let wrong: UInt64

    package init(
        peerID: String, role: CheckerRole, bond: UInt64, signaturesPerSecond: UInt64,
        latencyMilliseconds: UInt64, outstanding: UInt64, asked: UInt64, answered: UInt64,
        late: UInt64, declined: UInt64, wrong: UInt64
    ) {
        self.peerID = peerID
        self.role = role
        self.bond = bond
        self.signaturesPerSecond = signaturesPerSecond
        self.latencyMilliseconds = latencyMilliseconds
        self.outstanding = outstanding
        self.asked = asked
        self.answered = answered
        self.late = late
        self.declined = declined
        self.wrong = wrong
    }
}

/// Proof that somebody signed what it must not.
package struct EvidenceInfo: Codable, Hashable, Sendable {
    /// The key that signed, `pub` text.
    package let offender: String
    /// `wrong_verdict`, `conflicting_acks` or `equivocating_owner`.
    package let kind: String
    /// At which the batch says it was sealed.
    package let height: Height
    /// The bytes that a `reportEvidence` operation takes, in base64.
    package let evidence: String

    package init(offender: String, kind: String, height: Height, evidence: String) {
        self.offender = offender
        self.kind = kind
        self.height = height
        self.evidence = evidence
    }
}

/// What `verifier_list` answers: whose word counts for signatures in the present period.
package struct VerifierList: Codable, Hashable, Sendable {
    package let period: UInt64
    /// Its first height and its last.
    package let from: Height
    package let until: Height
    /// The sum of the bonds, in units of stake.
    package let totalBond: UInt64
    /// The bonds that must agree on a verdict: the least that include an honest one.
    package let validityThreshold: UInt64
    /// The validators in the order of their indexes, then the others by rising key.
    package let verifiers: [VerifierMember]

    package init(
        period: UInt64, from: Height, until: Height, totalBond: UInt64,
        validityThreshold: UInt64, verifiers: [VerifierMember]
    ) {
        self.period = period
        self.from = from
        self.until = until
        self.totalBond = totalBond
        self.validityThreshold = validityThreshold
        self.verifiers = verifiers
    }
}

/// A member of a verifier set.
package struct VerifierMember: Codable, Hashable, Sendable {
    package let index: UInt16
    /// The key that signs acks, `pub` text.
    package let key: String
    /// `nod` text.
    package let peerID: String
    package let role: CheckerRole
    /// In units of stake; 0 for a validator that is jailed.
    package let bond: UInt64
    /// `acc` text.
    package let rewardAddress: String
    /// Whether this node has a link to it, or is it.
    package let connected: Bool

    package init(
        index: UInt16, key: String, peerID: String, role: CheckerRole, bond: UInt64,
        rewardAddress: String, connected: Bool
    ) {
        self.index = index
        self.key = key
        self.peerID = peerID
        self.role = role
        self.bond = bond
        self.rewardAddress = rewardAddress
        self.connected = connected
    }
}
