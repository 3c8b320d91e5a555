import Primitives
import Synchronization

@testable import RPC

/// A node made of fixed answers. `transaction_wait` hangs until the test lets it go.
final class MockBackend: RPCBackend {
    let prefix: NetworkPrefix
    let waitsBegun: AsyncStream<Void>
    private let waitBegan: AsyncStream<Void>.Continuation
    private let submitted = Mutex<[[SignedTransaction]]>([])
    private let asked = Mutex<[ProofSubject]>([])
    private let pages = Mutex<[HistoryQuery]>([])
    private let steps = Mutex<[(from: Epoch, limit: Int)]>([])
    private let released = Mutex(false)
    private let isReady: Bool
    private let refusal: RPCFault?

    init(isReady: Bool = true, refusal: RPCFault? = nil, waitsReturn: Bool = false) throws {
        prefix = try NetworkPrefix("opk")
        (waitsBegun, waitBegan) = AsyncStream.makeStream(of: Void.self)
        self.isReady = isReady
        self.refusal = refusal
        released.withLock { $0 = waitsReturn }
    }

    /// What each call of `submit` brought.
    var submissions: [[SignedTransaction]] { submitted.withLock { $0 } }

    /// What pages of a history were asked for.
    var histories: [HistoryQuery] { pages.withLock { $0 } }

    /// What pages of epochs were asked for.
    var epochs: [(from: Epoch, limit: Int)] { steps.withLock { $0 } }

    /// What proofs were asked of.
    var proofs: [ProofSubject] { asked.withLock { $0 } }

    func nodeStatus() async throws(RPCFault) -> NodeStatus { Samples.nodeStatus }
    func chainHead() async throws(RPCFault) -> ChainHead { Samples.chainHead }

    func block(_ reference: BlockReference) async throws(RPCFault) -> BlockSummary {
        switch reference {
        case .height(7), .digest(.zero): return Samples.block
        case .height(let height): throw .notFound(kind: "block", id: height.description)
        case .digest(let digest): throw .notFound(kind: "block", id: digest.description)
        }
    }

    func submit(_ transactions: [SignedTransaction]) async -> [Result<SubmitResult, RPCFault>] {
        submitted.withLock { $0.append(transactions) }
        return transactions.map { transaction in
            if let refusal { return .failure(refusal) }
            return .success(SubmitResult(id: transaction.id.text(in: prefix), state: .pending))
        }
    }

    func wait(
        for id: TransactionID, atMostMilliseconds milliseconds: UInt64
    ) async throws(RPCFault) -> TransactionStatus {
        waitBegan.yield()
        if !released.withLock({ $0 }) {
            // Nothing is ever sent: only cancelling ends it.
            let never = AsyncStream<Void> { _ in }
            for await _ in never {}
        }
        return TransactionStatus(
            id: id.text(in: prefix), state: .pending, note: "waited \(milliseconds)")
    }

    func transaction(_ id: TransactionID) async throws(RPCFault) -> TransactionStatus {
        TransactionStatus(id: id.text(in: prefix), state: .final, receipt: Samples.receipt)
    }

    func transaction(
        of sender: Address, stream: UInt16, sequence: SequenceNumber
    ) async throws(RPCFault) -> StreamUse {
        guard sequence == SequenceNumber(.max) else {
            throw .notFound(kind: "use", id: "\(stream)")
        }
        return Samples.streamUse
    }

    func account(_ address: Address) async throws(RPCFault) -> AccountInfo {
        guard address == .zero else {
            throw .notFound(kind: "account", id: address.text(in: prefix))
        }
        return Samples.account
    }

    func escrow(_ id: EscrowID) async throws(RPCFault) -> EscrowInfo { Samples.escrow }

    func asset(_ id: AssetID) async throws(RPCFault) -> AssetInfo { Samples.asset }

    func escrows(
        of address: Address, after: EscrowID?, limit: Int
    ) async throws(RPCFault) -> EscrowList {
        EscrowList(escrows: [Samples.escrow], next: after == nil ? "limit \(limit)" : nil)
    }

    func guarded(
        by address: Address, after: Address?, limit: Int
    ) async throws(RPCFault) -> GuardedList {
        GuardedList(
            accounts: [Samples.guarded], next: after == nil ? "limit \(limit)" : nil, height: 7,
            time: 1)
    }

    func verifier(_ key: PublicKey) async throws(RPCFault) -> VerifierInfo { Samples.verifier }
    func proof(of subject: ProofSubject) async throws(RPCFault) -> ProofInfo {
        asked.withLock { $0.append(subject) }
        return Samples.proof
    }

    func history(
        of address: Address, _ query: HistoryQuery
    ) async throws(RPCFault) -> AccountHistory {
        pages.withLock { $0.append(query) }
        return Samples.history
    }

    func epochProofs(from epoch: Epoch, limit: Int) async throws(RPCFault) -> EpochProofs {
        steps.withLock { $0.append((epoch, limit)) }
        return Samples.epochs
    }

    func validators() async throws(RPCFault) -> ValidatorList { Samples.validators }
    func peers() async throws(RPCFault) -> PeerList { Samples.peers }
    func mempoolStatus() async throws(RPCFault) -> MempoolStatus { Samples.mempool }
    func verifiers() async throws(RPCFault) -> VerifierList { Samples.verifiers }
    func verificationStatus() async throws(RPCFault) -> VerificationStatus {
        Samples.verification
    }
    func feeEstimate() async throws(RPCFault) -> FeeEstimate { Samples.feeEstimate }
    func governance() async throws(RPCFault) -> GovernanceInfo { Samples.governance }
    func genesis() async throws(RPCFault) -> GenesisInfo { Samples.genesis }

    func readiness() async -> Readiness {
        Readiness(ready: isReady, reasons: isReady ? [] : ["2 of 4 validators are connected"])
    }

    func metricsText() async -> String {
        "# HELP offpeak_height Blocks.\n# TYPE offpeak_height gauge\noffpeak_height 7\n"
    }
}
