internal import Primitives

/// What this node signed in one view; loaded from the journal after a restart.
struct SigningRecord: Sendable {
    private(set) var notarize: Vote?
    private(set) var nullify: Vote?
    private(set) var finalize: Vote?

    /// In the order of their kinds.
    var votes: [Vote] { [notarize, nullify, finalize].compactMap(\.self) }

    /// Whether the protocol lets a vote of `kind` be signed beside what was signed already.
    func permits(_ kind: VoteKind) -> Bool {
        switch kind {
        case .notarize: notarize == nil && nullify == nil
        case .nullify: nullify == nil && finalize == nil
        case .finalize: finalize == nil && nullify == nil
        }
    }

    mutating func set(_ vote: Vote) {
        switch vote.kind {
        case .notarize: notarize = vote
        case .nullify: nullify = vote
        case .finalize: finalize = vote
        }
    }
}

/// Everything about one view above the finalized one.
struct Slot: Sendable {
    var own = SigningRecord()
    var notarization: Certificate?
    var nullification: Certificate?
    /// The first of the view's leader.
    var proposal: Proposal?
    /// Whether the proposal can never be notarized here.
    var rejected = false
    private var notarizes = VoteTally()
    private var nullifies = VoteTally()
    private var finalizes = VoteTally()
    private var accused: Set<ValidatorIndex> = []

    subscript(kind: VoteKind) -> VoteTally {
        get {
            switch kind {
            case .notarize: notarizes
            case .nullify: nullifies
            case .finalize: finalizes
            }
        }
        _modify {
            switch kind {
            case .notarize: yield &notarizes
            case .nullify: yield &nullifies
            case .finalize: yield &finalizes
            }
        }
    }

    /// Whether a certificate of `kind` is held. A finalization ends the slot, so there is none.
    func holds(_ kind: VoteKind) -> Bool {
        switch kind {
        case .notarize: notarization != nil
        case .nullify: nullification != nil
        case .finalize: false
        }
    }

    /// A proof against the signer of `vote` from what is known of the view, once for each signer.
    mutating func accuse(_ vote: Vote) -> Evidence? {
        guard !accused.contains(vote.signer) else { return nil }
        for kind in VoteKind.allCases {
            guard let other = self[kind].first[vote.signer], let proof = Evidence(other, vote)
            else { continue }
            accused.insert(vote.signer)
            return proof
        }
        return nil
    }

    /// Forgets votes that no rule needs when the view lies far behind.
    mutating func trim(keepingFinalizes: Bool) {
        notarizes = VoteTally()
        nullifies = VoteTally()
        if !keepingFinalizes { finalizes = VoteTally() }
        proposal = nil
    }
}
