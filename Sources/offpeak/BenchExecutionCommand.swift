internal import ArgumentParser
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
            are checked before. What counts is the processor time of that thread. The share of \
            the state root is measured by hashing each block's changes once more into a tree of \
            its own. With --disk each block also goes into a RocksDB in that folder, which must \
            not be there; its own threads aren't counted. Beyond a million accounts the senders \
            are the first million.
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
                accounts: count, transfers: transfers, block: block, keepsPostings: postings)
            rows.append(try bench.run(disk: disk))
        }
        let report = ExecutionReport(block: block, isOnDisk: disk != nil, rows: rows)
        format.show(report) { report.text(format.palette) }
    }
}

/// What the measurement found.
struct ExecutionReport: Encodable, Sendable {
    /// Of one number of accounts; processor time of the executing thread.
    struct Row: Encodable, Sendable {
        let accounts: Int
        let transfers: Int
        /// With what writing to the store takes.
        let transfersPerSecond: Int
        let nanosecondsPerTransfer: Double
        /// Of these, for handing the changes to the store.
        let storeNanoseconds: Double
        /// Of these, for the state root.
        let rootNanoseconds: Double
        /// After the last block.
        let stateRoot: String

        var rootShare: Double { rootNanoseconds / nanosecondsPerTransfer }
    }

    let block: Int
    let isOnDisk: Bool
    let rows: [Row]

    /// For people.
    func text(_ palette: Palette) -> String {
        let columns: [Table.Column] = [
            .number("accounts"), .number("transfers/s"), .number("for each"), .number("to first"),
            .number("store"), .number("root"), .number("share"),
        ]
        let first = rows.first?.nanosecondsPerTransfer ?? 1
        let lines = rows.map { row in
            [
                "\(row.accounts)", "\(row.transfersPerSecond)", time(row.nanosecondsPerTransfer),
                hundredths(row.nanosecondsPerTransfer / first), time(row.storeNanoseconds),
                time(row.rootNanoseconds), "\(Int((100 * row.rootShare).rounded())) %",
            ]
        }
        return Table(columns, lines).text(palette)
            + "\n\nProcessor time of one thread, \(rows.first?.transfers ?? 0) transfers in blocks "
            + "of \(block), \(isOnDisk ? "RocksDB" : "in memory")."
    }

    private func time(_ nanoseconds: Double) -> String {
        "\(hundredths(nanoseconds / 1000)) µs"
    }

    private func hundredths(_ value: Double) -> String {
        let whole = Int((value * 100).rounded())
        return "\(whole / 100).\(whole / 10 % 10)\(whole % 10)"
    }
}

/// One ledger with many accounts, and transfers between them.
struct ExecutionBench {
    let accounts: Int
    let transfers: Int
    let block: Int
    let keepsPostings: Bool

    /// Accounts that pay: as many as a genesis can have.
    private var payers: Int { min(accounts, Genesis.accountsMax) }

    private static let balance = Amount(1_000_000_000)
    /// Transfers in a transaction, where accounts are made.
    private static let creditsMax = TransactionLimits.operationsMax

    func run(disk: String?) throws(CommandFault) -> ExecutionReport.Row {
        do throws(StorageFault) {
            guard let disk else {
                let store = MemoryStore()
                return try measure(store) { (writes) throws(StorageFault) in store.apply(writes) }
            }
            let store = try RocksStore(folder: disk)
            defer { try? FileManager.default.removeItem(atPath: disk) }
            let row = try measure(store) { (writes) throws(StorageFault) in
                try store.apply(writes)
                try store.flushLog()
            }
            try store.close()
            return row
        } catch {
            throw CommandFault("\(error)")
        }
    }

