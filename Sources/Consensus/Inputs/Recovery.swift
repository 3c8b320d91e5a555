package import Primitives

// P4 and P5: how a validator comes to sign after a start, above all one whose record of its
// signatures is empty, and what stops it when somebody else signs with its key.
//
// Nobody signs after a start before it heard others. For one with a record that takes answers of
// weight Q, the own included, without which it could get nowhere anyway:
//
// - upon the start: ask, and again upon the timer, until the answers are enough.
// - upon such a question: answer the current view with the certificate that opened it, and the
//   newest vote of the asking key that is known.
// - upon a vote that isn't in the record: halt, for somebody else signs, or the record is old.
// - upon enough answers: sign, and if they proved a view above the record's, only from that one on.
//
// So an old copy of a whole home, which no file gives away, signs nothing in views that others have
// left, and stops where one of them still knows its vote. What is left: a vote in the others'
// newest view that reached none of those that answer. Blocks of the views in which a node abstains
// become final with the first block after them.
//
// An empty record looks alike at the network's first start and after the loss of a home folder. So
// whoever has one signs nothing before the answers give it a floor: the last view in which it may
// have signed. It never signs at or below the floor, and the floor is on disk before its first
// vote.
//
// - upon the start: ask, naming the record's random id.
// - upon such a question: keep on disk the first id that is known of each validator, then answer
//   also whether it is that one. Whoever has no floor, or stands at or below it, vouches for no
//   view; whoever has a floor above 0 has forgotten what ids it knew, and calls none the first.
// - upon "it is the first" by weight Q, the own included: the floor is 0, and of the views that
//   these answers proved it signs only from the highest on, as above.
// - upon views by weight Q, the own not included: the floor is the highest of them, plus one.
// - upon leaving the floor behind: everything to disk, for then this node vouches again.
// - upon an own signature above the floor that isn't in the record: halt.
//
// Let B be those that lie and A those that lost their record and have no floor above 0 behind them
// yet, the asking node R among them; the protocol bears w(A) + w(B) <= F. (Who lost its record
// before enough others knew of it comes back by the first rule, as a new one. It forgot whose ids
// it had called the first, and doesn't know that it did, so it stays in A. And as R keeps answers
// while it waits for more, A has everybody who was in it at any time of R's wait.)
//
// Why the first rule is safe. Had R signed before, it had had a floor, and for that answers of
// weight Q - w(R) at least, the own not included, by validators that each keep an id of R's that
// isn't the present one. Now others of weight Q - w(R) say that they know none. The two share at
// least 2(Q - w(R)) - (W - w(R)) = W - 2F - w(R) > F - w(R): somebody outside A and B, who can't
// have done both. (Who left a floor above 0 behind never says so.)
//
// Why the second rule is safe. Had R signed in view m before, then m = 1, or a certificate of view
// m - 1 existed. Votes of weight Q made it, and each honest voter among them had a view >= m - 1 on
// disk. They share weight W - 2F > F with the answers of weight Q, in which R has no part; so one
// that answered is honest and remembers, or was in A and has left a floor behind: that floor is at
// least m - 1 by the same argument, for it had signed in view m - 1. Its view is at least m - 1,
// so the floor is at least m. A liar can't name a view that nobody could enter.
//
// Weight Q of others is needed for the second rule: a validator that weighs more than F, or the
// lost records of more than F together, don't come back by themselves. That is meant: nobody is
// left who knows what they signed.
extension SimplexEngine {
    /// Whether a signature in the view can contradict none that this node forgot.
    func maySign(in place: View) -> Bool {
        guard let resumption else { return false }
        return isRecorded(place) && place >= resumption
    }

    /// Whether every signature that this key made in the view is in the record.
    private func isRecorded(_ place: View) -> Bool {
        guard own != nil, let floor else { return false }
        return place > floor
    }

    /// Whether this is a validator that signs, now or after its recovery.
    package var signsAtAll: Bool { own != nil }

    /// Whether this validator waits for what others know of it.
    package var isRecovering: Bool { own != nil && !maySign(in: view) }

    /// The view in which others stood when this node started, if the record ended below it; else 0.
    package var resumedView: View { resumption ?? 0 }

    private var remembersAll: Bool { floor ?? 0 == 0 }

    /// What a shortened journal must keep of it.
    var recordedFloor: View? { configuration.signing == .full && floor == 0 ? nil : floor }

    /// The last view in which this validator abstains; nil before others were heard.
    package var abstinence: View? {
        guard let resumption, let floor else { return nil }
        return max(floor, resumption.clampedRetreat(by: 1))
    }

    /// Asks everybody, and again until the answers are enough.
    mutating func askOthers() {
        guard own != nil, resumption == nil, case .asking(let record) = configuration.signing
        else { return }
        let request = RecoveryRequest(epoch: committee.epoch, record: record)
        effects.append(.broadcast(.recoveryRequest(request)))
        let wait = min(4 * configuration.timing.deltaBase, ConsensusLimits.retryMilliseconds)
        setTimer(.recovery, after: wait)
        concludeIfKnown()
    }

    // MARK: Answering

