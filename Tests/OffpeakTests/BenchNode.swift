import Logging
import Primitives
import RPC
import ServiceLifecycle
import Synchronization

/// A node of a made-up network for the load generator: it executes what it is sent as soon as
/// somebody asks how far it is.
final class BenchNode: RPCBackend {
    let prefix: NetworkPrefix
    private let state: Mutex<State>

    private struct State {
        var balances: [Address: UInt64]
        var sequences: [Address: UInt64] = [:]
        var waiting: [SignedTransaction] = []
        var blocks: [[TransactionID]] = []
        var submissions = 0
        var executions = 0
        /// One of so many transactions stands in its block without being executed.
        let losesOneOf: Int?
        /// One of so many submissions finds the node too busy.
        let isBusyOneOf: Int?
        /// What each transaction costs beyond its fee.
        let takenBeyondFee: UInt64
        /// One of so many transactions is carried by the block itself, for twice the fee.
        let carriesOneOf: Int?
        var carried: [TransactionID: UInt64] = [:]

        mutating func seal() {
            guard !waiting.isEmpty else { return }
            for transaction in waiting { execute(transaction) }
            blocks.append(waiting.map(\.id))
            waiting = []
        }

        mutating func execute(_ signed: SignedTransaction) {
            let transaction = signed.transaction
            executions += 1
            let isLost = losesOneOf.map { executions.isMultiple(of: $0) }
            guard sequences[transaction.sender, default: 0] == transaction.sequence.rawValue,
                isLost != true, case .transfer(let transfer)? = transaction.operations.first
            else { return }
            sequences[transaction.sender, default: 0] += 1
            var fee = UInt64(signed.byteCount) + 200 + 100 + takenBeyondFee
            if let carriesOneOf, executions.isMultiple(of: carriesOneOf) {
                fee *= 2
                carried[signed.id] = fee
            }
            balances[transaction.sender, default: 0] -= transfer.amount.rawValue + fee
            balances[transfer.to, default: 0] += transfer.amount.rawValue
        }
    }

    init(
        _ accounts: [Address], balance: Amount, losesOneOf: Int? = nil, isBusyOneOf: Int? = nil,
        takenBeyondFee: UInt64 = 0, carriesOneOf: Int? = nil
    ) throws {
        prefix = try NetworkPrefix("opk")
        var balances: [Address: UInt64] = [:]
        for account in accounts { balances[account] = balance.rawValue }
        state = Mutex(
            State(
                balances: balances, losesOneOf: losesOneOf, isBusyOneOf: isBusyOneOf,
                takenBeyondFee: takenBeyondFee, carriesOneOf: carriesOneOf))
    }

    func submit(_ transactions: [SignedTransaction]) async -> [Result<SubmitResult, RPCFault>] {
        transactions.map { transaction in
            state.withLock { state in
                state.submissions += 1
                if let busy = state.isBusyOneOf, state.submissions.isMultiple(of: busy) {
                    return .failure(.overloaded(retryAfterMilliseconds: 1))
                }
                state.waiting.append(transaction)
                return .success(
                    SubmitResult(id: transaction.id.text(in: prefix), state: .pending))
            }
        }
    }

    func chainHead() async throws(RPCFault) -> ChainHead {
        let height = state.withLock { state in
            state.seal()
            return Height(UInt64(state.blocks.count))
        }
        return ChainHead(
            height: height, digest: "opkblk1", view: 1, time: 1,
            stateRoot: Digest.zero.description, finalizedHeight: height)
    }

    func block(_ reference: BlockReference) async throws(RPCFault) -> BlockSummary {
        let blocks = state.withLock { $0.blocks }
        guard case .height(let height) = reference, 1...blocks.count ~= Int(height.rawValue) else {
            throw .notFound(kind: "block", id: "?")
        }
        let carried = state.withLock { $0.carried }
        let ids = blocks[Int(height.rawValue) - 1]
        let direct = ids.filter { carried[$0] != nil }.map { $0.text(in: prefix) }
        let transactions = ids.filter { carried[$0] == nil }.map { $0.text(in: prefix) }
        return BlockSummary(
            height: height, digest: "opkblk1", parent: "opkblk1", epoch: 0, view: 1, proposer: 0,
            time: 1, executedHeight: height, executedStateRoot: Digest.zero.description,
            direct: direct,
            batches: [BatchSummary(digest: "opkbat1", owner: 0, transactions: transactions)])
    }

