internal import ArgumentParser
internal import Runtime

/// `offpeak db`
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = group(
        "db", "Look after what a stopped node has on disk.",
        [
            DatabaseCheckCommand.self, DatabaseRepairCommand.self, ForgetSignaturesCommand.self,
        ])
}

/// `offpeak db forget-signatures`
struct ForgetSignaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget-signatures",
        abstract: "Have a validator ask the others how far its key has signed.",
        discussion: """
            For a home that was restored from a backup, and for a damaged journal. The journal is \
            put aside under a name of its own. At its next start the node asks the other \
            validators, and votes above every view in which its key may have signed; that needs \
            answers by a quorum of others. First make sure that no other process runs with this key.
            """)

    @Option(help: "The home folder of a node that doesn't run.")
    var home: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let home = Home(home)
        let lock = try HomeLock(home)
        defer { lock.release() }
        try home.check()
        let summary = Summary(
            home: home.path, putAside: try home.forgetSignatures(), votes: home.hasValidatorKey)
        output.format.show(summary) { summary.text }
    }

    private struct Summary: Encodable, Sendable {
        let home: String
        /// Where the journal is now; nil if there was none.
        let putAside: String?
        /// Whether the home has a voting key.
        let votes: Bool

        var text: String {
            guard let putAside else { return "\(home) holds no record of signatures." }
            let next =
                votes
                ? "Start the node: it asks the others how far its key has signed."
                : "This home has no voting key: there is nothing to ask the others for."
            return "The record is put aside as \(putAside). \(next)"
        }
    }
}
