package import Primitives

/// What joins the RPC server to a node: one function for each method, called from any thread.
///
/// Arguments are within their limits when they get here. Functions throw the fault that the client
/// is to see; ids in answers are human-readable texts with the network's prefix.
package protocol RPCBackend: Sendable {
    /// What the network's human-readable ids begin with.
    var prefix: NetworkPrefix { get }

    func nodeStatus() async throws(RPCFault) -> NodeStatus
    func chainHead() async throws(RPCFault) -> ChainHead

    /// - Throws: `notFound` for a block that isn't finalized here.
    func block(_ reference: BlockReference) async throws(RPCFault) -> BlockSummary

    /// Hands transactions to the node and answers when each is verified and has its place, or is
    /// refused: one answer for each, in the same order. 1...20 at once.
    func submit(_ transactions: [SignedTransaction]) async -> [Result<SubmitResult, RPCFault>]

    /// Answers as soon as the transaction is final or skipped, or with the state at that time
    /// after `milliseconds` (0...60,000) or when the task is cancelled, also for a transaction not
    /// seen yet.
    func wait(
        for id: TransactionID, atMostMilliseconds milliseconds: UInt64
    ) async throws(RPCFault) -> TransactionStatus

    /// A transaction that this node doesn't know has state `unknown`; that is no fault.
    func transaction(_ id: TransactionID) async throws(RPCFault) -> TransactionStatus

    /// The transaction that used a sequence of a stream (1...65535), as it was submitted.
    /// - Throws: `notFound` where none did.
    func transaction(
        of sender: Address, stream: UInt16, sequence: SequenceNumber
    ) async throws(RPCFault) -> StreamUse

    /// - Throws: `notFound` for an address that was never credited.
    func account(_ address: Address) async throws(RPCFault) -> AccountInfo

    /// - Throws: `notFound` for an escrow that never was.
    func escrow(_ id: EscrowID) async throws(RPCFault) -> EscrowInfo

    /// - Throws: `notFound` for an asset that never was issued, or was retired.
    func asset(_ id: AssetID) async throws(RPCFault) -> AssetInfo

    /// The escrows that `address` takes part in, in order of id, after `after`; at most `limit`
    /// (1...100).
    func escrows(
        of address: Address, after: EscrowID?, limit: Int
    ) async throws(RPCFault) -> EscrowList

    /// The accounts that `address` guards, in order of address, after `after`; at most `limit`
    /// (1...100).
    func guarded(
        by address: Address, after: Address?, limit: Int
    ) async throws(RPCFault) -> GuardedList

    /// - Throws: `notFound` for a key that has neither stake nor offences.
    func verifier(_ key: PublicKey) async throws(RPCFault) -> VerifierInfo

    /// A page of what changed in an account's balances; empty for an address without history.
    /// - Throws: `unavailable` where the node keeps no history of accounts.
    func history(
        of address: Address, _ query: HistoryQuery
    ) async throws(RPCFault) -> AccountHistory

    /// What proves what the state holds under a name, or that it holds nothing there.
    /// - Throws: `unavailable` while no finalized block names a state that the node can still read.
    func proof(of subject: ProofSubject) async throws(RPCFault) -> ProofInfo

    /// The steps that lead out of `epoch` and the following ones; at most `limit` (1...64), fewer
    /// where they are large, and none where they aren't there yet.
    func epochProofs(from epoch: Epoch, limit: Int) async throws(RPCFault) -> EpochProofs

    func validators() async throws(RPCFault) -> ValidatorList
    func peers() async throws(RPCFault) -> PeerList
    func verifiers() async throws(RPCFault) -> VerifierList
    func mempoolStatus() async throws(RPCFault) -> MempoolStatus
    func verificationStatus() async throws(RPCFault) -> VerificationStatus
    func genesis() async throws(RPCFault) -> GenesisInfo
    func feeEstimate() async throws(RPCFault) -> FeeEstimate
    func governance() async throws(RPCFault) -> GovernanceInfo

    /// For `/ready`.
    func readiness() async -> Readiness

    /// For `/metrics`: Prometheus text format 0.0.4.
    func metricsText() async -> String
}

/// What is to be proven.
package enum ProofSubject: Hashable, Sendable {
    case account(Address)
    case escrow(EscrowID)
    case asset(AssetID)
    /// A place in the committee of genesis.
    case validator(ValidatorIndex)
    case verifier(PublicKey)
    case parameters
    case transaction(TransactionID)
    /// That the history at `to` (nil for the newest that can be proven) begins with that at `from`
    /// (nil for `to`).
    case consistency(from: Height?, to: Height?)
}

/// Which block is meant.
package enum BlockReference: Hashable, Sendable {
    case height(Height)
    case digest(Digest)
}
