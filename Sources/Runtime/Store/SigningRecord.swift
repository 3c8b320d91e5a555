internal import Consensus
package import Primitives

/// This node's record of what it signed: the journal, which belongs to the store and to the mark
/// beside the voting key.
///
/// What doesn't fit together isn't the whole record: a journal that is missing, of another store,
/// older than the mark, or beside a damaged mark. Then a new one is begun under a new id, and the
/// old one is put aside. A new record is empty, and an empty record signs nothing before the other
/// validators said how far its key may have got (decisions/0011): the first start is no different.
package struct SigningRecord: Sendable {
    /// The journal with what it holds, or with nothing if it was begun now.
    package let opened: ConsensusJournal.Opened
    /// Nil for a node without a voting key.
    package let mark: SigningMark?
    /// Why the former record can't be relied on, if there was one.
    package let loss: String?

    private static let instanceKey = Array("store/instance".utf8)

    /// What lies on disk.
    private struct Place {
        let folder: String
        let store: any KeyValueSource
        let mark: SigningMark.Found

        init(
            _ folder: String, _ store: any KeyValueSource, mark path: String?
        ) throws(StorageFault) {
            self.folder = folder
            self.store = store
            mark = if let path { try SigningMark.look(at: path) } else { .nothing }
        }
    }

    /// Opens the record whose journal is in `folder`, or begins a new one.
    /// - Parameter mark: where the mark beside the voting key is; nil without such a key.
    /// - Throws: `StorageFault` for a damaged journal and faults of the disk.
    package static func open(
        folder: String, store: RocksStore, mark path: String?
    ) throws(StorageFault) -> SigningRecord {
        let place = try Place(folder, store, mark: path)
        let loss = try loss(place)
        guard loss == nil, ConsensusJournal.exists(in: folder) else {
            return try begin(place, store, path, loss: loss)
        }
        return try take(try ConsensusJournal.open(in: folder), place, store, path, loss: nil)
    }

    /// Why a node that started now couldn't rely on its record, nil if it could or never had one.
    /// Nothing is changed.
    /// - Throws: `StorageFault` for a damaged journal and faults of the disk.
    package static func loss(
        folder: String, store: some KeyValueSource, mark path: String?
    ) throws(StorageFault) -> String? {
        try loss(try Place(folder, store, mark: path))
    }

    // MARK: What is wrong

    private static func loss(_ place: Place) throws(StorageFault) -> String? {
        guard ConsensusJournal.exists(in: place.folder) else {
            return try lossWithoutJournal(place)
        }
        return try loss(of: try ConsensusJournal.look(in: place.folder), place)
    }

    private static func lossWithoutJournal(_ place: Place) throws(StorageFault) -> String? {
        if let reason = lossByMark(
            place, nil, .none, top: SigningPlace(epoch: 0, view: 0))
        {
            return reason
        }
        if let instance = try storedInstance(place.store) {
            return "the store holds chain data of record \(instance), but \(place.folder) has no "
                + "consensus journal"
        }
        guard try hasBlocks(place.store) else { return nil }
        return "the store holds blocks, but neither a record's id nor a consensus journal in "
            + place.folder
    }

    private static func loss(
        of found: ConsensusJournal.Contents, _ place: Place
    ) throws(StorageFault) -> String? {
        let own = found.instance
        let stored = try storedInstance(place.store)
        if let stored, stored != own {
            return mismatch(place.folder, own, "the store has \(stored)")
        }
        if stored == nil {
            // An empty journal beside an empty store is a first start that was cut short.
            let hasBlocks = try hasBlocks(place.store)
            guard found.records.isEmpty, !hasBlocks else {
                return mismatch(place.folder, own, "the store has none")
            }
        }
        return lossByMark(place, own, found.position, top: try top(of: found.records))
    }

    private static func lossByMark(
        _ place: Place, _ own: InstanceID?, _ end: ConsensusJournal.Position,
        top: SigningPlace
    ) -> String? {
        switch place.mark {
        case .nothing: return nil
        case .damaged(let text): return text
        case .content(let mark):
            guard let own else {
                return "the mark beside the voting key is of record \(mark.instance), but "
                    + "\(place.folder) has no consensus journal"
            }
            guard mark.instance == own else {
                return mismatch(
                    place.folder, own, "the mark beside the voting key has \(mark.instance)")
            }
            guard top >= mark.lowerEdge else {
                return "the consensus journal in \(place.folder) ends in view \(top), but its "
                    + "validator voted above view \(mark.lowerEdge): it is an old copy"
            }
            return lossByEnd(place, end, mark.journal)
        }
    }

    /// A vote that left was whole on the disk: an end that was damaged later isn't an unfinished
    /// one, even where no whole record follows it.
    private static func lossByEnd(
        _ place: Place, _ end: ConsensusJournal.Position, _ marked: ConsensusJournal.Position
    ) -> String? {
        if end.segment < marked.segment {
            return "the consensus journal in \(place.folder) is segment \(end.segment), but its "
                + "validator voted with segment \(marked.segment): it is an old copy"
        }
        guard end.segment == marked.segment, end.end < marked.end else { return nil }
        return "the consensus journal in \(place.folder) is whole up to byte \(end.end), but its "
            + "validator voted with \(marked.end) bytes of it: the end is damaged"
    }

    private static func mismatch(_ folder: String, _ own: InstanceID, _ other: String) -> String {
        "the consensus journal in \(folder) is record \(own), \(other): they don't belong "
            + "together, as after a restored backup or a lost data folder"
    }

    /// The highest view that a journal knows of, in its epoch; that of its last vote, or one above.
    private static func top(of records: [JournalRecord]) throws(StorageFault) -> SigningPlace {
        var decoded: [Consensus.JournalRecord] = []
        for record in records { decoded.append(try record.decoded()) }
        return SigningPlace(
            epoch: Consensus.JournalRecord.epoch(of: decoded),
            view: decoded.map(\.view).max() ?? 0)
    }

    // MARK: Taking and beginning

    private static func take(
        _ opened: ConsensusJournal.Opened, _ place: Place, _ store: RocksStore,
        _ markPath: String?, loss: String?
    ) throws(StorageFault) -> SigningRecord {
        let instance = opened.journal.instance
        if try storedInstance(store) != instance { try remember(instance, in: store) }
        var mark: SigningMark?
        if let path = markPath {
            mark = try SigningMark.open(path, instance: instance, found: place.mark)
        }
        return SigningRecord(opened: opened, mark: mark, loss: loss)
    }

    /// The journal comes first: a crash before store and mark follow leaves an empty one, which is
    /// replaced again where they are of another.
    private static func begin(
        _ place: Place, _ store: RocksStore, _ markPath: String?, loss: String?
    ) throws(StorageFault) -> SigningRecord {
        _ = try ConsensusJournal.putAside(place.folder)
        let journal = try ConsensusJournal.create(in: place.folder, instance: .random())
        let opened = ConsensusJournal.Opened(journal: journal, records: [], cut: nil)
        return try take(opened, place, store, markPath, loss: loss)
    }

    // MARK: The store

    private static func storedInstance(
        _ store: any KeyValueSource
    ) throws(StorageFault) -> InstanceID? {
        guard let bytes = try store.value(in: .meta, for: instanceKey) else { return nil }
        guard let instance = InstanceID(bytes) else {
            throw StorageFault("the store's instance id has \(bytes.count) bytes, not 16")
        }
        return instance
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
    private static func hasBlocks(_ store: any KeyValueSource) throws(StorageFault) -> Bool {
        try !store.pairs(in: .blocks, from: UInt64(1).bigEndianBytes, before: nil, limit: 1).isEmpty
    }
}

extension Home {
    /// Makes the node's next start begin a new signing record, as after the loss of the journal.
    /// The home must be locked.
    /// - Returns: where the old journal was put, nil if there was none.
    /// - Throws: `HomeFault` for faults of the disk.
    package func forgetSignatures() throws(HomeFault) -> String? {
        do throws(StorageFault) {
            return try ConsensusJournal.putAside(journal)
        } catch {
            throw HomeFault("\(error)", exitCode: .storage)
        }
    }
}
