internal import ArgumentParser
internal import Glibc
internal import RPC

/// Where a command finds its node.
enum NodeAddress {
    /// Where a node serves RPC whose configuration says nothing else.
    static let standard = "http://127.0.0.1:\(standardPort)"
    static let standardPort: UInt16 = 8645
    static let variable = "OFFPEAK_NODE"

    /// The node that the person named, if he did.
    static func named(_ option: String?) -> String? {
        if let option { return option }
        guard let value = getenv(variable), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

/// `--node` and `--timeout`.
struct NodeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "RPC address of a node (default: OFFPEAK_NODE or \(NodeAddress.standard)).",
            valueName: "url"))
    var node: String?

    @Option(
        help: ArgumentHelp(
            """
            How long to wait until a transaction is final, and before that, as long at most, until \
            a busy node takes it (default: 30).
            """,
            valueName: "seconds"),
        transform: { try TimeSpan($0) })
    var timeout = TimeSpan.seconds(30)

    /// The node's client; nothing is sent yet.
    func client() throws(CommandFault) -> NodeClient {
        try NodeClient(NodeAddress.named(node) ?? NodeAddress.standard, timeout: timeout)
    }
}
