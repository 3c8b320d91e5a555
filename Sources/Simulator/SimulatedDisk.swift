internal import Consensus
internal import Primitives

/// What one node has on disk. A crash keeps what was synced and an arbitrary part of the rest.
struct SimulatedDisk {
    /// Records in the order of writing; the first `synced` survive every crash.
    private(set) var journal: [JournalRecord] = []
    private var synced = 0
    /// Finalized blocks by height less one, each with a certificate if it ended a commit.
    private(set) var chain: [(block: Block, certificate: Certificate?)] = []
    private var syncedHeight = 0
    /// Everything that this node's key ever had on disk before sending.
    private(set) var recorded: Set<Vote> = []
    /// The id of the journal.
    private(set) var id: RecordID

    init(id: RecordID) { self.id = id }

    mutating func append(_ records: [JournalRecord], sync: Bool) {
        journal += records
        if sync { syncJournal() }
    }

    private mutating func syncJournal() {
        for case .vote(let vote) in journal[synced...] { recorded.insert(vote) }
        synced = journal.count
    }

    /// The view of the last block that survives every crash.
    var syncedView: View { syncedHeight > 0 ? chain[syncedHeight - 1].block.view : 0 }

    /// The blocks that weren't stored already.
    mutating func commit(_ blocks: [Block], _ certificate: Certificate) -> [Block] {
        let new = blocks.filter { $0.height.rawValue > UInt64(chain.count) }
        for block in new {
            chain.append((block, block == blocks.last ? certificate : nil))
        }
        return new
    }

    /// The store is synced before the journal is replaced.
    mutating func compact(to records: [JournalRecord]) {
        syncedHeight = chain.count
        syncJournal()
        journal = records
        synced = records.count
    }

    /// Loses a part of what wasn't synced. The store ends at a certified block.
    mutating func crash(_ random: inout SeededRandom) {
        let kept = random.number(in: UInt64(synced)...UInt64(journal.count))
        journal.removeLast(journal.count - Int(kept))
        syncJournal()
        let height = Int(random.number(in: UInt64(syncedHeight)...UInt64(chain.count)))
        chain.removeLast(chain.count - height)
        while let last = chain.last, last.certificate == nil { chain.removeLast() }
        syncedHeight = chain.count
    }

    /// Everything is gone but the key, which is kept elsewhere.
    mutating func lose(newID: RecordID) {
        let former = recorded
        self = SimulatedDisk(id: newID)
        recorded = former
    }

    /// What the store offers to somebody behind.
    func answer(_ request: SyncRequest) -> SyncResponse? {
        guard request.from.rawValue > 0, request.from.rawValue <= UInt64(chain.count) else {
            return nil
        }
        let start = Int(request.from.rawValue) - 1
        let window = chain[start..<min(start + ConsensusLimits.syncBlocksMax, chain.count)]
        guard let end = window.lastIndex(where: { $0.certificate != nil }),
            let certificate = window[end].certificate
        else { return nil }
        return SyncResponse(blocks: window[...end].map(\.block), certificate: certificate)
    }

    func block(_ digest: Digest) -> Block? {
        chain.last { $0.block.digest == digest }?.block
    }
}
