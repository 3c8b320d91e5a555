package import Primitives

/// Whether this node's record of what it signed can be relied on: without it the validator's key
/// must not vote in this epoch, since it could sign a second time what it signed before.
package enum SigningRecord: Sendable {
    /// The journal belongs to the store; replay its records, then vote.
    case ready(ConsensusJournal.Opened)
    /// The journal is lost or another store's: follow the chain, don't vote. The text says why.
    case amnesia(String)

    private static let instanceKey = Array("store/instance".utf8)

    /// Opens the journal in `folder` that belongs to `store`, or makes it at the first start.
    /// - Throws: `StorageFault` for a damaged journal and faults of the disk.
    package static func open(
        folder: String, store: RocksStore
    ) throws(StorageFault) -> SigningRecord {
        let stored = try store.value(in: .meta, for: instanceKey)
        let hasJournal = ConsensusJournal.exists(in: folder)
        guard let stored else {
            return try hasJournal ? adopt(folder, store) : begin(folder, store)
        }
        guard let instance = InstanceID(stored) else {
            throw StorageFault("the store's instance id has \(stored.count) bytes, not 16")
        }
        guard hasJournal else {
            return .amnesia(
                """
                the store holds chain data of instance \(instance), but \(folder) has no consensus \
                journal: what this validator signed isn't known
                """)
        }
        let opened = try ConsensusJournal.open(in: folder)
        guard opened.journal.instance == instance else {
            return mismatch(folder, opened.journal.instance, "the store \(instance)")
        }
        return .ready(opened)
    }

    /// The first start: journal first, so that a crash in between leaves an empty one to adopt.
    private static func begin(
        _ folder: String, _ store: RocksStore
    ) throws(StorageFault) -> SigningRecord {
        guard try !hasBlocks(store) else {
            return .amnesia(
                """
                the store holds blocks, but neither an instance id nor a consensus journal in \
                \(folder): what this validator signed isn't known
                """)
        }
        let journal = try ConsensusJournal.create(in: folder, instance: .random())
        try remember(journal.instance, in: store)
        return .ready(ConsensusJournal.Opened(journal: journal, records: [], cut: nil))
    }

    /// A journal beside a store without an id: an empty one is the first start again, any other
    /// belongs to a store that was lost.
    private static func adopt(
        _ folder: String, _ store: RocksStore
    ) throws(StorageFault) -> SigningRecord {
        let opened = try ConsensusJournal.open(in: folder)
        let hasBlocks = try hasBlocks(store)
        guard opened.records.isEmpty, !hasBlocks else {
            return mismatch(folder, opened.journal.instance, "the store has none")
        }
        try remember(opened.journal.instance, in: store)
        return .ready(opened)
    }

    private static func mismatch(
        _ folder: String, _ instance: InstanceID, _ other: String
    ) -> SigningRecord {
        .amnesia(
            """
            the consensus journal in \(folder) carries instance \(instance), \(other): they don't \
            belong together, as after a restored backup or a lost data folder
            """)
    }

    private static func remember(
        _ instance: InstanceID, in store: RocksStore
    ) throws(StorageFault) {
        var writes = WriteSet()
        writes.put(instance.bytes, in: .meta, for: instanceKey)
        try store.apply(writes)
        try store.syncLog()
    }

    /// Whether a block above genesis is stored.
    private static func hasBlocks(_ store: RocksStore) throws(StorageFault) -> Bool {
        try !store.pairs(in: .blocks, from: UInt64(1).bigEndianBytes, before: nil, limit: 1).isEmpty
    }
}
