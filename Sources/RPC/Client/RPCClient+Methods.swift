package import Primitives

// One function for each method. Ids are human-readable texts, as people type them; the node says
// what is wrong with one.
extension RPCClient {
    package func nodeStatus() async throws(RPCClientFault) -> NodeStatus {
        try await read("node_status")
    }

    package func chainHead() async throws(RPCClientFault) -> ChainHead {
        try await read("chain_head")
    }

    package func block(height: Height) async throws(RPCClientFault) -> BlockSummary {
        try await read("block_get", [JSONMember("height", .number(height.description))])
    }

    package func block(digest: String) async throws(RPCClientFault) -> BlockSummary {
        try await read("block_get", [JSONMember("digest", .string(digest))])
    }

    package func submit(
        _ transaction: SignedTransaction
    ) async throws(RPCClientFault) -> SubmitResult {
        let text = Base64.encode(transaction.bcsBytes)
        return try await read(
            "transaction_submit", [JSONMember("transaction", .string(text))])
    }

    /// Waits 0...60,000 ms for a transaction to be final.
    package func wait(
        for id: String, atMostMilliseconds milliseconds: UInt64 = RPCLimits.waitMillisecondsMax
    ) async throws(RPCClientFault) -> TransactionStatus {
        let bounded = min(milliseconds, RPCLimits.waitMillisecondsMax)
        return try await read(
            "transaction_wait",
            [
                JSONMember("id", .string(id)),
                JSONMember("timeoutMilliseconds", .number(String(bounded))),
            ],
            timeoutMilliseconds: Int64(bounded) + RPCClient.timeoutDefault)
    }

    package func transaction(_ id: String) async throws(RPCClientFault) -> TransactionStatus {
        try await read("transaction_get", [JSONMember("id", .string(id))])
    }

    /// The transaction that used a sequence of a stream other than 0.
    package func transaction(
        of sender: String, stream: UInt16, sequence: SequenceNumber
    ) async throws(RPCClientFault) -> StreamUse {
        try await read(
            "transaction_find",
            [
                JSONMember("address", .string(sender)),
                JSONMember("stream", .number("\(stream)")),
                JSONMember("sequence", .number("\(sequence)")),
            ])
    }

    package func account(_ address: String) async throws(RPCClientFault) -> AccountInfo {
        try await read("account_get", [JSONMember("address", .string(address))])
    }

    package func escrow(_ id: String) async throws(RPCClientFault) -> EscrowInfo {
        try await read("escrow_get", [JSONMember("id", .string(id))])
    }

    package func asset(_ id: String) async throws(RPCClientFault) -> AssetInfo {
        try await read("asset_get", [JSONMember("id", .string(id))])
    }

    /// A page of at most `limit` (1...100) escrows after `after`.
    package func escrows(
        of address: String, after: String? = nil, limit: Int = RPCLimits.pageDefault
    ) async throws(RPCClientFault) -> EscrowList {
        var parameters = [
            JSONMember("address", .string(address)), JSONMember("limit", .number(String(limit))),
        ]
        if let after { parameters.append(JSONMember("after", .string(after))) }
        return try await read("escrow_list", parameters)
    }

    /// A page of at most `limit` (1...100) accounts after `after`.
    package func guarded(
        by address: String, after: String? = nil, limit: Int = RPCLimits.pageDefault
    ) async throws(RPCClientFault) -> GuardedList {
        var parameters = [
            JSONMember("address", .string(address)), JSONMember("limit", .number(String(limit))),
        ]
        if let after { parameters.append(JSONMember("after", .string(after))) }
        return try await read("guarded_list", parameters)
    }

    package func verifier(_ key: String) async throws(RPCClientFault) -> VerifierInfo {
        try await read("verifier_get", [JSONMember("key", .string(key))])
    }

    /// A page of an account's history.
    package func history(
        of address: String, _ query: HistoryQuery, in network: NetworkPrefix
    ) async throws(RPCClientFault) -> AccountHistory {
        var parameters = [
            JSONMember("address", .string(address)),
            JSONMember("fromHeight", .number("\(query.fromHeight)")),
            JSONMember("toHeight", .number("\(query.toHeight)")),
            JSONMember("since", .number("\(query.since)")),
            JSONMember("order", .string(query.order.rawValue)),
            JSONMember("limit", .number("\(query.limit)")),
        ]
        if let asset = query.asset {
            let text = asset == .native ? "native" : asset.text(in: network)
            parameters.append(JSONMember("asset", .string(text)))
        }
        if let before = query.before {
            parameters.append(JSONMember("before", .number("\(before)")))
        }
        if let after = query.after {
            parameters.append(JSONMember("after", .string(after.description)))
        }
        return try await read("account_history", parameters)
    }

    /// A proof that the history only grew between two heights.
    package func consistency(
        from: Height?, to: Height?
    ) async throws(RPCClientFault) -> ProofInfo {
        var parameters: [JSONMember] = []
        if let from { parameters.append(JSONMember("from", .number("\(from)"))) }
        if let to { parameters.append(JSONMember("to", .number("\(to)"))) }
        return try await read("history_consistency", parameters)
    }

    /// A proof by one of the methods `account_proof`, `escrow_proof`, `asset_proof`,
    /// `validator_proof`, `verifier_proof`, `parameters_proof` and `transaction_proof`.
    package func proof(
        _ method: String, _ parameters: [JSONMember] = []
    ) async throws(RPCClientFault) -> ProofInfo {
        try await read(method, parameters)
    }

    /// A page of at most `limit` (1...64) steps, the first being the one out of `epoch`.
    package func epochProofs(
        from epoch: Epoch, limit: Int = RPCLimits.epochPageMax
    ) async throws(RPCClientFault) -> EpochProofs {
        try await read(
            "epoch_proofs",
            [
                JSONMember("from", .number("\(epoch)")),
                JSONMember("limit", .number(String(limit))),
            ])
    }

    package func validators() async throws(RPCClientFault) -> ValidatorList {
        try await read("validator_list")
    }

    package func peers() async throws(RPCClientFault) -> PeerList { try await read("peer_list") }

    package func feeEstimate() async throws(RPCClientFault) -> FeeEstimate {
        try await read("fee_estimate")
    }

    package func governance() async throws(RPCClientFault) -> GovernanceInfo {
        try await read("governance_get")
    }

    package func mempoolStatus() async throws(RPCClientFault) -> MempoolStatus {
        try await read("mempool_status")
    }

    package func verifiers() async throws(RPCClientFault) -> VerifierList {
        try await read("verifier_list")
    }

    package func verificationStatus() async throws(RPCClientFault) -> VerificationStatus {
        try await read("verification_status")
    }

    package func genesis() async throws(RPCClientFault) -> GenesisInfo {
        try await read("genesis_get")
    }

    private func read<Answer: Decodable>(
        _ method: String, _ parameters: [JSONMember] = [], timeoutMilliseconds: Int64? = nil
    ) async throws(RPCClientFault) -> Answer {
        let json = try await call(method, parameters, timeoutMilliseconds: timeoutMilliseconds)
        do {
            return try AnswerCoding.decode(Answer.self, from: json)
        } catch {
            throw .malformed("\(method): \(error)", address: endpoint.description)
        }
    }
}
