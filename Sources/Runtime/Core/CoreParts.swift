internal import Consensus
internal import Logging
internal import Mempool
internal import NodeCore
internal import Primitives

/// What the core's thread works with.
struct CoreParts: Sendable {
    let store: RocksStore
    let journal: ConsensusJournal
    /// Nil for a node without a voting key.
    let mark: SigningMark?
    let pool: VerifierPool
    let share: ShareLoop
    /// Counts the time in which the core waits for the disk.
    let diskTime: TimeCount
    let broker: RequestBroker
    let provable: ProvableStates
    let logger: Logger
    /// Set once the links stand.
    let network: NetworkBox
    /// Takes the present committee, and the nodes of the bonded verifiers of the present sets: they
    /// are let in, and those who vote or check with them keep links to them.
    let trust: @Sendable (Committee, Set<PeerID>) -> Void
    /// Ends the process: the exit code, and what to tell.
    let fail: @Sendable (ExitCode, String) -> Void

    func append(_ record: Consensus.JournalRecord) {
        if case .vote(let vote) = record { mark?.note(vote.subject.epoch, vote.view) }
        journal.append(JournalRecord(record))
    }

    func syncJournal() throws(StorageFault) {
        try diskTime.measure { () throws(StorageFault) in
            try journal.sync()
            try mark?.cover(journal.position)
        }
    }

    func syncStore() throws(StorageFault) {
        try diskTime.measure { () throws(StorageFault) in try store.syncLog() }
    }

    /// The journal is shortened only when all that it no longer holds is safe in the store.
    func compact(to records: [Consensus.JournalRecord]) throws(StorageFault) {
        try syncStore()
        try journal.compact(to: records.map { JournalRecord($0) })
    }

    func send(_ deliveries: [Delivery]) { network.value?.deliver(deliveries) }

    func penalise(_ peer: PeerID, _ reason: String) {
        network.value?.penalise(peer, reason: reason, points: 25)
    }
}

extension JournalRecord {
    /// A consensus record as the journal keeps it: its variant, and its canonical bytes.
    init(_ record: Consensus.JournalRecord) {
        self.init(type: record.type, body: record.bcsBytes)
    }

    /// The consensus record that was kept.
    /// - Throws: `StorageFault` for bytes that this version doesn't write.
    func decoded() throws(StorageFault) -> Consensus.JournalRecord {
        do throws(BCSError) {
            return try Consensus.JournalRecord(bcs: body)
        } catch {
            throw StorageFault(
                "a consensus record can't be read (\(error)): was it written by another version?")
        }
    }
}
