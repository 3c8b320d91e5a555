import Logging
import Primitives
import RPC
import ServiceLifecycle
import Synchronization

@testable import offpeak

/// A node that plays a script: it knows what the test tells it, keeps what it is sent, and answers
/// each transaction with what the test wants.
final class WalletNode: RPCBackend {
    let prefix = WalletSamples.prefix
    private let state = Mutex(State())

    private struct State {
        var accounts: [Address: AccountInfo] = [:]
        var escrows: [EscrowID: EscrowInfo] = [:]
        var verifiers: [PublicKey: VerifierInfo] = [:]
        var guarded: [GuardedInfo] = []
        var submitted: [SignedTransaction] = []
        var uses: [SignedTransaction] = []
        var refusal: RPCFault?
        var refusalsLeft = Int.max
        var asked = 0
        var urgentTip: UInt64 = 9
        var time: Timestamp = 1_700_000_000_000
        var proofs: [ProofSubject: ProofInfo] = [:]
        var steps: [EpochProof] = []
        /// Where histories are read from; nil for a node that keeps none.
        var ledger: (any KeyValueSource)?
        var answer: @Sendable (ReceiptInfo) -> TransactionStatus = { receipt in
            TransactionStatus(id: receipt.transaction, state: .final, receipt: receipt)
        }
    }

    /// What it was sent, in order.
    var submitted: [SignedTransaction] { state.withLock { $0.submitted } }

    /// How often somebody submitted, refusals included.
    var asked: Int { state.withLock { $0.asked } }

    /// What becomes of transactions from now on, given the receipt of a success.
    func answer(_ answer: @escaping @Sendable (ReceiptInfo) -> TransactionStatus) {
        state.withLock { $0.answer = answer }
    }

    /// An account with a balance; `policy` if it is revealed.
    func add(
        _ address: Address, policy: Policy? = nil, nextSequence: UInt64? = nil,
        safeguards: SafeguardsInfo? = nil, native: Amount = 1_000_000,
        assets: [AssetID: Amount] = [:]
    ) {
        let info = AccountInfo(
            address: address.text(in: prefix),
            balances: [AssetBalance(asset: "native", amount: native)]
                + assets.sorted { $0.key < $1.key }.map {
                    AssetBalance(asset: $0.text(in: prefix), amount: $1)
                },
            policy: policy.map(info),
            streams: nextSequence.map {
                [
                    StreamInfo(
                        stream: 0, nextSequence: SequenceNumber($0), lastUse: 0, deposit: 0)
                ]
            } ?? [],
            deposits: 0, safeguards: safeguards, height: 6, stateRoot: Digest.zero.description)
        state.withLock { $0.accounts[address] = info }
    }

    /// An account that everybody guards.
    func add(guarded info: GuardedInfo) { state.withLock { $0.guarded.append(info) } }

    func info(_ policy: Policy) -> PolicyInfo {
        PolicyInfo(
            signers: policy.signers.map {
                SignerInfo(publicKey: $0.publicKey.text(in: prefix), weight: $0.weight)
            },
            spend: policy.spend, admin: policy.admin)
    }

    /// An escrow of one payer and one payee, in `round` and holding `held`.
    func add(
        _ id: EscrowID, payer: Address, payee: Address, round: UInt64, held: Amount,
        state escrowState: EscrowState = .open, decisions: [DecisionInfo] = []
    ) {
        func quorum(_ address: Address) -> QuorumInfo {
            QuorumInfo(
                members: [MemberInfo(address: address.text(in: prefix), weight: 1)], threshold: 1)
        }
        let info = EscrowInfo(
            id: id.text(in: prefix), payer: payer.text(in: prefix), payee: payee.text(in: prefix),
            asset: AssetID.native.description, state: escrowState, held: held, released: 0,
            refunded: 0, round: round, release: quorum(payer), refund: quorum(payee),
            deadline: 1_900_000_000_000, onDeadline: .refund, decisions: decisions, height: 6)
        state.withLock { $0.escrows[id] = info }
    }

