@_spi(Simulation) internal import Consensus
internal import Execution
internal import NodeCore
internal import Primitives

/// What a run of whole nodes starts from.
enum NodeWorld {
    static let deltaMax: UInt64 = 2_000
    static let userBalance: UInt64 = 50_000_000
    private static let stakeUnit: UInt64 = 1_000

    /// Users with one key each, one account of three of them, and the owners of bonds where
    /// committees change.
    static func users(_ scenario: NodeScenario) -> [SimulatedUser] {
        let keys = (0..<scenario.users).map { SimulatedSigner(index: 1_000 + $0) }
        var users = keys.enumerated().map { index, key in
            SimulatedUser(
                index: index, signers: [key], policy: .single(key.publicKey),
                balance: userBalance)
        }
        let signers = keys.prefix(3).map { Policy.Signer(publicKey: $0.publicKey, weight: 1) }
        if let policy = try? Policy(signers: Array(signers), spend: 2, admin: 3) {
            users.append(
                SimulatedUser(
                    index: users.count, signers: Array(keys.prefix(2)), policy: policy,
                    balance: userBalance))
        }
        guard !scenario.standbys.isEmpty else { return users }
        for node in Array(scenario.weights.indices) + Array(scenario.standbys) {
            let key = rewardKey(node)
            users.append(
                SimulatedUser(
                    index: users.count, signers: [key], policy: .single(key.publicKey),
                    balance: userBalance, node: node))
        }
        return users
    }

    static func key(_ index: Int) -> SimulatedSigner { SimulatedSigner(index: index) }

    /// Of the account that owns a node's bond and receives what it earns.
    private static func rewardKey(_ index: Int) -> SimulatedSigner {
        SimulatedSigner(index: 2_000 + index)
    }

    private static func reward(_ index: Int) -> Address {
        Policy.single(rewardKey(index).publicKey).address
    }

    static func genesis(_ scenario: NodeScenario, _ users: [SimulatedUser]) -> Genesis {
        let rules = scenario.rules
        let epoch = scenario.epochBlocks
        let parameters = LedgerParameters(
            fees: FeeParameters(treasury: reward(999)),
            stake: StakeParameters(epochBlocks: epoch),
            consensus: ConsensusParameters(
                deltaBaseMilliseconds: rules.deltaBase, deltaMaxMilliseconds: deltaMax,
                idleMilliseconds: rules.idle, executionLagMax: rules.executionLag),
            batches: BatchParameters(
                transactionsMax: rules.batchTransactions, expiryBlocks: rules.expiryBlocks),
            verification: VerificationParameters(
                spread: rules.spread, periodBlocks: rules.periodBlocks,
                termBlocks: rules.termBlocks, complaintBlocks: rules.complaintBlocks,
                minimumBond: Amount(stakeUnit), unbondBlocks: 3 * epoch + 16 * rules.periodBlocks))
        do {
            return try Genesis(
                network: "simulated", prefix: "sim",
                time: Timestamp(Simulation.epochMilliseconds - 1_000),
                accounts: users.map {
                    GenesisAccount(owner: .policy($0.policy), balance: Amount($0.balance))
                },
                validators: scenario.weights.enumerated().map { index, weight in
                    GenesisValidator(
                        votingKey: key(index).publicKey, peerID: PeerID(key(index).publicKey),
                        rewardAddress: reward(index), stake: Amount(weight * 1_000_000))
                },
                verifiers: scenario.verifierBonds.enumerated().map { place, bond in
                    let index = scenario.weights.count + place
                    return GenesisVerifier(
                        key: key(index).publicKey, peerID: PeerID(key(index).publicKey),
                        rewardAddress: reward(index), bond: Amount(bond * 1_000_000))
                },
                parameters: parameters)
        } catch {
            preconditionFailure("seed \(scenario.seed): \(error)")
        }
    }

    static func host(
        _ index: Int, _ scenario: NodeScenario, _ genesis: Genesis, _ clock: NodeClock
    ) -> SimulatedHost {
        let signs = index < scenario.weights.count + scenario.verifierBonds.count
        var configuration = NodeConfiguration(
            genesis: genesis, signer: signs ? key(index) : nil)
        configuration.planted = scenario.planted
        let isLiar = scenario.liars[index] != nil
        configuration.plantedBug = scenario.plantedBug ?? (isLiar ? .blindToTwin : nil)
        let role: SimulatedHost.Role =
            index < scenario.weights.count ? .validator : signs ? .verifier : .relay
        return SimulatedHost(
            index: index, role: role, peerID: PeerID(key(index).publicKey),
            configuration: configuration, clock: clock)
    }

    static func name(_ host: SimulatedHost) -> String {
        let role = "\(host.role) \(host.index)"
        return host.isHonest ? role : role + " (lies)"
    }
}
