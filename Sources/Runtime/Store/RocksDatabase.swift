internal import CRocksDB
internal import Primitives

/// An open RocksDB with its column families; closed with the last reference, so that a snapshot
/// never outlives what it reads from.
// SAFETY: the pointers never change, and RocksDB allows every call made here from any thread.
final class RocksDatabase: @unchecked Sendable {
    let path: String
    let pointer: OpaquePointer
    /// In the order of `Column.place`.
    private let families: [OpaquePointer]
    private let fallback: OpaquePointer
    private let unsynced: OpaquePointer
    private let cache: OpaquePointer

    /// - Parameter readOnly: nothing is written, and writes of others that come later aren't seen.
    /// - Throws: `StorageFault` with the path and what to do.
    init(path: String, limits: StoreLimits, readOnly: Bool = false) throws(StorageFault) {
        let cache = rocksdb_cache_create_lru(limits.blockCacheBytes)
        let options = RocksOptions.database(limits)
        defer { rocksdb_options_destroy(options) }
        var columns: [OpaquePointer?] = [RocksOptions.column(.meta, cache: cache)]
        for column in Column.allCases {
            columns.append(RocksOptions.column(column, cache: cache))
        }
        defer { for column in columns { rocksdb_options_destroy(column) } }
        var handles = [OpaquePointer?](repeating: nil, count: columns.count)
        let opened = RocksDatabase.open(path, options, columns, &handles, readOnly)
        guard case .success(let pointer) = opened, let cache,
            let unsynced = rocksdb_writeoptions_create()
        else {
            rocksdb_cache_destroy(cache)
            throw RocksDatabase.openFault(path, opened)
        }
        self.path = path
        self.pointer = pointer
        self.cache = cache
        self.unsynced = unsynced
        var present = handles.compactMap { $0 }
        precondition(present.count == columns.count, "\(present.count) column families opened")
        fallback = present.removeFirst()
        families = present
    }

    deinit {
        for family in families { rocksdb_column_family_handle_destroy(family) }
        rocksdb_column_family_handle_destroy(fallback)
        rocksdb_close(pointer)
        rocksdb_writeoptions_destroy(unsynced)
        rocksdb_cache_destroy(cache)
    }

    func family(_ column: Column) -> OpaquePointer { families[column.place] }

    /// Writes a batch to the log and the memory tables, without waiting for the disk.
    func write(_ batch: borrowing RocksBatch) throws(StorageFault) {
        try check("write") { rocksdb_write(pointer, unsynced, batch.pointer, $0) }
    }

    /// Hands the log to the system; with `sync`, waits until it is on the disk.
    func flushLog(sync: Bool) throws(StorageFault) {
        try check("flush the log") { rocksdb_flush_wal(pointer, sync ? 1 : 0, $0) }
    }

    /// Runs one call of the C interface.
    /// - Throws: `StorageFault` with RocksDB's own text.
    func check<Result>(
        _ action: String, _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) throws(StorageFault) -> Result {
        var text: UnsafeMutablePointer<CChar>?
        let result = body(&text)
        guard let text else { return result }
        let reason = String(cString: text)
        rocksdb_free(text)
        let advice =
            RocksDatabase.isDamage(reason)
            ? "The store is damaged. \(StoreAdvice.repair(folder: path))"
            : "Check the disk's free space (df) and health (dmesg), then start again."
        throw StorageFault("\(path): RocksDB couldn't \(action): \(reason). \(advice)")
    }

    /// Whether RocksDB's text tells of bytes that aren't those that were written.
    private static func isDamage(_ reason: String) -> Bool {
        ["Corruption", "No such file", "truncated", "CURRENT file"].contains { reason.contains($0) }
    }

    /// The number of the newest write: it never falls, unless writes were lost.
    var sequence: UInt64 { rocksdb_get_latest_sequence_number(pointer) }

    private enum Opened {
        case success(OpaquePointer)
        case failure(String)
    }

