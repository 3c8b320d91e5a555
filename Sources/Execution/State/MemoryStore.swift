package import Primitives
internal import Synchronization

/// A store in memory: for what needs no disk, and for simulations. Everybody who holds it sees the
/// same contents.
package final class MemoryStore: KeyValueSource {
    private struct Contents {
        var values: [[UInt8]: [UInt8]] = [:]
        /// The keys in rising order; nil after one was added or taken away.
        var sortedKeys: [[UInt8]]? = []
    }

    private let columns: Mutex<[Column: Contents]>

    /// An empty store.
    package init() { columns = Mutex([:]) }

    private init(copying columns: [Column: Contents]) { self.columns = Mutex(columns) }

    /// A store of its own with the same contents: what a crash would leave at this moment.
    package func copy() -> MemoryStore {
        MemoryStore(copying: columns.withLock { $0 })
    }

    /// Carries out the changes together.
    package func apply(_ writes: WriteSet) {
        columns.withLock { columns in
            for change in writes.changes {
                MemoryStore.apply(change, to: &columns[change.column, default: Contents()])
            }
        }
    }

    private static func apply(_ change: WriteSet.Change, to contents: inout Contents) {
        let before =
            if let value = change.value {
                contents.values.updateValue(value, forKey: change.key)
            } else {
                contents.values.removeValue(forKey: change.key)
            }
        if (before == nil) != (change.value == nil) { contents.sortedKeys = nil }
    }

    package func value(
        in column: Column, for key: [UInt8]
    ) throws(StorageFault) -> [UInt8]? {
        columns.withLock { $0[column]?.values[key] }
    }

    package func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        columns.withLock { columns in
            guard var contents = columns[column] else { return [] }
            let keys = contents.sortedKeys ?? contents.values.keys.sorted(by: MemoryStore.isBefore)
            contents.sortedKeys = keys
            columns[column] = contents
            let first = MemoryStore.firstPlace(in: keys, notBefore: start)
            return keys[first...].prefix { key in
                end.map { MemoryStore.isBefore(key, $0) } ?? true
            }.prefix(limit).map { KeyValue(key: $0, value: contents.values[$0] ?? []) }
        }
    }

    private static func isBefore(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.lexicographicallyPrecedes(right)
    }

    private static func firstPlace(in keys: [[UInt8]], notBefore start: [UInt8]) -> Int {
        var lower = 0
        var upper = keys.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if isBefore(keys[middle], start) { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
