internal import ArgumentParser

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
            """,
        subcommands: [
            NodesCommand.self, ConsensusCommand.self, VerificationCommand.self,
            TwinsCommand.self, ExploreCommand.self, CrashesCommand.self, BugsCommand.self,
        ],
        defaultSubcommand: NodesCommand.self)
}
