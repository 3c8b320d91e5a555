internal import Execution
package import Primitives

/// Measures the state machine alone: one ledger with many accounts, and transfers between them.
///
/// Before anything is measured, every account gets an amount once: the caches are then as they are
/// in a node that has run for a while, as full as they may be.
package struct ExecutionBench {
    /// Signs transactions and checks what was signed; never part of what is measured.
    package typealias Authorizer = ([Transaction], PublicKey) -> [Verified<SignedTransaction>]

    /// 2 to 20,000,000.
    package let accounts: Int
    /// Transfers that are measured.
    package let transfers: Int
    /// Transfers in a block.
    package let block: Int
    package let keepsPostings: Bool
    /// May sign for every account.
    package let signer: PublicKey
    package let authorize: Authorizer

    package init(
        accounts: Int, transfers: Int, block: Int, keepsPostings: Bool, signer: PublicKey,
        authorize: @escaping Authorizer
    ) {
        self.accounts = accounts
        self.transfers = transfers
        self.block = block
        self.keepsPostings = keepsPostings
        self.signer = signer
        self.authorize = authorize
    }

    /// Accounts that pay: as many as a genesis can have.
    private var payers: Int { min(accounts, Genesis.accountsMax) }

    private static let balance = Amount(1_000_000_000)
    /// Transactions in a block that isn't measured.
    private static let creditsMax = 1_000

    /// Measures on a store, empty yet.
    /// - Parameter apply: Writes to it.
    /// - Throws: `StorageFault` also when a transfer fails or the root is wrong.
    package func run(
        on source: any KeyValueSource, apply: (WriteSet) throws(StorageFault) -> Void
    ) throws(StorageFault) -> ExecutionReport.Row {
        let genesis = genesis()
        try apply(Ledger.genesisWrites(genesis).writes)
        if !keepsPostings { try apply(PostingIndex.end) }
        var measured = Measured()
        var roots = RootReplay()
        let stateRoot = try execute(genesis, source, apply, &measured, &roots)
        let rootNanoseconds = try roots.measure(in: source, expecting: stateRoot)
        let each = (measured.executing + measured.storing) / Double(transfers)
        return ExecutionReport.Row(
            accounts: accounts, transfers: transfers, transfersPerSecond: Int(1e9 / each),
            nanosecondsPerTransfer: each,
            storeNanoseconds: measured.storing / Double(transfers),
            rootNanoseconds: rootNanoseconds / Double(transfers),
            stateRoot: stateRoot.description)
    }

    private struct Measured {
        var executing = 0.0
        var storing = 0.0
    }

    /// - Returns: The root after the last block.
    private func execute(
        _ genesis: Genesis, _ source: any KeyValueSource,
        _ apply: (WriteSet) throws(StorageFault) -> Void, _ measured: inout Measured,
        _ roots: inout RootReplay
    ) throws(StorageFault) -> Digest {
        var ledger = try Ledger(opening: source, genesis: genesis)
        var traffic = ExecutionTraffic(
            chainID: genesis.chainID, payers: payers, all: accounts, signer: signer)
        let step = ExecutionBench.creditsMax * TransactionLimits.operationsMax
        for start in stride(from: 0, to: accounts, by: step) {
            let credits = traffic.credits(start..<min(start + step, accounts))
            let outcome = try ledger.execute(next(authorize(credits, signer), after: ledger))
            try ExecutionBench.check(outcome, credits.count)
            try apply(outcome.writes)
            ledger.writesApplied()
        }
        var done = 0
        while done < transfers {
            let payments = traffic.payments(min(block, transfers - done))
            let next = next(authorize(payments, signer), after: ledger)
            let start = ProcessorTime.nanoseconds
            let outcome = try ledger.execute(next)
            let middle = ProcessorTime.nanoseconds
            try apply(outcome.writes)
            ledger.writesApplied()
            measured.storing += ProcessorTime.nanoseconds - middle
            measured.executing += middle - start
            try ExecutionBench.check(outcome, payments.count)
            roots.note(outcome.writes)
            done += payments.count
        }
        return ledger.stateRoot
    }

    private static func check(_ outcome: BlockOutcome, _ count: Int) throws(StorageFault) {
        let isRight = outcome.results.allSatisfy { result in
            if case .executed(let receipt) = result { receipt.outcome == .success } else { false }
        }
        guard isRight, outcome.results.count == count else {
            throw StorageFault("a transfer of the measurement failed")
        }
    }

    private func next(
        _ transactions: [Verified<SignedTransaction>], after ledger: Ledger
    ) -> ExecutableBlock {
        let height = ledger.height.clampedAdvance(by: 1)
        return ExecutableBlock(
            height: height, digest: .hash(.block, height.bcsBytes),
            time: ledger.time.clampedAdvance(by: 10), proposer: ValidatorIndex(0),
            batches: [
                ExecutableBlock.Batch(
                    owner: ValidatorIndex(0), period: 0, chunks: [], transactions: transactions)
            ])
    }

    private func genesis() -> Genesis {
        let members = (0..<payers).map {
            GenesisAccount(
                owner: .policy(ExecutionTraffic.policy(UInt64($0), signer)),
                balance: ExecutionBench.balance)
        }
        let treasury = ExecutionTraffic.policy(0, signer).address
        do throws(GenesisFault) {
            return try Genesis(
                network: "bench", prefix: "bch", time: 1_000_000, accounts: members,
                validators: [
                    GenesisValidator(
                        votingKey: signer, peerID: PeerID(signer),
                        rewardAddress: treasury, stake: 1_000_000)
                ],
                parameters: LedgerParameters(
                    fees: FeeParameters(targetWeight: .max / 4, treasury: treasury)))
        } catch {
            preconditionFailure("the genesis of the measurement: \(error)")
        }
    }
}
