internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc

/// `offpeak testnet`: several validators on one machine.
struct TestnetCommand: AsyncParsableCommand {
    static let configuration = group(
        "testnet", "Run a network of validators on this machine.",
        [
            TestnetUp.self, TestnetDown.self, TestnetStatusCommand.self, TestnetLogs.self,
            TestnetKill.self, TestnetRestart.self, TestnetAddIdle.self,
        ],
        discussion: """
            The nodes are processes of their own on free ports of 127.0.0.1. All their files lie in
            one folder: --home, OFFPEAK_TESTNET, or testnet/.home below the current folder.
            """)
}

/// Which local network, and how the command answers.
struct TestnetOptions: ParsableArguments {
    @Option(help: "The network's folder.")
    var home: String?

    @OptionGroup var output: OutputOptions

    var folder: TestnetFolder {
        let named = home ?? ProcessInfo.processInfo.environment["OFFPEAK_TESTNET"]
        return TestnetFolder(named ?? "testnet/.home")
    }

    var format: OutputFormat { output.format }

    /// The network that was made in the folder.
    func network() throws -> TestnetNetwork {
        try TestnetNetwork(folder, record: TestnetRecord.load(folder))
    }
}

/// Makes the network if there is none, and starts every node that doesn't run.
struct TestnetUp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Start the network; make it first if there is none.")

    @OptionGroup var options: TestnetOptions

    @Option(help: "How many validators a new network has.")
    var validators: Int?

    @Option(help: "How many bonded nodes of a new network check for others without a vote.")
    var verifiers = 0

    @Option(
        help:
            "Heights of an epoch of a new network: then its committee may change (96 passes soon).")
    var epochBlocks: UInt64 = 9_600

    @Option(help: "How many nodes of a new network have neither bond nor vote.")
    var relays = 0

    func run() async throws {
        let network = try makeOrLoad()
        let before = network.record.nodes.map(\.index).filter { network.process($0).pid != nil }
        let interrupt = try InterruptGuard { _ = network.stop(stopping(network, but: before)) }
        defer { interrupt.cancel() }
        do {
            let started = try network.start()
            options.format.remark("started \(started.count) nodes; waiting until all are ready")
            try await network.awaitReady(network.record.nodes.map(\.index))
        } catch {
            _ = network.stop(stopping(network, but: before))
            throw error
        }
        let status = await TestnetStatus.read(network)
        options.format.show(Answer(status: status, wallets: network.record.wallets)) {
            text(status, network)
        }
    }

    /// What an interrupted start takes back: nothing that ran before.
    private func stopping(_ network: TestnetNetwork, but before: [Int]) -> [Int] {
        network.record.nodes.map(\.index).filter { !before.contains($0) }
    }

    private func makeOrLoad() throws -> TestnetNetwork {
        guard options.folder.exists else {
            let plan = TestnetPlan(
                validators: validators ?? 4, verifiers: verifiers, relays: relays,
                epochBlocks: epochBlocks)
            let record = try TestnetMaker(options.folder, plan).make()
            return try TestnetNetwork(options.folder, record: record)
        }
        let network = try options.network()
        let count = network.record.nodes(.validator).count
        guard validators ?? count == count else {
            throw CommandFault(
                """
                \(options.folder.path) holds a network of \(count) validators; \
                `offpeak testnet down --purge` clears the way for one of \(validators ?? count)
                """)
        }
        return network
    }

    private func text(_ status: TestnetStatus, _ network: TestnetNetwork) -> String {
        let columns: [Table.Column] = [.text("WALLET"), .text("ADDRESS"), .text("KEY FILE")]
        let wallets = network.record.wallets.map { [$0.name, $0.address, $0.file] }
        let palette = options.format.palette
        return """
            \(status.text(palette))

            \(Table(columns, wallets).text(palette))
            """
    }

    private struct Answer: Encodable {
        let status: TestnetStatus
        let wallets: [TestnetWallet]

        func encode(to encoder: any Encoder) throws {
            try status.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(wallets, forKey: .wallets)
        }

        private enum Keys: String, CodingKey { case wallets }
    }
}

/// Stops the network's nodes.
struct TestnetDown: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stop the network; its files stay.")

    @OptionGroup var options: TestnetOptions

    @Flag(help: "Remove the network's files too.")
    var purge = false

    func run() async throws {
        let folder = options.folder
        guard folder.exists else { return try withoutNetwork(folder) }
        let network = try options.network()
        let (stopped, killed) = network.stop()
        if purge { try folder.purge() }
        options.format.show(Answer(stopped: stopped, killed: killed, purged: purge)) {
            var text = stopped.isEmpty ? "no node ran" : "stopped \(stopped.count) nodes"
            if !killed.isEmpty { text += "; killed after 5 s: nodes \(killed)" }
            return purge ? "\(text); removed \(folder.path)" : text
        }
    }

    /// With nothing there, nothing runs: what was asked for holds already. A folder without a
    /// record is one whose making was interrupted.
    private func withoutNetwork(_ folder: TestnetFolder) throws {
        if purge, FileManager.default.fileExists(atPath: folder.pids) { try folder.purge() }
        options.format.show(Answer(stopped: [], killed: [], purged: purge)) {
            "\(folder.path): no local network there"
        }
    }

    private struct Answer: Encodable {
        let stopped: [Int]
        let killed: [Int]
        let purged: Bool
    }
}

/// Shows the nodes side by side.
struct TestnetStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show heights, state roots and supply side by side.")

    @OptionGroup var options: TestnetOptions

    func run() async throws {
        let status = await TestnetStatus.read(try options.network())
        options.format.show(status) { status.text(options.format.palette) }
        guard status.agree else { throw ArgumentParser.ExitCode(1) }
    }
}
