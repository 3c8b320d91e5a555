internal import ArgumentParser
internal import Consensus
internal import LightClient
internal import Primitives
internal import RPC

/// `offpeak query epochs`
struct QueryEpochs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epochs",
        abstract: "How epochs ended and who votes in the next, for `offpeak verify --epochs`.",
        discussion: """
            Whoever knows the genesis alone follows these steps to the validators of later epochs, \
            however they changed. Keep the answer, and ask for the later steps --from the epoch \
            where it ended: `offpeak verify` takes several files. With --out it prints the last \
            block that was reached, to compare with somebody, and to trust later: `offpeak verify \
            --trusted`. The answer is JSON, with and without --json.
            """)

    @Option(help: "The epoch that the first step leads out of.")
    var from: UInt64 = 0

    @Option(help: "The most steps (default: all).")
    var limit: Int?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write (default: stdout).", valueName: "file"))
    var out: String?

    @OptionGroup var query: QueryOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit: at least 1 is wanted") }
    }

    func run() async throws {
        if let out, out != "-" { try TextFile.checkAbsent(out) }
        let client = try query.node.client()
        let answer = try await EpochPages(client: client).steps(from: Epoch(from), limit: limit)
        let text = OutputFormat.json(answer) + "\n"
        guard let out, out != "-" else { return Terminal.output.write(text) }
        try TextFile.write(text, to: out)
        let report = EpochsReport(answer, file: out)
        query.output.format.show(report) { report.text }
    }
}

/// What was written.
struct EpochsReport: Encodable, Sendable {
    let steps: Int
    /// The epoch that the last step leads into; absent without steps.
    let reached: Epoch?
    /// The last block before that epoch, as `--trusted` takes it: height, colon, digest.
    let last: String?
    let file: String

    init(_ answer: EpochProofs, file: String) {
        steps = answer.steps.count
        reached = answer.steps.last?.epoch.next
        let step = answer.steps.last.flatMap { Base64.decode($0.proof) }
            .flatMap { try? EpochStep(bcs: $0) }
        last = step.map { "\($0.end.boundary.height):\($0.end.boundary.digest)" }
        self.file = file
    }

    var text: String {
        guard let reached else { return "no steps yet, written to \(file)" }
        let count = "\(steps) step\(steps == 1 ? "" : "s")"
        let block = last.map { "\nthe last block before it: \($0)" } ?? ""
        return "\(count), up to epoch \(reached), written to \(file)\(block)"
    }
}

/// Reads steps from epoch to epoch from a node.
struct EpochPages: Sendable {
    let client: NodeClient

    /// All steps from that out of `epoch` on, at most `limit`.
    /// - Throws: `CommandFault` also for an answer that leaves epochs out, or never ends.
    func steps(
        from epoch: Epoch, limit: Int?
    ) async throws(CommandFault) -> EpochProofs {
        let most = limit ?? .max
        var steps: [EpochProof] = []
        var bytes = 0
        while true {
            let next = epoch.clampedAdvance(by: UInt64(steps.count))
            let wanted = min(most - steps.count, RPCLimits.epochPageMax)
            let page = try await client.call { rpc throws(RPCClientFault) in
                try await rpc.epochProofs(from: next, limit: wanted)
            }
            for (place, step) in page.steps.prefix(wanted).enumerated() {
                guard step.epoch == next.clampedAdvance(by: UInt64(place)) else {
                    throw CommandFault(
                        """
                        the node answered with a step out of epoch \(step.epoch) where another \
                        was asked for
                        """
                    )
                }
                steps.append(step)
                bytes += step.proof.utf8.count
            }
            guard bytes <= EpochFile.bytesMax / 2 else {
                throw CommandFault("the steps are too many for one file: name --limit")
            }
            guard !page.steps.isEmpty, steps.count < most else {
                return EpochProofs(steps: steps, epoch: page.epoch)
            }
        }
    }
}
