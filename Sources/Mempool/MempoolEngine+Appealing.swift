package import Primitives

/// Transactions that their owner should seal, and complaints about owners.
struct Appeals: Sendable {
    struct Watched: Sendable {
        let transaction: SignedTransaction
        let lane: Lane
        /// When the owner is complained of.
        var deadline: Instant
        var isSealed = false
    }

    private var watched: [TransactionID: Watched] = [:]
    private var complaints: [Lane: [ValidatorIndex: Verified<Complaint>]] = [:]
    /// Lanes that this node has complained of, with the height.
    private var complained: [Lane: Height] = [:]
    /// Appeals of peers within the present second.
    private var allowances: [PeerID: (second: UInt64, used: UInt64)] = [:]

    var watchedCount: Int { watched.count }
    var complaintCount: Int { complaints.values.reduce(0) { $0 + $1.count } }
    var hasWatched: Bool { !watched.isEmpty }

    func isWatching(_ id: TransactionID) -> Bool { watched[id] != nil }

    mutating func watch(_ transaction: SignedTransaction, on lane: Lane, at now: Instant) {
        guard watched.count < BatchLimits.watchedMax, watched[transaction.id] == nil else { return }
        watched[transaction.id] = Watched(
            transaction: transaction, lane: lane,
            deadline: now.advanced(byMilliseconds: MempoolTimes.appealWait))
    }

    /// The lane whose owner should seal a transaction, or nil if nobody watches it.
    func lane(of id: TransactionID) -> Lane? { watched[id]?.lane }

    /// The owner has an excuse.
    mutating func forget(_ id: TransactionID) { watched[id] = nil }

    /// The transaction's fate is known.
    mutating func settle(_ executed: ExecutedTransaction) {
        guard let entry = watched[executed.id] else { return }
        if executed.isDefinite || entry.transaction == executed.signed { forget(executed.id) }
    }

    /// What an owner has sealed it must get certified as well, within `wait` milliseconds more.
    mutating func noteSealed(_ batch: Batch, at now: Instant, wait: UInt64) {
        guard !watched.isEmpty else { return }
        for transaction in batch.transactions
        where watched[transaction.id]?.lane == batch.lane
            && watched[transaction.id]?.isSealed == false
        {
            watched[transaction.id]?.isSealed = true
            watched[transaction.id]?.deadline = now.advanced(byMilliseconds: wait)
        }
    }

    /// What is certified isn't censored.
    mutating func noteCertified(_ batch: Batch) {
        guard !watched.isEmpty else { return }
        for transaction in batch.transactions where watched[transaction.id]?.lane == batch.lane {
            watched[transaction.id] = nil
        }
    }

    /// What was put before owners and isn't certified in time, in order of the ids; it is watched
    /// no longer.
    mutating func takeOverdue(at now: Instant) -> [Watched] {
        let overdue = watched.filter { $0.value.deadline <= now }
        for id in overdue.keys { watched[id] = nil }
        return overdue.keys.sorted().compactMap { overdue[$0] }
    }

    /// Uses one of a peer's appeals of this second.
    mutating func mayAppeal(_ peer: PeerID, at now: Instant) -> Bool {
        let second = now.milliseconds / 1000
        let current = allowances[peer]
        let used = current?.second == second ? current?.used ?? 0 : 0
        guard used < BatchLimits.appealsPerSecond else { return false }
        allowances[peer] = (second, used + 1)
        return true
    }

    mutating func drop(_ peer: PeerID) { allowances[peer] = nil }

    /// Whether this node may complain of a lane: its earlier complaint doesn't count any more.
    mutating func mayComplain(of lane: Lane, at height: Height, every blocks: UInt64) -> Bool {
        if let last = complained[lane], height < last.clampedAdvance(by: blocks) { return false }
        complained[lane] = height
        return true
    }

    func holds(_ complaint: Complaint) -> Bool {
        guard let held = complaints[complaint.lane]?[complaint.signer] else { return false }
        return held.value.height >= complaint.height
    }

    mutating func keep(_ complaint: Verified<Complaint>) {
        complaints[complaint.value.lane, default: [:]][complaint.value.signer] = complaint
    }

    /// Complaints that pass an owner over in a block at `height`, in order of their lanes.
    func complete(
        at height: Height, in layout: ShardLayout, _ table: LaneTable
    ) -> [ComplaintCertificate] {
        complaints.keys.sorted().compactMap { lane in
            guard table.rank(of: lane.tenure) == lane.rank else { return nil }
            let timely = (complaints[lane] ?? [:]).values.map(\.value)
                .filter { $0.isTimely(at: height, in: layout.settings) }
                .sorted { $0.signer < $1.signer }
            let certificate = ComplaintCertificate(lane: lane, complaints: timely)
            return certificate.isComplete(at: height, in: layout) ? certificate : nil
        }
    }

    /// Forgets complaints that can't count any more after `height`.
    mutating func settle(at height: Height, _ table: LaneTable, _ settings: BatchSettings) {
        for (lane, signers) in complaints {
            let left = signers.filter {
                table.rank(of: lane.tenure) == lane.rank
                    && height < $0.value.value.height.clampedAdvance(by: settings.complaintBlocks)
            }
            complaints[lane] = left.isEmpty ? nil : left
        }
        complained = complained.filter {
            height < $0.value.clampedAdvance(by: settings.complaintBlocks)
        }
    }
}

