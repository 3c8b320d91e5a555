internal import CRocksDB
package import Primitives

/// The node's state, blocks and batches on disk.
///
/// A `WriteSet` becomes one RocksDB batch: all of it or nothing survives a crash. Writes wait for
/// no disk: `flushLog` hands them to the system (they survive the end of the process), `syncLog`
/// to the disk (they survive the loss of power). Every error is a `StorageFault`.
package final class RocksStore: KeyValueSource {
    private let database: RocksDatabase
    private let reader: RocksReader
    private let mark: StoreMark

    /// Opens the store in `folder`, or makes one there.
    /// - Throws: `StorageFault` with the path and what to do.
    package init(folder: String, limits: StoreLimits = StoreLimits()) throws(StorageFault) {
        do throws(PosixFault) {
            try PosixFolder.create(folder)
        } catch {
            throw StorageFault("\(error): the store's folder must be one that can be written")
        }
        let known = StoreMark.read(in: folder)
        try RocksStore.refuse(StoreMark.lossBeforeOpening(folder), in: folder)
        database = try RocksDatabase(path: folder, limits: limits)
        try RocksStore.refuse(
            StoreMark.loss(known, sequence: database.sequence, in: folder), in: folder)
        reader = RocksReader(database, snapshot: nil)
        // What was found is on the disk from here on: the mark must say no more than that.
        try database.flushLog(sync: true)
        mark = try StoreMark(folder: folder, sequence: database.sequence)
        try checkFormat()
    }

    private static func refuse(_ loss: String?, in folder: String) throws(StorageFault) {
        guard let loss else { return }
        throw StorageFault("\(loss). \(StoreAdvice.repair(folder: folder))")
    }

    /// The layout of keys and values that this version writes, and the ledger's rules by which they
    /// came about: a change of either is another number, for a store that has blocks of both would
    /// fail its own check.
    private static let format: [UInt8] = [4]
    private static let formatKey = Array("store/format".utf8)

    private func checkFormat() throws(StorageFault) {
        guard let found = try value(in: .meta, for: RocksStore.formatKey) else {
            var writes = WriteSet()
            writes.put(RocksStore.format, in: .meta, for: RocksStore.formatKey)
            try apply(writes)
            return try syncLog()
        }
        guard found == RocksStore.format else {
            throw StorageFault(
                """
                \(database.path): the store has format \(Hex.encode(found)), this version reads \
                \(Hex.encode(RocksStore.format)); start the version that wrote it, or move the \
                folder away to fetch the chain anew.
                """)
        }
    }

    /// Writes the changes together; they are read at once, and durable after `syncLog`.
    package func apply(_ writes: WriteSet) throws(StorageFault) {
        if writes.isEmpty { return }
        let batch = RocksBatch()
        add(writes, to: batch)
        try database.write(batch)
    }

    /// Deletes every row of a column, together with other changes.
    package func apply(_ writes: WriteSet, clearing column: Column) throws(StorageFault) {
        let batch = RocksBatch()
        if let last = try lastPairs(in: column, from: [], before: nil, limit: 1).first {
            // The end of a range isn't part of it.
            batch.delete(from: [], before: last.key + [0], in: database.family(column))
        }
        add(writes, to: batch)
        try database.write(batch)
    }

    private func add(_ writes: WriteSet, to batch: borrowing RocksBatch) {
        for change in writes.changes {
            let family = database.family(change.column)
            if let value = change.value {
                batch.put(value, in: family, for: change.key)
            } else {
                batch.delete(change.key, in: family)
            }
        }
    }

    /// Hands everything applied to the system: it survives the end of this process.
    package func flushLog() throws(StorageFault) { try database.flushLog(sync: false) }

    /// Waits until everything applied is on the disk.
    package func syncLog() throws(StorageFault) {
        let sequence = database.sequence
        try database.flushLog(sync: true)
        try mark.note(sequence, at: SystemClock.now)
    }

    package func value(in column: Column, for key: [UInt8]) throws(StorageFault) -> [UInt8]? {
        try reader.value(in: column, for: key)
    }

    package func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        try reader.pairs(in: column, from: start, before: end, limit: limit)
    }

    package func lastPairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        try reader.lastPairs(in: column, from: start, before: end, limit: limit)
    }

    /// The store as it is now, for readers on other threads.
    /// - Parameter keepsCache: for one who reads everything once, from the disk: nothing that it
    ///   reads takes the place of what others need.
    package func snapshot(keepsCache: Bool = false) -> StoreSnapshot {
        StoreSnapshot(database, keepsCache: keepsCache)
    }

    /// Bytes of the files in the store's folder.
    package var sizeOnDisk: UInt64 { PosixFolder.byteCount(of: database.path) }

    /// Bytes that RocksDB holds in memory tables and in its block cache.
    package var memoryBytes: UInt64 {
        var total: UInt64 = 0
        for column in Column.allCases {
            var value: UInt64 = 0
            let status = rocksdb_property_int_cf(
                database.pointer, database.family(column), "rocksdb.cur-size-all-mem-tables",
                &value)
            if status == 0 { total += value }
        }
        var cached: UInt64 = 0
        if rocksdb_property_int(database.pointer, "rocksdb.block-cache-usage", &cached) == 0 {
            total += cached
        }
        return total
    }

    /// Makes everything durable; the files are given back with the last reference to the store
    /// and its snapshots.
    package func close() throws(StorageFault) {
        try syncLog()
        rocksdb_cancel_all_background_work(database.pointer, 1)
    }
}

