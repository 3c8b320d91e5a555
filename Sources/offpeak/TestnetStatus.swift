internal import Primitives
internal import RPC

/// What the nodes of a local network say of themselves, side by side.
struct TestnetStatus: Encodable, Sendable {
    /// One node.
    struct Node: Encodable, Sendable {
        let index: Int
        let role: TestnetRole
        /// Absent if the process doesn't run.
        let pid: Int32?
        let rpc: String
        /// Absent if RPC doesn't answer.
        let height: UInt64?
        let view: UInt64?
        /// After the block at `height`; 64 hexadecimal digits.
        let stateRoot: String?
        /// Decimal digits.
        let supply: String?
        let peers: Int?
        let ready: Bool
        /// Why it isn't ready, as sentences.
        let reasons: [String]
    }

    let folder: String
    let network: String
    let chainID: String
    let nodes: [Node]
    /// Whether all nodes that stand at one height have one state root there, and all have one
    /// supply.
    let agree: Bool

    static func read(_ network: TestnetNetwork) async -> TestnetStatus {
        var nodes: [Node] = []
        for node in network.record.nodes { nodes.append(await read(network, node)) }
        return TestnetStatus(
            folder: network.folder.path, network: network.record.network,
            chainID: network.record.chainID, nodes: nodes, agree: agree(nodes))
    }

    private static func read(_ network: TestnetNetwork, _ node: TestnetNode) async -> Node {
        let pid = network.process(node.index).pid
        guard pid != nil else {
            return Node(node, pid: pid, status: nil, reasons: ["the process doesn't run"])
        }
        do throws(RPCClientFault) {
            let status = try await network.clients[node.index].nodeStatus()
            return Node(node, pid: pid, status: status, reasons: status.reasons)
        } catch {
            return Node(node, pid: pid, status: nil, reasons: [error.description])
        }
    }

    private static func agree(_ nodes: [Node]) -> Bool {
        var roots: [UInt64: String] = [:]
        var supplies: Set<String> = []
        for node in nodes {
            if let supply = node.supply { supplies.insert(supply) }
            guard let height = node.height, let root = node.stateRoot else { continue }
            if roots.updateValue(root, forKey: height) ?? root != root { return false }
        }
        return supplies.count <= 1
    }

    /// For people.
    func text(_ palette: Palette) -> String {
        let columns: [Table.Column] = [
            .number("NODE"), .text("ROLE"), .number("PID"), .text("STATE"), .number("HEIGHT"),
            .text("STATE ROOT"), .number("SUPPLY"), .number("PEERS"), .text("RPC"),
        ]
        let table = Table(columns, nodes.map(row)).text(palette)
        let reasons = nodes.flatMap { node in node.reasons.map { "node \(node.index): \($0)" } }
        let verdict =
            agree ? "" : palette.paint("the nodes disagree on state root or supply", .red)
        return ([table] + reasons + [verdict]).filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func row(_ node: Node) -> [String] {
        let state = node.pid == nil ? "down" : node.ready ? "ready" : "not ready"
        return [
            "\(node.index)", node.role.rawValue, node.pid.map { "\($0)" } ?? "-", state,
            node.height.map { "\($0)" } ?? "-", node.stateRoot.map { String($0.prefix(16)) } ?? "-",
            node.supply ?? "-", node.peers.map { "\($0)" } ?? "-", node.rpc,
        ]
    }
}

extension TestnetStatus.Node {
    fileprivate init(
        _ node: TestnetNode, pid: Int32?, status: NodeStatus?, reasons: [String]
    ) {
        index = node.index
        role = node.role
        self.pid = pid
        rpc = node.rpc
        height = status?.appliedHeight.rawValue
        view = status?.view.rawValue
        stateRoot = status?.stateRoot
        supply = status.map { "\($0.supply.supply)" }
        peers = status?.peersConnected
        ready = status?.ready ?? false
        self.reasons = reasons
    }
}