    func wait(
        for id: TransactionID, atMostMilliseconds milliseconds: UInt64
    ) async throws(RPCFault) -> TransactionStatus {
        state.withLock { $0.seal() }
        let receipt = ReceiptInfo(
            transaction: id.text(in: prefix), height: 1, index: 0, fee: 600,
            outcome: .success, escrows: [])
        return TransactionStatus(id: receipt.transaction, state: .final, receipt: receipt)
    }

    func transaction(_ id: TransactionID) async throws(RPCFault) -> TransactionStatus {
        // What wasn't carried by a block itself has paid the usual fee.
        let fee = state.withLock { $0.carried[id] } ?? 600
        let receipt = ReceiptInfo(
            transaction: id.text(in: prefix), height: 1, index: 0, fee: Amount(fee),
            outcome: .success, escrows: [])
        return TransactionStatus(id: receipt.transaction, state: .final, receipt: receipt)
    }

    func account(_ address: Address) async throws(RPCFault) -> AccountInfo {
        let (balance, sequence) = state.withLock {
            ($0.balances[address], $0.sequences[address])
        }
        guard let balance else { throw .notFound(kind: "account", id: "\(address)") }
        return AccountInfo(
            address: address.text(in: prefix),
            balances: [AssetBalance(asset: "native", amount: Amount(balance))],
            streams: sequence.map {
                [
                    StreamInfo(
                        stream: 0, nextSequence: SequenceNumber($0), lastUse: 0, deposit: 0)
                ]
            } ?? [],
            deposits: 0, height: 1, stateRoot: Digest.zero.description)
    }

    // What the load generator never asks for.

    func nodeStatus() async throws(RPCFault) -> NodeStatus { throw .internalError }
    func governance() async throws(RPCFault) -> GovernanceInfo { throw .internalError }
    func asset(_ id: AssetID) async throws(RPCFault) -> AssetInfo { throw .internalError }
    func escrow(_ id: EscrowID) async throws(RPCFault) -> EscrowInfo { throw .internalError }
    func escrows(
        of address: Address, after: EscrowID?, limit: Int
    ) async throws(RPCFault) -> EscrowList { throw .internalError }
    func guarded(
        by address: Address, after: Address?, limit: Int
    ) async throws(RPCFault) -> GuardedList { throw .internalError }
    func verifier(_ key: PublicKey) async throws(RPCFault) -> VerifierInfo { throw .internalError }
    func history(
        of address: Address, _ query: HistoryQuery
    ) async throws(RPCFault) -> AccountHistory { throw .internalError }
    func proof(of subject: ProofSubject) async throws(RPCFault) -> ProofInfo {
        throw .internalError
    }
    func transaction(
        of sender: Address, stream: UInt16, sequence: SequenceNumber
    ) async throws(RPCFault) -> StreamUse { throw .internalError }
    func epochProofs(from epoch: Epoch, limit: Int) async throws(RPCFault) -> EpochProofs {
        throw .internalError
    }
    func validators() async throws(RPCFault) -> ValidatorList { throw .internalError }
    func peers() async throws(RPCFault) -> PeerList { throw .internalError }
    func mempoolStatus() async throws(RPCFault) -> MempoolStatus { throw .internalError }
    func verifiers() async throws(RPCFault) -> VerifierList { throw .internalError }
    func verificationStatus() async throws(RPCFault) -> VerificationStatus {
        throw .internalError
    }
    func feeEstimate() async throws(RPCFault) -> FeeEstimate { throw .internalError }
    func genesis() async throws(RPCFault) -> GenesisInfo { throw .internalError }
    func readiness() async -> Readiness { Readiness(ready: true, reasons: []) }
    func metricsText() async -> String { "" }

    /// Serves the node on a free port while `body` runs with a client of it.
    func serve<Result: Sendable>(
        _ body: @escaping @Sendable (RPCClient) async throws -> Result
    ) async throws -> Result {
        var configuration = RPCServerConfiguration()
        configuration.port = 0
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "bench-tests")
        logger.logLevel = .critical
        let server = RPCServer(
            configuration: configuration, backend: self, version: "0", logger: logger
        ) { listening.yield($0) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [server], logger: logger))
        let serving = Task { try await group.run() }
        var places = ports.makeAsyncIterator()
        let port = await places.next() ?? 0
        let result = try await body(RPCClient(RPCEndpoint(port: port)))
        await group.triggerGracefulShutdown()
        try await serving.value
        return result
    }
}