/// The store of a node that doesn't run, read without changing it.
package final class StoppedStore: KeyValueSource {
    private let database: RocksDatabase
    private let reader: RocksReader

    /// Opens the store in `folder`, which must hold one.
    /// - Throws: `StorageFault` with the path, what is damaged and what to do.
    package init(folder: String) throws(StorageFault) {
        if let loss = StoreMark.lossBeforeOpening(folder) {
            throw StorageFault("\(loss). \(StoreAdvice.repair(folder: folder))")
        }
        database = try RocksDatabase(path: folder, limits: StoreLimits(), readOnly: true)
        reader = RocksReader(database, snapshot: nil, keepsCache: true)
        let known = StoreMark.read(in: folder)
        if let loss = StoreMark.loss(known, sequence: database.sequence, in: folder) {
            throw StorageFault("\(loss). \(StoreAdvice.repair(folder: folder))")
        }
    }

    package func value(in column: Column, for key: [UInt8]) throws(StorageFault) -> [UInt8]? {
        try reader.value(in: column, for: key)
    }

    package func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        try reader.pairs(in: column, from: start, before: end, limit: limit)
    }

    package func lastPairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        try reader.lastPairs(in: column, from: start, before: end, limit: limit)
    }
}

/// The store at one moment; later writes don't show in it. Given back with the last reference.
// SAFETY: the snapshot's pointer never changes, and RocksDB reads it from any thread.
package final class StoreSnapshot: KeyValueSource, @unchecked Sendable {
    private let database: RocksDatabase
    private let pointer: OpaquePointer?
    private let reader: RocksReader

    init(_ database: RocksDatabase, keepsCache: Bool = false) {
        self.database = database
        pointer = rocksdb_create_snapshot(database.pointer)
        reader = RocksReader(database, snapshot: pointer, keepsCache: keepsCache)
    }

    deinit { rocksdb_release_snapshot(database.pointer, pointer) }

    package func value(in column: Column, for key: [UInt8]) throws(StorageFault) -> [UInt8]? {
        try reader.value(in: column, for: key)
    }

    package func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        try reader.pairs(in: column, from: start, before: end, limit: limit)
    }

    package func lastPairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        try reader.lastPairs(in: column, from: start, before: end, limit: limit)
    }
}

/// Reads of the newest state, or of a snapshot's.
// SAFETY: the pointers never change after `init`, and RocksDB reads with them from any thread.
final class RocksReader: @unchecked Sendable {
    private let database: RocksDatabase
    private let snapshot: OpaquePointer?
    private let options: OpaquePointer?
    private let keepsCache: Bool

