package import Primitives
internal import Synchronization

/// A store in memory: for what needs no disk, and for simulations. Everybody who holds it sees the
/// same contents.
package final class MemoryStore: KeyValueSource {
    private struct Contents {
        var rows: FlatRows
        /// The places of the rows in rising order of key; nil after one was added or taken away.
        var sorted: [Int32]? = []

        init(of column: Column) {
            rows = FlatRows(pages: column == .state || column == .nodes ? .large : .small)
        }
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
            var start = 0
            while start < writes.count {
                let column = writes.column(start)
                var end = start + 1
                while end < writes.count, writes.column(end) == column { end += 1 }
                // Taken out meanwhile, so that it isn't copied.
                var contents = columns.removeValue(forKey: column) ?? Contents(of: column)
                if contents.rows.apply(writes, start..<end) { contents.sorted = nil }
                columns[column] = contents
                start = end
            }
        }
    }

    package func value(
        in column: Column, for key: [UInt8]
    ) throws(StorageFault) -> [UInt8]? {
        columns.withLock { $0[column]?.rows.value(for: key) }
    }

    package func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        columns.withLock { columns in
            guard let contents = columns[column], contents.rows.count > 0 else { return [] }
            let sorted = contents.sorted ?? MemoryStore.sorted(contents.rows)
            columns[column]?.sorted = sorted
            let first = MemoryStore.firstPlace(in: sorted, contents.rows, notBefore: start)
            return sorted[first...].lazy.map { place in
                contents.rows.withRow(Int(place)) { KeyValue(key: Array($0), value: Array($1)) }
            }.prefix { pair in
                end.map { pair.key.lexicographicallyPrecedes($0) } ?? true
            }.prefix(limit).map { $0 }
        }
    }

    private static func sorted(_ rows: FlatRows) -> [Int32] {
        let keys = (0..<rows.count).map { place in rows.withRow(place) { key, _ in Array(key) } }
        return keys.indices.sorted { keys[$0].lexicographicallyPrecedes(keys[$1]) }.map {
            Int32($0)
        }
    }

    private static func firstPlace(
        in sorted: [Int32], _ rows: FlatRows, notBefore start: [UInt8]
    ) -> Int {
        var lower = 0
        var upper = sorted.count
        while lower < upper {
            let middle = (lower + upper) / 2
            let isBefore = rows.withRow(Int(sorted[middle])) { key, _ in
                key.lexicographicallyPrecedes(start)
            }
            if isBefore { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
