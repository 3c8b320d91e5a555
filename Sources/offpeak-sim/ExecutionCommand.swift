internal import ArgumentParser
internal import Bench
internal import Execution
internal import Foundation
@_spi(Simulation) internal import Primitives

/// Measures the state machine alone, in memory, with made-up signatures.
struct ExecutionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execution",
        abstract: "Measure the state machine alone, without disk and without signatures.",
        discussion: """
            As "offpeak bench execution" without --disk: blocks of transfers between accounts \
            drawn at random are executed on one thread, from the check of sequence, policy and fee \
            to receipts, history and state root. Signatures are made up, so that nothing but \
            execution takes time. Every account gets an amount once before anything is measured.
            """)

    @Option(parsing: .upToNextOption, help: "Numbers of accounts, 2 to 20000000.")
    var accounts = [1_000, 1_000_000]

    @Option(help: "Transfers that are measured for each number.")
    var transfers = 200_000

    @Option(help: "Transfers in a block.")
    var block = 1_000

    @Flag(inversion: .prefixedNo, help: "Keep the history of accounts.")
    var postings = true

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
        print(ExecutionReport.columns.map(ExecutionCommand.padded).joined(separator: " "))
        var rows: [ExecutionReport.Row] = []
        for count in accounts {
            let bench = ExecutionBench(
                accounts: count, transfers: transfers, block: block, keepsPostings: postings,
                signer: ExecutionCommand.signer, authorize: ExecutionCommand.authorize)
            let store = MemoryStore()
            let row = try bench.run(on: store) { (writes) throws(StorageFault) in
                store.apply(writes)
            }
            rows.append(row)
            print(row.cells(first: rows[0]).map(ExecutionCommand.padded).joined(separator: " "))
            fflush(nil)
        }
        print(ExecutionReport(block: block, isOnDisk: false, rows: rows).remark)
    }

    private static let signer = PublicKey(Digest.hash(.random, []).bytes32)

    /// One made-up signature for each.
    private static func authorize(
        _ transactions: [Transaction], _ signer: PublicKey
    ) -> [Verified<SignedTransaction>] {
        let signature = Authorization(
            publicKey: signer, signature: Signature(r: .zero, s: .zero))
        return transactions.map {
            .simulated(SignedTransaction(transaction: $0, authorizations: [signature]))
        }
    }

    private static func padded(_ cell: String) -> String {
        String(repeating: " ", count: max(0, 12 - cell.count)) + cell
    }
}
