internal import ArgumentParser
internal import Primitives
internal import RPC
internal import Runtime

/// `offpeak verifier`
struct VerifierCommand: AsyncParsableCommand {
    static let configuration = group(
        "verifier",
        "Bond stake for checking signatures, take it back, look at it, report who cheats.",
        [
            VerifierBondCommand.self, VerifierUnbondCommand.self, VerifierWithdrawCommand.self,
            VerifierShowCommand.self, VerifierReportCommand.self,
        ])
}

/// `offpeak verifier bond`
struct VerifierBondCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bond",
        abstract: "Bond an amount for a node's keys: its word on signatures then counts.",
        discussion: """
            The account that bonds first owns the verifier and receives its rewards. Both keys of \
            the node sign that this account may bond them; they come from a home folder or from \
            key files.

              offpeak verifier bond --home node5 --amount 1000000 --key alice.key
            """)

    @OptionGroup(title: "Verifier")
    var keys: VerifierKeyOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How much, in the smallest unit.", valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var amount: Amount

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
        let bond = Bond(
            amount: amount, chainID: builder.network.chainID, sender: builder.sender,
            key: try keys.verifierSecret(), peerKey: try keys.identitySecret())
        try await Delivery(builder: builder, format: output.format).deliver([.bond(bond)])
    }
}

/// Whose keys are bonded: those of a home folder, or of single files.
struct VerifierKeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Home folder of the node that checks.", valueName: "directory"))
    var home: String?

    @Option(
        help: ArgumentHelp(
            "Key file that signs acks (default: the home's keys/validator.key).",
            valueName: "file"))
    var verifierKey: String?

    @Option(
        help: ArgumentHelp(
            "Key file of the node's identity (default: the home's keys/identity.key).",
            valueName: "file"))
    var identityKey: String?

    mutating func validate() throws {
        if home == nil && (verifierKey == nil || identityKey == nil) {
            throw ValidationError(
                "whose keys? name --home, or both --verifier-key and --identity-key")
        }
    }

    func verifierSecret() throws(CommandFault) -> SecretKey {
        let path = verifierKey ?? home.map { Home($0).validatorKey } ?? ""
        return try KeyStoreFile.read(path, as: .voting).secretKey
    }

    func identitySecret() throws(CommandFault) -> SecretKey {
        let path = identityKey ?? home.map { Home($0).identityKey } ?? ""
        return try KeyStoreFile.read(path, as: .identity).secretKey
    }
}

/// `offpeak verifier unbond`
struct VerifierUnbondCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unbond", abstract: "Start the release of part of a bond, or of all.",
        discussion: """
            What is left is nothing or at least the least bond. The release can be withdrawn after \
            the blocks that the network's genesis says, and be slashed until then.
            """)

    @Argument(help: "The verifier's public key.")
    var verifier: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How much; all for all.", valueName: "amount"),
        transform: { try AmountOrAll($0) })
    var amount: AmountOrAll

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let key: PublicKey = try builder.network.parse(verifier)
        let unbond = Unbond(key: key, amount: try await unbonded(builder))
        try await Delivery(builder: builder, format: output.format).deliver([.unbond(unbond)])
    }

    private func unbonded(_ builder: TransactionBuilder) async throws(CommandFault) -> Amount {
        switch amount {
        case .amount(let amount): return amount
        case .all:
            guard let client = builder.client else {
                throw .usage("--amount all asks the node: off-line an amount is wanted")
            }
            return try await client.call { rpc throws(RPCClientFault) in
                try await rpc.verifier(verifier)
            }.bonded
        }
    }
}

/// `offpeak verifier withdraw`
struct VerifierWithdrawCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw", abstract: "Withdraw all releases of a bond that are due.")

    @Argument(help: "The verifier's public key.")
    var verifier: String

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let key: PublicKey = try builder.network.parse(verifier)
        try await Delivery(builder: builder, format: output.format).deliver([.withdraw(key)])
    }
}

/// `offpeak verifier show`
struct VerifierShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Bond, releases, offences and rewards of a verifier.")

    @Argument(help: "The verifier's public key; a validator's voting key is one too.")
    var verifier: String

    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let verifier = verifier
        let info = try await node.client().call { rpc throws(RPCClientFault) in
            try await rpc.verifier(verifier)
        }
        let format = output.format
        format.show(info) { AnswerText.verifier(info, format.palette) }
    }
}
