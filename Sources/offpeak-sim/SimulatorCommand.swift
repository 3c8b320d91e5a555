internal import ArgumentParser
internal import Foundation

/// Runs seeded simulations; exits 0 only if none found a violation.
@main
struct SimulatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offpeak-sim",
        abstract:
            "Run nodes, or parts of them, in simulated networks with seeded faults and liars.",
        discussion: """
            Each seed is a network in virtual time: loss, delay, duplication, partitions, crashes, \
            broken disks, wrong clocks and lying validators, then healing. The same seed and code \
            give the same trace hash, in every build.

            Exit codes: 0 no violation, 1 a violation, 2 wrong usage.
            """,
        subcommands: [
            NodesCommand.self, ConsensusCommand.self, VerificationCommand.self,
            TwinsCommand.self, ExploreCommand.self, CrashesCommand.self, BugsCommand.self,
            ExecutionCommand.self,
        ],
        defaultSubcommand: NodesCommand.self)

    /// Parses, runs, and ends the process with the exit code that the outcome has.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            end(error)
        }
    }

    private static func end(_ error: any Error) -> Never {
        let message = fullMessage(for: error)
        let code = exitCode(for: error)
        if !message.isEmpty {
            let output: FileHandle = code == .success ? .standardOutput : .standardError
            output.write(Data((message + "\n").utf8))
        }
        Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
    }
}
