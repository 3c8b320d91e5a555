package import Primitives

/// What the person who runs a node decides: `config.yaml`, read strictly.
package struct Configuration: Hashable, Sendable {
    /// Host and port that links from other nodes arrive at.
    package var listen = NetworkAddress(host: "0.0.0.0", port: 9009)
    /// What other nodes should dial instead of `listen`.
    package var advertised: NetworkAddress?
    /// Where datagrams of other nodes arrive; nil for host and port of `listen`.
    package var gossip: NetworkAddress?
    /// Addresses for datagrams of nodes that know others; their ids needn't be known.
    package var seeds: [NetworkAddress] = []
    /// Nodes to keep a link to.
    package var peers: [ConfiguredPeer] = []
    /// What the node says it is; nil for a validator if it has a voting key of the committee, and
    /// a relay otherwise.
    package var role: NodeRole?
    /// Where RPC is served; nil for no RPC.
    package var rpcListen: NetworkAddress? = NetworkAddress(host: "127.0.0.1", port: 8645)
    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.automatic
    /// Threads that check signatures, 1...256; 0 for one on each core.
    package var verifierThreads = 0
    /// What of the machine is lent to others.
    package var share = ShareSettings()
    /// Minutes in which the store is read again once; 0 for never.
    package var scrubMinutes: UInt64 = 7 * 24 * 60
    /// Whether every change of every balance is kept for questions and statements.
    package var keepsAccountHistory = true
    package var limits = ConfiguredLimits()

    package init() {}

    /// A file larger than this isn't a configuration.
    private static let bytesMax = 1 << 20

    /// The configuration in a file.
    /// - Throws: `HomeFault` with line, path, what is wrong and what would be right.
    package static func load(_ file: String) throws(HomeFault) -> Configuration {
        let text = try Home.readText(file, maximum: bytesMax)
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw HomeFault(
                """
                \(file): empty, so it was cut off: restore it from a backup, or take the one that \
                `offpeak init` makes in another folder and fill in this node's addresses
                """)
        }
        do throws(DocumentFault) {
            return try Configuration(parsing: text, file: file)
        } catch {
            throw HomeFault(error.description)
        }
    }

    /// The configuration that `text` describes; what it leaves out keeps its default.
    package init(parsing text: String, file: String) throws(DocumentFault) {
        let root = try Document(parsing: text, file: file)
        let fields = try root.fields([
            "network", "node", "rpc", "log", "verifier", "share", "scrub", "history", "limits",
        ])
        if let network = fields["network"], !network.isNull { try readNetwork(network) }
        if let node = fields["node"], !node.isNull {
            let field = try node.fields(["role"])["role"]
            if let field, !field.isNull { role = try field.choice() }
        }
        if let rpc = fields["rpc"], !rpc.isNull { try readRPC(rpc) }
        if let log = fields["log"], !log.isNull { try readLog(log) }
        if let verifier = fields["verifier"], !verifier.isNull {
            let threads = try verifier.fields(["threads"])["threads"]
            if let threads { verifierThreads = Int(try threads.number(0...256)) }
        }
        if let section = fields["share"], !section.isNull { share = try .init(section) }
        if let scrub = fields["scrub"], !scrub.isNull {
            let period = try scrub.fields(["periodMinutes"])["periodMinutes"]
            if let period { scrubMinutes = try period.number(0...525_600) }
        }
        if let history = fields["history"], !history.isNull {
            let accounts = try history.fields(["accounts"])["accounts"]
            if let accounts { keepsAccountHistory = try accounts.boolean() }
        }
        if let section = fields["limits"], !section.isNull { limits = try .init(section) }
    }

    private mutating func readNetwork(_ section: Document) throws(DocumentFault) {
        let fields = try section.fields(["listen", "advertised", "gossip", "seeds", "peers"])
        if let field = fields["listen"] { listen = try NetworkAddress(field) }
        if let field = fields["advertised"], !field.isNull {
            advertised = try NetworkAddress(field)
        }
        if let field = fields["gossip"], !field.isNull { gossip = try NetworkAddress(field) }
        if let list = fields["seeds"], !list.isNull {
            seeds = []
            for element in try list.elements(maximum: 64) {
                seeds.append(try NetworkAddress(element))
            }
        }
        guard let list = fields["peers"], !list.isNull else { return }
        for element in try list.elements(maximum: 1024) {
            let peer = try ConfiguredPeer(element)
            guard !peers.contains(where: { $0.peerID == peer.peerID }) else {
                throw element.fault("the peer \(peer.peerID) is listed twice")
            }
            peers.append(peer)
        }
    }

    private mutating func readRPC(_ section: Document) throws(DocumentFault) {
        let fields = try section.fields(["listen"])
        guard let field = fields["listen"] else { return }
        rpcListen = field.isNull ? nil : try NetworkAddress(field)
    }

    private mutating func readLog(_ section: Document) throws(DocumentFault) {
        let fields = try section.fields(["level", "format"])
        if let field = fields["level"] { logLevel = try field.choice() }
        if let field = fields["format"] { logFormat = try field.choice() }
    }
}