/// Against censorship: what an owner leaves out is put before it by all validators, and an owner
/// that still doesn't seal it is passed over.
extension MempoolEngine {
    /// The lane of the owner of record for a shard now.
    package func laneOfRecord(_ shard: UInt16) -> Lane {
        let tenure = Tenure(shard: shard, term: layout.term(of: shard, after: height))
        return Lane(shard: shard, term: tenure.term, rank: table.rank(of: tenure))
    }

    /// Puts a transaction before its owner through every validator.
    mutating func appeal(_ transaction: SignedTransaction, at now: Instant) {
        let shard = layout.shard(of: transaction.transaction.sender)
        let validators = connectedValidators
        if !validators.isEmpty { effects.append(.multicast(validators, .appeal(transaction))) }
        if ownIndex != nil {
            appeals.watch(transaction, on: laneOfRecord(shard), at: now)
        }
    }

    mutating func consider(
        appeal transaction: SignedTransaction, from peer: PeerID, at now: Instant,
        view: some AdmissionView
    ) throws(StorageFault) {
        guard ownIndex != nil, appeals.mayAppeal(peer, at: now),
            !appeals.isWatching(transaction.id), !pool.contains(transaction.id),
            case .admissible = try view.admission(of: transaction)
        else { return }
        signatures.screening += UInt64(transaction.authorizations.count)
        startCheck(.transactions([transaction]), for: .appeal(peer, transaction))
    }

    /// A sound appeal goes to the owner, in this validator's own name.
    mutating func follow(
        appeal transaction: SignedTransaction, from peer: PeerID, at now: Instant,
        view: some AdmissionView
    ) throws(StorageFault) {
        let lane = laneOfRecord(layout.shard(of: transaction.transaction.sender))
        guard let owner = layout.owner(of: lane), let owning = self.peer(owner) else { return }
        if owner == ownIndex { return try ask(transaction, from: peer, view: view) }
        appeals.watch(transaction, on: lane, at: now)
        guard connected.contains(owning) else { return }
        forwardOutbox[owning, default: []].append(transaction)
    }

    /// Complains of owners that didn't seal what was put before them and what they could seal: the
    /// state finds nothing wrong with it, and its sequence is the next.
    mutating func complain(at now: Instant, view: some AdmissionView) throws(StorageFault) {
        guard let ownIndex, silence != .complete else { return }
        var lanes: Set<Lane> = []
        for watched in appeals.takeOverdue(at: now)
        where try isNext(watched.transaction, view: view) { lanes.insert(watched.lane) }
        for lane in lanes.sorted()
        where lane == laneOfRecord(lane.shard) && layout.owner(of: lane) != ownIndex {
            guard
                appeals.mayComplain(
                    of: lane, at: height, every: layout.settings.complaintBlocks)
            else { continue }
            let complaint = Complaint(
                lane, at: height, of: layout.committee, signer: ownIndex, key: signer)
            if let own = Verified.check(complaint, in: layout) { appeals.keep(own) }
            effects.append(.broadcast(.complaint(complaint)))
            effects.append(.workAvailable)
        }
    }

    /// Whether a transaction's turn has come: an owner that has it has no reason to wait.
    func isNext(
        _ transaction: SignedTransaction, view: some AdmissionView
    ) throws(StorageFault) -> Bool {
        guard
            case .admissible(let next, let spendable, let cost, _, _) = try view.admission(
                of: transaction)
        else { return false }
        return transaction.transaction.sequence == next && cost <= spendable
    }

    /// An owner's refusal excuses it, but for what a look at the state would show as untrue: that
    /// is looked at when it is time to complain.
    mutating func excuse(_ answer: ForwardAnswer, from peer: PeerID?) {
        guard let lane = appeals.lane(of: answer.id), let owner = layout.owner(of: lane),
            self.peer(owner) == peer
        else { return }
        switch answer.outcome {
        case .accepted, .refused: break
        case .conflict, .busy, .overspent: appeals.forget(answer.id)
        }
    }

    mutating func consider(_ complaint: Complaint, from peer: PeerID) {
        guard ownIndex != nil, layout.committee[complaint.signer]?.peerID == peer,
            complaint.lane == laneOfRecord(complaint.lane.shard),
            complaint.height <= height.clampedAdvance(by: layout.settings.complaintBlocks),
            !appeals.holds(complaint)
        else { return }
        startCheck(.complaint(complaint), for: .complaint(peer))
    }

    mutating func keep(_ complaint: Verified<Complaint>?, from peer: PeerID) {
        guard let complaint else {
            return effects.append(.penalise(peer, "a complaint with a wrong signature"))
        }
        appeals.keep(complaint)
        effects.append(.workAvailable)
    }

    /// The owners that a block at `height` whose parent leaves the lanes as `table` passes over.
    package func passable(after table: LaneTable, at height: Height) -> [ComplaintCertificate] {
        Array(appeals.complete(at: height, in: layout, table).prefix(BatchLimits.complaintsMax))
    }

    /// Transactions that a leader should put into a block itself, since owners don't: those that
    /// several ranks were given without a block including them.
    package var direct: [SignedTransaction] {
        var bytes = 0
        return following.stuck.prefix(BatchLimits.directMax).prefix { transaction in
            bytes += transaction.byteCount
            return bytes <= BatchLimits.directBytesMax
        }
    }
}
