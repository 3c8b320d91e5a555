internal import Collections
internal import DequeModule
internal import Primitives

/// Transactions that this node has admitted as an owner and that no finalized block has yet.
///
/// Invariants: a (sender, stream, sequence) is held by at most one transaction; what a sender has
/// waiting costs at most what it held, and what its spending limits left, when it was admitted;
/// sequences of a stream are sealed without a gap.
struct OwnerPool: Sendable {
    private struct StreamKey: Hashable {
        let sender: Address
        let stream: UInt16
    }

    private struct Entry {
        let transaction: Verified<SignedTransaction>
        let cost: Amount
        let limits: [LimitUse]
        /// What it pays above the fee, for 1,024 bytes.
        let offer: UInt64
        var isSealed = false
    }

    private struct StreamQueue {
        /// The next sequence by the finalized state.
        var next: SequenceNumber
        var ids: [SequenceNumber: TransactionID] = [:]
    }

    private struct Sender {
        var count = 0
        var reserved: Amount = 0
        /// Of the assets with a limit that what waits counts against.
        var limited: [AssetID: Amount] = [:]

        /// Whether balance and limits have room for a further transaction.
        func hasRoom(for cost: Amount, of spendable: Amount, _ limits: [LimitUse]) -> Bool {
            guard let total = try? reserved.adding(cost), total <= spendable else { return false }
            return limits.allSatisfy {
                guard let total = try? $0.cost.adding(limited[$0.asset] ?? 0) else { return false }
                return total <= $0.room
            }
        }

        mutating func reserve(_ cost: Amount, _ limits: [LimitUse]) {
            count += 1
            if let total = try? reserved.adding(cost) { reserved = total }
            for use in limits {
                limited[use.asset] = (limited[use.asset] ?? 0).clampedAdvance(by: use.cost.rawValue)
            }
        }

        mutating func release(_ cost: Amount, _ limits: [LimitUse]) {
            count -= 1
            reserved = (try? reserved.subtracting(cost)) ?? 0
            for use in limits {
                let left = (limited[use.asset] ?? 0).clampedRetreat(by: use.cost.rawValue)
                limited[use.asset] = left > 0 ? left : nil
            }
        }
    }

    private var entries: [TransactionID: Entry] = [:]
    private var streams: [StreamKey: StreamQueue] = [:]
    private var senders: [Address: Sender] = [:]
    /// Streams that may have something to seal, by shard.
    private var ready: [UInt16: Deque<StreamKey>] = [:]
    private var readyCounts: [UInt16: Int] = [:]

    /// Transactions in the pool that offer something.
    private var offerCount = 0

    /// Bytes of the transactions in the pool.
    private(set) var byteCount = 0

    /// Transactions in the pool, sealed ones included.
    var count: Int { entries.count }

    /// Transactions that wait to be sealed, by sender, stream and sequence.
    var waiting: [SignedTransaction] {
        entries.values.filter { !$0.isSealed }.map(\.transaction.value).sorted { left, right in
            let (left, right) = (left.transaction, right.transaction)
            return (left.sender, left.stream, left.sequence)
                < (right.sender, right.stream, right.sequence)
        }
    }

    /// Whether exactly these bytes are in the pool.
    func holds(_ transaction: SignedTransaction) -> Bool {
        entries[transaction.id]?.transaction.value == transaction
    }

    func contains(_ id: TransactionID) -> Bool { entries[id] != nil }

    /// Transactions of `shard` that aren't sealed.
    func waitingCount(shard: UInt16) -> Int { readyCounts[shard] ?? 0 }

    /// Shards with something to seal, in order.
    var readyShards: [UInt16] {
        readyCounts.filter { $0.value > 0 }.keys.sorted()
    }

    /// Whether a transaction would find its place, signatures apart.
    func placeFault(
        for transaction: SignedTransaction, next: SequenceNumber, spendable: Amount, cost: Amount,
        limits: [LimitUse] = []
    ) -> SubmitOutcome? {
        let body = transaction.transaction
        if let entry = entries[transaction.id] {
            // One with fewer signatures may yet be skipped: until then this one's fate is open.
            return entry.transaction.value.isSigned(likeOrMoreThan: transaction)
                ? .accepted : .busy(MempoolTimes.busyRetry)
        }
        guard entries.count < BatchLimits.poolTransactionsMax else {
            return .busy(MempoolTimes.busyRetry)
        }
        let key = StreamKey(sender: body.sender, stream: body.stream)
        if let holder = streams[key]?.ids[body.sequence] { return .conflict(holder) }
        let ahead = UInt64(BatchLimits.senderTransactionsMax)
        guard body.sequence < next.clampedAdvance(by: ahead) else {
            return .refused(.sequenceAhead)
        }
        let sender = senders[body.sender] ?? Sender()
        guard sender.count < BatchLimits.senderTransactionsMax else {
            return .busy(MempoolTimes.busyRetry)
        }
        return sender.hasRoom(for: cost, of: spendable, limits) ? nil : .overspent
    }

