import Execution
import Foundation
import Logging
import Primitives
import ProofSupport
import RPC
import Runtime
import TestSupport
import Testing

@testable import offpeak

@Suite("Statements: two balances, and every move between them")
struct StatementTests {
    private let program: WalletProgram
    private let node = WalletNode()
    private let payer: String
    private let payee: String
    /// The times of the six payments' blocks: 1001, 1002, ... seconds after 1970.
    private let last: UInt64 = 1_006_000

    init() async throws {
        program = try WalletProgram()
        let fixture = try ProofFixture(blocks: 6)
        node.keepHistory(fixture.store)
        let prefix = WalletSamples.prefix
        payer = Policy.single(fixture.payer.publicKey).address.text(in: prefix)
        payee = fixture.payee.text(in: prefix)
    }

    private func run(_ arguments: [String]) async throws -> ProgramResult {
        let (program, node) = (program, node)
        let results = AsyncStream.makeStream(of: ProgramResult.self)
        try await node.serve { address in
            results.continuation.yield(
                try await program.run(arguments, environment: ["OFFPEAK_NODE": address]))
        }
        results.continuation.finish()
        var iterator = results.stream.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    /// What tools/statement.py makes of a statement.
    private func check(_ text: String) throws -> (status: Int32, lines: String) {
        let file = try TemporaryFile(text)
        let result = try PythonTool("tools/statement.py").run([file.path])
        return (result.status, result.output.joined(separator: "\n") + result.errors)
    }

    @Test(
        "CSV and camt.053 add up for a reader in another language", arguments: ["csv", "camt053"])
    func forms(form: String) async throws {
        for account in [payer, payee] {
            let result = try await run([
                "statement", account, "--from", "1970-01-01", "--format", form,
            ])
            #expect(result.exitCode == 0, "\(result.errors)")
            let checked = try check(result.output)
            #expect(checked.status == 0, "\(checked.lines)\n\(result.output)")
            #expect(checked.lines.contains("\"account\": \"\(account)\""), "\(checked.lines)")
            #expect(checked.lines.contains("\"opening\": \"0\""))
            let closing = account == payee ? "\"30\"" : "\"99"
            #expect(checked.lines.contains("\"closing\": \(closing)"), "\(checked.lines)")
            #expect(account == payer || checked.lines.contains("\"moves\": 6"))
        }
    }

    @Test("a period's balances are those at its ends, also where nothing moved")
    func periods() async throws {
        let cases: [(from: String, to: String, opening: String, moves: Int, closing: String)] = [
            ("1970-01-01T00:16:42Z", "1970-01-01T00:16:44Z", "5", 3, "20"),
            ("1970-01-01T00:16:42.001Z", "1970-01-01T00:16:42.999Z", "10", 0, "10"),
            ("1970-01-01", "1970-01-01T00:16:40Z", "0", 0, "0"),
            ("1970-01-01T00:16:46Z", "1970-01-01T00:16:46Z", "25", 1, "30"),
        ]
        for (from, to, opening, moves, closing) in cases {
            for form in ["csv", "camt053"] {
                let result = try await run([
                    "statement", payee, "--from", from, "--to", to, "--format", form,
                ])
                #expect(result.exitCode == 0, "\(from): \(result.errors)")
                let checked = try check(result.output)
                #expect(checked.status == 0, "\(checked.lines)")
                for words in [
                    "\"opening\": \"\(opening)\"", "\"moves\": \(moves)",
                    "\"closing\": \"\(closing)\"",
                ] {
                    #expect(checked.lines.contains(words), "\(from) \(words): \(checked.lines)")
                }
            }
        }
        let text = try await run(["statement", payee, "--from", "1970-01-01"])
        #expect(text.output.contains("opening  0") && text.output.contains("transfer"))
    }

    @Test("camt.053 has decimals and a currency where a network has them")
    func decimals() async throws {
        let arguments = [
            "statement", payee, "--from", "1970-01-01", "--format", "camt053", "--currency", "EUR",
            "--decimals", "2",
        ]
        let result = try await run(arguments)
        #expect(result.output.contains("<Amt Ccy=\"EUR\">0.05</Amt>"), "\(result.output)")
        #expect(result.output.contains("<Amt Ccy=\"EUR\">0.30</Amt>"))
        #expect(try check(result.output).status == 0)
    }

    @Test("programs get the statement as JSON, and a file that is there isn't overwritten")
    func json() async throws {
        let arguments = ["statement", payee, "--from", "1970-01-01", "--json"]
        let shown = try await run(arguments)
        #expect(shown["closing"]?.text == "30" && shown["opening"]?.text == "0", "\(shown)")
        guard case .array(let moves)? = shown["moves"] else {
            Issue.record("no moves: \(shown.output)")
            return
        }
        #expect(moves.count == 6)
        let filed = try await run(arguments + ["--out", "month.csv", "--format", "csv"])
        #expect(filed["file"]?.text == "month.csv" && filed["moves"] == nil, "\(filed)")
        let text = try String(contentsOfFile: "\(program.folder)/month.csv", encoding: .utf8)
        #expect(try check(text).status == 0)
        let again = try await run(arguments + ["--out", "month.csv", "--format", "csv"])
        #expect(again.exitCode == 1 && again.errors.contains("isn't overwritten"), "\(again)")
    }

    @Test("a node answers from its store, and one that keeps no history says so")
    func ownNode() async throws {
        try await program.run(["init", "node"])
        let made = try await program.run([
            "genesis", "new", "--network", "tests", "--validator", "node", "--account",
            "\(payee)=1000", "--out", "node/genesis.json",
        ])
        try #require(made.exitCode == 0, "\(made.errors)")
        let home = Home("\(program.folder)/node")
        func history(_ asset: AssetID? = nil) async throws -> AccountHistory {
            let node = try RunningNode(home: home, logger: Logger(label: "test")) { _, _ in }
            defer { node.stop() }
            let owner = try #require(node.genesis.accounts.first).address
            var query = HistoryQuery()
            query.asset = asset
            return try await NodeBackend(node).history(of: owner, query)
        }
        let all = try await history()
        #expect(all.postings.map(\.kind) == ["genesis"] && all.completeAbove == 0)
        #expect(all.balance == nil && all.next == nil)
        #expect(try await history(.native).balance == all.postings[0].balance)
        let before = try String(contentsOfFile: home.configuration, encoding: .utf8)
        try #require(before.contains("accounts: true"))
        try before.replacing("accounts: true", with: "accounts: false")
            .write(toFile: home.configuration, atomically: true, encoding: .utf8)
        let fault = await #expect(throws: RPCFault.self) { _ = try await history() }
        #expect(fault?.code == RPCFault.Code.unavailable.rawValue, "\(fault as Any)")
        try before.write(toFile: home.configuration, atomically: true, encoding: .utf8)
        // Before the first block nothing was missed.
        #expect(try await history() == all)
    }

    @Test("periods that can't be told whole are refused, and wrong usage")
    func refusals() async throws {
        let cases: [([String], Int32, String)] = [
            (["--from", "1970-01-01", "--to", "1970-01-01"], 1, "newest block"),
            (["--from", "1970-01-02"], 1, "after the newest block"),
            (["--from", "1970-01-02", "--to", "1970-01-01"], 2, "behind --to"),
            (["--from", "yesterday"], 2, "--from"),
            (["--from", "+2h"], 2, "of the past"),
            (["--from", "0"], 2, "write a day, as 2026-11-23"),
            (["--from", "1970-01-01", "--currency", "eur"], 2, "three letters"),
            (["--from", "1970-01-01", "--decimals", "6"], 2, "0 to 5"),
            (["--from", "1970-01-01", "--asset", "gold"], 2, "gold"),
            ([], 2, "--from"),
        ]
        for (arguments, code, words) in cases {
            let result = try await run(["statement", payee] + arguments)
            #expect(result.exitCode == code && result.errors.contains(words), "\(result)")
        }
        let fault = try await run(["statement", "nonsense", "--from", "1970-01-01"])
        #expect(
            fault.exitCode == 2 && fault.errors.contains("isn't an address"), "\(fault.errors)")
        #expect(fault.errors.contains("as opkacc1..."), "\(fault.errors)")
    }

