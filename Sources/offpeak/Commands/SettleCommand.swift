internal import ArgumentParser
internal import Primitives
internal import RPC
internal import Runtime

/// `offpeak settle`
struct SettleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle", abstract: "Pay the rows of a CSV file, or net obligations first.",
        subcommands: [SettlePay.self, SettleNet.self], defaultSubcommand: SettlePay.self)
}

/// `offpeak settle pay`
struct SettlePay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pay", abstract: "Pay the rows of a CSV file.",
        discussion: """
            The file has a heading with receiver and amount, and where wanted asset, reference and \
            payer (rows of other payers are left out); it has at most 10000 rows. When any row is \
            wrong nothing is paid. Up to 16 rows fit one transaction, which is executed as a whole \
            or not at all; more need --best-effort: several transactions on successive sequences, \
            each a whole by itself.

            All transactions are signed and written to the journal before the first is submitted. \
            After a crash run the same command again: it submits the same bytes, and each executes \
            at most once. Keep the journal as long as the file, and run a settlement in one place \
            only: a second run with the same journal is refused while one is under way, but nobody \
            can know of a copy of the file elsewhere. What another transaction seems to have paid \
            is `unclear`, and never paid again.

              offpeak settle salaries.csv --key company.key --dry-run
              offpeak settle salaries.csv --key company.key --best-effort --report paid.csv
            """)

    @Argument(help: "The CSV file.")
    var file: String

    @Flag(help: "Several transactions where one doesn't hold all rows.")
    var bestEffort = false

    @Flag(help: "Show totals and fees; sign and pay nothing.")
    var dryRun = false

    @Flag(help: "Sign anew what failed or can't execute any more, each transaction as a whole.")
    var retry = false

    @Option(
        help: ArgumentHelp(
            "Where the signed transactions are kept (default: FILE.journal).", valueName: "file"))
    var journal: String?

    @Option(help: ArgumentHelp("Write the report as CSV.", valueName: "file"))
    var report: String?

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if signing.isForFile || signing.noWait || signing.sequence != nil {
            throw ValidationError(
                "--offline, --unsigned, --out, --no-wait and --sequence aren't for settlements")
        }
        if file == "-" { throw ValidationError("a file is wanted: its name goes with the journal") }
    }

    func run() async throws {
        var signing = signing
        // A second run submits the same bytes: they must live long enough for one.
        signing.validFor = signing.validFor ?? .seconds(12 * 3600)
        let builder = try await TransactionBuilder(signing, node)
        let bytes = try TextFile.read(file, maximum: CSVReader.bytesMax)
        let prefix = builder.network.prefix
        let asked = try SettlementFile(bytes, file: file, payer: builder.sender, in: prefix)
        let run = SettlementRun(
            options: signing, builder: builder, client: try node.client(),
            journalPath: journal ?? file + ".journal", retries: retry)
        let lock = try dryRun ? nil : SettlePay.lock(run.journalPath)
        defer { lock?.release() }
        let outcome = try await settle(asked, run)
        if let report { try TextFile.write(outcome.csv, to: report, replacing: true) }
        let format = output.format
        format.show(outcome) { outcome.text(format.palette) }
        if !outcome.isDone { throw Runtime.ExitCode.failure }
    }

    /// Held from before the journal is read until all is submitted.
    private static func lock(_ journal: String) throws(CommandFault) -> FileLock {
        try FileLock(
            for: journal,
            refusal: """
                another run of this settlement is under way: it has \(journal); wait until it \
                ends, and run the same command again
                """)
    }

    private func settle(
        _ asked: SettlementFile, _ run: SettlementRun
    ) async throws(CommandFault) -> SettlementReport {
        let prefix = run.builder.network.prefix
        let kept = try SettlementJournal.read(run.journalPath, for: asked, in: prefix)
        var journal = kept ?? SettlementJournal(digest: asked.digest, prefix: prefix)
        try journal.check(
            asked, sender: run.builder.sender, chainID: run.builder.network.chainID,
            run.journalPath)
        var fates = try await run.fates(journal, asked)
        let groups = run.missing(asked, journal, fates)
        try checkSize(groups, isNew: kept == nil)
        let account = try await run.account()
        let open = zip(journal.entries, fates).filter(\.1.isOpen).map(\.0)
        let signed = try await run.sign(groups, from: account.next, beside: open)
        try await checkCover(signed, account.info, run)
        journal.entries += signed
        fates += signed.map { _ in .open("not submitted yet") }
        guard !dryRun else {
            return SettlementReport(asked, journal, in: prefix, fates: fates, path: nil)
        }
        if signed.isEmpty {
            // A run that ended too early may have left the name in memory only.
            try TextFile.syncFolder(of: run.journalPath)
        } else {
            try TextFile.write(journal.text, to: run.journalPath, replacing: kept != nil)
        }
        await run.submit(journal, &fates)
        return SettlementReport(asked, journal, in: prefix, fates: fates, path: run.journalPath)
    }

    private func checkSize(
        _ groups: [[SettlementFile.Row]], isNew: Bool
    ) throws(CommandFault) {
        guard groups.count > 1, !bestEffort else { return }
        let count = groups.reduce(0) { $0 + $1.count }
        guard isNew else {
            throw CommandFault(
                """
                \(count) rows would be signed anew in \(groups.count) transactions, each as a \
                whole or not at all: that takes --best-effort
                """)
        }
        throw CommandFault(
            """
            \(count) rows don't fit one transaction, which holds \
            \(TransactionLimits.operationsMax): the first \
            \(TransactionLimits.operationsMax) would. With --best-effort \
            \(groups.count) transactions pay them, each as a whole or not at all
            """)
    }

    /// The account must cover what is signed now, with fees and deposits.
    private func checkCover(
        _ signed: [SettlementJournal.Entry], _ account: AccountInfo, _ run: SettlementRun
    ) async throws(CommandFault) {
        guard !signed.isEmpty else { return }
        var needed: [AssetID: Amount] = [:]
        func add(_ amount: Amount, _ asset: AssetID) {
            needed[asset] = (needed[asset] ?? 0).clampedAdvance(by: amount.rawValue)
        }
        func held(_ asset: AssetID) -> Amount {
            let name = AssetOption.text(asset, likeIn: account.address)
            return account.balances.first { $0.asset == name }?.amount ?? 0
        }
        var receivers: [Address: Set<AssetID>] = [:]
        for body in signed.map(\.transaction.transaction) {
            add(body.maxFee, .native)
            for case .transfer(let transfer) in body.operations {
                add(transfer.amount, transfer.asset)
                guard transfer.asset != .native else { continue }
                receivers[transfer.to, default: []].insert(transfer.asset)
            }
        }
        let parameters = try await run.client.call { rpc throws(RPCClientFault) in
            try await rpc.genesis()
        }.parameters
        let isNew = !account.streams.contains { $0.stream == signing.stream }
        if signing.stream != 0, isNew { add(parameters.streamDeposit, .native) }
        let most = receivers.values.reduce(UInt64(0)) { $0 + UInt64($1.count) }
        let deposits = (try? parameters.holdingDeposit.multiplied(by: most)) ?? Amount(.max)
        // Receivers are asked for only where it matters.
        if held(.native) < (needed[.native] ?? 0).clampedAdvance(by: deposits.rawValue) {
            let count = try await newEntries(receivers, run)
            add((try? parameters.holdingDeposit.multiplied(by: count)) ?? Amount(.max), .native)
        }
        for (asset, amount) in needed.sorted(by: { $0.key < $1.key }) where held(asset) < amount {
            let name = AssetOption.text(asset, likeIn: account.address)
            let what = asset == .native ? "fees and deposits" : "what receivers get"
            throw CommandFault(
                """
                the account holds \(held(asset)) of the asset \(name), the settlement takes up to \
                \(amount) with \(what); nothing is paid
                """)
        }
    }

    /// How many of the receivers' assets are new to them.
    private func newEntries(
        _ receivers: [Address: Set<AssetID>], _ run: SettlementRun
    ) async throws(CommandFault) -> UInt64 {
        var count: UInt64 = 0
        for (receiver, assets) in receivers.sorted(by: { $0.key < $1.key }) {
            let text = run.builder.network.text(receiver)
            let info = try await run.client.find { rpc throws(RPCClientFault) in
                try await rpc.account(text)
            }
            let known = Set(info?.balances.map(\.asset) ?? [])
            let names = assets.map(run.builder.network.text)
            count += UInt64(names.count { !known.contains($0) })
        }
        return count
    }
}

