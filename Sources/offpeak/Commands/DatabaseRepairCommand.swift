internal import ArgumentParser
internal import Runtime

/// `offpeak db repair`
struct DatabaseRepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Put a damaged store aside, so that the node fetches everything anew.",
        discussion: """
            The folder data/ is renamed, never deleted; keys and journal stay. At its next start \
            the node asks the other nodes for all blocks from the genesis on, checks and executes \
            each, and then has the same state as they; a validator also asks how far its key has \
            signed, since the journal belonged to the old store. Where no other validator could \
            give the chain back it changes nothing and says so: then only a backup helps.
            """)

    @Option(help: "The home folder of a node that doesn't run.")
    var home: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let home = Home(home)
        let lock = try HomeLock(home)
        defer { lock.release() }
        let genesis = try home.checkFiles()
        let isAlone = try home.isAlone(in: genesis)
        let summary = Summary(
            home: home.path, putAside: try home.putStoreAside(isAlone: isAlone))
        output.format.show(summary) { summary.text }
    }

    private struct Summary: Encodable, Sendable {
        let home: String
        /// Where the store is now; nil if there was none.
        let putAside: String?

        var text: String {
            guard let putAside else { return "\(home) holds no store. Start the node." }
            return """
                The store is put aside as \(putAside). Start the node: it fetches the chain from \
                the others. Delete the old folder when you no longer want to look at it.
                """
        }
    }
}
