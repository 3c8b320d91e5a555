internal import Execution
internal import FoundationEssentials
internal import Primitives
internal import Runtime

/// What a local network is to be like.
struct TestnetPlan: Sendable {
    /// 1...`validatorsMax`.
    var validators = 4
    /// Names of the wallets that have funds from the start.
    var wallets = ["alice", "bob", "carol", "dave", "erin", "arbiter", "faucet"]
    /// What each of them has; `faucet` has a thousand times as much.
    var walletBalance = Amount(1_000_000_000)
    /// Accounts besides the wallets.
    var accounts: [GenesisAccount] = []
    var network = "offpeak-local"

    /// More processes than this are no use on one machine.
    static let validatorsMax = 31
    static let prefix = "opk"
    /// What each validator has bonded: all weigh the same.
    static let stake = Amount(10_000_000)
}

/// Makes the files of a local network: wallets, homes with keys, one genesis, ports, the record.
struct TestnetMaker {
    let folder: TestnetFolder
    let plan: TestnetPlan
    private let prefix: NetworkPrefix

    init(_ folder: TestnetFolder, _ plan: TestnetPlan) throws {
        guard 1...TestnetPlan.validatorsMax ~= plan.validators else {
            throw CommandFault(
                "\(plan.validators) validators; 1 to \(TestnetPlan.validatorsMax) are possible")
        }
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
        let validators = (0..<plan.validators).map { _ in ValidatorKeys() }
        let genesis = try makeGenesis(wallets, validators)
        let ports = try TestnetPorts.free(2 * plan.validators)
        let nodes = validators.enumerated().map { index, keys in
            TestnetNode(
                index: index, peerID: keys.peerID.text(in: prefix), linkPort: ports[2 * index],
                rpcPort: ports[2 * index + 1])
        }
        let text = Array(GenesisFile.text(of: genesis).utf8)
        try Home.write(text, to: folder.genesis, replacing: true)
        for (node, keys) in zip(nodes, validators) {
            try makeHome(node, keys, seeds: TestnetMaker.seeds(of: node, among: nodes), text)
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

    private func makeGenesis(_ wallets: [Wallet], _ validators: [ValidatorKeys]) throws -> Genesis {
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
            validators: validators.map { keys in
                GenesisValidator(
                    votingKey: keys.voting.secretKey.publicKey, peerID: keys.peerID,
                    rewardAddress: Policy.single(keys.voting.secretKey.publicKey).address,
                    stake: TestnetPlan.stake)
            },
            parameters: LedgerParameters(fees: .init(treasury: treasury)))
    }

    /// Where a node asks for others: at the first three, of which one may be down, and one may be
    /// the node itself.
    private static func seeds(of node: TestnetNode, among nodes: [TestnetNode]) -> [NetworkAddress]
    {
        nodes.prefix(3).filter { $0.index != node.index }
            .map { NetworkAddress(host: "127.0.0.1", port: $0.linkPort) }
    }

    private func makeHome(
        _ node: TestnetNode, _ keys: ValidatorKeys, seeds: [NetworkAddress], _ genesis: [UInt8]
    ) throws {
        let home = folder.home(node.index)
        try home.create()
        try write(keys.identity, to: home.identityKey)
        try write(keys.voting, to: home.validatorKey)
        try Home.write(genesis, to: home.genesis)
        var configuration = Configuration()
        configuration.listen = NetworkAddress(host: "127.0.0.1", port: node.linkPort)
        configuration.rpcListen = NetworkAddress(host: "127.0.0.1", port: node.rpcPort)
        configuration.logFormat = .text
        configuration.seeds = seeds
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

    private struct ValidatorKeys {
        let identity = StoredKey(role: .identity, material: .secretKey(.random()))
        let voting = StoredKey(role: .voting, material: .secretKey(.random()))
        var peerID: PeerID { PeerID(identity.secretKey.publicKey) }
    }
}
