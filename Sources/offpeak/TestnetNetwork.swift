internal import FoundationEssentials
internal import Glibc
internal import RPC

/// The processes of a local network, taken together.
struct TestnetNetwork: Sendable {
    let folder: TestnetFolder
    let record: TestnetRecord
    /// What the nodes are started with.
    let executable: String
    /// One for each node's RPC.
    let clients: [RPCClient]

    /// How long a node may take until it answers that it is ready.
    static let readySeconds = 60
    /// How long a node may take to end by itself before it is killed.
    static let stopSeconds = 5
    /// How often a state that is waited for is looked at.
    private static let pollMilliseconds = 50

    init(_ folder: TestnetFolder, record: TestnetRecord, executable: String? = nil) throws {
        self.folder = folder
        self.record = record
        self.executable = try executable ?? TestnetNetwork.ownExecutable()
        clients = record.nodes.map {
            RPCClient(RPCEndpoint(port: Int($0.rpcPort)), timeoutMilliseconds: 3000)
        }
    }

    /// The program that runs now.
    static func ownExecutable() throws(CommandFault) -> String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            throw CommandFault("/proc/self/exe can't be read: \(error)")
        }
    }

    func process(_ node: Int) -> TestnetProcess { TestnetProcess(folder, node: node) }

    /// The node at `index`.
    /// - Throws: `CommandFault` for a number that no node has.
    func node(_ index: Int) throws(CommandFault) -> TestnetNode {
        guard record.nodes.indices.contains(index) else {
            throw CommandFault(
                "there is no node \(index): nodes are 0 to \(record.nodes.count - 1)")
        }
        return record.nodes[index]
    }

    /// Starts the nodes that don't run.
    /// - Returns: the indexes of those that were started.
    func start() throws(CommandFault) -> [Int] {
        var started: [Int] = []
        for node in record.nodes where process(node.index).pid == nil {
            process(node.index).forget()
            try process(node.index).start(executable: executable)
            started.append(node.index)
        }
        return started
    }

    /// Waits until every one of `nodes` says that it is ready.
    /// - Throws: `CommandFault` with the last lines of its log for one that ends, or isn't ready
    ///   in time.
    func awaitReady(_ nodes: [Int], seconds: Int = readySeconds) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(seconds))
        var waiting = nodes
        while !waiting.isEmpty {
            try Task.checkCancellation()
            for node in waiting where process(node).pid == nil {
                throw fault(node, "ended while it started")
            }
            var unready: [Int] = []
            for node in waiting where await !isReady(node) { unready.append(node) }
            waiting = unready
            guard let first = waiting.first else { return }
            guard clock.now < deadline else {
                throw fault(first, "isn't ready after \(seconds) seconds")
            }
            try await clock.sleep(for: .milliseconds(TestnetNetwork.pollMilliseconds))
        }
    }

    private func isReady(_ node: Int) async -> Bool {
        let answer = try? await clients[node].get("/ready")
        return answer?.status == 200
    }

    private func fault(_ node: Int, _ what: String) -> CommandFault {
        let lines = process(node).lastLogLines(12).map { "    \($0)" }
        return CommandFault(
            """
            node \(node) \(what); the end of \(folder.log(node)):
            \(lines.isEmpty ? "    (nothing)" : lines.joined(separator: "\n"))
            """)
    }

    /// Ends the nodes: asks each, waits, and kills those that stay.
    /// - Returns: the indexes of those that ran, and of those that had to be killed.
    func stop(_ nodes: [Int]? = nil) -> (stopped: [Int], killed: [Int]) {
        let nodes = nodes ?? record.nodes.map(\.index)
        var running: [Int: pid_t] = [:]
        for node in nodes { running[node] = process(node).send(SIGTERM) }
        let killed = stillRunning(running, afterSeconds: TestnetNetwork.stopSeconds)
        for node in killed.keys { process(node).send(SIGKILL) }
        _ = stillRunning(killed, afterSeconds: TestnetNetwork.stopSeconds)
        for node in nodes { process(node).forget() }
        return (running.keys.sorted(), killed.keys.sorted())
    }

    /// Ends a node as a power cut would; false if it doesn't run.
    @discardableResult
    func kill(_ node: Int) -> Bool {
        guard let pid = process(node).send(SIGKILL) else { return false }
        _ = stillRunning([node: pid], afterSeconds: TestnetNetwork.stopSeconds)
        process(node).forget()
        return true
    }

    /// Those of nodes' processes that haven't ended, with all their threads, after `seconds`;
    /// returns as soon as there are none.
    private func stillRunning(
        _ processes: [Int: pid_t], afterSeconds seconds: Int
    ) -> [Int: pid_t] {
        let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
        var left = processes.filter { !TestnetProcess.hasEnded($0.value) }
        while !left.isEmpty, ContinuousClock.now < deadline {
            usleep(20_000)
            left = left.filter { !TestnetProcess.hasEnded($0.value) }
        }
        return left
    }
}
