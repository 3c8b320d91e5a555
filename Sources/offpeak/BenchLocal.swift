internal import Execution
internal import FoundationEssentials
internal import Glibc
internal import Primitives
internal import Synchronization

/// A measurement of a network of its own: made in a temporary folder, and gone afterwards however
/// the measurement ends.
struct BenchLocal: Sendable {
    let plan: BenchPlan
    let validators: Int
    /// Bonded nodes without a vote, beside the validators.
    let verifiers: Int
    /// Whether the checking of signatures is spread, or every validator checks everything.
    let spreads: Bool
    /// When the verifiers are killed, from the beginning of the measured time; nil for never.
    let killsVerifiersAfter: Duration?
    let progress: BenchProgress

    /// What each account starts with: enough for any number of transfers.
    private static let balance = Amount(1_000_000_000_000)
    /// More than any fee of a transfer.
    private static let maxFee = Amount(1_000_000)
    /// How long after signing the transfers may execute.
    private static let validityMilliseconds: UInt64 = 12 * 3_600_000

    func run() async throws -> BenchReport {
        let folder = try BenchLocal.temporaryFolder()
        let interrupt = try InterruptGuard { BenchLocal.clear(folder) }
        defer {
            BenchLocal.clear(folder)
            interrupt.cancel()
        }
        progress.step("making \(plan.accounts) accounts")
        let accounts = await BenchAccounts(seed: plan.seed, count: plan.accounts)
        let record = try makeNetwork(folder, accounts)
        let transfers = try await sign(accounts, record)
        progress.step("starting \(record.nodes.count) nodes")
        let network = try TestnetNetwork(folder, record: record)
        _ = try network.start()
        try await network.awaitReady(record.nodes.map(\.index))
        let genesis = try GenesisText.read(folder.genesis)
        let context = try NetworkContext(genesis, now: WallClock.now)
        return try await BenchRun(
            plan: plan, accounts: accounts,
            initial: BenchLocal.balance, transfers: transfers,
            clients: record.nodes(.validator).map { network.clients[$0] },
            prefix: context.prefix, fees: context.fees, meter: BenchMeter(network: network),
            verifiers: verifiers, spreads: spreads, strike: strike(network), progress: progress
        ).run()
    }

    private func strike(_ network: TestnetNetwork) -> BenchStrike? {
        killsVerifiersAfter.map { after in
            BenchStrike(after: after) {
                for verifier in network.record.nodes(.verifier) { network.kill(verifier) }
            }
        }
    }

    private static func temporaryFolder() throws(CommandFault) -> TestnetFolder {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let template = "\(parent)/offpeak-bench-XXXXXX"
        var bytes = Array(template.utf8CString)
        guard mkdtemp(&bytes) != nil else {
            throw CommandFault("\(template) can't be made: \(String(cString: strerror(errno)))")
        }
        return TestnetFolder(String(decoding: bytes.dropLast().map(UInt8.init), as: UTF8.self))
    }

    /// Ends the network's processes, without waiting for what they would still write, and removes
    /// its files.
    private static func clear(_ folder: TestnetFolder) {
        clearing.withLock { _ in clearAlone(folder) }
    }

    /// An interruption and the main flow may both clear up; the second finds nothing left to do.
    private static let clearing = Mutex(())

    private static func clearAlone(_ folder: TestnetFolder) {
        if let record = try? TestnetRecord.load(folder),
            let network = try? TestnetNetwork(folder, record: record)
        {
            for node in record.nodes { network.kill(node.index) }
        }
        try? folder.purge()
    }

    private func makeNetwork(
        _ folder: TestnetFolder, _ accounts: BenchAccounts
    ) throws -> TestnetRecord {
        var testnet = TestnetPlan(
            validators: validators, verifiers: verifiers, spreads: spreads)
        testnet.network = "offpeak-bench"
        testnet.accounts = accounts.publicKeys.map {
            GenesisAccount(owner: .policy(.single($0)), balance: BenchLocal.balance)
        }
        return try TestnetMaker(folder, testnet).make()
    }

    private func sign(
        _ accounts: BenchAccounts, _ record: TestnetRecord
    ) async throws -> [PreparedTransfer] {
        guard let chainID = Hex.decode(record.chainID).flatMap({ ChainID(bytes: $0) }) else {
            throw CommandFault("the chain id \(record.chainID) isn't 64 hexadecimal digits")
        }
        let now = WallClock.now
        let transfers = BenchTransfers(
            accounts: accounts, chainID: chainID,
            validUntil: now.clampedAdvance(by: BenchLocal.validityMilliseconds),
            revealsPolicies: false,
            maxFee: BenchLocal.maxFee)
        let text = "signing \(plan.transfers) transfers"
        progress.step(text)
        return await transfers.sign(plan.transfers) { progress.share($0, text) }
    }
}
