internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak account`
struct AccountCommand: AsyncParsableCommand {
    static let configuration = group(
        "account", "Show an account; say who may act for it, and who helps if keys are lost.",
        [
            ShowCommand.self, PolicyCommand.self, AccountLimitsCommand.self,
            AccountGuardiansCommand.self, StreamCommand.self,
        ])

    /// `offpeak account show`
    struct ShowCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Balance, policy and streams of an account.")

        @Argument(help: "The account's address.")
        var address: String

        @OptionGroup(title: "Node")
        var node: NodeOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let account = try await node.client().call { rpc throws(RPCClientFault) in
                try await rpc.account(address)
            }
            let format = output.format
            format.show(account) { AnswerText.account(account, format.palette) }
        }
    }

    /// `offpeak account stream`
    struct StreamCommand: AsyncParsableCommand {
        static let configuration = group(
            "stream", "Streams: independent orders of an account's transactions.",
            [StreamCloseCommand.self])
    }

    /// `offpeak account policy`
    struct PolicyCommand: AsyncParsableCommand {
        static let configuration = group(
            "policy", "Policies: keys with weights, and how much weight acts.",
            [PolicyNewCommand.self, PolicySetCommand.self])
    }
}

/// `offpeak account policy new`
struct PolicyNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a policy, and the address of its account.",
        discussion: """
            The address can be paid at once; keep the policy file: the account's first \
            transaction reveals it.

              offpeak account policy new --signer opkpub1...:1 --signer opkpub1...:1 \
            --signer opkpub1...:1 --spend 2 --out ours.policy
            """)

    @Option(
        help: ArgumentHelp(
            "A public key and its weight (1 where it is left out); several times.",
            valueName: "key:weight"))
    var signer: [String]

    @Option(help: "The weight that payments and decisions need.")
    var spend: UInt32

    @Option(help: "The weight that a change of the policy needs (default: all weights together).")
    var admin: UInt32?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write the policy (default: stdout).", valueName: "file"))
    var out: String?

    @OptionGroup var network: PrefixOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let prefix = try await prefix()
        let file = PolicyFile(policy: try policy(prefix), prefix: prefix)
        if let note = file.policy.lostKeyNote { output.format.remark(note) }
        guard let out, out != "-" else { return Terminal.output.write(file.text) }
        try TextFile.write(file.text, to: out)
        let format = output.format
        format.show(Written(address: file.content.address, file: out, policy: file.content)) {
            AnswerText.policy(file, format.palette) + "\n\nwritten to \(out)"
        }
    }

    /// The keys' own prefix, unless another is asked for.
    private func prefix() async throws(CommandFault) -> NetworkPrefix {
        if network.prefix == nil, let first = signer.first,
            let found = IDText.prefix(of: try WeightedText.parse(first).name)
        {
            return found
        }
        return try await network.resolved(node)
    }

    private func policy(_ prefix: NetworkPrefix) throws(CommandFault) -> Policy {
        var signers: [Policy.Signer] = []
        for text in signer {
            let (name, weight) = try WeightedText.parse(text)
            signers.append(
                Policy.Signer(publicKey: try IDText.parse(name, in: prefix), weight: weight))
        }
        let all = signers.reduce(UInt32(0)) { $0 &+ UInt32($1.weight) }
        do throws(Policy.Fault) {
            return try Policy(signers: signers, spend: spend, admin: admin ?? all)
        } catch {
            throw .usage(error.text(in: prefix))
        }
    }

    /// What was made.
    private struct Written: Encodable {
        let address: String
        let file: String
        let policy: PolicyFile.Content
    }
}

/// `offpeak account policy set`
struct PolicySetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Replace an account's policy; the address stays.",
        discussion: """
            The signatures must reach the admin threshold of the policy in force. Where the new \
            one would leave limits in force for ever once a single key is lost, the account needs \
            guardians, or --without-guardians.
            """)

    @Argument(help: "Policy file to put in force, from `offpeak account policy new`.")
    var newPolicy: String

    @OptionGroup var trap: LimitTrapOption

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
        try await check(file.policy, builder)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.setPolicy(file.policy)])
    }

    /// Says what a lost key would mean; off-line nobody tells limits and guardians.
    /// - Throws: `CommandFault` for limits that one lost key would leave in force for ever.
    private func check(
        _ policy: Policy, _ builder: TransactionBuilder
    ) async throws(CommandFault) {
        var guardians: Guardians?
        if builder.client != nil {
            let current = try await SafeguardPlace(of: builder.sender, builder)
            try trap.check(current.terms, policy)
            guardians = current.terms.guardians
        }
        if guardians == nil, let note = policy.lostKeyNote { output.format.remark(note) }
    }
}
