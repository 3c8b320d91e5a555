internal import ArgumentParser

/// `offpeak db`
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = group(
        "db", "Look after what a stopped node has on disk.",
        [DatabaseCheckCommand.self, DatabaseRepairCommand.self])
}
