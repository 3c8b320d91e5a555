internal import ArgumentParser
internal import Primitives
internal import RPC

/// What every command that makes a transaction understands: who signs, what it may cost, and
/// whether it is sent, written to a file, or only built.
struct SigningOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Key file or keystore to sign with; several times for several signatures.",
            valueName: "file"))
    var key: [String] = []

    @Option(help: ArgumentHelp("File with the password of keystores.", valueName: "file"))
    var passphraseFile: String?

    @Option(
        help: ArgumentHelp(
            "The sending account (default: that of --policy, else of the first key alone).",
            valueName: "address"))
    var from: String?

    @Option(help: ArgumentHelp("Policy file of the sending account.", valueName: "file"))
    var policy: String?

    @Option(
        help: ArgumentHelp(
            "Another account that the signatures speak for: its address or policy file.",
            valueName: "address-or-file"))
    var cosigner: [String] = []

    @Option(help: "Which of the account's independent orders; others than 0 cost a deposit.")
    var stream: UInt16 = 0

    @Option(help: "Place in the stream (default: the next one, as the node says).")
    var sequence: UInt64?

    @Option(help: "Up to 256 bytes of text.")
    var memo: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Paid on top of the fee (default: what the level tips).", valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var tip: Amount?

    @Option(
        help: ArgumentHelp(
            "How early it matters: economy (the present base fee, no tip), standard (up to twice "
                + "the base fee) or urgent (up to four times).", valueName: "level"),
        transform: { try FeeLevel(text: $0) })
    var feeLevel = FeeLevel.standard

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The most that fee and tip may cost together (default: what the level allows).",
            valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var maxFee: Amount?

    @Option(
        help: ArgumentHelp(
            "How long it may execute, at most 24h, 30d on other streams (default: 10m; 12h in a "
                + "file).", valueName: "seconds"),
        transform: { try TimeSpan($0) })
    var validFor: TimeSpan?

    @Flag(help: "Answer when the node has taken it, without waiting until it is final.")
    var noWait = false

    @Flag(help: "Ask no node; needs --sequence, and --genesis or --chain-id.")
    var offline = false

    @Flag(help: "Don't sign: write a file that others sign with `offpeak tx sign`.")
    var unsigned = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write the transaction to a file instead of sending it (- for stdout).",
            valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("The network's id, 64 hexadecimal digits.", valueName: "hex"))
    var chainId: String?

    @Option(help: ArgumentHelp("Genesis file of the network, for --offline.", valueName: "file"))
    var genesis: String?

    @Option(help: "The network's prefix (default: the node's; opk with --offline).")
    var prefix: String?

    mutating func validate() throws {
        if key.isEmpty && !unsigned {
            throw ValidationError("--key is missing: name a key file, or build with --unsigned")
        }
        if from == nil && policy == nil && key.isEmpty {
            throw ValidationError("whose transaction? name --from, --policy or --key")
        }
        if let memo, memo.utf8.count > TransactionLimits.memoBytesMax {
            throw ValidationError(
                "--memo has \(memo.utf8.count) bytes, at most 256 are allowed")
        }
    }

    /// Whether the transaction goes to a file or stdout instead of a node.
    var isForFile: Bool { offline || unsigned || out != nil }

    /// How long the transaction may execute.
    var validity: TimeSpan { validFor ?? .seconds(isForFile ? 12 * 3600 : 600) }
}

/// `--prefix` of commands that need no node.
struct PrefixOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The network's prefix (default: that of the node named by --node or OFFPEAK_NODE, "
                + "else opk).", valueName: "letters"))
    var prefix: String?

    /// The prefix where nobody says another.
    static let standard = "opk"

    /// The prefix that is given, that of the node that is named, or the standard one.
    func resolved(_ node: NodeOptions) async throws(CommandFault) -> NetworkPrefix {
        if let prefix { return try NetworkContext.prefix(prefix) }
        guard NodeAddress.named(node.node) != nil else {
            return try NetworkContext.prefix(PrefixOptions.standard)
        }
        return try await node.client().context().prefix
    }
}