    /// Takes in a transaction for which `placeFault` found nothing.
    mutating func insert(
        _ transaction: Verified<SignedTransaction>, shard: UInt16, next: SequenceNumber,
        cost: Amount, tip: Amount, limits: [LimitUse] = []
    ) {
        let body = transaction.value.transaction
        let key = StreamKey(sender: body.sender, stream: body.stream)
        let (product, overflow) = tip.rawValue.multipliedReportingOverflow(by: 1024)
        let offer = (overflow ? .max : product) / UInt64(max(1, transaction.value.byteCount))
        entries[transaction.value.id] = Entry(
            transaction: transaction, cost: cost, limits: limits, offer: offer)
        offerCount += offer > 0 ? 1 : 0
        byteCount += transaction.value.byteCount
        streams[key, default: StreamQueue(next: next)].ids[body.sequence] = transaction.value.id
        raiseNext(of: key, to: next)
        senders[body.sender, default: Sender()].reserve(cost, limits)
        readyCounts[shard, default: 0] += 1
        ready[shard, default: []].append(key)
    }

    /// Takes what can be sealed of `shard` now, within the limits of a batch.
    ///
    /// Where more waits than a batch holds, at most half of it, by number and by bytes, goes to the
    /// highest offers, one transaction of a stream; the rest goes by arrival, so that nobody waits
    /// for ever.
    mutating func takeForSealing(
        shard: UInt16, within settings: BatchSettings
    ) -> [SignedTransaction] {
        var batch = Taken()
        if offerCount > 0, isCrowded(shard, settings) {
            for key in streamsByOffer(shard, countMax: settings.transactionsMax / 2) {
                guard takeFirst(of: key, shard: shard, settings, into: &batch) else { break }
            }
        }
        var visits = ready[shard]?.count ?? 0
        while visits > 0, let key = ready[shard]?.popFirst() {
            visits -= 1
            guard takeRun(of: key, shard: shard, settings, into: &batch) else {
                ready[shard]?.prepend(key)
                break
            }
        }
        if ready[shard]?.isEmpty ?? false { ready[shard] = nil }
        return batch.transactions
    }

    /// What a batch holds so far.
    private struct Taken {
        var transactions: [SignedTransaction] = []
        var bytes = 8
    }

    /// Whether more waits than a batch holds, as far as the pool's average transaction tells.
    private func isCrowded(_ shard: UInt16, _ settings: BatchSettings) -> Bool {
        let waiting = waitingCount(shard: shard)
        return waiting > settings.transactionsMax
            || byteCount / max(1, count) * waiting > settings.bytesMax
    }

    /// At most `countMax` streams whose next transaction offers something, the highest offer first
    /// and of equal ones the earlier arrival.
    private func streamsByOffer(_ shard: UInt16, countMax: Int) -> [StreamKey] {
        var offers: [(key: StreamKey, offer: UInt64, place: Int)] = []
        var seen: Set<StreamKey> = []
        for key in ready[shard] ?? [] where seen.insert(key).inserted {
            guard let id = firstUnsealed(of: key), let offer = entries[id]?.offer, offer > 0 else {
                continue
            }
            offers.append((key, offer, offers.count))
        }
        offers.sort { ($1.offer, $0.place) < ($0.offer, $1.place) }
        return offers.prefix(countMax).map(\.key)
    }

    /// The next transaction of a stream that isn't sealed; nil where one is missing before it.
    private func firstUnsealed(of key: StreamKey) -> TransactionID? {
        guard let queue = streams[key] else { return nil }
        var sequence = queue.next
        while let id = queue.ids[sequence], let entry = entries[id] {
            if !entry.isSealed { return id }
            guard let following = sequence.next else { return nil }
            sequence = following
        }
        return nil
    }

    /// Seals a stream's next transaction; false if its half of the batch is full.
    private mutating func takeFirst(
        of key: StreamKey, shard: UInt16, _ settings: BatchSettings, into batch: inout Taken
    ) -> Bool {
        guard let id = firstUnsealed(of: key), let entry = entries[id] else { return true }
        let size = entry.transaction.value.byteCount
        guard batch.transactions.count < settings.transactionsMax / 2,
            batch.bytes + size <= settings.bytesMax / 2
        else { return false }
        seal(id, entry.transaction.value, shard: shard, into: &batch)
        return true
    }

