internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak statement`
struct StatementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement",
        abstract: "Write what moved in an account in a period, between two balances.",
        discussion: """
            Opening balance, every move, closing balance of one asset, as text, as CSV (RFC 4180) \
            or as camt.053.001.08 (ISO 20022). Days are UTC's, the last one included. Nothing is \
            written unless the moves lead from one balance to the other.

            camt.053 wants an ISO 4217 code and at most 18 digits: --currency names one ("XXX", no \
            currency, if not given), and --decimals says how many decimals of it a unit is.

              offpeak statement opkacc1... --from 2026-11-01 --to 2026-11-30 --format camt053 \
            --out november.xml
            """)

    /// How a statement is written.
    enum Form: String, ExpressibleByArgument, CaseIterable, Sendable {
        case text, csv, camt053
    }

    @Argument(help: "The account's address.")
    var address: String

    @Option(help: "The first day, as 2026-11-01, or a time.")
    var from: String

    @Option(help: "The last day, or a time (default: up to the newest block).")
    var to: String?

    @OptionGroup var asset: AssetOption

    @Option(help: "text, csv or camt053.")
    var format = Form.text

    @Option(help: "For camt053: the ISO 4217 code of amounts.")
    var currency = "XXX"

    @Option(help: "For camt053: decimals of the currency that make a unit of the asset, 0 to 5.")
    var decimals = 0

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write it (default: stdout).", valueName: "file"))
    var out: String?

    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard currency.utf8.count == 3, currency.utf8.allSatisfy(letters.contains) else {
            throw ValidationError("--currency: three letters A to Z are wanted, as EUR")
        }
        guard 0...5 ~= decimals else { throw ValidationError("--decimals 0 to 5 are possible") }
    }

    func run() async throws {
        let start = try PeriodText.start(from, "--from")
        let end = try to.map { (text) throws(CommandFault) in try PeriodText.end(text, "--to") }
        guard start < end ?? Timestamp(.max) else {
            throw CommandFault.usage("--from lies behind --to")
        }
        let asset = try asset.id(in: try IDText.network(of: address))
        let statement = try await StatementReader(client: node.client()).statement(
            of: address, asset: asset, from: start, before: end)
        let written = try text(statement)
        let answer = output.format
        guard let out, out != "-" else {
            return answer.isJSON
                ? answer.show(StatementReport(statement, file: nil)) { "" }
                : Terminal.output.write(written)
        }
        try TextFile.write(written, to: out)
        answer.show(StatementReport(statement, file: out)) {
            "\(statement.moves.count) moves from \(statement.opening) to \(statement.closing), "
                + "written to \(out)"
        }
    }

    private func text(_ statement: Statement) throws(CommandFault) -> String {
        switch format {
        case .text: statement.text(Palette(isOn: false))
        case .csv: statement.csv
        case .camt053:
            try StatementXML(
                statement, currency: currency, decimals: decimals, madeAt: WallClock.now
            ).text
        }
    }
}

/// A statement for programs.
struct StatementReport: Encodable, Sendable {
    let address: String
    let asset: String
    /// The first and the last moment.
    let from: Timestamp
    let to: Timestamp
    /// The newest block of the node that answered.
    let height: Height
    let opening: Amount
    let closing: Amount
    /// Absent where they were written to a file.
    let moves: [PostingInfo]?
    let file: String?

    init(_ statement: Statement, file: String?) {
        address = statement.address
        asset = statement.asset
        from = statement.period.start
        to = statement.lastMoment
        height = statement.period.height
        opening = statement.opening
        closing = statement.closing
        moves = file == nil ? statement.moves : nil
        self.file = file
    }
}

/// Reads the moves of a period, and the balances on both sides of it, from a node.
struct StatementReader: Sendable {
    let client: NodeClient

    /// Moves that a statement has at most: a year of one each thirty seconds.
    static let movesMax = 1_000_000

    /// - Parameter end: The first moment behind the period; nil for up to the newest block.
    func statement(
        of address: String, asset: AssetID, from start: Timestamp, before end: Timestamp?
    ) async throws(CommandFault) -> Statement {
        let network = try IDText.network(of: address)
        // What comes behind the period is read too, up to the first move: it says with which
        // balance the period must end.
        var query = HistoryQuery()
        query.asset = asset
        query.since = start
        query.order = .oldest
        query.limit = RPCLimits.historyPageMax
        var moves: [PostingInfo] = []
        var first: AccountHistory?
        while true {
            let question = query
            let page = try await client.call { rpc throws(RPCClientFault) in
                try await rpc.history(of: address, question, in: network)
            }
            // What the first answer knew counts for all.
            first = first ?? page
            let period = try Statement.Period(first ?? page, from: start, before: end)
            let inside = page.postings.prefix { $0.time < period.end }
            moves += inside
            guard moves.count <= StatementReader.movesMax else {
                throw CommandFault(
                    "more than \(StatementReader.movesMax) moves: choose a shorter period")
            }
            let behind = page.postings.dropFirst(inside.count).first
            let next = page.next.flatMap { PostingPlace($0) }
            if behind != nil || next == nil {
                let closing = behind.map(\.balanceBefore) ?? page.balance
                return try Statement(
                    page.address, AssetText.text(asset, in: network), period, moves: moves,
                    closing: closing)
            }
            query.after = next
        }
    }
}

extension PostingInfo {
    /// What the account held before; nil for a posting that doesn't add up.
    var balanceBefore: Amount? {
        direction == .credit ? try? balance.subtracting(amount) : try? balance.adding(amount)
    }
}