    @Test("a history that begins later gives no statement of what was before")
    func laterHistory() async throws {
        let fixture = try ProofFixture(blocks: 3)
        var writes = try PostingIndex.begin(in: fixture.store, fixture.genesis)
        for row in try fixture.store.pairs(in: .postings, from: [], before: nil, limit: .max) {
            writes.delete(row.key, in: .postings)
        }
        fixture.store.apply(writes)
        node.keepHistory(fixture.store)
        let early = try await run(["statement", payee, "--from", "1970-01-01T00:16:43Z"])
        #expect(early.exitCode == 1 && early.errors.contains("begins behind block 3"), "\(early)")
        let history = try await run(["query", "history", payee])
        #expect(history.output.contains("begins behind block 3"), "\(history.output)")
    }

    private func posting(
        _ place: String, _ direction: PostingDirection, _ amount: Amount, _ balance: Amount
    ) -> PostingInfo {
        PostingInfo(
            place: place, height: 1, time: 5, kind: "transfer", asset: "native",
            direction: direction, amount: amount, balance: balance, party: "a\"b,c\r\n<&>'")
    }

    private func statement(
        _ moves: [PostingInfo], closing: Amount?
    ) throws -> Statement {
        let page = AccountHistory(
            address: "opkacc1<&\">", postings: moves, height: 9, time: 100, completeAbove: 0,
            completeSince: 0)
        return try Statement(
            page.address, "native", try .init(page, from: 1, before: 50), moves: moves,
            closing: closing)
    }

