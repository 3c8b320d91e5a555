internal import Primitives
internal import Runtime

/// The keys of a node of a local network.
struct TestnetKeys {
    let role: TestnetRole
    let identity = StoredKey(role: .identity, material: .secretKey(.random()))
    let voting = StoredKey(role: .voting, material: .secretKey(.random()))

    var peerID: PeerID { PeerID(identity.secretKey.publicKey) }
    /// What a validator votes and a verifier attests with.
    var votingKey: PublicKey { voting.secretKey.publicKey }
    var rewardAddress: Address { Policy.single(votingKey).address }
}

/// Makes and changes the home folders of a local network's nodes.
struct TestnetHomes {
    let folder: TestnetFolder
    let prefix: NetworkPrefix
    /// The genesis file's text.
    let genesis: [UInt8]

    /// Nodes with numbers from `first` on, and free ports.
    static func nodes(
        _ keys: [TestnetKeys], from first: Int, _ prefix: NetworkPrefix
    ) throws(CommandFault) -> [TestnetNode] {
        let ports = try TestnetPorts.free(2 * keys.count)
        return keys.enumerated().map { place, keys in
            TestnetNode(
                index: first + place, peerID: keys.peerID.text(in: prefix),
                linkPort: ports[2 * place], rpcPort: ports[2 * place + 1], role: keys.role)
        }
    }

    /// A home with keys, genesis and configuration.
    func make(_ node: TestnetNode, _ keys: TestnetKeys, among nodes: [TestnetNode]) throws {
        let home = folder.home(node.index)
        try home.create()
        try folder.write(keys.identity, to: home.identityKey)
        if node.role != .relay { try folder.write(keys.voting, to: home.validatorKey) }
        try Home.write(genesis, to: home.genesis)
        try configure(node, among: nodes)
    }

    /// Writes a node's configuration: it asks for others at the first three validators, of which
    /// one may be down, and one may be the node itself.
    func configure(_ node: TestnetNode, among nodes: [TestnetNode]) throws {
        var configuration = Configuration()
        configuration.listen = NetworkAddress(host: "127.0.0.1", port: node.linkPort)
        configuration.rpcListen = NetworkAddress(host: "127.0.0.1", port: node.rpcPort)
        configuration.logFormat = .text
        // The nodes of a local network share one machine: by its load each would step back for the
        // others.
        configuration.share.mode = .always
        configuration.role = node.role.nodeRole
        configuration.seeds = nodes.filter { $0.role == .validator }.prefix(3)
            .filter { $0.index != node.index }
            .map { NetworkAddress(host: "127.0.0.1", port: $0.linkPort) }
        try Home.write(
            Array(configuration.template.utf8), to: folder.home(node.index).configuration,
            replacing: true)
    }
}

extension TestnetRole {
    /// The same for the configuration.
    fileprivate var nodeRole: NodeRole {
        switch self {
        case .validator: .validator
        case .verifier: .verifier
        case .relay: .relay
        }
    }
}

extension TestnetFolder {
    /// Writes a key file that only its owner can read.
    func write(_ key: StoredKey, to file: String) throws {
        let text = KeyFile.encode(key)
        var bytes = text.withUnsafeBytes { Array($0) }
        defer { SecureBytes.wipe(&bytes) }
        try Home.write(bytes, to: file)
    }
}
