internal import Consensus
internal import Logging
internal import Mempool
internal import NodeCore
internal import Primitives

/// What the core's thread works with.
struct CoreParts: Sendable {
    let store: RocksStore
    /// Nil for a node that must not vote.
    let journal: ConsensusJournal?
    let pool: VerifierPool
    let broker: RequestBroker
    let logger: Logger
    /// Set once the links stand.
    let network: NetworkBox
    /// Ends the process: the exit code, and what to tell.
    let fail: @Sendable (ExitCode, String) -> Void

    func append(_ record: JournalRecord) { journal?.append(record) }

    func syncJournal() throws(StorageFault) { try journal?.sync() }

    /// The journal is shortened only when all that it no longer holds is safe in the store.
    func compact(to records: [JournalRecord]) throws(StorageFault) {
        try store.syncLog()
        try journal?.compact(to: records)
    }

    func send(_ frames: [OutgoingFrame], _ peer: PeerID?) {
        if let peer {
            network.value?.send(frames, to: peer)
        } else {
            network.value?.broadcast(frames)
        }
    }

    func penalise(_ peer: PeerID, _ reason: String) {
        network.value?.penalise(peer, reason: reason, points: 25)
    }
}
