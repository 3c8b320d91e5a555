import Primitives
import RPC
import Synchronization
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
            ("a\n\"x\u{1B}[2J\"\n", 2, 3, "control"), ("a\n\"\t\"\n", 2, 2, "control"),
            ("a\n\"x\ry\"\n", 2, 3, "control"), ("a\nx\u{9B}1A\n", 2, 2, "control"),
            ("a\n\"\u{7F}\"\n", 2, 2, "control"),
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

    /// A payer with the key file `payer.key`, a file `f.csv` of `count` rows, and the command.
    private func settlement(
        rows count: Int
    ) async throws -> (payer: Address, arguments: [String], operations: [Operation]) {
        let payer = try await program.makeKey("payer.key")
        let address = try Address(text: payer.address, in: WalletSamples.prefix)
        node.add(address)
        let rows = (1...count).map { "\(Self.text(UInt8($0))),\($0)\n" }
        try program.write("receiver,amount\n" + rows.joined(), to: "f.csv")
        return (
            address, ["settle", "f.csv", "--key", "payer.key", "--json"],
            (1...count).map {
                .transfer(Transfer(to: Self.person(UInt8($0)), amount: Amount(UInt64($0))))
            }
        )
    }

    /// What the payer signed elsewhere, as the node has it: in the place of the settlement's own.
    private func use(
        _ sequence: UInt64, by payer: Address, _ operations: [Operation],
        chainID: ChainID = WalletSamples.chainID
    ) -> SignedTransaction {
        SignedTransaction(
            signing: Transaction(
                chainID: chainID, sender: payer, sequence: SequenceNumber(sequence),
                validUntil: Timestamp(.max), maxFee: 1, operations: operations),
            by: [WalletSamples.key(1)])
    }

    private func failing(_ state: TransactionState, _ reason: String) {
        node.answer { receipt in
            TransactionStatus(id: receipt.transaction, state: state, reason: reason)
        }
    }

    private func succeeding() {
        node.answer { receipt in
            TransactionStatus(id: receipt.transaction, state: .final, receipt: receipt)
        }
    }

    private func statuses(_ result: ProgramResult) -> [String?] {
        guard case .array(let rows)? = result["rows"] else { return [] }
        return rows.map { $0["status"]?.text }
    }

    private func errors(_ result: ProgramResult) -> [String] {
        guard case .array(let rows)? = result["rows"] else { return [] }
        return rows.compactMap { $0["error"]?.text }
    }

    @Test("behind a transaction that stays open the others wait, and all rows are reported")
    func stops() async throws {
        let (_, arguments, _) = try await settlement(rows: 33)
        let slow = arguments + ["--best-effort", "--timeout", "200ms", "--report", "out.csv"]
        let answers = Counter()
        node.answer { receipt in
            answers.next() == 0
                ? TransactionStatus(id: receipt.transaction, state: .final, receipt: receipt)
                : TransactionStatus(id: receipt.transaction, state: .pending)
        }
        let waiting = try await ask(slow)
        #expect(waiting.exitCode == 1 && waiting["paid"] == .number("16"), "\(waiting)")
        #expect(errors(waiting)[16].contains("isn't final"), "\(errors(waiting)[16])")
        #expect(errors(waiting)[32] == "waits for the transaction of line 18")
        #expect(try program.read("out.csv").contains("waits for the transaction of line 18"))
        #expect(node.submitted.count == 2)
        // So it is after a refusal that no waiting helps, and after a block has skipped it.
        let fault = RPCFault(
            .refused, "more than it holds", data: [JSONMember("reason", .string("overspent"))])
        node.refuse(fault)
        for wanted in ["more than it holds", "limitReached"] {
            let stopped = try await ask(slow)
            #expect(stopped.exitCode == 1, "\(stopped)")
            #expect(errors(stopped)[0].contains(wanted), "\(errors(stopped)[0])")
            #expect(errors(stopped)[16] == "waits for the transaction of line 2")
            node.refuse(fault, times: 0)
            failing(.skipped, "limitReached")
        }
        succeeding()
        #expect(try await ask(slow).exitCode == 0)
    }

    /// Counts calls.
    private final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                defer { count += 1 }
                return count
            }
        }
    }

    @Test("deposits for entries that receivers don't have yet are counted before anything is paid")
    func deposits() async throws {
        let asset = AssetID(.sha256([7]))
        let payer = try await program.makeKey("payer.key")
        let address = try Address(text: payer.address, in: WalletSamples.prefix)
        node.add(address, native: 50_000, assets: [asset: 500])
        let name = asset.text(in: WalletSamples.prefix)
        let rows = (1...10).map { "\(Self.text(UInt8($0))),\($0),\(name)\n" }
        try program.write("receiver,amount,asset\n" + rows.joined(), to: "f.csv")
        let arguments = ["settle", "f.csv", "--key", "payer.key", "--json"]
        let poor = try await ask(arguments + ["--dry-run"])
        #expect(poor.exitCode == 1 && poor.errors.contains("fees and deposits"), "\(poor)")
        for person in 1...6 { node.add(Self.person(UInt8(person)), assets: [asset: 0]) }
        let paid = try await ask(arguments)
        #expect(paid.exitCode == 0 && paid["paid"] == .number("10"), "\(paid)")
    }

    @Test("what failed, or can't execute any more, is paid again as a whole, and only on demand")
    func retries() async throws {
        let (payer, arguments, operations) = try await settlement(rows: 2)
        failing(.skipped, "expired")
        let open = try await ask(arguments)
        #expect(open.exitCode == 1 && open["paid"] == .number("0"), "\(open)")
        // The sequence was used by another payment meanwhile: what was signed is void.
        node.add(payer, nextSequence: 1)
        node.add(
            use: use(0, by: payer, [.transfer(Transfer(to: Self.person(1), amount: 77))]))
        succeeding()
        let void = try await ask(arguments)
        #expect(void.exitCode == 1 && node.submitted.count == 1, "\(void)")
        #expect(statuses(void) == ["void", "void"])
        let retried = try await ask(arguments + ["--retry"])
        #expect(retried.exitCode == 0, "\(retried.errors)")
        #expect(node.submitted.map(\.transaction.sequence) == [0, 1])
        #expect(node.submitted.map(\.transaction.operations) == [operations, operations])
    }

    @Test("several transactions are signed anew only with --best-effort, each with its rows")
    func retriesOfSeveral() async throws {
        let (payer, arguments, operations) = try await settlement(rows: 17)
        failing(.skipped, "expired")
        #expect(try await ask(arguments + ["--best-effort"]).exitCode == 1)
        node.add(payer, nextSequence: 2)
        for sequence in [0, 1] as [UInt64] {
            let other = Transfer(to: Self.person(1), amount: Amount(100 + sequence))
            node.add(use: use(sequence, by: payer, [.transfer(other)]))
        }
        let submitted = node.submitted.count
        succeeding()
        let refused = try await ask(arguments + ["--retry"])
        #expect(refused.exitCode == 1 && refused.errors.contains("--best-effort"), "\(refused)")
        #expect(node.submitted.count == submitted)
        let retried = try await ask(arguments + ["--retry", "--best-effort"])
        #expect(retried.exitCode == 0, "\(retried)")
        #expect(
            node.submitted.suffix(2).map(\.transaction.operations)
                == [Array(operations.prefix(16)), Array(operations.suffix(1))])
    }

    @Test("what is signed anew fills the sequences that what has expired leaves free")
    func fillsGaps() async throws {
        let (payer, arguments, operations) = try await settlement(rows: 17)
        let run = arguments + ["--best-effort", "--valid-for"]
        failing(.skipped, "expired")
        #expect(try await ask(run + ["60s"]).exitCode == 1)
        // Another payment has the first one's sequence; it is signed anew behind the second.
        node.add(payer, nextSequence: 1)
        node.add(use: use(0, by: payer, [.transfer(Transfer(to: Self.person(1), amount: 77))]))
        #expect(try await ask(run + ["12h", "--retry"]).exitCode == 1)
        #expect(node.submitted.map(\.transaction.sequence) == [0, 1])
        // The second one expires.
        node.tell(time: WallClock.now.clampedAdvance(by: 3_600_000))
        succeeding()
        let paid = try await ask(run + ["12h", "--retry"])
        #expect(paid.exitCode == 0, "\(paid)")
        #expect(node.submitted.suffix(2).map(\.transaction.sequence) == [1, 2])
        #expect(
            node.submitted.suffix(2).map(\.transaction.operations)
                == [Array(operations.suffix(1)), Array(operations.prefix(16))])
    }

    @Test("a sequence that can't be is no sequence")
    func endOfSequences() async throws {
        let (payer, arguments, _) = try await settlement(rows: 17)
        for next: UInt64 in [.max, .max - 1] {
            node.add(payer, nextSequence: next)
            let refused = try await ask(arguments + ["--best-effort"])
            #expect(refused.exitCode == 1 && refused.errors.contains("can't be"), "\(refused)")
        }
        #expect(node.submitted.isEmpty)
    }

    @Test("what another transaction seems to have paid is neither void nor paid again")
    func paidElsewhere() async throws {
        let (payer, arguments, operations) = try await settlement(rows: 2)
        failing(.skipped, "expired")
        #expect(try await ask(arguments).exitCode == 1)
        node.add(payer, nextSequence: 1)
        succeeding()
        // A node that can't tell who used the sequence.
        for more in [[], ["--retry"]] {
            let unknown = try await ask(arguments + more)
            #expect(unknown.exitCode == 1, "\(unknown)")
            #expect(statuses(unknown) == ["unclear", "unclear"])
        }
        // One of a run with another journal.
        let other = use(0, by: payer, operations)
        node.add(use: other)
        for more in [[], ["--retry"]] {
            let same = try await ask(arguments + more)
            #expect(same.exitCode == 1 && statuses(same) == ["unclear", "unclear"], "\(same)")
            #expect(same.output.contains(other.id.text(in: WalletSamples.prefix)))
        }
        #expect(node.submitted.count == 1)
    }

    @Test("one run at a time has the journal")
    func oneRunAtATime() async throws {
        let (_, arguments, _) = try await settlement(rows: 2)
        let lock = try FileLock(for: "\(program.folder)/f.csv.journal", refusal: "taken")
        let second = try await ask(arguments)
        #expect(second.exitCode == 1 && second.errors.contains("under way"), "\(second)")
        #expect(node.submitted.isEmpty)
        #expect(try await ask(arguments + ["--dry-run"]).exitCode == 0)
        lock.release()
        let (program, node) = (program, node)
        try await node.serve { address in
            try await withThrowingTaskGroup(of: ProgramResult.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await program.run(
                            arguments, environment: ["OFFPEAK_NODE": address])
                    }
                }
                for try await result in group {
                    #expect(
                        result.exitCode == 0 || result.errors.contains("under way"),
                        "\(result)")
                }
            }
        }
        #expect(Set(node.submitted.map(\.id)).count == 1)
        #expect(throws: (any Error).self) { try program.read("f.csv.journal.lock") }
    }

    @Test("a journal of another chain with the same prefix is refused")
    func otherChain() async throws {
        let (_, arguments, operations) = try await settlement(rows: 2)
        let policy = Policy.single(WalletSamples.key(1).publicKey)
        let file = try SettlementFile(
            Array(try program.read("f.csv").utf8), file: "f.csv", payer: policy.address,
            in: WalletSamples.prefix)
        let signed = use(0, by: policy.address, operations, chainID: .zero)
        let journal = SettlementJournal(
            digest: file.digest, prefix: WalletSamples.prefix,
            entries: [.init(transaction: signed, lines: [2, 3])])
        try program.write(journal.text, to: "f.csv.journal")
        let refused = try await ask(arguments)
        #expect(refused.exitCode == 1 && refused.errors.contains("on chain"), "\(refused)")
        #expect(node.submitted.isEmpty)
    }

    @Test("a report names assets as settle reads them")
    func reportAssets() throws {
        let asset = AssetID(WalletSamples.bytes32(3)).text(in: WalletSamples.prefix)
        let head = "receiver,amount,asset,reference\n"
        let body = "\(Self.text(1)),5,\(asset),a\n\(Self.text(2)),6,native,b\n"
        func read(_ text: String) throws -> SettlementFile {
            try SettlementFile(
                Array(text.utf8), file: "f.csv", payer: Self.person(9), in: WalletSamples.prefix)
        }
        let file = try read(head + body)
        let report = SettlementReport(
            file, SettlementJournal(digest: file.digest, prefix: WalletSamples.prefix),
            in: WalletSamples.prefix, fates: [], path: nil)
        let columns = try CSVReader.read(Array(report.csv.utf8)).map {
            CSVReader.row($0.fields[1...4].map(\.text))
        }
        #expect(try read(columns.joined()).rows == file.rows)
        #expect(report.totals.compactMap(\.asset) == [asset])
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