    private static func open(
        _ path: String, _ options: OpaquePointer?, _ columns: [OpaquePointer?],
        _ handles: inout [OpaquePointer?], _ readOnly: Bool
    ) -> Opened {
        let names = ["default"] + Column.allCases.map(\.rawValue)
        var texts: [UnsafePointer<CChar>?] = []
        var copies: [UnsafeMutableBufferPointer<CChar>] = []
        for name in names {
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: name.utf8.count + 1)
            _ = copy.initialize(from: name.utf8CString)
            copies.append(copy)
            texts.append(UnsafePointer(copy.baseAddress))
        }
        defer { for copy in copies { copy.deallocate() } }
        var text: UnsafeMutablePointer<CChar>?
        let pointer =
            readOnly
            ? rocksdb_open_for_read_only_column_families(
                options, path, Int32(names.count), texts, columns, &handles, 0, &text)
            : rocksdb_open_column_families(
                options, path, Int32(names.count), texts, columns, &handles, &text)
        if let pointer, text == nil { return .success(pointer) }
        defer { rocksdb_free(text) }
        return .failure(text.map { String(cString: $0) } ?? "no reason given")
    }

    private static func openFault(_ path: String, _ opened: Opened) -> StorageFault {
        guard case .failure(let reason) = opened else {
            return StorageFault("\(path): no memory to open RocksDB")
        }
        let advice =
            if isDamage(reason) {
                // First: a damaged "block" is no "lock".
                "The store is damaged. \(StoreAdvice.repair(folder: path))"
            } else if reason.contains("lock") {
                "Another process uses this folder; stop it first."
            } else if reason.contains("Column families not opened") {
                "A newer version of offpeak wrote this folder; start that version."
            } else {
                "Check that the folder can be written and the disk has free space (df)."
            }
        return StorageFault("\(path): RocksDB couldn't open: \(reason). \(advice)")
    }
}

/// A write batch of the C interface.
struct RocksBatch: ~Copyable {
    let pointer: OpaquePointer

    init() {
        guard let pointer = rocksdb_writebatch_create() else {
            preconditionFailure("no memory for a write batch")
        }
        self.pointer = pointer
    }

    deinit { rocksdb_writebatch_destroy(pointer) }

    func put(_ value: [UInt8], in family: OpaquePointer, for key: [UInt8]) {
        withCharacters(key) { key, keyCount in
            withCharacters(value) { value, valueCount in
                rocksdb_writebatch_put_cf(pointer, family, key, keyCount, value, valueCount)
            }
        }
    }

    func delete(from start: [UInt8], before end: [UInt8], in family: OpaquePointer) {
        withCharacters(start) { start, startCount in
            withCharacters(end) { end, endCount in
                rocksdb_writebatch_delete_range_cf(
                    pointer, family, start, startCount, end, endCount)
            }
        }
    }

    func delete(_ key: [UInt8], in family: OpaquePointer) {
        withCharacters(key) { key, count in
            rocksdb_writebatch_delete_cf(pointer, family, key, count)
        }
    }
}

/// Calls `body` with bytes as C text and its length; the address is never nil.
func withCharacters<Result>(
    _ bytes: [UInt8], _ body: (UnsafePointer<CChar>, Int) -> Result
) -> Result {
    bytes.withUnsafeBytes { buffer in
        if let base = buffer.baseAddress {
            return body(base.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        return withUnsafePointer(to: CChar(0)) { body($0, 0) }
    }
}

extension Column {
    /// The place in `Column.allCases`, without a search.
    var place: Int {
        switch self {
        case .meta: 0
        case .blocks: 1
        case .blockHeights: 2
        case .finalizations: 3
        case .batches: 4
        case .lanes: 5
        case .state: 6
        case .nodes: 7
        case .deadlines: 8
        case .receipts: 9
        case .escrowsByParty: 10
        case .bonds: 11
        case .history: 12
        case .guarded: 13
        case .postings: 14
        }
    }
}
