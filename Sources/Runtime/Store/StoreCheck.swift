package import Execution
internal import NodeCore
package import Primitives

/// Reads everything that a node which doesn't run has on disk, and says what is damaged.
package struct StoreCheck {
    /// What was read and found.
    package struct Report: Hashable, Sendable {
        package var files = 0
        /// Bytes of the files.
        package var fileBytes: UInt64 = 0
        package var rows: UInt64 = 0
        /// Bytes of keys and values, unpacked.
        package var bytes: UInt64 = 0
        package var blocks: UInt64 = 0
        package var finalizedHeight: Height = 0
        package var appliedHeight: Height = 0
        package var stateRoot: Digest = .zero
        /// What is wrong, each with the command that mends it; at most `faultsMax` and a last one
        /// that says that there are more.
        package var faults: [String] = []
        /// Whether there is nothing to check: the node never ran.
        package var isUnused = false
        /// Whether a fault is of the store.
        package var isStoreDamaged = false
    }

    /// How far the check is.
    package struct Progress: Hashable, Sendable {
        package let column: Column
        package let rows: UInt64
        package let bytes: UInt64
    }

    /// Faults that are told one by one.
    package static let faultsMax = 20

    private let home: Home
    private let genesis: Genesis
    private let isQuick: Bool
    private let tell: (Progress) -> Void
    private var report = Report()
    private var receiptRows: UInt64 = 0

    /// - Parameters:
    ///   - isQuick: Only whether everything can be read, and the head.
    ///   - tell: Called after every step.
    package init(
        home: Home, genesis: Genesis, isQuick: Bool, tell: @escaping (Progress) -> Void
    ) {
        self.home = home
        self.genesis = genesis
        self.isQuick = isQuick
        self.tell = tell
    }

    /// Checks the journal and the store. The home must be locked.
    package mutating func run() -> Report {
        report.isUnused = home.isUnused
        if report.isUnused { return report }
        checkJournal()
        report.files = ((try? PosixFolder.names(in: home.data)) ?? []).count
        report.fileBytes = PosixFolder.byteCount(of: home.data)
        do throws(StorageFault) {
            try checkStore()
        } catch {
            note("\(error)")
        }
        return report
    }

    private mutating func note(_ text: String) {
        report.isStoreDamaged = true
        add(StoreAdvice.complete(text, home: home.path))
    }

    private mutating func add(_ text: String) {
        guard report.faults.count < StoreCheck.faultsMax else {
            if report.faults.count == StoreCheck.faultsMax {
                report.faults.append("there are more faults; these are the first")
            }
            return
        }
        report.faults.append(text)
    }

    // MARK: The journal

    private mutating func checkJournal() {
        guard ConsensusJournal.exists(in: home.journal) else { return }
        do throws(StorageFault) {
            _ = try ConsensusJournal.look(in: home.journal)
        } catch {
            add("\(error)")
        }
    }

    private mutating func checkRecord(_ store: StoppedStore) throws(StorageFault) {
        let loss = try SigningRecord.loss(
            folder: home.journal, store: store, mark: home.validatorMark)
        guard let loss else { return }
        add(
            """
            \(loss). `offpeak node` puts the record aside when it starts, asks the other \
            validators how far this key signed, and votes above that
            """)
    }

    // MARK: The store

    private mutating func checkStore() throws(StorageFault) {
        let names = (try? PosixFolder.names(in: home.data)) ?? []
        guard !home.hasNoStore else {
            return add(
                """
                \(home.data): there is no store; `offpeak node` fetches everything from other \
                nodes when it starts
                """)
        }
        guard names.contains("CURRENT") else {
            throw StorageFault("\(home.data)/CURRENT is missing: there is no whole store")
        }
        let store = try StoppedStore(folder: home.data)
        var audit = try ChainAudit(
            of: store, genesis: genesis, depth: isQuick ? .readable : .whole)
        report.finalizedHeight = audit.finalizedHeight
        report.appliedHeight = audit.appliedHeight
        report.stateRoot = audit.stateRoot
        if home.hasValidatorKey, report.faults.isEmpty { try checkRecord(store) }
        try audit.checkHead()
        walk(store, &audit)
        guard !isQuick, report.faults.isEmpty else { return }
        try checkWhole(store, audit)
    }

    private mutating func walk(_ store: StoppedStore, _ audit: inout ChainAudit) {
        var walk = StoreWalk()
        while let column = walk.column {
            do throws(StorageFault) {
                guard let step = try walk.step(on: store) else { return }
                count(step)
                for row in step.rows { check(row, in: step.column, &audit) }
            } catch {
                note("column \(column.rawValue): \(error)")
                walk.skipColumn()
            }
        }
    }

    private mutating func count(_ step: StoreWalk.Step) {
        report.rows += UInt64(step.rows.count)
        report.bytes += UInt64(step.byteCount)
        if step.column == .blocks { report.blocks += UInt64(step.rows.count) }
        if step.column == .receipts {
            receiptRows += UInt64(step.rows.count { $0.key.count == 32 })
        }
        tell(Progress(column: step.column, rows: report.rows, bytes: report.bytes))
    }

    private mutating func check(
        _ row: KeyValue, in column: Column, _ audit: inout ChainAudit
    ) {
        do throws(StorageFault) {
            try audit.check(row, in: column)
        } catch {
            note("column \(column.rawValue): \(error)")
        }
    }

    /// What only all rows together tell: none is missing at an end, and the sums.
    private func checkWhole(
        _ store: StoppedStore, _ audit: ChainAudit
    ) throws(StorageFault) {
        guard report.blocks == audit.finalizedHeight.rawValue else {
            throw StorageFault(
                "\(report.blocks) blocks are stored, the chain has \(audit.finalizedHeight)")
        }
        guard receiptRows == audit.receiptCount else {
            throw StorageFault(
                "\(receiptRows) receipts are stored, the blocks have \(audit.receiptCount)")
        }
        let genesisRoot = Ledger.genesisWrites(genesis).root
        guard try ChainStore(store).stateRoot(at: 0) == genesisRoot else {
            throw StorageFault("the state root of height 0 isn't that of the genesis")
        }
        _ = try LedgerAudit(of: store)
        _ = try PostingAudit(of: store)
    }
}
