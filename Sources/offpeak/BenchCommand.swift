internal import ArgumentParser

/// `offpeak bench`: measurements; of a network if nothing else is said.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a network under load, the check of signatures or execution.",
        discussion: """
            Without a subcommand a network is measured, as by `bench network`: \
            `offpeak bench --local 4`. The options are in `offpeak bench network --help`.
            """,
        subcommands: [
            BenchNetworkCommand.self, BenchSignaturesCommand.self, BenchExecutionCommand.self,
        ],
        defaultSubcommand: BenchNetworkCommand.self)
}
