internal import ArgumentParser
internal import RPC

/// `offpeak query verifiers`
struct QueryVerifiers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verifiers", abstract: "Whose word counts for signatures, with their bonds.")
    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(AnswerText.verifiers) { rpc throws(RPCClientFault) in
            try await rpc.verifiers()
        }
    }
}

/// `offpeak query verification`
struct QueryVerification: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verification",
        abstract: "Who checks signatures: how many, for whom, how fast, right or wrong.",
        discussion: """
            With several --node the nodes stand side by side, with their shares of all checks.
            """)

    @Option(
        help: ArgumentHelp(
            "RPC address of a node, several times for several nodes (default: OFFPEAK_NODE or "
                + "\(NodeAddress.standard)).", valueName: "url"))
    var node: [String] = []

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let addresses = node.isEmpty ? [NodeAddress.named(nil) ?? NodeAddress.standard] : node
        let format = output.format
        guard addresses.count > 1 else {
            let status = try await NodeClient(addresses[0]).call {
                rpc throws(RPCClientFault) in try await rpc.verificationStatus()
            }
            return format.show(status) { VerificationText(status, format.palette).text }
        }
        var nodes: [VerificationSums.Node] = []
        for address in addresses { nodes.append(try await QueryVerification.ask(address)) }
        let sums = VerificationSums(nodes: nodes)
        format.show(sums) { sums.text(format.palette) }
    }

    /// A node that doesn't answer doesn't hide what the others say.
    private static func ask(
        _ address: String
    ) async throws(CommandFault) -> VerificationSums.Node {
        let client = try NodeClient(address)
        do throws(RPCClientFault) {
            return .init(
                address: address, status: try await client.rpc.verificationStatus(), fault: nil)
        } catch {
            return .init(address: address, status: nil, fault: error.description)
        }
    }
}