    func add(_ key: PublicKey, bonded: Amount) {
        let text = key.text(in: prefix)
        let info = VerifierInfo(
            key: text, peerID: "opknod1", owner: "opkacc1", rewardAddress: "opkacc1",
            validator: false, candidate: false, bonded: bonded,
            releases: [ReleaseInfo(amount: 3, height: 1030)],
            offences: 1, jailedUntil: 99, rewards: 7, height: 6)
        state.withLock { $0.verifiers[key] = info }
    }

    /// What it answers to whoever submits from now on, so many times.
    func refuse(_ refusal: RPCFault, times: Int = .max) {
        state.withLock { state in
            state.refusal = refusal
            state.refusalsLeft = times
        }
    }

    private func nextRefusal() -> RPCFault? {
        state.withLock { state in
            state.asked += 1
            guard state.refusalsLeft > 0 else { return nil }
            state.refusalsLeft -= 1
            return state.refusal
        }
    }

    /// What it says used a sequence of a stream.
    func add(use: SignedTransaction) { state.withLock { $0.uses.append(use) } }

    /// What it says that the newest block's time is.
    func tell(time: Timestamp) { state.withLock { $0.time = time } }

    /// What it says that others tip.
    func tell(urgentTip: UInt64) { state.withLock { $0.urgentTip = urgentTip } }

    /// What it answers about the past comes from a store.
    func keepHistory(_ source: any KeyValueSource) { state.withLock { $0.ledger = source } }

    func add(_ proof: ProofInfo, of subject: ProofSubject) {
        state.withLock { $0.proofs[subject] = proof }
    }

    /// The steps out of epoch 0 and the following ones.
    func add(_ steps: [EpochProof]) { state.withLock { $0.steps += steps } }

    func submit(_ transactions: [SignedTransaction]) async -> [Result<SubmitResult, RPCFault>] {
        transactions.map { transaction in
            guard Verified.check(transaction) != nil else {
                return .failure(.refused(.invalidSignature, "a signature is wrong"))
            }
            if let refusal = nextRefusal() { return .failure(refusal) }
            state.withLock { $0.submitted.append(transaction) }
            return .success(SubmitResult(id: transaction.id.text(in: prefix), state: .pending))
        }
    }

    func wait(
        for id: TransactionID, atMostMilliseconds milliseconds: UInt64
    ) async throws(RPCFault) -> TransactionStatus {
        let receipt = ReceiptInfo(
            transaction: id.text(in: prefix), height: 7, index: 0, fee: 640, outcome: .success,
            escrows: [])
        return state.withLock { $0.answer(receipt) }
    }

    func transaction(
        of sender: Address, stream: UInt16, sequence: SequenceNumber
    ) async throws(RPCFault) -> StreamUse {
        let found = state.withLock { state in
            state.uses.first {
                $0.transaction.sender == sender && $0.transaction.stream == stream
                    && $0.transaction.sequence == sequence
            }
        }
        guard let found else { throw .notFound(kind: "use", id: sender.text(in: prefix)) }
        return StreamUse(
            id: found.id.text(in: prefix), height: 7,
            transaction: Base64.encode(found.bcsBytes))
    }

    func account(_ address: Address) async throws(RPCFault) -> AccountInfo {
        guard let account = state.withLock({ $0.accounts[address] }) else {
            throw .notFound(kind: "account", id: address.text(in: prefix))
        }
        return account
    }

    func escrow(_ id: EscrowID) async throws(RPCFault) -> EscrowInfo {
        guard let escrow = state.withLock({ $0.escrows[id] }) else {
            throw .notFound(kind: "escrow", id: id.text(in: prefix))
        }
        return escrow
    }

    func asset(_ id: AssetID) async throws(RPCFault) -> AssetInfo {
        guard id.bytes32 == .sha256([7]) else {
            throw .notFound(kind: "asset", id: id.text(in: prefix))
        }
        return AssetInfo(
            id: id.text(in: prefix), issuer: "opkacc1", symbol: "EURX", decimals: 2, cap: 5_000,
            canFreeze: true, canClawBack: false, supply: 1_000, escrowed: 10, deposit: 1_000_000,
            height: 7)
    }

