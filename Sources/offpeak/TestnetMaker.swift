internal import Execution
internal import FoundationEssentials
internal import Primitives
internal import Runtime

/// What a local network is to be like.
struct TestnetPlan: Sendable {
    /// 1...`validatorsMax`.
    var validators = 4
    /// Bonded from the start with half of the validators' stake each; 0...`idleMax`.
    var verifiers = 0
    /// 0...`idleMax`.
    var relays = 0
    /// Whether bonds above a third check each signature, or all validators do.
    var spreads = true
    /// Names of the wallets that have funds from the start.
    var wallets = ["alice", "bob", "carol", "dave", "erin", "arbiter", "faucet"]
    /// What each of them has; `faucet` has a thousand times as much.
    var walletBalance = Amount(1_000_000_000)
    /// Accounts besides the wallets.
    var accounts: [GenesisAccount] = []
    var network = "offpeak-local"

    /// More processes than this are no use on one machine.
    static let validatorsMax = 31
    /// The same of verifiers, and of relays.
    static let idleMax = 8
    static let prefix = "opk"
    /// What each validator has bonded: all weigh the same.
    static let stake = Amount(10_000_000)

    /// What each node does, in the order of their numbers.
    var roles: [TestnetRole] {
        Array(repeating: .validator, count: validators)
            + Array(repeating: .verifier, count: verifiers)
            + Array(repeating: .relay, count: relays)
    }

    /// What each verifier has bonded: two of them hold half of all bonds.
    var bond: Amount { Amount(TestnetPlan.stake.rawValue * UInt64(validators) / 2) }

    /// - Throws: `CommandFault` that names the number that is out of range.
    func check() throws(CommandFault) {
        guard 1...TestnetPlan.validatorsMax ~= validators else {
            throw CommandFault(
                "\(validators) validators; 1 to \(TestnetPlan.validatorsMax) are possible")
        }
        for (count, what) in [(verifiers, "verifiers"), (relays, "relays")]
        where !(0...TestnetPlan.idleMax ~= count) {
            throw CommandFault("\(count) \(what); 0 to \(TestnetPlan.idleMax) are possible")
        }
    }
}

/// Makes the files of a local network: wallets, homes with keys, one genesis, ports, the record.
struct TestnetMaker {
    let folder: TestnetFolder
    let plan: TestnetPlan
    private let prefix: NetworkPrefix

    init(_ folder: TestnetFolder, _ plan: TestnetPlan) throws {
        try plan.check()
        self.folder = folder
        self.plan = plan
        prefix = try NetworkPrefix(TestnetPlan.prefix)
    }

    /// Writes everything; the record last, so that a network whose making was interrupted doesn't
    /// count as one.
    /// - Returns: the record.
    func make() throws -> TestnetRecord {
        try folder.create()
        let wallets = try plan.wallets.map(makeWallet)
        let keys = plan.roles.map { NodeKeys(role: $0) }
        let genesis = try makeGenesis(wallets, keys)
        let nodes = try makeNodes(keys)
        let text = Array(GenesisFile.text(of: genesis).utf8)
        try Home.write(text, to: folder.genesis, replacing: true)
        for (node, keys) in zip(nodes, keys) {
            try makeHome(node, keys, peers: peers(of: node, in: nodes), genesis: text)
        }
        let record = TestnetRecord(
            network: plan.network, prefix: TestnetPlan.prefix, chainID: "\(genesis.chainID)",
            nodes: nodes, wallets: wallets.map(\.record))
        try record.save(folder)
        return record
    }

    private func makeWallet(_ name: String) throws -> Wallet {
        let key = StoredKey(role: .wallet, material: .secretKey(.random()))
        let file = folder.wallet(name)
        try write(key, to: file)
        let policy = Policy.single(key.secretKey.publicKey)
        let record = TestnetWallet(
            name: name, address: policy.address.text(in: prefix),
            publicKey: key.secretKey.publicKey.text(in: prefix), file: file)
        return Wallet(record: record, address: policy.address)
    }

    private func makeNodes(_ keys: [NodeKeys]) throws -> [TestnetNode] {
        let ports = try TestnetPorts.free(2 * keys.count)
        return keys.enumerated().map { index, keys in
            TestnetNode(
                index: index, peerID: keys.peerID.text(in: prefix), linkPort: ports[2 * index],
                rpcPort: ports[2 * index + 1], role: keys.role)
        }
    }

    private func makeGenesis(_ wallets: [Wallet], _ keys: [NodeKeys]) throws -> Genesis {
        guard let treasury = wallets.last?.address else {
            throw CommandFault("a local network needs a wallet")
        }
        let accounts = try wallets.map { wallet in
            let factor: UInt64 = wallet.record.name == "faucet" ? 1000 : 1
            return GenesisAccount(
                owner: .address(wallet.address),
                balance: try plan.walletBalance.multiplied(by: factor))
        }
        return try Genesis(
            network: plan.network, prefix: TestnetPlan.prefix, time: WallClock.now,
            accounts: accounts + plan.accounts,
            validators: keys.filter { $0.role == .validator }.map { keys in
                GenesisValidator(
                    votingKey: keys.votingKey, peerID: keys.peerID,
                    rewardAddress: keys.rewardAddress, stake: TestnetPlan.stake)
            },
            verifiers: keys.filter { $0.role == .verifier }.map { keys in
                GenesisVerifier(
                    key: keys.votingKey, peerID: keys.peerID, rewardAddress: keys.rewardAddress,
                    bond: plan.bond)
            },
            parameters: LedgerParameters(
                fees: .init(treasury: treasury), verification: .init(spread: plan.spreads)))
    }

    /// Validators have links to everybody, the others to the validators.
    private func peers(of node: TestnetNode, in nodes: [TestnetNode]) -> [TestnetNode] {
        nodes.filter {
            $0.index != node.index && (node.role == .validator || $0.role == .validator)
        }
    }

    private func makeHome(
        _ node: TestnetNode, _ keys: NodeKeys, peers: [TestnetNode], genesis: [UInt8]
    ) throws {
        let home = folder.home(node.index)
        try home.create()
        try write(keys.identity, to: home.identityKey)
        if node.role != .relay { try write(keys.voting, to: home.validatorKey) }
        try Home.write(genesis, to: home.genesis)
        var configuration = Configuration()
        configuration.listen = NetworkAddress(host: "127.0.0.1", port: node.linkPort)
        configuration.rpcListen = NetworkAddress(host: "127.0.0.1", port: node.rpcPort)
        configuration.logFormat = .text
        configuration.peers = try peers.map { peer in
            ConfiguredPeer(
                peerID: try PeerID(text: peer.peerID, in: prefix),
                address: .init(host: "127.0.0.1", port: peer.linkPort))
        }
        try Home.write(Array(configuration.template.utf8), to: home.configuration)
    }

    private func write(_ key: StoredKey, to file: String) throws {
        let text = KeyFile.encode(key)
        var bytes = text.withUnsafeBytes { Array($0) }
        defer { SecureBytes.wipe(&bytes) }
        try Home.write(bytes, to: file)
    }

    private struct Wallet {
        let record: TestnetWallet
        let address: Address
    }

    private struct NodeKeys {
        let role: TestnetRole
        let identity = StoredKey(role: .identity, material: .secretKey(.random()))
        let voting = StoredKey(role: .voting, material: .secretKey(.random()))
        var peerID: PeerID { PeerID(identity.secretKey.publicKey) }
        var votingKey: PublicKey { voting.secretKey.publicKey }
        var rewardAddress: Address { Policy.single(votingKey).address }
    }
}
