internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak escrow`
struct EscrowCommand: AsyncParsableCommand {
    static let configuration = group(
        "escrow", "Money that a quorum, an arbiter or a deadline decides about.",
        [
            EscrowCreateCommand.self, EscrowTopUpCommand.self, EscrowDecideCommand.self,
            EscrowWithdrawDecisionCommand.self, EscrowDisputeCommand.self,
            EscrowArbitrateCommand.self, EscrowShowCommand.self, EscrowListCommand.self,
        ])
}

/// `offpeak escrow show`
struct EscrowShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "State, terms and decisions of an escrow.")

    @Argument(help: "The escrow's id.")
    var escrow: String

    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let info = try await node.client().call { rpc throws(RPCClientFault) in
            try await rpc.escrow(escrow)
        }
        let format = output.format
        format.show(info) { AnswerText.escrow(info, format.palette) }
    }
}

/// `offpeak escrow list`
struct EscrowListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The escrows that an address takes part in.")

    @Argument(help: "The address of a payer, payee, or member of a quorum.")
    var address: String

    @Option(help: "How many at most, 1 to 100.")
    var limit = 20

    @Option(help: ArgumentHelp("Continue after this escrow.", valueName: "escrow"))
    var after: String?

    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        guard 1...RPCLimits.pageMax ~= limit else {
            throw ValidationError("--limit \(limit): 1 to \(RPCLimits.pageMax) are wanted")
        }
    }

    func run() async throws {
        let list = try await node.client().call { rpc throws(RPCClientFault) in
            try await rpc.escrows(of: address, after: after, limit: limit)
        }
        let format = output.format
        format.show(list) { AnswerText.escrows(list, format.palette) }
    }
}

/// `offpeak escrow topup`
struct EscrowTopUpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topup", abstract: "Add to what an open escrow holds.")

    @Argument(help: "The escrow's id.")
    var escrow: String

    @Option(
        parsing: .unconditional, help: "How much, in the smallest unit.",
        transform: { try AmountOption.parse($0) })
    var amount: Amount

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let topUp = EscrowTopUp(escrow: try builder.network.parse(escrow), amount: amount)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.escrowTopUp(topUp)])
    }
}

/// `offpeak escrow dispute`
struct EscrowDisputeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispute",
        abstract: "As payer or payee, leave an escrow to its arbiter.",
        discussion: "From then on neither release nor refund: only arbitration, or its deadline.")

    @Argument(help: "The escrow's id.")
    var escrow: String

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.escrowDispute(try builder.network.parse(escrow))])
    }
}
