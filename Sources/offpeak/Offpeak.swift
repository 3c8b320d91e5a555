internal import ArgumentParser

/// The command line: every part of Offpeak that a person starts.
@main
struct Offpeak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offpeak",
        abstract: "A payment ledger whose validators borrow idle machines.",
        discussion: """
            Exit codes: 0 done, 1 refused or failed, 2 wrong usage. Wallet commands ask the node \
            at --node, at OFFPEAK_NODE, or at \(NodeAddress.standard).
            """,
        version: Program.version,
        groupedSubcommands: [
            CommandGroup(
                name: "Wallet",
                subcommands: [
                    KeyCommand.self, PayCommand.self, EscrowCommand.self, AccountCommand.self,
                    AssetCommand.self, GovernanceCommand.self,
                    RecoverCommand.self, InboxCommand.self,
                    VerifierCommand.self, TransactionCommand.self, QueryCommand.self,
                    StatementCommand.self, VerifyCommand.self, VoucherCommand.self,
                    SettleCommand.self,
                ]),
            CommandGroup(
                name: "Node",
                subcommands: [
                    InitCommand.self, NodeCommand.self, ValidatorCommand.self,
                    GenesisCommand.self, DatabaseCommand.self,
                ]),
            CommandGroup(
                name: "Local network",
                subcommands: [TestnetCommand.self, BenchCommand.self]),
            CommandGroup(name: "Rules", subcommands: [CheckCommand.self]),
        ])

    /// Parses, runs, and ends the process with the exit code that the outcome has.
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Failure(error).end(asJSON: arguments.contains("--json"))
        }
    }
}

/// The program itself.
enum Program {
    /// As `--version` and `node_status` give it.
    static let version = "0.1.0"
}
