/// What `ExecutionBench` found.
package struct ExecutionReport: Encodable, Sendable {
    /// Of one number of accounts; processor time of the executing thread.
    package struct Row: Encodable, Sendable {
        package let accounts: Int
        package let transfers: Int
        /// With what writing to the store takes.
        package let transfersPerSecond: Int
        package let nanosecondsPerTransfer: Double
        /// Of these, for handing the changes to the store.
        package let storeNanoseconds: Double
        /// Of these, for the state root.
        package let rootNanoseconds: Double
        /// After the last block.
        package let stateRoot: String

        private var rootShare: Double { rootNanoseconds / nanosecondsPerTransfer }

        /// The cells of a table: accounts, transfers a second, time for each, its ratio to the
        /// first row's, of it the store and the root, the root's share.
        package func cells(first: Row) -> [String] {
            [
                "\(accounts)", "\(transfersPerSecond)", Row.time(nanosecondsPerTransfer),
                Row.hundredths(nanosecondsPerTransfer / first.nanosecondsPerTransfer),
                Row.time(storeNanoseconds), Row.time(rootNanoseconds),
                "\(Int((100 * rootShare).rounded())) %",
            ]
        }

        private static func time(_ nanoseconds: Double) -> String {
            "\(hundredths(nanoseconds / 1000)) µs"
        }

        private static func hundredths(_ value: Double) -> String {
            let whole = Int((value * 100).rounded())
            return "\(whole / 100).\(whole / 10 % 10)\(whole % 10)"
        }
    }

    /// The heads of the cells' columns.
    package static let columns = [
        "accounts", "transfers/s", "for each", "to first", "store", "root", "share",
    ]

    package let block: Int
    package let isOnDisk: Bool
    package let rows: [Row]

    package init(block: Int, isOnDisk: Bool, rows: [Row]) {
        self.block = block
        self.isOnDisk = isOnDisk
        self.rows = rows
    }

    /// A line for each row.
    package var lines: [[String]] {
        rows.map { $0.cells(first: rows[0]) }
    }

    /// What was measured and how.
    package var remark: String {
        "Processor time of one thread, \(rows.first?.transfers ?? 0) transfers in blocks "
            + "of \(block), \(isOnDisk ? "RocksDB" : "in memory")."
    }
}