    private func measure(
        _ source: any KeyValueSource, apply: (WriteSet) throws(StorageFault) -> Void
    ) throws(StorageFault) -> ExecutionReport.Row {
        let genesis = genesis()
        try apply(Ledger.genesisWrites(genesis).writes)
        if !keepsPostings { try apply(PostingIndex.end) }
        var ledger = try Ledger(opening: source, genesis: genesis)
        var traffic = ExecutionTraffic(chainID: genesis.chainID, payers: payers, all: accounts)
        for credits in traffic.missingAccounts(inGroupsOf: ExecutionBench.creditsMax * block) {
            let outcome = try ledger.execute(traffic.block(credits, after: ledger))
            try apply(outcome.writes)
            ledger.writesApplied()
        }
        var root = TreeTurn(try ExecutionBench.copyOfNodes(in: source))
        var (executing, storing) = (0.0, 0.0)
        var done = 0
        while done < transfers {
            let payments = traffic.payments(min(block, transfers - done))
            let next = traffic.block(payments, after: ledger)
            let start = ProcessorTime.nanoseconds
            let outcome = try ledger.execute(next)
            let middle = ProcessorTime.nanoseconds
            try apply(outcome.writes)
            ledger.writesApplied()
            storing += ProcessorTime.nanoseconds - middle
            executing += middle - start
            guard outcome.results.count == payments.count,
                outcome.results.allSatisfy(ExecutionBench.isSuccess)
            else { throw StorageFault("a transfer of the measurement failed") }
            guard try root.take(outcome.writes) == outcome.stateRoot else {
                throw StorageFault("the tree that was measured alone has another root")
            }
            done += payments.count
        }
        let each = (executing + storing) / Double(transfers)
        return ExecutionReport.Row(
            accounts: accounts, transfers: transfers, transfersPerSecond: Int(1e9 / each),
            nanosecondsPerTransfer: each, storeNanoseconds: storing / Double(transfers),
            rootNanoseconds: root.nanoseconds / Double(transfers),
            stateRoot: ledger.stateRoot.description)
    }

    private static func isSuccess(_ result: TransactionResult) -> Bool {
        if case .executed(let receipt) = result { receipt.outcome == .success } else { false }
    }

    private func genesis() -> Genesis {
        let validator = ExecutionTraffic.signer.publicKey
        let members = (0..<payers).map {
            GenesisAccount(
                owner: .policy(ExecutionTraffic.policy(UInt64($0))),
                balance: ExecutionBench.balance)
        }
        do throws(GenesisFault) {
            return try Genesis(
                network: "bench", prefix: "bch", time: 1_000_000, accounts: members,
                validators: [
                    GenesisValidator(
                        votingKey: validator, peerID: PeerID(validator),
                        rewardAddress: members[0].address, stake: 1_000_000)
                ],
                parameters: LedgerParameters(
                    fees: FeeParameters(
                        targetWeight: .max / 4, treasury: ExecutionTraffic.policy(0).address)))
        } catch {
            preconditionFailure("the genesis of the measurement: \(error)")
        }
    }

    /// The tree's nodes alone, in memory.
    private static func copyOfNodes(
        in source: any KeyValueSource
    ) throws(StorageFault) -> MemoryStore {
        let copy = MemoryStore()
        var start: [UInt8] = []
        while true {
            let page = try source.pairs(in: .nodes, from: start, before: nil, limit: 100_000)
            guard let last = page.last else { return copy }
            var writes = WriteSet()
            for pair in page { writes.put(pair.value, in: .nodes, for: pair.key) }
            copy.apply(writes)
            start = last.key + [0]
        }
    }
}

/// The state's tree once more, and what its thread spends on it.
private struct TreeTurn {
    private let store: MemoryStore
    private var tree = StateTree()
    private(set) var nanoseconds = 0.0

    init(_ store: MemoryStore) { self.store = store }