    init(_ database: RocksDatabase, snapshot: OpaquePointer?, keepsCache: Bool = false) {
        self.database = database
        self.snapshot = snapshot
        self.keepsCache = keepsCache
        options = RocksReader.makeOptions(snapshot, keepsCache)
    }

    deinit { rocksdb_readoptions_destroy(options) }

    private static func makeOptions(
        _ snapshot: OpaquePointer?, _ keepsCache: Bool
    ) -> OpaquePointer? {
        let options = rocksdb_readoptions_create()
        rocksdb_readoptions_set_verify_checksums(options, 1)
        if keepsCache { rocksdb_readoptions_set_fill_cache(options, 0) }
        if let snapshot { rocksdb_readoptions_set_snapshot(options, snapshot) }
        return options
    }

    func value(in column: Column, for key: [UInt8]) throws(StorageFault) -> [UInt8]? {
        let family = database.family(column)
        let slice = try database.check("read") { fault in
            withCharacters(key) { key, count in
                rocksdb_get_pinned_cf(database.pointer, options, family, key, count, fault)
            }
        }
        guard let slice else { return nil }
        defer { rocksdb_pinnableslice_destroy(slice) }
        var count = 0
        let value = rocksdb_pinnableslice_value(slice, &count)
        return copy(value, count)
    }

    func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        if let end, end.isEmpty { return [] }
        // The bound also keeps the iterator from walking deleted keys behind the range.
        return try withBounds(nil, end) { (options) throws(StorageFault) in
            try walk(options, column, limit: limit, rocksdb_iter_next) { iterator in
                withCharacters(start) { rocksdb_iter_seek(iterator, $0, $1) }
            }
        }
    }

    func lastPairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        if let end, end.isEmpty { return [] }
        return try withBounds(start, end) { (options) throws(StorageFault) in
            try walk(options, column, limit: limit, rocksdb_iter_prev) { iterator in
                // With an upper bound: the last key below it.
                rocksdb_iter_seek_to_last(iterator)
            }
        }
    }

    /// Runs `body` with options for keys with `lower <= key < upper`.
    private func withBounds<Result>(
        _ lower: [UInt8]?, _ upper: [UInt8]?,
        _ body: (OpaquePointer?) throws(StorageFault) -> Result
    ) throws(StorageFault) -> Result {
        let options = RocksReader.makeOptions(snapshot, keepsCache)
        defer { rocksdb_readoptions_destroy(options) }
        // RocksDB reads the bounds as long as the iterator lives.
        return try (lower ?? []).withUnsafeBufferPointer { low throws(StorageFault) -> Result in
            try (upper ?? []).withUnsafeBufferPointer { high throws(StorageFault) -> Result in
                if let base = low.baseAddress, !low.isEmpty {
                    rocksdb_readoptions_set_iterate_lower_bound(
                        options, UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self),
                        low.count)
                }
                if let base = high.baseAddress, !high.isEmpty {
                    rocksdb_readoptions_set_iterate_upper_bound(
                        options, UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self),
                        high.count)
                }
                return try body(options)
            }
        }
    }

    private func walk(
        _ options: OpaquePointer?, _ column: Column, limit: Int,
        _ step: (OpaquePointer?) -> Void, seek: (OpaquePointer?) -> Void
    ) throws(StorageFault) -> [KeyValue] {
        let iterator = rocksdb_create_iterator_cf(
            database.pointer, options, database.family(column))
        defer { rocksdb_iter_destroy(iterator) }
        seek(iterator)
        var pairs: [KeyValue] = []
        while pairs.count < limit, rocksdb_iter_valid(iterator) != 0 {
            var keyCount = 0
            var valueCount = 0
            let key = rocksdb_iter_key(iterator, &keyCount)
            let value = rocksdb_iter_value(iterator, &valueCount)
            pairs.append(KeyValue(key: copy(key, keyCount), value: copy(value, valueCount)))
            step(iterator)
        }
        try database.check("read") { rocksdb_iter_get_error(iterator, $0) }
        return pairs
    }

    /// An empty value may come without an address.
    private func copy(_ pointer: UnsafePointer<CChar>?, _ count: Int) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: pointer, count: count))
    }
}
