internal import ArgumentParser
internal import Primitives
internal import RPC
internal import Runtime

/// `offpeak validator`
struct ValidatorCommand: AsyncParsableCommand {
    static let configuration = group(
        "validator",
        "Bring a node into the committee of a running network, take it out, look at it.",
        [
            ValidatorJoinCommand.self, ValidatorLeaveCommand.self, ValidatorUnjailCommand.self,
            ValidatorStatusCommand.self,
        ])
}

/// `offpeak validator join`
struct ValidatorJoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Bond stake for a node's keys and stand for election: it then votes.",
        discussion: """
            The committee of each epoch is elected shortly before it begins: those that stand, are \
            not in jail and have bonded at least the network's least stake, the highest bonds \
            first. The node must run with its voting key and follow the chain by then. What is \
            bonded already stays; without --amount nothing is added.

              offpeak validator join --home node5 --amount 10000000 --key alice.key
            """)

    @OptionGroup(title: "Validator")
    var keys: VerifierKeyOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How much to bond, in the smallest unit (default: nothing more).",
            valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var amount: Amount?

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if amount == 0 { throw ValidationError("--amount 0 bonds nothing: at least 1 is wanted") }
    }

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let voting = try keys.verifierSecret()
        var operations: [Operation] = []
        if let amount {
            let bond = Bond(
                amount: amount, chainID: builder.network.chainID, sender: builder.sender,
                key: voting, peerKey: try keys.identitySecret())
            operations.append(.bond(bond))
        }
        let text = voting.publicKey.text(in: builder.network.prefix)
        let standing = try? await builder.client?.call { rpc throws(RPCClientFault) in
            try await rpc.verifier(text)
        }
        if standing?.candidate != true {
            operations.append(.declareCandidate(voting.publicKey))
        }
        guard !operations.isEmpty else {
            throw CommandFault("this validator stands for election already; --amount bonds more")
        }
        try await Delivery(builder: builder, format: output.format).deliver(operations)
    }
}

/// `offpeak validator leave`
struct ValidatorLeaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave",
        abstract: "Stand for election no more: the node votes until its epoch ends.",
        discussion: """
            Let the node run until `offpeak validator status` says that it isn't in the committee. \
            With --unbond all of its stake is released too; it can be withdrawn after the blocks \
            that the network's genesis says (`offpeak verifier withdraw`), and be slashed until \
            then.
            """)

    @Argument(help: "The validator's voting key, as `offpeak validator status` shows it.")
    var validator: String

    @Flag(help: "Release all of the stake as well.")
    var unbond = false

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let key: PublicKey = try builder.network.parse(validator)
        let validator = validator
        let info = try await builder.client?.call { rpc throws(RPCClientFault) in
            try await rpc.verifier(validator)
        }
        guard info != nil || !unbond else {
            throw CommandFault.usage("--unbond asks the node: off-line use `verifier unbond`")
        }
        var operations: [Operation] = []
        if info?.candidate != false { operations.append(.withdrawCandidacy(key)) }
        if unbond, let bonded = info?.bonded, bonded > 0 {
            operations.append(.unbond(Unbond(key: key, amount: bonded)))
        }
        guard !operations.isEmpty else {
            throw CommandFault("\(validator) doesn't stand for election; it leaves with its epoch")
        }
        try await Delivery(builder: builder, format: output.format).deliver(operations)
    }
}

/// `offpeak validator unjail`
struct ValidatorUnjailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unjail",
        abstract: "Stand for election again when the jail is over.",
        discussion: """
            Who signed what it must not lost part of its stake, its seat from the next epoch on, \
            and its word on signatures for a while. After that time its owner lets it stand again; \
            after the third offence nobody can.
            """)

    @Argument(help: "The validator's voting key.")
    var validator: String

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let key: PublicKey = try builder.network.parse(validator)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.declareCandidate(key)])
    }
}

/// `offpeak validator status`
struct ValidatorStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "The present committee, or one validator with its stake and standing.")

    @Argument(help: "A voting key (default: the whole committee).")
    var validator: String?

    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let format = output.format
        guard let validator else {
            let list = try await node.client().call { rpc throws(RPCClientFault) in
                try await rpc.validators()
            }
            return format.show(list) { AnswerText.validators(list, format.palette) }
        }
        let info = try await node.client().call { rpc throws(RPCClientFault) in
            try await rpc.verifier(validator)
        }
        format.show(info) { AnswerText.verifier(info, format.palette) }
    }
}