    @Test("moves that don't lead from one balance to the other make no statement")
    func sums() throws {
        let good = [posting("1-0", .credit, 5, 5), posting("1-1", .debit, 2, 3)]
        let whole = try statement(good, closing: 3)
        #expect(whole.opening == 0 && whole.closing == 3)
        #expect(try statement([], closing: 7).opening == 7)
        let wrong: [([PostingInfo], Amount?)] = [
            (good, 4), (good, nil), ([], nil), ([good[1], good[0]], 5),
            ([good[0], posting("1-1", .debit, 2, 4)], 4),
            ([posting("1-0", .credit, 6, 5)], 5), ([posting("1-0", .credit, 0, 5)], 5),
            ([posting("1-0", .debit, 1, Amount(.max))], Amount(.max)),
        ]
        for (moves, closing) in wrong {
            #expect(throws: CommandFault.self, "\(moves)") {
                _ = try statement(moves, closing: closing)
            }
        }
    }

    @Test("what would end a field or a tag is written so that it doesn't")
    func escaping() throws {
        let odd = try statement([posting("1-0", .credit, 5, 5)], closing: 5)
        for text in [
            odd.csv,
            try StatementXML(odd, currency: "XXX", decimals: 0, madeAt: 1_700_000_000_000).text,
        ] {
            let checked = try check(text)
            #expect(checked.status == 0, "\(checked.lines)\n\(text)")
            #expect(checked.lines.contains("opkacc1<&\\\">"), "\(checked.lines)")
        }
        #expect(Statement.field("a") == "a" && Statement.field("a\"b") == "\"a\"\"b\"")
        for text in [",", "\n", "\r", "\"", "\r\n"] {
            #expect(Statement.field(text).hasPrefix("\""))
        }
        #expect(XMLText.escaped("\u{0}\u{B}\u{FFFF}\t") == "\u{FFFD}\u{FFFD}\u{FFFD}&#9;")
        let limit = Amount(1_000_000_000_000_000_000)
        let much = try statement([posting("1-0", .credit, limit, limit)], closing: limit)
        #expect(try check(much.csv).status == 0)
        #expect(throws: CommandFault.self) {
            _ = try StatementXML(much, currency: "XXX", decimals: 0, madeAt: 1)
        }
    }

    @Test("changed statements don't pass the check")
    func changed() throws {
        let moves = [posting("1-0", .credit, 5, 5), posting("1-1", .debit, 2, 3)]
        let whole = try statement(moves, closing: 3)
        let xml = try StatementXML(whole, currency: "XXX", decimals: 0, madeAt: 1).text
        let changes: [(String, String, String)] = [
            (whole.csv, "1-0,1970-01-01T00:00:00.005Z,5", "1-0,1970-01-01T00:00:00.005Z,6"),
            (
                whole.csv, "closing,,1970-01-01T00:00:00.049Z,,3",
                "closing,,1970-01-01T00:00:00.049Z,,4"
            ),
            (xml, "<Amt Ccy=\"XXX\">2</Amt>", "<Amt Ccy=\"XXX\">3</Amt>"),
            (xml, "<CdtDbtInd>DBIT</CdtDbtInd>", "<CdtDbtInd>CRDT</CdtDbtInd>"),
            (xml, "<Cd>CLBD</Cd>", "<Cd>OPBD</Cd>"), (xml, "<NtryRef>1</NtryRef>", ""),
            (xml, "<Sts>", "<Stz>"),
        ]
        for (text, old, new) in changes {
            let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
            try #require(parts.count == 2, "\(old) in \(text)")
            #expect(try check("\(parts[0])\(new)\(parts[1])").status == 1, "\(old)")
        }
    }

    @Test("a history is shown a page at a time, and the pages make up the whole")
    func history() async throws {
        var places: [String] = []
        var after: [String] = []
        for _ in 0..<10 {
            let page = try await run(
                ["query", "history", payer, "--limit", "3", "--json"] + after)
            #expect(page.exitCode == 0, "\(page.errors)")
            guard case .array(let postings)? = page["postings"] else { break }
            places += postings.compactMap { $0["place"]?.text }
            guard let next = page["next"]?.text else { break }
            after = ["--after", next]
        }
        // Genesis, and of each of six blocks a fee, a debit and shares of the treasury.
        #expect(Set(places).count == places.count && places.count > 12)
        #expect(places.last == "0-0")
        let people = try await run([
            "query", "history", payer, "--oldest-first", "--limit", "2", "--asset", "native",
        ])
        #expect(people.output.contains("genesis") && people.output.contains("more: --after"))
        for arguments in [
            ["--limit", "0"], ["--limit", "501"], ["--after", "x"], ["--asset", "x"],
            ["--from", "x"], ["--from-height", "5", "--to-height", "4"],
            ["--from", "2026-01-03", "--to", "2026-01-02"],
        ] {
            let result = try await run(["query", "history", payer] + arguments)
            #expect(result.exitCode == 2, "\(arguments): \(result)")
        }
        let stranger = Address.zero.text(in: WalletSamples.prefix)
        let empty = try await run(["query", "history", stranger])
        #expect(empty.exitCode == 0 && empty.output.contains("(none)"), "\(empty)")
    }
}
