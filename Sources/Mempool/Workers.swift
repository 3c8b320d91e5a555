internal import Primitives

/// What this node, as an owner, knows of those who check signatures for it: what they say they can
/// do, capped by what was seen of them.
///
/// A hint decides nothing about safety: whoever lies about its capacity answers late, and is asked
/// after the others then.
struct Workers: Sendable {
    /// One verifier's figures.
    struct Worker: Sendable {
        /// What it says itself, if it says anything.
        var hint: Capacity?
        /// Signatures a second, smoothed over its answers; 0 before the first.
        var rate: UInt64 = 0
        /// Whether it ever had so much to do that its answer showed its speed.
        var hasShownSpeed = false
        /// Milliseconds from asking to the answer, smoothed.
        var latency: UInt64 = 0
        /// Signatures that it was asked for and hasn't answered.
        var outstanding: UInt64 = 0
        /// Until then it is asked after the others, unless it answers before.
        var lateUntil = Instant(milliseconds: 0)
        /// The same for one that was wrong, whatever it answers.
        var wrongUntil = Instant(milliseconds: 0)
        /// How often in a row it was late.
        var lates = 0
        var tally = WorkerTally()
    }

    /// What a verifier without hint and history is taken for: a small machine.
    private static let rateGuess: UInt64 = 10_000
    /// Signatures under way that take longer to check than to send, on any machine.
    private static let tellingSignatures: UInt64 = 1024
    /// Longer than a message and its answer are under way.
    private static let tellingMilliseconds: UInt64 = 500

    private var workers: [PeerID: Worker] = [:]

    subscript(peer: PeerID) -> Worker { workers[peer] ?? Worker() }

    /// Every worker's figures, by peer.
    var tallies: [(peer: PeerID, worker: Worker)] {
        workers.keys.sorted().map { ($0, self[$0]) }
    }

    mutating func setHint(_ capacity: Capacity, of peer: PeerID) {
        workers[peer, default: Worker()].hint = capacity
    }

    /// Forgets those that aren't among `kept`: the table is bounded by the verifiers' number.
    mutating func keepOnly(_ kept: Set<PeerID>) {
        for peer in workers.keys where !kept.contains(peer) { workers[peer] = nil }
    }

    /// Nothing is waited for any more.
    mutating func releaseAll() {
        for peer in workers.keys { workers[peer]?.outstanding = 0 }
    }

    /// Whether a verifier can be asked first.
    func isWilling(_ peer: PeerID, at now: Instant) -> Bool {
        let worker = self[peer]
        if let hint = worker.hint, hint.free == 0 { return false }
        return worker.lateUntil <= now && worker.wrongUntil <= now
            && worker.outstanding < BatchLimits.outstandingSignaturesMax
    }

    /// Signatures a second that a verifier is taken for: what it says, at most twice what was seen
    /// once it had enough to do.
    func speed(of peer: PeerID) -> UInt64 {
        let worker = self[peer]
        // One that is wanted hands everything back at once, and tells nothing of its speed.
        let hint = worker.hint.map { UInt64(max($0.free, $0.forecast)) } ?? 0
        let said = hint > 0 ? hint : Workers.rateGuess
        let seen = worker.hasShownSpeed ? 2 * worker.rate : 1_000_000
        return max(1, min(max(said, worker.hint == nil ? worker.rate : 0), seen))
    }

    /// Milliseconds until a verifier would answer for `signatures` more.
    func estimate(_ peer: PeerID, _ signatures: UInt64) -> UInt64 {
        let worker = self[peer]
        let queue = UInt64(worker.hint?.queueMilliseconds ?? 0)
        return max(worker.latency, queue)
            + (worker.outstanding + signatures) * 1000 / speed(of: peer)
    }

    mutating func ask(_ peer: PeerID, signatures: UInt64) {
        workers[peer, default: Worker()].outstanding += signatures
        workers[peer]?.tally.asked += signatures
    }

    /// An answer for `signatures` after `milliseconds`. A fast one shows speed whatever its size;
    /// a slow one only if there was much to do or it took longer than any way there and back.
    /// - Parameter isReleased: whether it was waited for no longer.
    mutating func answer(
        _ peer: PeerID, signatures: UInt64, after milliseconds: UInt64, isReleased: Bool = false
    ) {
        guard var worker = workers[peer] else { return }
        let underWay = isReleased ? worker.outstanding + signatures : worker.outstanding
        let seen = underWay * 1000 / max(1, milliseconds)
        let isTelling =
            underWay >= Workers.tellingSignatures
            || milliseconds >= Workers.tellingMilliseconds
        worker.hasShownSpeed = worker.hasShownSpeed || isTelling
        if seen > worker.rate || isTelling {
            worker.rate = worker.rate == 0 ? seen : (3 * worker.rate + seen) / 4
        }
        worker.latency =
            worker.latency == 0 ? milliseconds : (3 * worker.latency + milliseconds) / 4
        if !isReleased { worker.outstanding -= min(worker.outstanding, signatures) }
        worker.tally.answered += signatures
        workers[peer] = worker
    }

    /// What isn't waited for any more, because others were faster.
    mutating func release(_ peer: PeerID, signatures: UInt64) {
        guard let outstanding = workers[peer]?.outstanding else { return }
        workers[peer]?.outstanding -= min(outstanding, signatures)
    }

    /// No answer came within `milliseconds`: it takes longer than that. Each time in a row that it
    /// is late it isn't asked first for twice as long.
    mutating func markLate(
        _ peer: PeerID, signatures: UInt64, after milliseconds: UInt64, at now: Instant
    ) {
        var worker = self[peer]
        worker.tally.late += signatures
        worker.latency = max(worker.latency, (3 * worker.latency + milliseconds) / 4)
        if worker.lateUntil <= now {
            let lateness = MempoolTimes.lateness << UInt64(min(worker.lates, 6))
            worker.lateUntil = now.advanced(byMilliseconds: lateness)
            worker.lates += 1
        }
        workers[peer] = worker
    }

    /// An answer came, if late: its machine is at work.
    mutating func forgiveLateness(_ peer: PeerID) {
        workers[peer]?.lateUntil = Instant(milliseconds: 0)
        workers[peer]?.lates = 0
    }

    mutating func markDeclined(_ peer: PeerID, signatures: UInt64, at now: Instant) {
        workers[peer, default: Worker()].tally.declined += signatures
        workers[peer]?.lateUntil = now.advanced(byMilliseconds: MempoolTimes.lateness)
    }

    mutating func markWrong(_ peer: PeerID, at now: Instant) {
        workers[peer, default: Worker()].tally.wrong += 1
        workers[peer]?.wrongUntil = now.advanced(byMilliseconds: 60 * MempoolTimes.lateness)
    }
}

/// What an owner counted of a verifier since its start, in signatures but for `wrong`, which counts
/// verdicts.
package struct WorkerTally: Hashable, Sendable {
    package var asked: UInt64 = 0
    package var answered: UInt64 = 0
    /// Asked of others as well, because no answer came in time.
    package var late: UInt64 = 0
    /// Handed back.
    package var declined: UInt64 = 0
    package var wrong: UInt64 = 0

    package init() {}
}
