internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak query`
struct QueryCommand: AsyncParsableCommand {
    static let configuration = group(
        "query", "Ask a node: a table for people, --json for programs.",
        [
            QueryStatus.self, QueryHead.self, QueryBlock.self, QueryTransaction.self,
            QueryAccount.self, QueryEscrow.self, QueryAsset.self, QueryValidators.self,
            QueryVerifiers.self,
            QueryPeers.self, QueryMempool.self, QueryVerification.self, QueryGenesis.self,
            QueryHistory.self, QueryProof.self, QueryConsistency.self, QueryEpochs.self,
        ])
}

/// What all questions have in common.
struct QueryOptions: ParsableArguments {
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    /// Asks, and shows the answer.
    func show<Answer: Encodable>(
        _ text: (Answer, Palette) -> String,
        _ method: (RPCClient) async throws(RPCClientFault) -> Answer
    ) async throws(CommandFault) {
        let answer = try await node.client().call(method)
        let format = output.format
        format.show(answer) { text(answer, format.palette) }
    }
}

/// `offpeak query status`
struct QueryStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Who the node is, how far it is, what it waits for.")
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.status) { rpc throws(RPCClientFault) in
            try await rpc.nodeStatus()
        }
    }
}

/// `offpeak query head`
struct QueryHead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head", abstract: "The newest block that is executed.")
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.head) { rpc throws(RPCClientFault) in
            try await rpc.chainHead()
        }
    }
}

/// `offpeak query block`
struct QueryBlock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block", abstract: "A finalized block, by height or id.")
    @Argument(help: "A height, or the block's id.")
    var block: String
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.block) { rpc throws(RPCClientFault) in
            if let height = UInt64(block) { return try await rpc.block(height: Height(height)) }
            return try await rpc.block(digest: block)
        }
    }
}

/// `offpeak query tx`
struct QueryTransaction: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tx", abstract: "What has become of a transaction.")
    @Argument(help: "The transaction's id.")
    var transaction: String
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show({ Outcome($0).text($1) }) { rpc throws(RPCClientFault) in
            try await rpc.transaction(transaction)
        }
    }
}

/// `offpeak query account`
struct QueryAccount: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Balance, policy and streams of an account.")
    @Argument(help: "The account's address.")
    var address: String
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.account) { rpc throws(RPCClientFault) in
            try await rpc.account(address)
        }
    }
}

/// `offpeak query asset`
struct QueryAsset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "asset", abstract: "Issuer, terms and supply of an issued asset.")
    @Argument(help: "The asset's id.")
    var asset: String
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.asset) { rpc throws(RPCClientFault) in
            try await rpc.asset(asset)
        }
    }
}

/// `offpeak query escrow`
struct QueryEscrow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "escrow", abstract: "State, terms and decisions of an escrow.")
    @Argument(help: "The escrow's id.")
    var escrow: String
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.escrow) { rpc throws(RPCClientFault) in
            try await rpc.escrow(escrow)
        }
    }
}

/// `offpeak query proof`
struct QueryProof: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proof",
        abstract: "A proof of what the state holds, for `offpeak verify`.",
        discussion: "The answer is JSON, with and without --json.")
    @Argument(help: ArgumentHelp(SubjectText.help))
    var subject: String
    @OptionGroup var query: QueryOptions

    func run() async throws {
        let subject = try SubjectText(subject, in: nil)
        try await query.show({ answer, _ in OutputFormat.json(answer) }) {
            rpc throws(RPCClientFault) in
            try await subject.ask(rpc)
        }
    }
}

/// `offpeak query validators`
struct QueryValidators: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validators", abstract: "The committee with its weights.")
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.validators) { rpc throws(RPCClientFault) in
            try await rpc.validators()
        }
    }
}

/// `offpeak query peers`
struct QueryPeers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peers", abstract: "The nodes that this one is connected to.")
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.peers) { rpc throws(RPCClientFault) in
            try await rpc.peers()
        }
    }
}

/// `offpeak query mempool`
struct QueryMempool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mempool", abstract: "What isn't in a block yet, as the node sees it.")
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.mempool) { rpc throws(RPCClientFault) in
            try await rpc.mempoolStatus()
        }
    }
}

/// `offpeak query genesis`
struct QueryGenesis: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genesis", abstract: "The network's name, chain id, supply and fees.")
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.genesis) { rpc throws(RPCClientFault) in
            try await rpc.genesis()
        }
    }
}