    func escrows(
        of address: Address, after: EscrowID?, limit: Int
    ) async throws(RPCFault) -> EscrowList {
        let all = state.withLock { $0.escrows }.sorted { $0.key < $1.key }
        return EscrowList(escrows: all.prefix(limit).map(\.value))
    }

    func guarded(
        by address: Address, after: Address?, limit: Int
    ) async throws(RPCFault) -> GuardedList {
        GuardedList(accounts: state.withLock { $0.guarded }, height: 6, time: 1_000)
    }

    func feeEstimate() async throws(RPCFault) -> FeeEstimate {
        let urgentTip = Amount(state.withLock { $0.urgentTip })
        return FeeEstimate(
            height: 6, baseFee: 1, targetWeight: 2_000_000,
            levels: [
                FeeLevelEstimate(level: .economy, baseFeeMax: 1, tip: 0),
                FeeLevelEstimate(level: .standard, baseFeeMax: 2, tip: 0),
                FeeLevelEstimate(level: .urgent, baseFeeMax: 4, tip: urgentTip),
            ])
    }

    func governance() async throws(RPCFault) -> GovernanceInfo {
        GovernanceInfo(
            parameters: [
                GovernedParameterInfo(name: "fees.baseFee", value: 1, least: 0, greatest: 9)
            ], proposals: [], voteBlocks: 10, delayBlocks: 10, approvalPermille: 667,
            deposit: 1_000_000, height: 7)
    }

    func genesis() async throws(RPCFault) -> GenesisInfo {
        GenesisInfo(
            network: "wallet-tests", prefix: prefix.text,
            chainID: WalletSamples.chainID.description,
            time: 1_700_000_000_000, supply: 5_000_000, accounts: 2, validators: 4,
            parameters: FeeParameters(
                baseFee: 1, byteWeight: 1, signatureWeight: 200, writeWeight: 100,
                streamDeposit: 100_000, escrowDeposit: 20_000, holdingDeposit: 10_000,
                assetDeposit: 1_000_000),
            canonical: "")
    }
}

// The rest of a node: enough for every query to have an answer.
extension WalletNode {
    func nodeStatus() async throws(RPCFault) -> NodeStatus {
        NodeStatus(
            version: "0.1.0", network: "wallet-tests", chainID: WalletSamples.chainID.description,
            prefix: prefix.text, peerID: PeerID.zero.text(in: prefix), validator: 2,
            role: .validator, epoch: 0, view: 9, finalizedHeight: 7, appliedHeight: 7,
            stateRoot: Digest.zero.description, time: 1_700_000_000_000,
            supply: SupplyInfo(
                balances: 1, escrowed: 2, bonded: 3, deposits: 4, undistributed: 5, supply: 15),
            peersConnected: 1, connectedWeight: 2, totalWeight: 4, quorum: 3, ready: false,
            reasons: ["2 of 4 validators are connected"], uptimeMilliseconds: 65_000)
    }

    func chainHead() async throws(RPCFault) -> ChainHead {
        ChainHead(
            height: 7, digest: "opkblk1", view: 9, time: state.withLock { $0.time },
            stateRoot: Digest.zero.description, finalizedHeight: 7)
    }

    func block(_ reference: BlockReference) async throws(RPCFault) -> BlockSummary {
        guard case .height(7) = reference else { throw .notFound(kind: "block", id: "8") }
        return BlockSummary(
            height: 7, digest: "opkblk1", parent: "opkblk1", epoch: 0, view: 9, proposer: 1,
            time: 1_700_000_000_000, executedHeight: 6,
            executedStateRoot: Digest.zero.description,
            batches: [BatchSummary(digest: "opkbat1", owner: 3, transactions: ["opktxn1"])])
    }

    func transaction(_ id: TransactionID) async throws(RPCFault) -> TransactionStatus {
        TransactionStatus(
            id: id.text(in: prefix), state: .skipped, reason: SkipReason.sequenceUsed.name)
    }

    func verifier(_ key: PublicKey) async throws(RPCFault) -> VerifierInfo {
        guard let verifier = state.withLock({ $0.verifiers[key] }) else {
            throw .notFound(kind: "verifier", id: key.text(in: prefix))
        }
        return verifier
    }

