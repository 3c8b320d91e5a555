internal import Execution
internal import Primitives
internal import RPC

/// What has to be known of a network to build a transaction for it.
struct NetworkContext: Sendable {
    let prefix: NetworkPrefix
    let chainID: ChainID
    let fees: FeeRule
    /// The present: times from now count from here.
    let now: Timestamp

    init(prefix: NetworkPrefix, chainID: ChainID, fees: FeeRule, now: Timestamp) {
        self.prefix = prefix
        self.chainID = chainID
        self.fees = fees
        self.now = now
    }

    /// The network of a genesis.
    init(_ genesis: Genesis, now: Timestamp) throws(CommandFault) {
        self.init(
            prefix: try NetworkContext.prefix(genesis.prefix), chainID: genesis.chainID,
            fees: FeeRule(genesis.parameters.fees), now: now)
    }

    /// The network that a node says it belongs to.
    init(
        _ genesis: GenesisInfo, _ estimate: FeeEstimate, _ level: FeeLevel, now: Timestamp
    ) throws(CommandFault) {
        self.init(
            prefix: try NetworkContext.prefix(genesis.prefix),
            chainID: ChainID(try IDText.parse(hex: genesis.chainID, "the node's chain id")),
            fees: try FeeRule(genesis.parameters, estimate, level), now: now)
    }

    static func prefix(_ text: String) throws(CommandFault) -> NetworkPrefix {
        do throws(NetworkPrefix.Fault) {
            return try NetworkPrefix(text)
        } catch {
            throw .usage(error.description)
        }
    }

    /// An id on the command line.
    func parse<ID: HumanIdentifier>(_ text: String) throws(CommandFault) -> ID {
        try IDText.parse(text, in: prefix)
    }

    func text(_ id: some HumanIdentifier) -> String { id.text(in: prefix) }

    func quorum(_ text: String) throws(CommandFault) -> Quorum {
        try QuorumText.parse(text, in: prefix)
    }

    /// The time meant by an option.
    func time(_ text: TimeText) throws(CommandFault) -> Timestamp {
        do throws(TextFault) {
            return try text.resolved(at: now)
        } catch {
            throw .usage(error.description)
        }
    }
}
