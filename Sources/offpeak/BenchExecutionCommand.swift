internal import ArgumentParser
internal import Bench
internal import Execution
internal import Foundation
internal import Primitives
internal import Runtime

/// `offpeak bench execution`
struct BenchExecutionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execution",
        abstract: "Measure the state machine alone: transfers between accounts, with state roots.",
        discussion: """
            Blocks of transfers between accounts drawn at random are executed on one thread: from \
            the check of sequence, policy and fee to receipts, history and state root. Signatures \
            are checked before. What counts is the processor time of that thread. Every account \
            gets an amount once before anything is measured, so that the caches are as full as in \
            a node that has run for a while. The share of the state root is measured by \
            committing each block's changes once more to a tree of its own. With --disk each \
            block also goes into a RocksDB in that folder, which must not be there; its own \
            threads aren't counted. Beyond a million accounts the senders are the first million.
            """)

    @Option(parsing: .upToNextOption, help: "Numbers of accounts, 2 to 20000000.")
    var accounts = [1_000, 100_000, 1_000_000]

    @Option(help: "Transfers that are measured for each number.")
    var transfers = 200_000

    @Option(help: "Transfers in a block.")
    var block = 1_000

    @Option(help: "Use RocksDB in this new folder, not memory.")
    var disk: String?

    @Flag(inversion: .prefixedNo, help: "Keep the history of accounts.")
    var postings = true

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !accounts.isEmpty, accounts.allSatisfy({ 2...20_000_000 ~= $0 }) else {
            throw ValidationError("--accounts 2 to 20000000 are possible")
        }
        guard 1...100_000 ~= block, block...50_000_000 ~= transfers else {
            throw ValidationError(
                "--block 1 to 100000 and --transfers from a block to 50000000 are possible")
        }
    }

    func run() throws {
        let format = output.format
        if let disk, FileManager.default.fileExists(atPath: disk) {
            throw CommandFault("\(disk) exists: --disk makes a folder and removes it afterwards")
        }
        var rows: [ExecutionReport.Row] = []
        for count in accounts {
            format.remark("\(count) accounts ...")
            let bench = ExecutionBench(
                accounts: count, transfers: transfers, block: block, keepsPostings: postings,
                signer: BenchExecutionCommand.signer.publicKey,
                authorize: BenchExecutionCommand.authorize)
            rows.append(try run(bench))
        }
        let report = ExecutionReport(block: block, isOnDisk: disk != nil, rows: rows)
        format.show(report) {
            Table(ExecutionReport.columns.map { .number($0) }, report.lines).text(format.palette)
                + "\n\n" + report.remark
        }
    }

    private func run(_ bench: ExecutionBench) throws(CommandFault) -> ExecutionReport.Row {
        do throws(StorageFault) {
            guard let disk else {
                let store = MemoryStore()
                return try bench.run(on: store) { (writes) throws(StorageFault) in
                    store.apply(writes)
                }
            }
            let store = try RocksStore(folder: disk)
            defer { try? FileManager.default.removeItem(atPath: disk) }
            let row = try bench.run(on: store) { (writes) throws(StorageFault) in
                try store.apply(writes)
                try store.flushLog()
            }
            try store.close()
            return row
        } catch {
            throw CommandFault("\(error)")
        }
    }

    private static let signer = SecretKey(
        seed: SecureBytes(copying: Array(repeating: 1, count: 32)))

    private static func authorize(
        _ transactions: [Transaction], _ signer: PublicKey
    ) -> [Verified<SignedTransaction>] {
        let signed = transactions.map {
            SignedTransaction(signing: $0, by: [BenchExecutionCommand.signer])
        }
        return Verified.checkAll(signed).compactMap { $0 }
    }
}
