internal import Consensus
internal import Execution
internal import LightClient
internal import Mempool
internal import NodeCore
internal import Primitives
internal import RPC
internal import Runtime

/// Answers RPC from a running node: reads from a snapshot of its store, submissions through its
/// core.
struct NodeBackend: RPCBackend {
    let prefix: NetworkPrefix
    let node: RunningNode
    let views: NodeViews
    /// A search reads up to 20,000 postings: one at a time leaves the node to all others.
    let searches = Gate(maximum: 1)

    /// How long a client of `transaction_submit` waits for the owner's answer before it is told
    /// that the outcome is open.
    private static let submitMilliseconds: UInt64 = 10_000
    /// About as long as a search for a sequence of stream 0 takes.
    private static let searchMilliseconds: UInt64 = 200

    init(_ node: RunningNode) throws(NetworkPrefix.Fault) {
        self.node = node
        prefix = try NetworkPrefix(node.genesis.prefix)
        views = NodeViews(prefix: prefix, node: node)
    }

    /// Runs a read; a fault of the store ends the node, clients see no details.
    func read<Result>(
        _ body: (StoreSnapshot) throws(StorageFault) -> Result?
    ) throws(RPCFault) -> Result? {
        do throws(StorageFault) {
            return try body(node.snapshot())
        } catch {
            node.stop(for: error)
            throw .internalError
        }
    }

    func nodeStatus() async throws(RPCFault) -> NodeStatus {
        guard
            let summary = try read({ snapshot throws(StorageFault) in
                try LedgerReader(snapshot).summary()
            })
        else {
            throw .internalError
        }
        return views.status(summary)
    }

    func chainHead() async throws(RPCFault) -> ChainHead {
        let head = try read { snapshot throws(StorageFault) -> ChainHead? in
            guard let summary = try LedgerReader(snapshot).summary() else { return nil }
            let chain = ChainStore(snapshot)
            let block = try chain.block(at: summary.height)
            return views.head(summary, block, finalized: try chain.finalizedHeight())
        }
        guard let head else { throw .internalError }
        return head
    }

    func block(_ reference: BlockReference) async throws(RPCFault) -> BlockSummary {
        let summary = try read { snapshot throws(StorageFault) -> BlockSummary? in
            let chain = ChainStore(snapshot)
            let height: Height? =
                switch reference {
                case .height(let height): height
                case .digest(let digest): try chain.height(of: digest)
                }
            guard let height, let block = try chain.block(at: height) else { return nil }
            return try views.block(block, chain)
        }
        guard let summary else {
            switch reference {
            case .height(let height): throw .notFound(kind: "block", id: "\(height)")
            case .digest(let digest):
                throw .notFound(kind: "block", id: views.ledger.block(digest))
            }
        }
        return summary
    }

    func submit(_ transactions: [SignedTransaction]) async -> [Result<SubmitResult, RPCFault>] {
        await withTaskGroup(of: (Int, RunningNode.Submission).self) { group in
            for (place, transaction) in transactions.enumerated() {
                group.addTask {
                    let outcome = await node.submit(
                        transaction, atMostMilliseconds: NodeBackend.submitMilliseconds)
                    return (place, outcome)
                }
            }
            var outcomes = [RunningNode.Submission](
                repeating: .unanswered, count: transactions.count)
            for await (place, outcome) in group { outcomes[place] = outcome }
            return zip(transactions, outcomes).map { answer($0.0, $0.1) }
        }
    }

    private func answer(
        _ transaction: SignedTransaction, _ submission: RunningNode.Submission
    ) -> Result<SubmitResult, RPCFault> {
        switch submission {
        case .outcome(let outcome): answer(transaction, outcome)
        case .final:
            .success(SubmitResult(id: transaction.id.text(in: prefix), state: .final))
        case .unanswered: .failure(.unavailable(unanswered))
        case .stopping:
            .failure(.unavailable(["the node is stopping: submit the same bytes to another one"]))
        }
    }