/// What a node says it is. Informational: what counts stands on chain.
package enum NodeRole: String, CaseIterable, Sendable {
    /// Votes.
    case validator
    /// Attests that signatures were checked, and doesn't vote.
    case verifier
    /// Forwards, screens and serves old blocks.
    case relay
}

/// How much of its log a node writes.
package enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
}

/// How log lines look.
package enum LogFormat: String, CaseIterable, Sendable {
    /// Text on a terminal, JSON elsewhere.
    case automatic = "auto"
    /// Lines for people.
    case text
    /// One JSON object a line.
    case json
}

extension Document {
    /// One of an enumeration's names.
    func choice<Value: CaseIterable & RawRepresentable<String>>() throws(DocumentFault) -> Value {
        let name = try text()
        if let value = Value(rawValue: name) { return value }
        let known = Value.allCases.map(\.rawValue)
        throw fault(
            """
            "\(name)" is none of \(known.joined(separator: ", "))\
            \(Suggestion.text(for: name, among: known))
            """)
    }
}

/// A host (name, IPv4 or bracketed IPv6) and a port.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    /// 0 lets the system choose, where an address is listened on.
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// The address in `host:port`, or nil.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy(NetworkAddress.isOfHost) else { return nil }
        self.init(host: host, port: port)
    }

    /// Whether a byte may stand in a host's name (RFC 952, and underscores), or in an address of
    /// IPv4 or IPv6 with its zone.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ".-_:%".utf8.contains(byte)
        }
    }

    init(_ field: Document) throws(DocumentFault) {
        let text = try field.text()
        guard let address = NetworkAddress(text) else {
            throw field.fault(
                """
                "\(text)" isn't an address; host:port is wanted, as 127.0.0.1:9009 or [::1]:9009
                """)
        }
        self = address
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// A node to keep a link to.
package struct ConfiguredPeer: Hashable, Sendable {
    package let peerID: PeerID
    package let address: NetworkAddress

    package init(peerID: PeerID, address: NetworkAddress) {
        self.peerID = peerID
        self.address = address
    }

    init(_ element: Document) throws(DocumentFault) {
        let fields = try element.fields(["id", "address"])
        guard let id = fields["id"], let place = fields["address"] else {
            throw element.fault("a peer needs an id and an address")
        }
        peerID = try id.peerID()
        address = try NetworkAddress(place)
    }
}

/// What a node may use at most.
package struct ConfiguredLimits: Hashable, Sendable {
    /// Links from and to other nodes.
    package var connections = 256
    /// Links from one source address.
    package var connectionsPerAddress = 64
    /// Links with nodes that are neither of the committee, nor bonded, nor configured; 0 for none.
    package var guests = 32
    /// Memory for decoded blocks of the store, in MiB.
    package var blockCacheMegabytes = 64

    package init() {}

    init(_ section: Document) throws(DocumentFault) {
        let fields = try section.fields([
            "connections", "connectionsPerAddress", "guests", "blockCacheMegabytes",
        ])
        if let field = fields["connections"] { connections = Int(try field.number(4...10_000)) }
        if let field = fields["connectionsPerAddress"] {
            connectionsPerAddress = Int(try field.number(1...10_000))
        }
        if let field = fields["guests"] { guests = Int(try field.number(0...10_000)) }
        if let field = fields["blockCacheMegabytes"] {
            blockCacheMegabytes = Int(try field.number(8...65_536))
        }
    }
}
