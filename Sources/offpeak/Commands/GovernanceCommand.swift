internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak governance`
struct GovernanceCommand: AsyncParsableCommand {
    static let configuration = group(
        "governance", "Parameters that the validators can change: look, propose, vote.",
        [GovernanceShow.self, GovernancePropose.self, GovernanceVote.self])
}

/// `offpeak governance show`
struct GovernanceShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "The parameters with their values, and the proposals with their votes.")
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.governance) { rpc throws(RPCClientFault) in
            try await rpc.governance()
        }
    }
}

/// `offpeak governance propose`
struct GovernancePropose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "propose", abstract: "Propose new values; a deposit is kept back until then.",
        discussion: """
            Anybody may propose. Each value must lie within its parameter's range, which \
            `offpeak governance show` tells; all of them act together or not at all.

              offpeak governance propose --key alice.key --set fees.escrowDeposit=50000
            """)

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("A parameter and its new value.", valueName: "name=value"),
        transform: { try GovernancePropose.change($0) })
    var changes: [ParameterChange] = []

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    /// - Throws: `ValidationError` for text that isn't a parameter and a number.
    private static func change(_ text: String) throws -> ParameterChange {
        let halves = text.split(separator: "=", maxSplits: 1)
        guard halves.count == 2, let value = UInt64(halves[1]) else {
            throw ValidationError("\"\(text)\": name=value is wanted, the value a whole number")
        }
        guard let parameter = GovernedParameter(name: halves[0]) else {
            let names = GovernedParameter.allCases.map(\.name).joined(separator: ", ")
            throw ValidationError("\"\(halves[0])\" is none of \(names)")
        }
        return ParameterChange(parameter, value)
    }

    mutating func validate() throws {
        guard ParameterChanges(changes) != nil else {
            throw ValidationError("--set name=value is wanted, for each parameter once")
        }
    }

    func run() async throws {
        guard let changes = ParameterChanges(changes) else { return }
        let builder = try await TransactionBuilder(signing, node)
        if let client = builder.client { try await check(changes, client) }
        try await Delivery(builder: builder, format: output.format)
            .deliver([.proposeParameters(changes)])
    }

    /// What can't be proposed costs no fee.
    private func check(
        _ changes: ParameterChanges, _ client: NodeClient
    ) async throws(CommandFault) {
        let parameters = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.governance()
        }.parameters
        for change in changes.changes {
            let name = change.parameter.name
            guard let known = parameters.first(where: { $0.name == name }) else {
                let names = parameters.map(\.name).joined(separator: ", ")
                throw CommandFault(
                    "the validators of this network can't change \(name); they can change: "
                        + (names.isEmpty ? "nothing" : names))
            }
            let value = Amount(change.value)
            guard known.least <= value, value <= known.greatest else {
                throw CommandFault(
                    "\(name)=\(change.value): \(known.least) to \(known.greatest) are possible")
            }
        }
    }
}

/// `offpeak governance vote`
struct GovernanceVote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vote", abstract: "Vote on a proposal for a validator that the sender owns.",
        discussion: """
            The last vote before the count is the one that counts. A validator of genesis is owned \
            by its reward address.

              offpeak governance vote opkprp1... yes --validator opkpub1... --key owner.key
            """)

    @Argument(help: "The proposal's id.")
    var proposal: String

    @Argument(help: "yes or no.")
    var vote: Word

    @Option(help: ArgumentHelp("The validator's voting key.", valueName: "public key"))
    var validator: String

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    /// What can be said to a proposal.
    enum Word: String, ExpressibleByArgument, CaseIterable {
        case yes
        case no
    }

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let vote = ParameterVote(
            proposal: try builder.network.parse(proposal),
            key: try builder.network.parse(validator), approves: vote == .yes)
        try await Delivery(builder: builder, format: output.format).deliver([.voteParameters(vote)])
    }
}
