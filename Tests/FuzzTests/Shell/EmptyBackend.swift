import Primitives

@testable import RPC

/// A node that knows nothing and takes every transaction.
struct EmptyBackend: RPCBackend {
    /// The only prefix that its ids have.
    var prefix: NetworkPrefix {
        guard let prefix = try? NetworkPrefix("opk") else { preconditionFailure("a prefix") }
        return prefix
    }

    private func nothing<Value>(_ kind: String) throws(RPCFault) -> Value {
        throw .notFound(kind: kind, id: "\"\u{1}")
    }

    func nodeStatus() async throws(RPCFault) -> NodeStatus { throw .unavailable(["empty"]) }
    func chainHead() async throws(RPCFault) -> ChainHead { try nothing("head") }

    func block(_ reference: BlockReference) async throws(RPCFault) -> BlockSummary {
        try nothing("block")
    }

    func submit(_ transactions: [SignedTransaction]) async -> [Result<SubmitResult, RPCFault>] {
        transactions.map { .success(SubmitResult(id: $0.id.text(in: prefix), state: .pending)) }
    }

    func wait(
        for id: TransactionID, atMostMilliseconds milliseconds: UInt64
    ) async throws(RPCFault) -> TransactionStatus {
        TransactionStatus(id: id.text(in: prefix), state: .pending)
    }

    func transaction(_ id: TransactionID) async throws(RPCFault) -> TransactionStatus {
        TransactionStatus(id: id.text(in: prefix), state: .unknown)
    }

    func transaction(
        of sender: Address, stream: UInt16, sequence: SequenceNumber
    ) async throws(RPCFault) -> StreamUse { try nothing("use") }

    func account(_ address: Address) async throws(RPCFault) -> AccountInfo {
        try nothing("account")
    }

    func escrow(_ id: EscrowID) async throws(RPCFault) -> EscrowInfo { try nothing("escrow") }

    func asset(_ id: AssetID) async throws(RPCFault) -> AssetInfo { try nothing("asset") }

    func escrows(
        of address: Address, after: EscrowID?, limit: Int
    ) async throws(RPCFault) -> EscrowList {
        EscrowList(escrows: [], next: after?.text(in: prefix))
    }

    func guarded(
        by address: Address, after: Address?, limit: Int
    ) async throws(RPCFault) -> GuardedList {
        GuardedList(accounts: [], next: after?.text(in: prefix), height: 0, time: 0)
    }

    func verifier(_ key: PublicKey) async throws(RPCFault) -> VerifierInfo {
        try nothing("verifier")
    }

    func proof(of subject: ProofSubject) async throws(RPCFault) -> ProofInfo {
        try nothing("proof")
    }

    func history(
        of address: Address, _ query: HistoryQuery
    ) async throws(RPCFault) -> AccountHistory { try nothing("history") }

    func epochProofs(from epoch: Epoch, limit: Int) async throws(RPCFault) -> EpochProofs {
        EpochProofs(steps: [], epoch: epoch)
    }

    func validators() async throws(RPCFault) -> ValidatorList { try nothing("list") }
    func peers() async throws(RPCFault) -> PeerList { PeerList(peers: []) }
    func mempoolStatus() async throws(RPCFault) -> MempoolStatus { try nothing("mempool") }
    func verifiers() async throws(RPCFault) -> VerifierList { try nothing("list") }
    func verificationStatus() async throws(RPCFault) -> VerificationStatus { try nothing("status") }
    func feeEstimate() async throws(RPCFault) -> FeeEstimate { try nothing("estimate") }
    func governance() async throws(RPCFault) -> GovernanceInfo { try nothing("governance") }
    func genesis() async throws(RPCFault) -> GenesisInfo { try nothing("genesis") }
    func readiness() async -> Readiness { Readiness(ready: false, reasons: ["empty"]) }
    func metricsText() async -> String { "" }
}