/// `offpeak settle net`
struct SettleNet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "net", abstract: "Net a list of obligations into few transfers.",
        discussion: """
            The file has a heading with debtor, creditor and amount, and where wanted asset and \
            reference. What comes out has payer, receiver, amount and asset: each payer pays its \
            rows with `offpeak settle`. Needs no node.

              offpeak settle net owed.csv --out net.csv
              offpeak settle net.csv --key alice.key
            """)

    @Argument(help: "The CSV file (- for stdin).")
    var file: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write the transfers as CSV (- for stdout).", valueName: "file"))
    var out: String?

    @OptionGroup var prefix: PrefixOptions
    @OptionGroup var output: OutputOptions

    /// The answer.
    private struct Answer: Encodable {
        struct Row: Encodable {
            let payer: String
            let receiver: String
            let amount: Amount
            /// Absent for the native asset.
            let asset: String?
        }

        let transfers: [Row]
        let obligations: Int
        let people: Int
        /// How many payments fewer.
        let saved: Int
        let file: String?
    }

    func run() throws {
        let prefix = try NetworkContext.prefix(self.prefix.prefix ?? PrefixOptions.standard)
        let netting = try netting(in: prefix)
        let rows = netting.transfers.map { transfer in
            Answer.Row(
                payer: transfer.payer.text(in: prefix),
                receiver: transfer.receiver.text(in: prefix),
                amount: transfer.amount,
                asset: transfer.asset == .native ? nil : transfer.asset.text(in: prefix))
        }
        if let out {
            let head = CSVReader.row(["payer", "receiver", "amount", "asset"])
            let body = rows.map {
                CSVReader.row([$0.payer, $0.receiver, "\($0.amount)", $0.asset ?? "native"])
            }
            try TextFile.write(head + body.joined(), to: out)
            if out == "-" { return }
        }
        let answer = Answer(
            transfers: rows, obligations: netting.obligations, people: netting.people,
            saved: netting.obligations - rows.count, file: out)
        let format = output.format
        format.show(answer) { SettleNet.text(answer, format.palette) }
    }

    private func netting(in prefix: NetworkPrefix) throws(CommandFault) -> Netting {
        let bytes = try TextFile.read(file, maximum: CSVReader.bytesMax)
        let name = file == "-" ? "stdin" : file
        let table = try CSVTable(
            bytes, file: name, needed: ["debtor", "creditor", "amount"],
            optional: ["asset", "reference"])
        let obligations = try table.values(file: name) { row throws(CSVFault) in
            let debtor = try row.address("debtor", in: prefix)
            let creditor = try row.address("creditor", in: prefix)
            guard debtor != creditor else {
                throw row.fault("creditor", "the debtor owes itself: leave the row out")
            }
            return Netting.Obligation(
                line: row.record.line, debtor: debtor, creditor: creditor,
                asset: try row.asset("asset", in: prefix), amount: try row.amount("amount"))
        }
        do throws(CSVFault) {
            return try Netting(obligations)
        } catch {
            throw CommandFault("\(name): \(error)")
        }
    }

    private static func text(_ answer: Answer, _ palette: Palette) -> String {
        let table = Table(
            [.text("PAYER"), .text("RECEIVER"), .number("AMOUNT"), .text("ASSET")],
            answer.transfers.map {
                [$0.payer, $0.receiver, "\($0.amount)", $0.asset ?? "native"]
            })
        var sheet = Sheet(["obligations": "\(answer.obligations) among \(answer.people)"])
        sheet.add("transfers", "\(answer.transfers.count), \(answer.saved) fewer")
        sheet.add("written to", optional: answer.file)
        return table.text(palette) + "\n\n" + sheet.text(palette)
    }
}