    private mutating func seal(
        _ id: TransactionID, _ transaction: SignedTransaction, shard: UInt16,
        into batch: inout Taken
    ) {
        batch.bytes += transaction.byteCount
        batch.transactions.append(transaction)
        entries[id]?.isSealed = true
        readyCounts[shard, default: 1] -= 1
    }

    /// Seals the stream's next sequences as far as they are there; false if the batch is full.
    private mutating func takeRun(
        of key: StreamKey, shard: UInt16, _ settings: BatchSettings, into batch: inout Taken
    ) -> Bool {
        guard let queue = streams[key] else { return true }
        var sequence = queue.next
        while let id = queue.ids[sequence], let entry = entries[id] {
            if !entry.isSealed {
                let size = entry.transaction.value.byteCount
                guard batch.transactions.count < settings.transactionsMax,
                    batch.bytes + size <= settings.bytesMax
                else { return false }
                seal(id, entry.transaction.value, shard: shard, into: &batch)
            }
            guard let following = sequence.next else { break }
            sequence = following
        }
        return true
    }

    /// Returns the transactions of a batch that will never be included.
    mutating func unseal(_ transactions: [SignedTransaction], shard: UInt16) {
        for transaction in transactions where entries[transaction.id]?.isSealed == true {
            entries[transaction.id]?.isSealed = false
            readyCounts[shard, default: 0] += 1
            ready[shard, default: []].append(
                StreamKey(
                    sender: transaction.transaction.sender,
                    stream: transaction.transaction.stream))
        }
    }

    /// Follows the finalized state: a sequence is taken, or its transaction was skipped.
    mutating func settle(_ executed: ExecutedTransaction, shard: UInt16) {
        let key = StreamKey(sender: executed.sender, stream: executed.stream)
        guard streams[key] != nil, executed.isDefinite || holds(executed.signed) else { return }
        if executed.skipped == nil, let next = executed.sequence.next {
            dropBelow(next, of: key, shard: shard)
            raiseNext(of: key, to: next)
        } else if executed.skipped?.mayRetry == true {
            unsealOne(executed.id, key: key, shard: shard)
        } else if executed.skipped != nil {
            drop(executed.id, of: key, shard: shard)
        }
        if let queue = streams[key] {
            if queue.ids.isEmpty {
                streams[key] = nil
            } else {
                ready[shard, default: []].append(key)
            }
        }
    }

    private mutating func unsealOne(_ id: TransactionID, key: StreamKey, shard: UInt16) {
        guard entries[id]?.isSealed == true else { return }
        entries[id]?.isSealed = false
        readyCounts[shard, default: 0] += 1
    }

    private mutating func raiseNext(of key: StreamKey, to next: SequenceNumber) {
        guard let queue = streams[key], queue.next < next else { return }
        streams[key]?.next = next
    }

    private mutating func dropBelow(
        _ next: SequenceNumber, of key: StreamKey, shard: UInt16
    ) {
        guard let ids = streams[key]?.ids else { return }
        for (sequence, id) in ids where sequence < next {
            streams[key]?.ids[sequence] = nil
            forget(id, shard: shard)
        }
    }

    private mutating func drop(_ id: TransactionID, of key: StreamKey, shard: UInt16) {
        guard let entry = entries[id] else { return }
        streams[key]?.ids[entry.transaction.value.transaction.sequence] = nil
        forget(id, shard: shard)
        if streams[key]?.ids.isEmpty ?? false { streams[key] = nil }
    }

    private mutating func forget(_ id: TransactionID, shard: UInt16) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        byteCount -= entry.transaction.value.byteCount
        offerCount -= entry.offer > 0 ? 1 : 0
        if !entry.isSealed { readyCounts[shard, default: 1] -= 1 }
        let address = entry.transaction.value.transaction.sender
        guard var sender = senders[address] else { return }
        sender.release(entry.cost, entry.limits)
        senders[address] = sender.count > 0 ? sender : nil
    }

    /// Removes transactions that can't execute any more at block time `time`.
    mutating func dropExpired(at time: Timestamp, shardOf: (Address) -> UInt16) {
        let expired = entries.values.map(\.transaction.value).filter {
            $0.transaction.validUntil < time && entries[$0.id]?.isSealed == false
        }
        for transaction in expired {
            let body = transaction.transaction
            drop(
                transaction.id, of: StreamKey(sender: body.sender, stream: body.stream),
                shard: shardOf(body.sender))
        }
    }
}
