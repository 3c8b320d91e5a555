internal import Primitives

/// Every method. Dispatch, the GET routes and `/openrpc.json` are all made from this one table, so
/// that none can say what another doesn't do.
package enum MethodTable {
    /// In the order in which they are documented.
    package static let methods: [Method] =
        nodeMethods + chainMethods + transactionMethods + ledgerMethods + historyMethods
        + proofMethods

    private static let byName: [String: Method] = {
        var byName: [String: Method] = [:]
        for method in methods {
            let former = byName.updateValue(method, forKey: method.name)
            precondition(former == nil, "method \(method.name) stands in the table twice")
        }
        return byName
    }()

    /// The method `name`.
    /// - Throws: `methodNotFound`.
    package static func method(_ name: String) throws(RPCFault) -> Method {
        guard let method = byName[name] else {
            throw RPCFault(
                .methodNotFound,
                "no method \"\(name.prefix(80))\"; /openrpc.json lists those there are")
        }
        return method
    }

    private static let nodeMethods = [
        Method.read("node_status", "Who this node is, how far it is and what it waits for.") {
            (_, backend) async throws(RPCFault) in try await backend.nodeStatus()
        },
        Method.read("validator_list", "The committee of the current epoch.") {
            (_, backend) async throws(RPCFault) in try await backend.validators()
        },
        Method.read("verifier_list", "Whose word counts for signatures in the present period.") {
            (_, backend) async throws(RPCFault) in try await backend.verifiers()
        },
        Method.read("peer_list", "The nodes that this one is connected to.") {
            (_, backend) async throws(RPCFault) in try await backend.peers()
        },
        Method.read("mempool_status", "What waits for a block, as this node sees it.") {
            (_, backend) async throws(RPCFault) in try await backend.mempoolStatus()
        },
        Method.read(
            "verification_status", "Who checks signatures, as this node sees it, and how well."
        ) {
            (_, backend) async throws(RPCFault) in try await backend.verificationStatus()
        },
        Method.read("genesis_get", "What the network began with.") {
            (_, backend) async throws(RPCFault) in try await backend.genesis()
        },
    ]

    private static let chainMethods = [
        Method.read("fee_estimate", "What a transaction costs now, and what others tip.") {
            (_, backend) async throws(RPCFault) in try await backend.feeEstimate()
        },
        Method.read(
            "governance_get", "The parameters that can be changed, and the proposals that stand."
        ) {
            (_, backend) async throws(RPCFault) in try await backend.governance()
        },
        Method.read("chain_head", "The newest block that is executed and stored.") {
            (_, backend) async throws(RPCFault) in try await backend.chainHead()
        },
        Method.read(
            "block_get", "A finalized block, by height or by digest.",
            [
                Parameter("height", .height, required: false, "the block's height"),
                Parameter("digest", .blockDigest, required: false, "the block's digest"),
            ]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.block(try blockReference(arguments))
        },
    ]

    private static func blockReference(
        _ arguments: Arguments
    ) throws(RPCFault) -> BlockReference {
        let height = try arguments.height("height")
        let digest = try arguments.blockDigest("digest")
        switch (height, digest) {
        case (let height?, nil): return .height(height)
        case (nil, let digest?): return .digest(digest)
        default:
            throw .invalidParameter("height", "exactly one of height and digest is wanted")
        }
    }

    private static let transactionMethods = [
        Method(
            name: "transaction_submit",
            summary: "Hands over a signed transaction; the same bytes again are no fault.",
            parameters: [
                Parameter("transaction", .signedTransaction, "the signed transaction's bytes")
            ],
            answer: "\(SubmitResult.self)", action: .submit),
        Method.wait(
            "transaction_wait", "Answers when the transaction is final or the time is over.",
            [
                Parameter("id", .transactionID, "the transaction's id"),
                Parameter(
                    "timeoutMilliseconds", .count(waitRange), required: false,
                    "how long to wait at most; \(RPCLimits.waitMillisecondsDefault) if not given"),
            ]
        ) { (arguments, backend) async throws(RPCFault) in
            let milliseconds = try arguments.count("timeoutMilliseconds", in: waitRange)
            return try await backend.wait(
                for: try arguments.id("id"),
                atMostMilliseconds: milliseconds ?? RPCLimits.waitMillisecondsDefault)
        },
        Method.read(
            "transaction_get", "What has become of a transaction.",
            [Parameter("id", .transactionID, "the transaction's id")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.transaction(try arguments.id("id"))
        },
        Method.read(
            "transaction_find", "The transaction that used a sequence of a stream.",
            [
                Parameter("address", .address, "the sender"),
                Parameter(
                    "stream", .count(streamRange),
                    "the stream; 0 where the node keeps histories of accounts"),
                Parameter("sequence", .count(0...UInt64.max), "the place in it"),
            ]
        ) { (arguments, backend) async throws(RPCFault) in
            let stream = try arguments.count("stream", in: streamRange) ?? 0
            let sequence = try arguments.count("sequence", in: 0...UInt64.max) ?? 0
            return try await backend.transaction(
                of: try arguments.id("address"), stream: UInt16(clamping: stream),
                sequence: SequenceNumber(sequence))
        },
    ]

    private static let streamRange = 0...UInt64(UInt16.max)

    private static let waitRange = 0...RPCLimits.waitMillisecondsMax
    private static let pageRange = 1...UInt64(RPCLimits.pageMax)

    private static let proofMethods = [
        Method.read(
            "account_proof", "An account, or that there is none, with a proof.",
            [Parameter("address", .address, "the account's address")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.proof(of: .account(try arguments.id("address")))
        },
        Method.read(
            "escrow_proof", "An open escrow, or that there is none, with a proof.",
            [Parameter("id", .escrowID, "the escrow's id")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.proof(of: .escrow(try arguments.id("id")))
        },
        Method.read(
            "asset_proof", "An issued asset, or that there is none, with a proof.",
            [Parameter("id", .assetID, "the asset's id")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.proof(of: .asset(try arguments.id("id")))
        },
        Method.read(
            "validator_proof", "A validator of genesis, or that there is none, with a proof.",
            [Parameter("index", .count(validatorRange), "its place in the committee")]
        ) { (arguments, backend) async throws(RPCFault) in
            let index = try arguments.count("index", in: validatorRange) ?? 0
            return try await backend.proof(of: .validator(ValidatorIndex(UInt16(index))))
        },
        Method.read(
            "verifier_proof", "A verifier's bond, or that there is none, with a proof.",
            [Parameter("key", .publicKey, "the key that signs its acks; a validator's voting key")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.proof(of: .verifier(try arguments.id("key")))
        },
        Method.read("parameters_proof", "The network's parameters, with a proof.") {
            (_, backend) async throws(RPCFault) in try await backend.proof(of: .parameters)
        },
        Method.read(
            "transaction_proof", "The receipt of an executed transaction, with a proof.",
            [Parameter("id", .transactionID, "the transaction's id")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.proof(of: .transaction(try arguments.id("id")))
        },
        Method.read(
            "epoch_proofs", "How epochs ended and who votes in the next, with proofs.",
            [
                Parameter(
                    "from", .count(0...UInt64.max), required: false,
                    "the first epoch; 0 if not given"),
                Parameter(
                    "limit", .count(epochPageRange), required: false,
                    "epochs on the page; \(RPCLimits.epochPageMax) if not given"),
            ]
        ) { (arguments, backend) async throws(RPCFault) in
            let first = try arguments.count("from", in: 0...UInt64.max) ?? 0
            let limit = try arguments.count("limit", in: epochPageRange)
            return try await backend.epochProofs(
                from: Epoch(first), limit: limit.map { Int($0) } ?? RPCLimits.epochPageMax)
        },
    ]

    private static let epochPageRange = 1...UInt64(RPCLimits.epochPageMax)
    private static let validatorRange = 0...UInt64(Committee.countMax - 1)

    private static let ledgerMethods = [
        Method.read(
            "account_get", "Balances, policy, streams and safeguards of an account.",
            [Parameter("address", .address, "the account's address")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.account(try arguments.id("address"))
        },
        Method.read(
            "escrow_get", "An escrow, open or closed.",
            [Parameter("id", .escrowID, "the escrow's id")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.escrow(try arguments.id("id"))
        },
        Method.read(
            "escrow_list", "The escrows that an address takes part in, a page at a time.",
            [
                Parameter("address", .address, "the participant's address"),
                Parameter("after", .escrowID, required: false, "the last page's \"next\""),
                Parameter(
                    "limit", .count(pageRange), required: false,
                    "escrows on the page; \(RPCLimits.pageDefault) if not given"),
            ]
        ) { (arguments, backend) async throws(RPCFault) in
            let limit = try arguments.count("limit", in: pageRange)
            return try await backend.escrows(
                of: try arguments.id("address"), after: try arguments.optionalID("after"),
                limit: limit.map { Int($0) } ?? RPCLimits.pageDefault)
        },
        Method.read(
            "asset_get", "Issuer, terms and supply of an issued asset.",
            [Parameter("id", .assetID, "the asset's id")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.asset(try arguments.id("id"))
        },
        Method.read(
            "guarded_list", "The accounts that an address guards, a page at a time.",
            [
                Parameter("address", .address, "the guardian's address"),
                Parameter("after", .address, required: false, "the last page's \"next\""),
                Parameter(
                    "limit", .count(pageRange), required: false,
                    "accounts on the page; \(RPCLimits.pageDefault) if not given"),
            ]
        ) { (arguments, backend) async throws(RPCFault) in
            let limit = try arguments.count("limit", in: pageRange)
            return try await backend.guarded(
                by: try arguments.id("address"), after: try arguments.optionalID("after"),
                limit: limit.map { Int($0) } ?? RPCLimits.pageDefault)
        },
        Method.read(
            "verifier_get", "Bond, releases, offences and rewards of a verifier.",
            [Parameter("key", .publicKey, "the key that signs its acks; a validator's voting key")]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.verifier(try arguments.id("key"))
        },
    ]
}