    private func answer(
        _ transaction: SignedTransaction, _ outcome: SubmitOutcome
    ) -> Result<SubmitResult, RPCFault> {
        switch outcome {
        case .accepted:
            .success(SubmitResult(id: transaction.id.text(in: prefix), state: .pending))
        case .refused(let reason): .failure(.refused(reason, views.sentence(reason)))
        case .conflict(let other):
            .failure(
                RPCFault(
                    .refused,
                    "another transaction waits with the same sequence: \(other.text(in: prefix))",
                    data: [
                        JSONMember("reason", .string("sequenceTaken")),
                        JSONMember("transaction", .string(other.text(in: prefix))),
                        JSONMember("mayRetry", .bool(false)),
                    ]))
        case .overspent:
            .failure(
                RPCFault(
                    .refused,
                    "with all that the sender has waiting this would cost more than it holds, or"
                        + " than its spending limit leaves",
                    data: [
                        JSONMember("reason", .string("overspent")),
                        JSONMember("mayRetry", .bool(true)),
                    ]))
        case .busy(let milliseconds):
            .failure(.overloaded(retryAfterMilliseconds: milliseconds))
        }
    }

    /// Why a transaction's fate stays open.
    private var unanswered: [String] {
        let reasons = NodeReadiness(node).now.reasons
        return reasons.isEmpty
            ? ["no owner of the shard answered: submit the same bytes again"] : reasons
    }

    func wait(
        for id: TransactionID, atMostMilliseconds milliseconds: UInt64
    ) async throws(RPCFault) -> TransactionStatus {
        if let fate = await node.wait(for: id, atMostMilliseconds: milliseconds) {
            return try status(of: id, fate)
        }
        return try await transaction(id)
    }

    func transaction(_ id: TransactionID) async throws(RPCFault) -> TransactionStatus {
        guard let fate = await node.lookUp(id) else {
            throw .unavailable(["the node is stopping"])
        }
        return try status(of: id, fate)
    }

    func transaction(
        of sender: Address, stream: UInt16, sequence: SequenceNumber
    ) async throws(RPCFault) -> StreamUse {
        if stream == 0 {
            guard searches.enter() else {
                throw .overloaded(retryAfterMilliseconds: NodeBackend.searchMilliseconds)
            }
        }
        defer { if stream == 0 { searches.leave() } }
        let use = try read { snapshot throws(StorageFault) -> StreamUse? in
            let reader = LedgerReader(snapshot)
            let id =
                stream == 0
                ? try firstStream(sender, sequence, in: snapshot)
                : try reader.transaction(of: sender, stream: stream, sequence: sequence)
            guard let id, let receipt = try reader.receipt(id) else { return nil }
            let signed = try ChainStore(snapshot).transaction(id, at: receipt.height)
            return StreamUse(
                id: id.text(in: prefix), height: receipt.height,
                transaction: signed.map { Base64.encode($0.bcsBytes) })
        }
        guard let use else {
            throw .notFound(
                kind: "use of stream \(stream), sequence \(sequence)", id: sender.text(in: prefix))
        }
        return use
    }

    private func status(
        of id: TransactionID, _ fate: Fate
    ) throws(RPCFault) -> TransactionStatus {
        let text = id.text(in: prefix)
        switch fate {
        case .final:
            guard
                let receipt = try read({ snapshot throws(StorageFault) in
                    try LedgerReader(snapshot).receipt(id)
                })
            else {
                throw .internalError
            }
            return TransactionStatus(
                id: text, state: .final, receipt: views.ledger.receipt(receipt))
        case .skipped(let reason):
            return TransactionStatus(
                id: text, state: .skipped, reason: reason.name, note: views.sentence(reason))
        case .pending:
            return TransactionStatus(id: text, state: .pending, note: standstill)
        case .unknown:
            return TransactionStatus(id: text, state: .unknown, note: standstill)
        }
    }

    /// Why nothing is finalized, nil if the chain goes on.
    private var standstill: String? {
        let reasons = NodeReadiness(node).now.reasons
        return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }

