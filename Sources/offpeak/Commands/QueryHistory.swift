internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak query history`
struct QueryHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "What changed in an account's balances.",
        discussion: """
            The newest first, a page at a time: the last line says how to go on. A page stays what \
            it is when blocks arrive meanwhile. Times are 2026-11-23T16:00:00Z, dates alone, or \
            milliseconds since 1970. `offpeak statement` writes a period with its balances.
            """)

    @Argument(help: "The account's address.")
    var address: String

    @Option(help: "Only this asset: native, or the id of an issued one.")
    var asset: String?

    @Option(help: "Not before this time.")
    var from: String?

    @Option(help: "Until this time; a date alone is the whole day.")
    var to: String?

    @Option(help: "Not before this block.")
    var fromHeight: UInt64?

    @Option(help: "Until this block.")
    var toHeight: UInt64?

    @Flag(help: "The oldest first.")
    var oldestFirst = false

    @Option(help: "Postings on the page, 1 to \(RPCLimits.historyPageMax).")
    var limit = RPCLimits.historyPageDefault

    @Option(help: "Go on behind this one, as the last page said.")
    var after: String?

    @OptionGroup var query: QueryOptions

    func validate() throws {
        guard 1...RPCLimits.historyPageMax ~= limit else {
            throw ValidationError("--limit 1 to \(RPCLimits.historyPageMax) are possible")
        }
        guard fromHeight ?? 0 <= toHeight ?? .max else {
            throw ValidationError("--from-height lies behind --to-height: the lower one is wanted")
        }
    }

    func run() async throws {
        let question = try question()
        let client = try query.node.client()
        let page = try await HistoryPages(client: client, address: address).page(question)
        let format = query.output.format
        format.show(page) { AnswerText.history(page, format.palette) }
    }

    private func question() throws(CommandFault) -> HistoryQuery {
        var question = HistoryQuery()
        question.asset = try asset.map { (text) throws(CommandFault) in
            try AssetText.parse(text, in: try IDText.network(of: address))
        }
        question.fromHeight = Height(fromHeight ?? 0)
        question.toHeight = Height(toHeight ?? .max)
        question.since =
            try from.map { (text) throws(CommandFault) in
                try PeriodText.start(text, "--from")
            } ?? 0
        question.before = try to.map { (text) throws(CommandFault) in
            try PeriodText.end(text, "--to")
        }
        guard question.since < question.before ?? Timestamp(.max) else {
            throw .usage("--from lies behind --to: the earlier one is wanted")
        }
        question.order = oldestFirst ? .oldest : .newest
        question.limit = limit
        if let after {
            guard let place = PostingPlace(after) else {
                throw .usage("--after: \"\(after)\" isn't a place, as 12-3")
            }
            question.after = place
        }
        return question
    }
}

/// `offpeak query consistency`
struct QueryConsistency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consistency",
        abstract: "A proof that nothing was rewritten, for `offpeak verify`.",
        discussion: """
            Keep an answer: it names the history as it was. Later ask for a proof --from that \
            height and check it with `offpeak verify NEW history --earlier OLD`. The answer is \
            JSON, with and without --json.
            """)

    @Option(help: "The earlier height (default: the later one).")
    var from: UInt64?

    @Option(help: "The later height (default: the newest that can be proven).")
    var to: UInt64?

    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show({ answer, _ in OutputFormat.json(answer) }) {
            rpc throws(RPCClientFault) in
            try await rpc.consistency(from: from.map { Height($0) }, to: to.map { Height($0) })
        }
    }
}

/// Reads an account's history from a node.
struct HistoryPages: Sendable {
    let client: NodeClient
    let address: String

    /// A page with as many postings as were asked for, or with the last ones: a node may answer
    /// with fewer where it had to pass over many others.
    func page(_ query: HistoryQuery) async throws(CommandFault) -> AccountHistory {
        let network = try IDText.network(of: address)
        var rest = query
        var found: [PostingInfo] = []
        while true {
            let question = rest
            let page = try await client.call { rpc throws(RPCClientFault) in
                try await rpc.history(of: address, question, in: network)
            }
            found += page.postings
            guard let next = page.next.flatMap({ PostingPlace($0) }), found.count < query.limit
            else {
                return AccountHistory(
                    address: page.address, postings: found, next: page.next, height: page.height,
                    time: page.time, completeAbove: page.completeAbove,
                    completeSince: page.completeSince, balance: page.balance)
            }
            rest.after = next
            rest.limit = query.limit - found.count
        }
    }
}

extension AnswerText {
    static func history(_ history: AccountHistory, _ palette: Palette) -> String {
        let columns: [Table.Column] = [
            .text("place"), .text("time"), .text("what"), .number("amount"), .number("balance"),
            .text("asset"), .text("with"), .text("transaction"),
        ]
        let rows = history.postings.map { posting in
            [
                posting.place, ISOTime.text(posting.time), posting.kind,
                (posting.direction == .credit ? "+" : "-") + "\(posting.amount)",
                "\(posting.balance)", AssetText.short(posting.asset), posting.party ?? "",
                posting.transaction ?? "",
            ]
        }
        var lines = [Table(columns, rows).text(palette)]
        if let next = history.next { lines.append("more: --after \(next)") }
        if history.completeAbove > 0 {
            lines.append(
                "this node's history begins behind block \(history.completeAbove), "
                    + ISOTime.text(history.completeSince))
        }
        return lines.joined(separator: "\n\n")
    }
}

/// Assets as people write them.
enum AssetText {
    static let native = "native"

    /// - Throws: `CommandFault` for anything but `native` and ids of assets of the network.
    static func parse(_ text: String, in prefix: NetworkPrefix) throws(CommandFault) -> AssetID {
        text == native ? .native : try IDText.parse(text, in: prefix)
    }

    static func text(_ asset: AssetID, in prefix: NetworkPrefix) -> String {
        asset == .native ? native : asset.text(in: prefix)
    }

    /// As tables show it.
    static func short(_ text: String) -> String {
        text == native ? text : "\(text.prefix(16))..."
    }
}

/// The ends of a period as people write them: days, or times.
enum PeriodText {
    /// The first moment that belongs to the period.
    static func start(_ text: String, _ option: String) throws(CommandFault) -> Timestamp {
        try time(text, option)
    }

    /// The first moment behind the period: a day alone belongs to it, and so does a time.
    static func end(_ text: String, _ option: String) throws(CommandFault) -> Timestamp {
        let isDay = text.utf8.count == 10 && text.contains("-")
        return try time(text, option).clampedAdvance(by: isDay ? 86_400_000 : 1)
    }

    private static func time(_ text: String, _ option: String) throws(CommandFault) -> Timestamp {
        do throws(TextFault) {
            if case .at(let time) = try TimeText(text) { return time }
        } catch {
            throw .usage(
                """
                \(option): "\(text)" is no time to begin or end at: write a day, as 2026-11-23, a \
                time, as 2026-11-23T16:00:00Z, or milliseconds since 1970
                """)
        }
        throw .usage("\(option): a time of the past is wanted, as 2026-11-23")
    }
}
