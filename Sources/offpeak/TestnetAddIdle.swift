internal import ArgumentParser
internal import FoundationEssentials
internal import Primitives
internal import RPC
internal import Runtime

/// Adds nodes without a vote to a running network.
struct TestnetAddIdle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add-idle",
        abstract: "Add verifiers and relays to a running network, and start them.",
        discussion: """
            The wallet `faucet` bonds the verifiers by a transaction, each with half of the \
            validators' stake; they count from the period in which the bonds stand in the set of \
            verifiers. The nodes know the first validators' addresses, and find the others.
            """)

    @Option(help: "How many bonded nodes that check for others.")
    var verifiers = 2

    @Option(help: "How many nodes without bond, which forward and screen.")
    var relays = 1

    @OptionGroup var options: TestnetOptions

    mutating func validate() throws {
        for count in [verifiers, relays] where !(0...TestnetPlan.idleMax ~= count) {
            throw ValidationError("\(count) nodes: 0 to \(TestnetPlan.idleMax) are possible")
        }
        if verifiers + relays == 0 { throw ValidationError("no node to add") }
    }

    func run() async throws {
        let old = try options.network()
        let growth = try TestnetGrowth(old)
        let added = try growth.make(verifiers: verifiers, relays: relays)
        let network = try options.network()
        if verifiers > 0 {
            options.format.remark("bonding \(verifiers) verifiers")
            try await growth.bond(added)
            options.format.remark("waiting for the period in which the bonds count")
            try await growth.awaitBonds(added)
        }
        _ = try network.start()
        try await network.awaitReady(added.map(\.node.index))
        let nodes = added.map(\.node)
        options.format.show(nodes) {
            nodes.map { "node \($0.index), \($0.role.rawValue): \($0.rpc)" }
                .joined(separator: "\n")
        }
    }
}

/// Adds nodes to a network that was made before.
struct TestnetGrowth {
    /// A node that was added, with its keys.
    struct Added {
        let node: TestnetNode
        let keys: TestnetKeys
    }

    private let network: TestnetNetwork
    private let prefix: NetworkPrefix
    private let homes: TestnetHomes

    /// A period of an idle network lasts half a minute, and a bond counts in the next but one.
    private static let bondSeconds = 150

    init(_ network: TestnetNetwork) throws {
        self.network = network
        prefix = try NetworkPrefix(network.record.prefix)
        let genesis = try Home.readText(network.folder.genesis, maximum: GenesisFile.bytesMax)
        homes = TestnetHomes(
            folder: network.folder, prefix: prefix, genesis: Array(genesis.utf8))
    }

    /// Makes homes, and notes the nodes in the record.
    func make(verifiers: Int, relays: Int) throws -> [Added] {
        let record = network.record
        let keys =
            (0..<verifiers).map { _ in TestnetKeys(role: .verifier) }
            + (0..<relays).map { _ in TestnetKeys(role: .relay) }
        let nodes = try TestnetHomes.nodes(keys, from: record.nodes.count, prefix)
        let all = record.nodes + nodes
        for (node, keys) in zip(nodes, keys) { try homes.make(node, keys, among: all) }
        try TestnetRecord(
            network: record.network, prefix: record.prefix, chainID: record.chainID, nodes: all,
            wallets: record.wallets
        ).save(network.folder)
        return zip(nodes, keys).map { Added(node: $0, keys: $1) }
    }

    /// Bonds the verifiers by one transaction of the faucet.
    func bond(_ added: [Added]) async throws {
        guard let faucet = network.record.wallets.first(where: { $0.name == "faucet" }) else {
            throw CommandFault("the network has no wallet faucet to pay the bonds")
        }
        let builder = try await TransactionBuilder(
            try SigningOptions.parse(["--key", faucet.file]),
            try NodeOptions.parse(["--node", network.record.nodes[0].rpc]))
        let plan = TestnetPlan(validators: network.record.nodes(.validator).count)
        let bonds = added.filter { $0.node.role == .verifier }.map { added in
            Operation.bond(
                Bond(
                    amount: plan.bond, chainID: builder.network.chainID, sender: builder.sender,
                    key: added.keys.voting.secretKey, peerKey: added.keys.identity.secretKey))
        }
        let file = try await builder.build(bonds).signed(by: builder.keys.map(\.secretKey))
        try await settle(try file.signedTransaction())
    }

    private func settle(_ transaction: SignedTransaction) async throws {
        let client = network.clients[0]
        let submitted = try await client.submit(transaction)
        let status = try await client.wait(for: submitted.id)
        guard status.receipt?.outcome == .success else {
            let reason = status.receipt?.failure?.reason ?? status.reason ?? status.state.rawValue
            throw CommandFault("the bonds came to nothing: \(reason)")
        }
    }

    /// Waits until the verifiers stand in the set of the present period.
    func awaitBonds(_ added: [Added]) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(TestnetGrowth.bondSeconds))
        let wanted = Set(added.filter { $0.node.role == .verifier }.map(\.node.peerID))
        while clock.now < deadline {
            let list = try await network.clients[0].verifiers()
            if wanted.isSubset(of: list.verifiers.map(\.peerID)) { return }
            try await clock.sleep(for: .milliseconds(200))
        }
        throw CommandFault(
            "the bonds don't count after \(TestnetGrowth.bondSeconds) seconds; does the network"
                + " finalize blocks? `offpeak testnet status` tells")
    }
}