    /// Takes a block's changes of the state.
    /// - Returns: The root.
    mutating func take(_ writes: WriteSet) throws(StorageFault) -> Digest {
        let changed = writes.changes.filter { $0.column == .state }
        var nodes = WriteSet()
        let start = ProcessorTime.nanoseconds
        var changes: [StateTree.Change] = []
        for change in changed {
            guard let path = Bytes32(change.key) else { continue }
            let row = change.value.flatMap { try? StateRow(bytes: $0) }
            changes.append(StateTree.Change(path: path, valueHash: row?.valueHash))
        }
        changes.sort { $0.path < $1.path }
        let root = try tree.update(changes, source: store, into: &nodes)
        nanoseconds += ProcessorTime.nanoseconds - start
        store.apply(nodes)
        tree.writesApplied()
        return root
    }
}

/// Transfers between accounts that are drawn from a seed. One key may sign for all of them beside
/// a key of their own, so that a million accounts need no million keys to be made.
private struct ExecutionTraffic {
    private let chainID: ChainID
    private let payers: Int
    private let all: Int
    private var generator = BenchGenerator(state: 7)
    private var sequences: [UInt32]

    init(chainID: ChainID, payers: Int, all: Int) {
        self.chainID = chainID
        self.payers = payers
        self.all = all
        sequences = [UInt32](repeating: 0, count: payers)
    }

    static let signer = SecretKey(seed: SecureBytes(copying: [UInt8](repeating: 1, count: 32)))

    static func policy(_ number: UInt64) -> Policy {
        let own = PublicKey(Digest.hash(.random, number.bcsLittleEndian).bytes32)
        let signers = [own, signer.publicKey].map { Policy.Signer(publicKey: $0, weight: 1) }
        do throws(Policy.Fault) {
            return try Policy(signers: signers, spend: 1, admin: 1)
        } catch {
            preconditionFailure("the policy of account \(number): \(error)")
        }
    }

    /// The accounts that genesis doesn't have, in groups.
    func missingAccounts(inGroupsOf size: Int) -> [Range<Int>] {
        stride(from: payers, to: all, by: size).map { $0..<min($0 + size, all) }
    }

    /// Transfers of payers that are drawn, in the order of their sequences.
    mutating func payments(_ count: Int) -> [SignedTransaction] {
        (0..<count).map { _ in
            let payee = Int(generator.next() % UInt64(all))
            return transaction(
                from: Int(generator.next() % UInt64(payers)),
                [Transfer(to: ExecutionTraffic.policy(UInt64(payee)).address, amount: 1)])
        }
    }

    private mutating func transaction(
        from payer: Int, _ transfers: [Transfer]
    ) -> SignedTransaction {
        let policy = ExecutionTraffic.policy(UInt64(payer))
        let transaction = Transaction(
            chainID: chainID, sender: policy.address,
            sequence: SequenceNumber(UInt64(sequences[payer])), validUntil: 80_000_000,
            maxFee: 1_000_000, operations: transfers.map { .transfer($0) })
        sequences[payer] += 1
        return SignedTransaction(signing: transaction, by: [ExecutionTraffic.signer])
    }

    /// A block of credits of 1 to accounts, by several payers.
    mutating func block(_ accounts: Range<Int>, after ledger: Ledger) -> ExecutableBlock {
        let step = TransactionLimits.operationsMax
        let starts = stride(from: accounts.lowerBound, to: accounts.upperBound, by: step)
        let transactions = starts.map { start in
            let group = start..<min(start + step, accounts.upperBound)
            return transaction(
                from: start / step % payers,
                group.map {
                    Transfer(to: ExecutionTraffic.policy(UInt64($0)).address, amount: 1)
                })
        }
        return block(transactions, after: ledger)
    }

    func block(
        _ transactions: [SignedTransaction], after ledger: Ledger
    ) -> ExecutableBlock {
        let height = ledger.height.clampedAdvance(by: 1)
        return ExecutableBlock(
            height: height, digest: .hash(.block, height.bcsBytes),
            time: ledger.time.clampedAdvance(by: 10), proposer: ValidatorIndex(0),
            batches: [
                ExecutableBlock.Batch(
                    owner: ValidatorIndex(0), period: 0, chunks: [],
                    transactions: Verified.checkAll(transactions).compactMap { $0 })
            ])
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): draws the same in every run.
private struct BenchGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
