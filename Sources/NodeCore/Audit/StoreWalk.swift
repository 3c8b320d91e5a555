package import Primitives

/// A way through every row of every column of a store, in steps of a few rows.
///
/// A value: whoever walks decides when the next step is taken, and of which moment of the store.
package struct StoreWalk: Sendable {
    /// What a step found.
    package struct Step: Sendable {
        package let column: Column
        package let rows: [KeyValue]
        /// Bytes of keys and values.
        package var byteCount: Int { rows.reduce(0) { $0 + $1.key.count + $1.value.count } }
    }

    private let columns: [Column]
    private var place = 0
    private var start: [UInt8] = []

    /// A walk that begins with a column, and ends with the one before it.
    package init(from first: Column = .meta) {
        let all = Column.allCases
        let index = all.firstIndex(of: first) ?? 0
        columns = Array(all[index...] + all[..<index])
    }

    /// The column that the next step reads; nil at the end.
    package var column: Column? { place < columns.count ? columns[place] : nil }

    /// Reads the next rows; nil at the end. The last step of a column has none.
    package mutating func step(
        on source: any KeyValueSource
    ) throws(StorageFault) -> Step? {
        guard let column else { return nil }
        let rows = try source.pairs(
            in: column, from: start, before: nil, limit: StoreWalk.rowsMax(of: column))
        if let last = rows.last {
            start = last.key + [0]
        } else {
            skipColumn()
        }
        return Step(column: column, rows: rows)
    }

    /// Leaves out what is left of the column: for one that can't be read.
    package mutating func skipColumn() {
        place += 1
        start = []
    }

    /// Rows of a step: about 100 KB at most where rows are small, four of the large ones.
    private static func rowsMax(of column: Column) -> Int {
        switch column {
        case .blocks, .batches: 4
        case .finalizations: 32
        case .meta, .blockHeights, .lanes, .state, .nodes, .deadlines, .receipts, .escrowsByParty,
            .bonds, .history, .guarded, .postings:
            128
        }
    }
}