    mutating func answer(_ request: RecoveryRequest, of peer: PeerID) {
        guard own != nil, let asker = committee.index(of: peer), asker != own,
            take(\.requestAllowances, peer, burst: ConsensusLimits.requestBurst)
        else { return }
        if knownRecords[asker] == nil {
            knownRecords[asker] = request.record
            effects.append(.persist([.introduced(asker, request.record)], sync: true))
        }
        let entry = entryCertificate
        let vouches = isRecorded(view) && (view == 1 || entry != nil)
        let answer = RecoveryAnswer(
            epoch: committee.epoch, record: request.record,
            isFirst: remembersAll && knownRecords[asker] == request.record,
            view: vouches ? view : 0, entry: vouches ? entry : nil, newest: newestVote(of: asker))
        effects.append(.send(peer, .recoveryAnswer(answer)))
    }

    /// Of the votes that are kept: those above the finalized view, of views that aren't long past.
    private func newestVote(of signer: ValidatorIndex) -> Vote? {
        for place in slots.keys.sorted(by: >) {
            guard let slot = slots[place] else { continue }
            let votes = VoteKind.allCases.compactMap { slot[$0].first[signer] }
            if let vote = votes.last { return vote }
        }
        return nil
    }

    // MARK: Asking

    func wants(_ answer: RecoveryAnswer, from peer: PeerID) -> Bool {
        guard own != nil, resumption == nil,
            case .asking(answer.record) = configuration.signing,
            let index = committee.index(of: peer), index != own
        else { return false }
        let known = answers[index]
        return known.map { answer.isFirst && !$0.isFirst || answer.view > $0.view } ?? true
    }

    mutating func receive(_ answer: RecoveryAnswer, from peer: PeerID) {
        guard wants(answer, from: peer), let index = committee.index(of: peer) else { return }
        guard answer.isProven, answer.newest.map({ $0.signer == own }) ?? true else {
            return effects.append(.penalise(peer, .malformed))
        }
        if let vote = answer.newest, isForeign(vote.subject) {
            return haltForForeignSignature(vote.subject)
        }
        if let entry = answer.entry { incoming.append(entry) }
        answers[index] = answer
        concludeIfKnown()
    }

    private mutating func concludeIfKnown() {
        if floor == nil { setFloorIfKnown() } else { resumeIfHeard() }
    }

    private mutating func resumeIfHeard() {
        guard let own else { return }
        // At most the committee's weight, which is below 2^60.
        let heard = committee.weight(of: answers.keys) + committee.weight(of: own)
        guard heard >= committee.quorum else { return }
        resume(from: provenView)
    }

    /// The highest view that answers proved above the record's; 0 if none.
    private var provenView: View {
        let highest = answers.values.map(\.view).max() ?? 0
        // Answers have opened views meanwhile: what counts is how far the record goes.
        return highest > recordedView ? highest : 0
    }

    private mutating func setFloorIfKnown() {
        guard let own else { return }
        let first = committee.weight(of: answers.filter { $0.value.isFirst }.keys)
        // Both are at most the committee's weight, which is below 2^60.
        if first + committee.weight(of: own) >= committee.quorum {
            return begin(above: 0, from: provenView)
        }
        let vouching = answers.filter { $0.value.view > 0 }
        guard committee.weight(of: vouching.keys) >= committee.quorum else { return }
        let highest = vouching.values.map(\.view).max() ?? 0
        begin(above: max(highest, view).clampedAdvance(by: 1), from: 0)
    }

    /// From here on this node signs in views above `floor`, since this start only from `place` on.
    private mutating func begin(above floor: View, from place: View) {
        self.floor = floor
        effects.append(.persist([.floor(floor)], sync: true))
        resume(from: place)
    }

    private mutating func resume(from place: View) {
        resumption = place
        answers = [:]
        cancelTimer(.recovery)
        armTimers()
        for place in notarizedViews { finalizeIfAllowed(place) }
        isDirty = true
    }

    /// Called when `next` is entered: what leads above the floor is on disk before this node
    /// vouches again, or a crash could take it back below.
    mutating func leaveFloorBehind(entering next: View) {
        guard let floor, view <= floor, next > floor else { return }
        effects.append(.persist([], sync: true))
    }

    // MARK: Somebody else with this key

    /// Whether an own signature for the subject isn't this node's.
    func isForeign(_ subject: VoteSubject) -> Bool {
        guard subject.view > finalizedView, isRecorded(subject.view) else { return false }
        // A planted bug is to be found by what it leads to.
        guard configuration.plantedBug == nil else { return false }
        return slots[subject.view]?.own.votes.contains { $0.subject == subject } != true
    }

    mutating func haltForForeignSignature(_ subject: VoteSubject) {
        stopCause = .foreignSignature
        halt(
            """
            this validator's key signed \(subject.kind) in view \(subject.view), and it wasn't \
            this node: another process runs with the same key, or this home folder was restored \
            from a backup. Signing on could contradict what was signed there. Stop the other \
            process, wherever it runs; if there is none, run `offpeak db forget-signatures` on \
            this home: the node then asks the others how far it got, and votes above that
            """)
    }
}

/// Why an engine stopped for good.
package enum StopCause: Hashable, Sendable {
    /// More weight lies than the protocol bears.
    case contradiction
    /// Somebody else signs with this node's key.
    case foreignSignature
}
