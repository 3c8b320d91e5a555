internal import CRocksDB
internal import Primitives

/// How much memory and disk bookkeeping a store may use.
package struct StoreLimits: Sendable {
    /// Decoded blocks kept in memory, indexes and filters included.
    package var blockCacheBytes = 64 << 20
    /// All memory tables together: beyond it the oldest is written out.
    package var writeBufferBytes = 24 << 20
    /// The write-ahead log: beyond it memory tables are written out so that it can shrink.
    package var logBytesMax: UInt64 = 96 << 20
    /// Table files held open.
    package var openFilesMax: Int32 = 256

    package init() {}
}

/// RocksDB's settings, made in one place.
enum RocksOptions {
    /// Settings of the database as a whole; the caller destroys them.
    static func database(_ limits: StoreLimits) -> OpaquePointer? {
        let options = rocksdb_options_create()
        rocksdb_options_set_create_if_missing(options, 1)
        rocksdb_options_set_create_missing_column_families(options, 1)
        rocksdb_options_set_paranoid_checks(options, 1)
        // A log that ends early gives the state of an earlier moment, never one with a gap between
        // two logs or columns; what must not be lost of it is `StoreMark`'s to tell.
        rocksdb_options_set_wal_recovery_mode(
            options, Int32(rocksdb_point_in_time_recovery))
        // One write call of the log for each cycle instead of one for each batch; the store's
        // owner says when.
        rocksdb_options_set_manual_wal_flush(options, 1)
        rocksdb_options_set_db_write_buffer_size(options, limits.writeBufferBytes)
        rocksdb_options_set_max_total_wal_size(options, limits.logBytesMax)
        rocksdb_options_set_max_open_files(options, limits.openFilesMax)
        rocksdb_options_set_max_background_jobs(options, 2)
        rocksdb_options_set_bytes_per_sync(options, 1 << 20)
        setQuiet(options)
        return options
    }

    /// RocksDB's own log stays empty, and nothing runs on a timer.
    ///
    /// Debian's build asserts that nothing is written to a log after a write to it failed: on a
    /// full disk a second line would end the process. Every fault is told by the call that meets
    /// it. The C interface has no way to go without a log: at the highest level nothing is told,
    /// and a log that may grow without bound begins without the line of one that is rolled over.
    private static func setQuiet(_ options: OpaquePointer?) {
        rocksdb_options_set_info_log_level(options, highestLogLevel)
        rocksdb_options_set_max_log_file_size(options, 0)
        rocksdb_options_set_keep_log_file_num(options, 2)
        rocksdb_options_set_stats_dump_period_sec(options, 0)
        rocksdb_options_set_stats_persist_period_sec(options, 0)
        rocksdb_options_set_max_manifest_file_size(options, 8 << 20)
        rocksdb_options_set_skip_stats_update_on_db_open(options, 1)
    }

    /// RocksDB's `HEADER_LEVEL`: a level that no message has.
    private static let highestLogLevel: Int32 = 5

    /// Settings of one column family; the caller destroys them.
    static func column(_ column: Column, cache: OpaquePointer?) -> OpaquePointer? {
        let traits = ColumnTraits(column)
        let options = rocksdb_options_create()
        rocksdb_options_set_write_buffer_size(options, traits.writeBufferBytes)
        rocksdb_options_set_max_write_buffer_number(options, 2)
        rocksdb_options_set_arena_block_size(options, traits.writeBufferBytes / 16)
        rocksdb_options_set_target_file_size_base(options, 16 << 20)
        rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1)
        setCompression(options, traits.isCold)
        let table = rocksdb_block_based_options_create()
        defer { rocksdb_block_based_options_destroy(table) }
        rocksdb_block_based_options_set_checksum(table, xxHash3)
        rocksdb_block_based_options_set_format_version(table, 5)
        rocksdb_block_based_options_set_block_cache(table, cache)
        rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
        rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1)
        if traits.isLookedUpByHash {
            rocksdb_block_based_options_set_filter_policy(
                table, rocksdb_filterpolicy_create_bloom_full(10))
            rocksdb_block_based_options_set_whole_key_filtering(table, 1)
        }
        rocksdb_options_set_block_based_table_factory(options, table)
        setHints(options)
        return options
    }

    /// An insertion begins at the last one with the same first byte, of hashes a 256th of the way
    /// off: a third less work for each key. The C interface has no function for this setting, and
    /// without it everything works as well.
    private static func setHints(_ options: OpaquePointer?) {
        var fault: UnsafeMutablePointer<CChar>?
        rocksdb_get_options_from_string(
            options, "memtable_insert_with_hint_prefix_extractor=rocksdb.FixedPrefix.1", options,
            &fault)
        rocksdb_free(fault)
    }

    /// RocksDB's `kXXH3`: Debian's build has no hardware CRC32.
    private static let xxHash3: CChar = 4

    /// Cold columns are packed by zstd below the first two levels; the others hold hashes,
    /// signatures or short values that don't shrink.
    private static func setCompression(_ options: OpaquePointer?, _ isCold: Bool) {
        let none = Int32(rocksdb_no_compression)
        let deep = isCold ? Int32(rocksdb_zstd_compression) : none
        var levels = [none, none, deep, deep, deep, deep, deep]
        rocksdb_options_set_compression_per_level(options, &levels, levels.count)
    }
}

/// How a column is used.
struct ColumnTraits {
    /// Written once and seldom read.
    let isCold: Bool
    /// Read by whole keys that are hashes, often absent ones.
    let isLookedUpByHash: Bool
    let writeBufferBytes: Int

    init(_ column: Column) {
        switch column {
        case .blocks, .finalizations:
            (isCold, isLookedUpByHash, writeBufferBytes) = (true, false, 2 << 20)
        case .postings:
            (isCold, isLookedUpByHash, writeBufferBytes) = (true, false, 4 << 20)
        case .batches, .receipts:
            (isCold, isLookedUpByHash, writeBufferBytes) = (true, true, 8 << 20)
        case .state, .nodes:
            (isCold, isLookedUpByHash, writeBufferBytes) = (false, true, 8 << 20)
        case .blockHeights:
            (isCold, isLookedUpByHash, writeBufferBytes) = (false, true, 1 << 20)
        case .meta, .lanes, .deadlines, .escrowsByParty, .bonds, .history,
            .guarded:
            (isCold, isLookedUpByHash, writeBufferBytes) = (false, false, 1 << 20)
        }
    }
}
