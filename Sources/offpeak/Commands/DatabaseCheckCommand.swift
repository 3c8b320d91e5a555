internal import ArgumentParser
internal import Execution
internal import Primitives
internal import Runtime

/// `offpeak db check`
struct DatabaseCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read everything that a stopped node has on disk, and say what is damaged.",
        discussion: """
            Nothing is changed. Checks configuration, genesis and keys, the journal, every \
            checksum of the store, and what it says: blocks and their links, signatures under \
            them, batches, receipts, the record of what a validator signed, the state against \
            the roots that were voted for, indexes, and the sums against the supply. A node that \
            runs reads its store again by itself (scrub in config.yaml).

            Exit codes: 0 everything is whole, 74 the store or the journal is damaged, 75 a node \
            runs on this home, 78 configuration, genesis or a key is damaged. Each fault comes \
            with the command that mends it.
            """)

    @Option(help: "The home folder of a node that doesn't run.")
    var home: String

    @Flag(help: "Only whether everything can be read: no links, signatures and sums.")
    var quick = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let home = Home(home)
        let lock = try HomeLock(home)
        defer { lock.release() }
        let genesis = try home.checkFiles()
        var progress = CheckProgress(isQuiet: output.json)
        var check = StoreCheck(home: home, genesis: genesis, isQuick: quick) {
            progress.show($0)
        }
        let report = check.run()
        progress.end()
        let summary = Summary(home: home.path, quick: quick, report)
        output.format.show(summary) { summary.text }
        if !report.faults.isEmpty { throw Runtime.ExitCode.storage }
    }

    private struct Summary: Encodable, Sendable {
        let home: String
        let quick: Bool
        let whole: Bool
        let isUnused: Bool
        let files: Int
        let fileBytes: UInt64
        let rows: UInt64
        let bytes: UInt64
        let blocks: UInt64
        let finalizedHeight: UInt64
        let appliedHeight: UInt64
        let stateRoot: String
        let faults: [String]

        init(home: String, quick: Bool, _ report: StoreCheck.Report) {
            self.home = home
            self.quick = quick
            whole = report.faults.isEmpty
            isUnused = report.isUnused
            files = report.files
            fileBytes = report.fileBytes
            rows = report.rows
            bytes = report.bytes
            blocks = report.blocks
            finalizedHeight = report.finalizedHeight.rawValue
            appliedHeight = report.appliedHeight.rawValue
            stateRoot = report.stateRoot.description
            faults = report.faults
        }

        var text: String {
            var sheet = Sheet(["home": home])
            sheet.add("files", "\(files), \(fileBytes) bytes")
            sheet.add("rows", "\(rows), \(bytes) bytes")
            sheet.add("blocks", "\(blocks)")
            sheet.add("executed", "height \(appliedHeight) of \(finalizedHeight)")
            sheet.add("state root", stateRoot)
            sheet.add("verdict", verdict)
            return sheet.text(Palette(for: .output))
                + faults.map { "\ndamaged: \($0)" }.joined()
        }

        private var verdict: String {
            if isUnused { return "nothing there yet: no node ran on this home" }
            if !whole { return "damaged" }
            return quick ? "everything can be read" : "everything is whole"
        }
    }
}

/// How far a check is: on a terminal one line that is written over, elsewhere a line a column.
private struct CheckProgress {
    private let isQuiet: Bool
    private let isInteractive: Bool
    private var column: Column?
    private var rows: UInt64 = 0

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        isInteractive = Terminal.errors.isInteractive
    }

    mutating func show(_ progress: StoreCheck.Progress) {
        guard !isQuiet else { return }
        let isNew = progress.column != column
        guard isNew || (isInteractive && progress.rows >= rows + 5_000) else { return }
        column = progress.column
        rows = progress.rows
        let name = progress.column.rawValue
        let text = "\(name): \(progress.rows) rows, \(progress.bytes) bytes read"
        Terminal.errors.write(isInteractive ? "\r\u{1B}[K\(text)" : "\(text)\n")
    }

    func end() {
        if !isQuiet && isInteractive { Terminal.errors.write("\r\u{1B}[K") }
    }
}

extension Home {
    /// Reads the files that a person made: configuration, genesis and keys.
    /// - Throws: `HomeFault` for the first that is damaged.
    func checkFiles() throws(HomeFault) -> Genesis {
        try check()
        _ = try Configuration.load(configuration)
        let genesis = try GenesisFile.load(genesis)
        _ = try loadKey(identityKey, role: .identity)
        if hasValidatorKey { _ = try loadKey(validatorKey, role: .voting) }
        return genesis
    }
}
