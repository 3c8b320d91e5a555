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
    /// Heights of an epoch: a multiple of `periodBlocks`, at least 64.
    var epochBlocks: UInt64 = 9_600
    /// Whether bonds above a third check each signature, or all validators do.
    var spreads = true
    /// Names of the wallets that have funds from the start.
    var wallets = ["alice", "bob", "carol", "dave", "erin", "arbiter", "operator", "faucet"]
    /// What each of them has; `faucet` has a thousand times as much.
    var walletBalance = Amount(1_000_000_000)
    /// Accounts besides the wallets.
    var accounts: [GenesisAccount] = []
    var network = "offpeak-local"

    /// More processes than this are no use on one machine.
    static let validatorsMax = 31
    /// The same of verifiers, and of relays.
    static let idleMax = 8
    /// Heights for which a set of verifiers stands.
    static let periodBlocks: UInt64 = 32
    static let prefix = "opk"
    /// Windows and delays of a second, so that a walk needn't wait for hours.
    static let safeguards = SafeguardParameters(
        windowMillisecondsMin: 1000, delayMillisecondsMin: 1000)
    /// All that can be governed is; a decision acts with an epoch.
    static let governance = GovernanceParameters(
        governed: GovernedParameter.allCases, voteBlocks: 30, delayBlocks: 10)
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
        guard epochBlocks.isMultiple(of: TestnetPlan.periodBlocks), 64...96_000 ~= epochBlocks
        else {
            throw CommandFault(
                "an epoch of \(epochBlocks) blocks; multiples of "
                    + "\(TestnetPlan.periodBlocks) from 64 to 96000 are possible")
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
        let keys = plan.roles.map { TestnetKeys(role: $0) }
        let genesis = try makeGenesis(wallets, keys)
        let nodes = try TestnetHomes.nodes(keys, from: 0, prefix)
        let text = Array(GenesisFile.text(of: genesis).utf8)
        try Home.write(text, to: folder.genesis, replacing: true)
        let homes = TestnetHomes(folder: folder, prefix: prefix, genesis: text)
        for (node, keys) in zip(nodes, keys) { try homes.make(node, keys, among: nodes) }
        let record = TestnetRecord(
            network: plan.network, prefix: TestnetPlan.prefix, chainID: "\(genesis.chainID)",
            nodes: nodes, wallets: wallets.map(\.record))
        try record.save(folder)
        return record
    }

    private func makeWallet(_ name: String) throws -> Wallet {
        let key = StoredKey(role: .wallet, material: .secretKey(.random()))
        let file = folder.wallet(name)
        try folder.write(key, to: file)
        let policy = Policy.single(key.secretKey.publicKey)
        let record = TestnetWallet(
            name: name, address: policy.address.text(in: prefix),
            publicKey: key.secretKey.publicKey.text(in: prefix), file: file)
        return Wallet(record: record, address: policy.address)
    }

    private func makeGenesis(_ wallets: [Wallet], _ keys: [TestnetKeys]) throws -> Genesis {
        guard let treasury = wallets.last?.address else {
            throw CommandFault("a local network needs a wallet")
        }
        // Who owns the validators' stakes: `offpeak validator` is signed with this wallet.
        let operatorAddress = wallets.first { $0.record.name == "operator" }?.address
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
                    rewardAddress: operatorAddress ?? keys.rewardAddress,
                    stake: TestnetPlan.stake)
            },
            verifiers: keys.filter { $0.role == .verifier }.map { keys in
                GenesisVerifier(
                    key: keys.votingKey, peerID: keys.peerID, rewardAddress: keys.rewardAddress,
                    bond: plan.bond)
            },
            parameters: LedgerParameters(
                fees: .init(treasury: treasury), stake: .init(epochBlocks: plan.epochBlocks),
                verification: .init(
                    spread: plan.spreads, periodBlocks: TestnetPlan.periodBlocks,
                    unbondBlocks: 4 * plan.epochBlocks),
                governance: TestnetPlan.governance,
                safeguards: TestnetPlan.safeguards))
    }

    private struct Wallet {
        let record: TestnetWallet
        let address: Address
    }
}
