import Primitives
import RPC
import TestSupport
import Testing

@testable import offpeak

@Suite("Settlement files: read strictly, netted exactly, paid once")
struct SettlementTests {
    private let program: WalletProgram
    private let node = WalletNode()

    init() throws { program = try WalletProgram() }

    private static func person(_ number: UInt8) -> Address {
        Policy.single(WalletSamples.key(number).publicKey).address
    }

    private static func text(_ number: UInt8) -> String {
        person(number).text(in: WalletSamples.prefix)
    }

    private func ask(_ arguments: [String]) async throws -> ProgramResult {
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

    @Test("CSV is read as RFC 4180 has it")
    func readsCSV() throws {
        func fields(_ text: String) throws -> [[String]] {
            try CSVReader.read(Array(text.utf8)).map { $0.fields.map(\.text) }
        }
        let cases: [(String, [[String]])] = [
            ("", []), ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
            ("a,b\r\n1,2", [["a", "b"], ["1", "2"]]), ("\u{FEFF}a\n1\n", [["a"], ["1"]]),
            ("a\n\n\r\n1\n\n", [["a"], ["1"]]), ("a,\n,b\n", [["a", ""], ["", "b"]]),
            ("\"a,b\",\"c\"\"d\"\n", [["a,b", "c\"d"]]), ("\"a\nb\r\nc\"\n", [["a\nb\r\nc"]]),
            ("\"\"\n", [[""]]), (" a , b \n", [[" a ", " b "]]), ("é,ü\n", [["é", "ü"]]),
        ]
        for (text, wanted) in cases {
            #expect(try fields(text) == wanted, "\(text.debugDescription)")
            let written = wanted.map(CSVReader.row).joined()
            // A row of one empty field is an empty line.
            if wanted != [[""]] { #expect(try fields(written) == wanted, "\(written)") }
        }
        let lines = try CSVReader.read(Array("a\n\"x\ny\"\n\nb\n".utf8)).map(\.line)
        #expect(lines == [1, 2, 5])
    }

    @Test(
        "what another program might read otherwise is a fault with its place",
        arguments: [
            ("a,b\nx\"y,1\n", 2, 2, "within a field"), ("a\n\"x\n", 2, 1, "isn't closed"),
            ("a\n\"x\"y\n", 2, 4, "after a quoted field"), ("a\rb\n", 1, 2, "carriage return"),
            ("a\n\u{0}\n", 2, 1, "control"), ("é,\t\n", 1, 3, "control"),
            (String(repeating: "x", count: 1025), 1, 1026, "1024 bytes"),
            (String(repeating: ",", count: 16), 1, 17, "16 columns"),
        ])
    func refusesCSV(text: String, line: Int, column: Int, words: String) {
        do throws(CSVFault) {
            _ = try CSVReader.read(Array(text.utf8))
            Issue.record("\(text.prefix(20).debugDescription) was read")
        } catch {
            #expect(error.line == line && error.column == column, "\(error)")
            #expect(error.text.contains(words), "\(error)")
        }
    }

    @Test("files above the limits, and bytes that aren't text, are refused")
    func limits() {
        let rows = "a\n" + String(repeating: "1\n", count: CSVReader.rowsMax)
        #expect(throws: Never.self) { try CSVReader.read(Array(rows.utf8)) }
        #expect(throws: CSVFault.self) { try CSVReader.read(Array((rows + "1\n").utf8)) }
        #expect(throws: CSVFault.self) {
            try CSVReader.read(Array(repeating: 0x0A, count: CSVReader.bytesMax + 1))
        }
        #expect(throws: CSVFault.self) { try CSVReader.read([0x61, 0xFF]) }
    }

    @Test("every wrong row is named with line, column and what would be right")
    func wrongRows() throws {
        let good = Self.text(1)
        func fault(_ body: String) -> String {
            do throws(CommandFault) {
                _ = try SettlementFile(
                    Array(body.utf8), file: "f.csv", payer: Self.person(9),
                    in: WalletSamples.prefix)
                return ""
            } catch {
                return error.description
            }
        }
        let head = "receiver,amount\n"
        let cases: [(String, [String])] = [
            ("", ["is empty"]), ("receiver\n", ["\"amount\" is missing"]),
            ("receiver,amount,ammount\n", ["column 17", "unknown heading"]),
            ("receiver,amount,amount\n", ["stands twice"]), (head, ["nothing to pay"]),
            (head + "\(good),-5\n", ["line 2, column \(good.count + 2)", "negative"]),
            (head + "\(good),0\n", ["at least 1"]), (head + "\(good),1.5\n", ["whole number"]),
            (head + "\(good), 5\n", ["decimal digits"]), (head + "\(good)\n", ["1 fields"]),
            (head + "\(good),18446744073709551616\n", ["largest amount"]),
            (head + "nobody,5\nalso,x\n", ["2 wrong", "line 2, column 1", "line 3, column 1"]),
            (head + "\(good.dropLast())q,5\n", ["checksum"]),
            (
                head + "\(good),18446744073709551615\n\(good),1\n",
                ["line 3", "the sum is more than"]
            ),
            ("receiver,amount,asset\n\(good),5,gold\n", ["native or an asset's id"]),
            ("receiver,amount,payer\n\(good),5,\(good)\n", ["all 1 rows are others'"]),
        ]
        for (body, words) in cases {
            let found = fault(body)
            for word in words { #expect(found.contains(word), "\(body): \(found)") }
        }
        #expect(fault(head + "\(good),18446744073709551615\n").isEmpty)
    }

    @Test("netting keeps every position, with few transfers, in any order of the rows")
    func netting() throws {
        var generator = SeededGenerator(seed: 12)
        let people = (1...9).map { Self.person($0) }
        let assets = [AssetID.native, AssetID(WalletSamples.bytes32(3))]
        for round in 0..<200 {
            let obligations = (0..<Int(generator.next() % 40)).map { line in
                let debtor = Int(generator.next() % 9)
                let other = (debtor + 1 + Int(generator.next() % 8)) % 9
                return Netting.Obligation(
                    line: line, debtor: people[debtor], creditor: people[other],
                    asset: assets[Int(generator.next() % 2)],
                    amount: Amount(generator.next() % 50 + 1))
            }
            let netting = try Netting(obligations)
            var positions: [AssetID: [Address: Int]] = [:]
            for one in obligations {
                positions[one.asset, default: [:]][one.creditor, default: 0] += Int(
                    one.amount.rawValue)
                positions[one.asset, default: [:]][one.debtor, default: 0] -= Int(
                    one.amount.rawValue)
            }
            for transfer in netting.transfers {
                let amount = Int(transfer.amount.rawValue)
                #expect(amount > 0 && transfer.payer != transfer.receiver)
                positions[transfer.asset]?[transfer.receiver]? -= amount
                positions[transfer.asset]?[transfer.payer]? += amount
            }
            #expect(positions.values.allSatisfy { $0.values.allSatisfy { $0 == 0 } }, "\(round)")
            for asset in assets {
                let few = netting.transfers.count { $0.asset == asset }
                #expect(few < max(1, positions[asset]?.count ?? 0), "round \(round), seed 12")
                #expect(few <= obligations.count { $0.asset == asset })
            }
            var shuffled = obligations
            shuffled.shuffle(using: &generator)
            #expect(try Netting(shuffled).transfers == netting.transfers)
        }
    }

    @Test("a circle of debts needs no transfer, a chain one, and too much is refused")
    func smallNettings() throws {
        func one(_ debtor: UInt8, _ creditor: UInt8, _ amount: Amount) -> Netting.Obligation {
            Netting.Obligation(
                line: 2, debtor: Self.person(debtor), creditor: Self.person(creditor),
                asset: .native, amount: amount)
        }
        #expect(try Netting([one(1, 2, 5), one(2, 3, 5), one(3, 1, 5)]).transfers.isEmpty)
        let chain = try Netting([one(1, 2, Amount(.max)), one(2, 3, Amount(.max))])
        #expect(
            chain.transfers == [
                Netting.Transfer(
                    payer: Self.person(1), receiver: Self.person(3), asset: .native,
                    amount: Amount(.max))
            ])
        #expect(throws: CSVFault.self) {
            try Netting([one(1, 2, Amount(.max)), one(1, 3, 1)])
        }
        #expect(throws: CSVFault.self) {
            try Netting([one(1, 2, Amount(.max)), one(3, 2, 1)])
        }
    }

    @Test("a journal comes back from its text, and a damaged one is refused")
    func journal() throws {
        let policy = Policy.single(WalletSamples.key(1).publicKey)
        let operations = [
            Operation.transfer(Transfer(to: Self.person(2), amount: 5)),
            .transfer(Transfer(to: Self.person(3), amount: 6)),
        ]
        let signed = SignedTransaction(
            signing: WalletSamples.transaction(from: policy, operations: operations),
            by: [WalletSamples.key(1)])
        let journal = SettlementJournal(
            digest: WalletSamples.bytes32(5), prefix: WalletSamples.prefix,
            entries: [.init(transaction: signed, lines: [2, 4])])
        let text = journal.text
        #expect(try SettlementJournal(bytes: Array(text.utf8), file: "j") == journal)
        for damaged in [
            "", String(text.dropLast()), text.replacing("end 1", with: "end 2"),
            text.replacing(" 2,4", with: " 2"), String(text.dropFirst()),
            text.replacing("\n", with: "\n\n"),
        ] {
            #expect(throws: CommandFault.self) {
                try SettlementJournal(bytes: Array(damaged.utf8), file: "j")
            }
        }
        var generator = SeededGenerator(seed: 4)
        let bytes = Array(text.utf8)
        let start = try #require(bytes.firstIndex(of: 0x0A)) + 1
        for _ in 0..<50 {
            let place = start + Int(generator.next() % UInt64(2 * signed.byteCount))
            var changed = bytes
            changed[place] = changed[place] == 0x30 ? 0x31 : 0x30
            #expect(throws: CommandFault.self, "\(place), seed 4") {
                try SettlementJournal(bytes: changed, file: "j")
            }
        }
    }

    @Test("rows are paid, reported, and not paid again by a second run")
    func pays() async throws {
        let payer = try await program.makeKey("payer.key")
        node.add(try Address(text: payer.address, in: WalletSamples.prefix))
        let rows = (1...3).map { "\(Self.text(UInt8($0))),\($0 * 100),\"for \"\"\($0)\"\"\"\r\n" }
        try program.write("receiver,amount,reference\r\n" + rows.joined(), to: "f.csv")
        let arguments = ["settle", "f.csv", "--key", "payer.key", "--json"]
        let dry = try await ask(arguments + ["--dry-run"])
        #expect(dry.exitCode == 0 && node.submitted.isEmpty, "\(dry.errors)")
        #expect(dry["transactions"] == .number("1"))
        let paid = try await ask(arguments + ["--report", "out.csv"])
        #expect(paid.exitCode == 0, "\(paid.errors)")
        #expect(paid["paid"] == .number("3"))
        let report = try CSVReader.read(Array(try program.read("out.csv").utf8))
        #expect(report.count == 4 && report[1].fields[4].text == "for \"1\"")
        #expect(report[3].fields[6].text == "paid")
        // This node has forgotten: the same bytes are submitted, which execute once.
        #expect(try await ask(arguments).exitCode == 0)
        #expect(node.submitted.count == 2 && Set(node.submitted.map(\.id)).count == 1)
        #expect(
            node.submitted[0].transaction.operations
                == (1...3).map {
                    .transfer(Transfer(to: Self.person($0), amount: Amount(UInt64($0) * 100)))
                })
        // Another file doesn't go with the journal.
        try program.write("receiver,amount\r\n\(Self.text(1)),1\r\n", to: "f.csv")
        let other = try await ask(arguments)
        #expect(other.exitCode == 1 && other.errors.contains("journal of another"), "\(other)")
        #expect(node.submitted.count == 2)
    }

    @Test("more rows than one transaction holds need to be asked for, and then are several")
    func manyRows() async throws {
        let payer = try await program.makeKey("payer.key")
        let address = try Address(text: payer.address, in: WalletSamples.prefix)
        node.add(address, nextSequence: 5)
        let rows = (1...33).map { "\(Self.text(UInt8($0))),\($0)\n" }
        try program.write("receiver,amount\n" + rows.joined(), to: "f.csv")
        let arguments = ["settle", "f.csv", "--key", "payer.key", "--json"]
        let refused = try await ask(arguments)
        #expect(refused.exitCode == 1 && refused.errors.contains("3 transactions"), "\(refused)")
        #expect(node.submitted.isEmpty)
        let paid = try await ask(arguments + ["--best-effort"])
        #expect(paid.exitCode == 0, "\(paid.errors)")
        #expect(node.submitted.map(\.transaction.sequence) == [5, 6, 7])
        #expect(node.submitted.map(\.transaction.operations.count) == [16, 16, 1])
        try program.write("receiver,amount\n\(Self.text(1)),1000000\n", to: "g.csv")
        let poor = try await ask(["settle", "g.csv", "--key", "payer.key", "--json"])
        #expect(poor.exitCode == 1 && poor.errors.contains("nothing is paid"), "\(poor)")
    }

    @Test("rows that failed, or can't execute any more, are paid again only when that is wished")
    func retries() async throws {
        let payer = try await program.makeKey("payer.key")
        let address = try Address(text: payer.address, in: WalletSamples.prefix)
        node.add(address)
        try program.write("receiver,amount\n\(Self.text(1)),1\n\(Self.text(2)),2\n", to: "f.csv")
        let arguments = ["settle", "f.csv", "--key", "payer.key", "--json"]
        node.answer { receipt in
            TransactionStatus(id: receipt.transaction, state: .skipped, reason: "expired")
        }
        let open = try await ask(arguments)
        #expect(open.exitCode == 1 && open["paid"] == .number("0"), "\(open)")
        // The sequence was used by another payment meanwhile: what was signed is void.
        node.add(address, nextSequence: 1)
        node.answer { receipt in
            TransactionStatus(id: receipt.transaction, state: .final, receipt: receipt)
        }
        let void = try await ask(arguments)
        #expect(void.exitCode == 1 && node.submitted.count == 1, "\(void)")
        let retried = try await ask(arguments + ["--retry"])
        #expect(retried.exitCode == 0, "\(retried.errors)")
        #expect(node.submitted.map(\.transaction.sequence) == [0, 1, 2])
        #expect(node.submitted.dropFirst().map(\.transaction.operations.count) == [1, 1])
    }

    @Test("obligations come out as rows that settle takes")
    func netCommand() async throws {
        try program.write(
            "debtor,creditor,amount\n\(Self.text(1)),\(Self.text(2)),7\n"
                + "\(Self.text(2)),\(Self.text(3)),7\n", to: "owed.csv")
        let netted = try await program.run([
            "settle", "net", "owed.csv", "--out", "net.csv", "--json",
        ])
        #expect(netted.exitCode == 0 && netted["saved"] == .number("1"), "\(netted)")
        let file = try SettlementFile(
            Array(try program.read("net.csv").utf8), file: "net.csv", payer: Self.person(1),
            in: WalletSamples.prefix)
        #expect(file.rows.map(\.receiver) == [Self.person(3)])
        try program.write(
            "debtor,creditor,amount\n\(Self.text(1)),\(Self.text(1)),7\n", to: "owed.csv")
        let own = try await program.run(["settle", "net", "owed.csv"])
        #expect(own.exitCode == 1 && own.errors.contains("owes itself"), "\(own)")
    }
}
