internal import Collections
internal import HeapModule
internal import Primitives

/// Transactions that clients gave to this node: it hands each to its shard's owner, and to the
/// next rank when the owner doesn't answer or no block includes it, until its fate is known.
struct Following: Sendable {
    struct Followed: Sendable {
        let transaction: SignedTransaction
        let shard: UInt16
        /// The lane whose owner has it now.
        var lane: Lane
        var isAdmitted = false
        /// Whether some owner has ever admitted it.
        var wasAdmitted = false
        /// Handovers so far.
        var handovers = 0
        /// The lane whose owner got its last chance to seal it, with all validators watching where
        /// that is another node; or nil.
        var appealed: Lane?
        /// How often the owner was asked again, since others were appealed for.
        var reminders = 0
        /// Whether this node has checked its signatures itself.
        var isScreened = false
        /// For what its signatures are being checked here.
        var screenings: Set<MempoolEngine.Screening> = []
        /// Clients that wait for the owner's answer.
        var requests: [RequestID]
        let since: Instant
        var deadline: Instant
    }

    private struct Due: Comparable, Sendable {
        let at: Instant
        let id: TransactionID
        static func < (left: Due, right: Due) -> Bool {
            (left.at, left.id) < (right.at, right.id)
        }
    }

    private var followed: [TransactionID: Followed] = [:]
    private var due = Heap<Due>()
    /// Lanes with an appeal of this node that runs, and what it is for.
    private var appealing: [Lane: TransactionID] = [:]
    /// Milliseconds that transactions lately took from the client to their block, smoothed: under
    /// load everybody is slow, and nobody is censored.
    private(set) var usualTime: UInt64 = 0

    init(usualTime: UInt64 = 0) { self.usualTime = usualTime }

    /// All of them, those first that wait longest.
    var entries: [Followed] {
        followed.values.sorted { ($0.since, $0.transaction.id) < ($1.since, $1.transaction.id) }
    }

    var count: Int { followed.count }
    var isFull: Bool { followed.count >= BatchLimits.followedMax }

    subscript(id: TransactionID) -> Followed? { followed[id] }

    mutating func insert(_ entry: Followed) {
        followed[entry.transaction.id] = entry
        due.insert(Due(at: entry.deadline, id: entry.transaction.id))
    }

    mutating func addRequest(_ request: RequestID, to id: TransactionID) {
        followed[id]?.requests.append(request)
    }

    /// The clients that waited for an answer about `id`; they wait no longer.
    mutating func takeRequests(of id: TransactionID) -> [RequestID] {
        defer { followed[id]?.requests = [] }
        return followed[id]?.requests ?? []
    }

    mutating func markAdmitted(_ id: TransactionID, deadline: Instant) {
        followed[id]?.isAdmitted = true
        followed[id]?.wasAdmitted = true
        reschedule(id, at: deadline)
    }

    /// An owner is asked again: until it answers, nobody is known to have it.
    mutating func markAsked(_ id: TransactionID) { followed[id]?.isAdmitted = false }

    mutating func remove(_ id: TransactionID) {
        endAppeal(of: id)
        followed[id] = nil
    }

    /// Learns from a transaction that a block has included. What its owner was urged to seal tells
    /// nothing of the usual.
    mutating func noteIncluded(_ id: TransactionID, at now: Instant) {
        guard let entry = followed[id], entry.appealed == nil else { return }
        let time = min(now.millisecondsSince(entry.since), MempoolTimes.handoverWaitMax)
        usualTime = (15 * usualTime + time) / 16
    }

    mutating func reschedule(_ id: TransactionID, at deadline: Instant) {
        guard followed[id] != nil else { return }
        followed[id]?.deadline = deadline
        due.insert(Due(at: deadline, id: id))
    }

    /// Moves `id` to another owner.
    mutating func handOver(_ id: TransactionID, to lane: Lane) {
        endAppeal(of: id)
        followed[id]?.lane = lane
        followed[id]?.handovers += 1
    }

    /// Whether a further appeal may run against the owner of a lane.
    func mayAppeal(against lane: Lane) -> Bool {
        appealing.count < BatchLimits.appealsAtOnce && appealing[lane] == nil
    }

    /// The owner of `lane` is urged to seal `id`, until this is done or somebody else has it.
    mutating func markAppealed(_ id: TransactionID, against lane: Lane) {
        guard followed[id] != nil else { return }
        followed[id]?.appealed = lane
        appealing[lane] = id
    }

    private mutating func endAppeal(of id: TransactionID) {
        guard let lane = followed[id]?.appealed, appealing[lane] == id else { return }
        appealing[lane] = nil
    }

    mutating func markReminded(_ id: TransactionID) { followed[id]?.reminders += 1 }

    mutating func markScreened(_ id: TransactionID) { followed[id]?.isScreened = true }

    /// Notes that a check of the signatures begins; false if one for the same purpose is under way.
    mutating func beginScreening(_ id: TransactionID, _ next: MempoolEngine.Screening) -> Bool {
        followed[id]?.screenings.insert(next).inserted ?? false
    }

    mutating func endScreening(_ id: TransactionID, _ next: MempoolEngine.Screening) {
        followed[id]?.screenings.remove(next)
    }

    /// Transactions that at least three owners were given for nothing, and whose signatures hold,
    /// in order of their ids.
    var stuck: [SignedTransaction] {
        followed.values.filter { $0.handovers >= 3 && $0.isScreened }.map(\.transaction)
            .sorted { $0.id < $1.id }
    }

    /// Transactions whose deadline has come, those first that wait longest.
    mutating func takeDue(at now: Instant) -> [Followed] {
        var taken: [Followed] = []
        while let first = due.min, first.at <= now {
            _ = due.popMin()
            guard let entry = followed[first.id], entry.deadline == first.at else { continue }
            taken.append(entry)
        }
        return taken.sorted {
            ($0.since, $0.transaction.id) < ($1.since, $1.transaction.id)
        }
    }

    /// Transactions that can't execute any more at block time `time`, in order of their ids.
    func expired(at time: Timestamp) -> [TransactionID] {
        followed.values.filter { $0.transaction.transaction.validUntil < time }
            .map(\.transaction.id).sorted()
    }

    /// Unanswered transactions that match, in order: for handing over when a link goes.
    func unadmitted(where matches: (Followed) -> Bool) -> [TransactionID] {
        followed.values.filter { !$0.isAdmitted && matches($0) }.map(\.transaction.id).sorted()
    }
}