    func account(_ address: Address) async throws(RPCFault) -> AccountInfo {
        let info = try read { snapshot throws(StorageFault) -> AccountInfo? in
            let reader = LedgerReader(snapshot)
            guard let account = try reader.account(address), let summary = try reader.summary()
            else { return nil }
            return views.ledger.account(
                account, address, summary.height, summary.stateRoot, at: summary.time)
        }
        guard let info else { throw .notFound(kind: "account", id: address.text(in: prefix)) }
        return info
    }

    func escrow(_ id: EscrowID) async throws(RPCFault) -> EscrowInfo {
        let info = try read { snapshot throws(StorageFault) -> EscrowInfo? in
            let reader = LedgerReader(snapshot)
            guard let escrow = try reader.escrow(id), let summary = try reader.summary() else {
                return nil
            }
            return views.ledger.escrow(escrow, summary.height)
        }
        guard let info else { throw .notFound(kind: "escrow", id: id.text(in: prefix)) }
        return info
    }

    func asset(_ id: AssetID) async throws(RPCFault) -> AssetInfo {
        let info = try read { snapshot throws(StorageFault) -> AssetInfo? in
            let reader = LedgerReader(snapshot)
            guard let asset = try reader.asset(id), let summary = try reader.summary() else {
                return nil
            }
            return views.ledger.asset(asset, id, summary.height)
        }
        guard let info else { throw .notFound(kind: "asset", id: id.text(in: prefix)) }
        return info
    }

    func escrows(
        of address: Address, after: EscrowID?, limit: Int
    ) async throws(RPCFault) -> EscrowList {
        let list = try read { snapshot throws(StorageFault) -> EscrowList? in
            let reader = LedgerReader(snapshot)
            let escrows = try reader.escrows(of: address, after: after, limit: limit)
            let height = try reader.summary()?.height ?? 0
            return EscrowList(
                escrows: escrows.map { views.ledger.escrow($0, height) },
                next: escrows.count == limit ? escrows.last?.id.text(in: prefix) : nil)
        }
        return list ?? EscrowList(escrows: [])
    }

    func guarded(
        by address: Address, after: Address?, limit: Int
    ) async throws(RPCFault) -> GuardedList {
        let list = try read { snapshot throws(StorageFault) -> GuardedList? in
            let reader = LedgerReader(snapshot)
            guard let summary = try reader.summary() else { return nil }
            let found = try reader.accounts(guardedBy: address, after: after, limit: limit)
            return GuardedList(
                accounts: found.compactMap { entry in
                    views.ledger.guarded(entry.account, entry.address, at: summary.time)
                },
                next: found.count == limit ? found.last?.address.text(in: prefix) : nil,
                height: summary.height, time: summary.time)
        }
        guard let list else { throw .internalError }
        return list
    }

    func verifier(_ key: PublicKey) async throws(RPCFault) -> VerifierInfo {
        let info = try read { snapshot throws(StorageFault) -> VerifierInfo? in
            let reader = LedgerReader(snapshot)
            guard let verifier = try reader.verifier(key), let summary = try reader.summary()
            else { return nil }
            return views.ledger.verifier(
                verifier, key, in: node.committee, summary.height)
        }
        guard let info else { throw .notFound(kind: "verifier", id: key.text(in: prefix)) }
        return info
    }

    func proof(of subject: ProofSubject) async throws(RPCFault) -> ProofInfo {
        let state = try provableState()
        let claim = try read { _ throws(StorageFault) -> AnchoredProof.Claim? in
            let reader = LedgerReader(state.snapshot)
            if case .transaction(let id) = subject {
                return try reader.receiptProof(of: id).map { .receipt($0) }
            }
            if case .consistency(let from, let to) = subject {
                return try consistency(from: from, to: to, in: reader).map { .consistency($0) }
            }
            return .value(try reader.proof(of: subject.stateKey))
        }
        guard let claim else { throw try await unproven(subject, state.header.executed.height) }
        return views.ledger.proof(
            AnchoredProof(claim: claim, header: state.header, finalization: state.finalization))
    }

