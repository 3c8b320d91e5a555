internal import ArgumentParser
internal import Primitives

/// `offpeak recover`
struct RecoverCommand: AsyncParsableCommand {
    static let configuration = group(
        "recover", "Give an account whose keys are lost new ones, by its guardians.",
        [RecoverProposeCommand.self, RecoverVetoCommand.self, RecoverCompleteCommand.self],
        discussion: """
            Guardians propose a policy, the delay of the account passes, anybody completes it. \
            Until then the account itself can refuse it. `offpeak account guardians` names them, \
            `offpeak account show` tells what is pending, `offpeak inbox` what waits for you.
            """)
}

/// `offpeak recover propose`
struct RecoverProposeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "propose", abstract: "As its guardians, propose an account's new policy.",
        discussion: """
            One guardian sends, the others are named by --cosigner; together they reach their \
            threshold. The file can be signed by each elsewhere: --unsigned, then `offpeak tx \
            sign`.
            """)

    @Argument(help: "The address of the account whose keys are lost.")
    var account: String

    @Argument(help: "Policy file to put in force, from `offpeak account policy new`.")
    var newPolicy: String

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let file = try PolicyFile.read(newPolicy)
        guard file.prefix == builder.network.prefix else {
            throw CommandFault(
                """
                \(newPolicy) is for the network "\(file.prefix)", this network is \
                "\(builder.network.prefix)"
                """)
        }
        let proposal = RecoveryProposal(
            account: try builder.network.parse(account), policy: file.policy)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.proposeRecovery(proposal)])
    }
}

/// `offpeak recover veto`
struct RecoverVetoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "veto", abstract: "Refuse the recovery of an account that is pending.",
        discussion: """
            By the account itself, with its spend threshold, as sender or, where a limit is used \
            up, as --cosigner of somebody who pays: then its guardians can propose nothing for \
            another delay. Until they are heard or replaced another veto takes its admin \
            threshold. Or by guardians who reach their threshold, as a withdrawal.
            """)

    @Argument(help: "The account's address.")
    var account: String

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.vetoRecovery(try builder.network.parse(account))])
    }
}

/// `offpeak recover complete`
struct RecoverCompleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete", abstract: "Put a recovery in force whose delay is over.",
        discussion: "Anybody may, for 30 days. The address, limits and guardians stay.")

    @Argument(help: "The address of the account that gets its new policy.")
    var account: String

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.completeRecovery(try builder.network.parse(account))])
    }
}

/// `offpeak escrow withdraw-decision`
struct EscrowWithdrawDecisionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw-decision",
        abstract: "Take back a decision that hasn't reached its threshold yet.",
        discussion: """
            The round comes from the node; off-line it is given with --round. To decide something \
            else instead, `offpeak escrow decide` is enough: the last decision counts.
            """)

    @Argument(help: "The escrow's id.")
    var escrow: String

    @Option(help: "The escrow's round (default: as the node says).")
    var round: UInt64?

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let place = try await EscrowPlace(escrow, round: round, builder)
        let withdrawal = EscrowWithdrawal(escrow: place.id, round: place.round)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.escrowWithdrawDecision(withdrawal)])
    }
}
