internal import ArgumentParser
internal import Glibc

/// Ends one node as a power cut would.
struct TestnetKill: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Kill a node without notice (SIGKILL).")

    @Argument(help: "The node's number, from 0.")
    var node: Int

    @OptionGroup var options: TestnetOptions

    func run() async throws {
        let network = try options.network()
        let index = try network.node(node).index
        guard network.kill(index) else {
            throw CommandFault(
                "node \(index) doesn't run; `offpeak testnet restart \(index)` starts it")
        }
        options.format.show(NodeAnswer(node: index, state: "killed")) { "killed node \(index)" }
    }
}

/// Starts one node again, after stopping it if it runs.
struct TestnetRestart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop a node if it runs, and start it.")

    @Argument(help: "The node's number, from 0.")
    var node: Int

    @Flag(name: .customLong("no-wait"), help: "Don't wait until the node is ready.")
    var doesNotWait = false

    @OptionGroup var options: TestnetOptions

    func run() async throws {
        let network = try options.network()
        let index = try network.node(node).index
        _ = network.stop([index])
        try network.process(index).start(executable: network.executable)
        if !doesNotWait { try await network.awaitReady([index]) }
        let state = doesNotWait ? "started" : "ready"
        options.format.show(NodeAnswer(node: index, state: state)) { "node \(index) is \(state)" }
    }
}

/// Shows the end of the nodes' logs.
struct TestnetLogs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show the end of the nodes' logs.")

    @Argument(help: "The node's number, from 0; all nodes if left out.")
    var node: Int?

    @Option(name: [.short, .long], help: "How many lines of each log.")
    var lines = 20

    @OptionGroup var options: TestnetOptions

    func run() async throws {
        guard 1...10_000 ~= lines else {
            throw CommandFault.usage("--lines \(lines): 1 to 10000 are possible")
        }
        let network = try options.network()
        let nodes = try node.map { [try network.node($0)] } ?? network.record.nodes
        let logs = nodes.map { node in
            Log(
                node: node.index, file: network.folder.log(node.index),
                lines: network.process(node.index).lastLogLines(lines))
        }
        options.format.show(logs) {
            logs.map { (["==> \($0.file)"] + $0.lines).joined(separator: "\n") }
                .joined(separator: "\n\n")
        }
    }

    private struct Log: Encodable {
        let node: Int
        let file: String
        let lines: [String]
    }
}

/// What has become of a node.
private struct NodeAnswer: Encodable {
    let node: Int
    let state: String
}