    private func provableState() throws(RPCFault) -> ProvableState {
        let state = try read { _ throws(StorageFault) in try node.provableState() }
        guard let state else {
            throw .unavailable(["no finalized block names a state of this node yet: ask again"])
        }
        return state
    }

    /// Why the newest state that can be proven has no proof of a transaction or of the history.
    private func unproven(
        _ subject: ProofSubject, _ height: Height
    ) async throws(RPCFault) -> RPCFault {
        if case .consistency = subject {
            return .unavailable(["blocks name states up to height \(height) so far: ask again"])
        }
        guard case .transaction(let id) = subject else { return .internalError }
        let status = try await transaction(id)
        guard status.state == .final, let receipt = status.receipt else {
            return .notFound(kind: "receipt", id: id.text(in: prefix))
        }
        return .unavailable([
            "the transaction is final at height \(receipt.height), and blocks name states up to"
                + " \(height) so far: ask again"
        ])
    }

    func epochProofs(from epoch: Epoch, limit: Int) async throws(RPCFault) -> EpochProofs {
        let present = node.committee.epoch
        let proofs = try read { snapshot throws(StorageFault) -> [EpochProof]? in
            let chain = ChainStore(snapshot)
            var proofs: [EpochProof] = []
            var bytes = 0
            var place: Epoch? = epoch
            while let ended = place, proofs.count < limit, bytes < RPCLimits.epochPageBytes,
                let next = ended.next, let end = try chain.end(of: ended),
                let record = try chain.record(of: next)
            {
                let step = EpochStep(end: end, record: record).bcsBytes
                proofs.append(EpochProof(epoch: ended, proof: Base64.encode(step)))
                bytes += step.count
                place = next
            }
            return proofs
        }
        return EpochProofs(steps: proofs ?? [], epoch: present)
    }

    func validators() async throws(RPCFault) -> ValidatorList { views.validators }
    func peers() async throws(RPCFault) -> PeerList { views.peers }
    func mempoolStatus() async throws(RPCFault) -> MempoolStatus { views.mempool }
    func verifiers() async throws(RPCFault) -> VerifierList { views.verifiers }
    func verificationStatus() async throws(RPCFault) -> VerificationStatus { views.verification }
    func genesis() async throws(RPCFault) -> GenesisInfo {
        views.genesis(try parameters().fees)
    }
    func feeEstimate() async throws(RPCFault) -> FeeEstimate {
        views.feeEstimate(try parameters().fees)
    }

    /// Those in force.
    private func parameters() throws(RPCFault) -> LedgerParameters {
        let found = try read { snapshot throws(StorageFault) in
            try LedgerReader(snapshot).parameters()
        }
        return found ?? node.genesis.parameters
    }

    func governance() async throws(RPCFault) -> GovernanceInfo {
        let found = try read { snapshot throws(StorageFault) -> GovernanceInfo? in
            let reader = LedgerReader(snapshot)
            guard let summary = try reader.summary(), let parameters = try reader.parameters()
            else { return nil }
            return views.ledger.governance(
                parameters, try reader.proposals(), views.committee, summary.height)
        }
        guard let found else { throw .internalError }
        return found
    }
    func readiness() async -> Readiness { NodeReadiness(node).now }
    func metricsText() async -> String { node.metrics.text() }
}

extension ProofSubject {
    /// Its name in the state; a transaction is none, the history proves it.
    fileprivate var stateKey: StateKey {
        switch self {
        case .account(let address): StateKey(.account, address)
        case .escrow(let id): StateKey(.escrow, id)
        case .asset(let id): StateKey(.asset, id)
        case .validator(let index): .validator(index)
        case .verifier(let key): StateKey(.verifier, key)
        case .parameters: .parameters
        case .transaction, .consistency: HistoryHead.key
        }
    }
}
