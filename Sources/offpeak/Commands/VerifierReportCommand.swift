internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak verifier report`
struct VerifierReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Put a proof that the node holds before the ledger.",
        discussion: """
            Whoever signed a wrong verdict, two verdicts or two batches in one place loses part of \
            its bond; the reporter gets a share of that. `offpeak query verification` lists the \
            proofs that a node holds.

              offpeak verifier report --key alice.key --proof 1
            """)

    @Option(help: "Which of the node's proofs, as `offpeak query verification` numbers them.")
    var proof = 1

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let act = try await chosen(of: try node.client())
        guard let bytes = Base64.decode(act.evidence) else {
            throw CommandFault("the node's proof \(proof) isn't base64: \(act.evidence.prefix(40))")
        }
        let builder = try await TransactionBuilder(signing, node)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.reportEvidence(bytes)])
    }

    private func chosen(of client: NodeClient) async throws(CommandFault) -> EvidenceInfo {
        let status = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.verificationStatus()
        }
        guard status.evidence.indices.contains(proof - 1) else {
            throw CommandFault(
                status.evidence.isEmpty
                    ? "the node holds no proof against anybody"
                    : "--proof \(proof): the node holds proofs 1 to \(status.evidence.count)")
        }
        return status.evidence[proof - 1]
    }
}