    func history(
        of address: Address, _ query: HistoryQuery
    ) async throws(RPCFault) -> AccountHistory {
        let source = state.withLock { $0.ledger }
        let history = source.flatMap {
            try? LedgerViews(prefix: prefix).history(of: address, query, in: $0)
        }
        guard let history else { throw .unavailable(["it keeps no history of accounts"]) }
        return history
    }

    func proof(of subject: ProofSubject) async throws(RPCFault) -> ProofInfo {
        guard let proof = state.withLock({ $0.proofs[subject] }) else {
            throw .unavailable(["no finalized block names a state"])
        }
        return proof
    }

    /// Two at once, whatever the limit: a node may answer with fewer.
    func epochProofs(from epoch: Epoch, limit: Int) async throws(RPCFault) -> EpochProofs {
        let steps = state.withLock { $0.steps }
        return EpochProofs(
            steps: Array(steps.filter { $0.epoch >= epoch }.prefix(min(limit, 2))),
            epoch: Epoch(UInt64(steps.count)))
    }

    func validators() async throws(RPCFault) -> ValidatorList {
        let validator = ValidatorInfo(
            index: 0, votingKey: "opkpub1", peerID: "opknod1", weight: 4,
            rewardAddress: "opkacc1", connected: true)
        return ValidatorList(epoch: 0, totalWeight: 4, quorum: 3, validators: [validator])
    }

    func peers() async throws(RPCFault) -> PeerList {
        let peer = PeerInfo(
            peerID: "opknod1", address: "127.0.0.1:9", direction: .inbound,
            roundTripMicroseconds: 250, bytesReceived: 1536, bytesSent: 12,
            connectedMilliseconds: 5_000)
        return PeerList(peers: [peer])
    }

    func mempoolStatus() async throws(RPCFault) -> MempoolStatus {
        MempoolStatus(
            transactions: 3, bytes: 900, batchesOpen: 1, batchesCertified: 0,
            queues: MempoolQueues(
                following: 5, batchesUncertified: 1, batchesChecking: 0, checks: 0,
                bodiesMissing: 0, appeals: 0, complaints: 0),
            shards: [
                ShardInfo(shard: 0, term: 1, rank: 0, owner: 2, transactions: 3, batches: 1)
            ])
    }

    func verifiers() async throws(RPCFault) -> VerifierList {
        let verifier = VerifierMember(
            index: 4, key: "opkpub1", peerID: "opknod1", role: .verifier, bond: 20,
            rewardAddress: "opkacc1", connected: true)
        return VerifierList(
            period: 2, from: 64, until: 95, totalBond: 80, validityThreshold: 27,
            verifiers: [verifier])
    }

    func verificationStatus() async throws(RPCFault) -> VerificationStatus {
        let counts = CheckCounts(admission: 100, assigned: 23)
        let checker = CheckerInfo(
            peerID: "opknod1", role: .verifier, bond: 20, signaturesPerSecond: 9000,
            latencyMilliseconds: 12, outstanding: 1, asked: 900, answered: 850, late: 20,
            declined: 10, wrong: 1)
        return VerificationStatus(
            peerID: "opknod1", role: .validator, bond: 10, spread: true, checked: counts,
            recent: [RecentChecks(minutes: 1, milliseconds: 60_000, checked: counts)],
            checkers: [checker],
            evidence: [
                EvidenceInfo(
                    offender: "opkpub1", kind: "wrong_verdict", height: 7, evidence: "AA==")
            ])
    }

    func readiness() async -> Readiness { Readiness(ready: true, reasons: []) }
    func metricsText() async -> String { "" }
}

extension WalletNode {
    /// Serves the node on a free port while `body` runs with its address.
    func serve(_ body: @Sendable (_ address: String) async throws -> Void) async throws {
        var configuration = RPCServerConfiguration()
        configuration.port = 0
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "wallet-tests")
        logger.logLevel = .critical
        let server = RPCServer(
            configuration: configuration, backend: self, version: "0.1.0", logger: logger
        ) { listening.yield($0) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [server], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { listening.finish() }
                try await group.run()
            }
            for await port in ports {
                do {
                    try await body("http://127.0.0.1:\(port)")
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
