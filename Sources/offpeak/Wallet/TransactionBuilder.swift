internal import Execution
internal import Primitives
internal import RPC
internal import Runtime

/// Turns options and operations into a transaction that its network will accept.
struct TransactionBuilder: Sendable {
    let network: NetworkContext
    /// Nil where no node may be asked.
    let client: NodeClient?
    let options: SigningOptions
    let keys: [StoredKey]
    let sender: Address
    let cosigners: [Address]
    /// Policies that files and keys on this machine tell, by the account that they open.
    private let knownPolicies: [Policy]

    /// Reads keys and policies, and asks the node for its network unless `--offline` is given.
    init(_ options: SigningOptions, _ node: NodeOptions) async throws(CommandFault) {
        guard !options.offline || options.sequence != nil else {
            throw .usage("--offline needs --sequence: no node is asked for it")
        }
        let client = options.offline ? nil : try node.client()
        let network = try await TransactionBuilder.network(options, client)
        var keys: [StoredKey] = []
        for path in options.key {
            keys.append(
                try KeyStoreFile.read(path, passwordFile: options.passphraseFile))
        }
        try self.init(options, network: network, client: client, keys: keys)
    }

    /// - Throws: `CommandFault` where the sender can't be told, or a file is wrong.
    init(
        _ options: SigningOptions, network: NetworkContext, client: NodeClient?,
        keys: [StoredKey]
    ) throws(CommandFault) {
        self.options = options
        self.network = network
        self.client = client
        self.keys = keys
        var policies = keys.map { Policy.single($0.secretKey.publicKey) }
        if let path = options.policy {
            policies.insert(try TransactionBuilder.policy(path, network), at: 0)
        }
        sender = try TransactionBuilder.sender(options, network, policies)
        cosigners = try TransactionBuilder.cosigners(options, network, adding: &policies).sorted()
        knownPolicies = policies
        try checkCosigners()
    }

    private static func sender(
        _ options: SigningOptions, _ network: NetworkContext, _ policies: [Policy]
    ) throws(CommandFault) -> Address {
        if let from = options.from { return try network.parse(from) }
        guard let first = policies.first else {
            throw .usage("whose transaction? name --from, --policy or --key")
        }
        return first.address
    }

    /// The accounts of `--cosigner`; the policies of those that are named by a file are added.
    private static func cosigners(
        _ options: SigningOptions, _ network: NetworkContext, adding policies: inout [Policy]
    ) throws(CommandFault) -> [Address] {
        var cosigners: [Address] = []
        for text in options.cosigner {
            if IDText.prefix(of: text) != nil {
                cosigners.append(try network.parse(text))
            } else {
                let policy = try policy(text, network)
                policies.append(policy)
                cosigners.append(policy.address)
            }
        }
        return cosigners
    }

    /// The policy that opens an account, if a file or a key on this machine tells it.
    func knownPolicy(of address: Address) -> Policy? {
        knownPolicies.first { $0.address == address }
    }

    private func checkCosigners() throws(CommandFault) {
        for (place, address) in cosigners.enumerated() {
            guard address != sender else {
                throw .usage("--cosigner \(network.text(address)) is the sender: leave it out")
            }
            guard place == 0 || cosigners[place - 1] != address else {
                throw .usage("--cosigner \(network.text(address)) is given twice")
            }
        }
        guard cosigners.count <= TransactionLimits.cosignersMax else {
            throw .usage(
                "\(cosigners.count) cosigners, at most \(TransactionLimits.cosignersMax) allowed")
        }
    }

    private static func policy(
        _ path: String, _ network: NetworkContext
    ) throws(CommandFault) -> Policy {
        let file = try PolicyFile.read(path)
        guard file.prefix == network.prefix else {
            throw CommandFault(
                """
                \(path) is for the network "\(file.prefix)", this network is \
                "\(network.prefix)"
                """)
        }
        return file.policy
    }
}

// The network.
extension TransactionBuilder {
    private static func network(
        _ options: SigningOptions, _ client: NodeClient?
    ) async throws(CommandFault) -> NetworkContext {
        let network =
            if let client {
                try await client.context(options.feeLevel)
            } else {
                try offlineNetwork(options)
            }
        if let prefix = options.prefix, prefix != network.prefix.text {
            throw CommandFault(
                "--prefix \(prefix): this network's prefix is \(network.prefix)")
        }
        if let text = options.chainId {
            let wanted = ChainID(try IDText.parse(hex: text, "a chain id"))
            guard wanted == network.chainID else {
                throw CommandFault(
                    "--chain-id \(wanted): this network is another one, \(network.chainID)")
            }
        }
        return network
    }

    private static func offlineNetwork(
        _ options: SigningOptions
    ) throws(CommandFault) -> NetworkContext {
        if let path = options.genesis {
            return try NetworkContext(try GenesisText.read(path), now: WallClock.now)
        }
        guard let chainID = options.chainId else {
            throw .usage("--offline needs --genesis FILE or --chain-id HEX")
        }
        return NetworkContext(
            prefix: try NetworkContext.prefix(options.prefix ?? PrefixOptions.standard),
            chainID: ChainID(try IDText.parse(hex: chainID, "a chain id")), fees: .standard,
            now: WallClock.now)
    }
}

// The transaction.
extension TransactionBuilder {
    /// A transaction of `operations` without signatures, with every policy that the network may
    /// not know yet.
    /// - Throws: `CommandFault` for an account that doesn't exist, or whose policy nobody tells.
    func build(_ operations: [Operation]) async throws(CommandFault) -> TransactionFile {
        guard !operations.contains(where: \.movesNothing) else {
            throw .usage("an amount of 0 moves nothing, and would cost a fee: give one above 0")
        }
        var current: [Policy] = []
        var revealed: [Policy] = []
        var sequence = options.sequence
        for address in [sender] + cosigners {
            let account = try await account(address)
            let known = knownPolicy(of: address)
            if let policy = try account?.policy.map({ info throws(CommandFault) in
                try Policy(info, in: network.prefix)
            }) {
                current.append(policy)
            } else if let known {
                current.append(known)
                revealed.append(known)
            } else {
                try missingPolicy(of: address)
            }
            if address == sender, sequence == nil { sequence = nextSequence(account) }
        }
        return try assemble(
            operations, sequence: sequence ?? 0, revealed: revealed, current: current)
    }

    /// What the node knows of an account; nil off-line, and for a cosigner without an account.
    private func account(_ address: Address) async throws(CommandFault) -> AccountInfo? {
        guard let client else { return nil }
        let text = network.text(address)
        let account = try await client.find { rpc throws(RPCClientFault) in
            try await rpc.account(text)
        }
        guard account != nil || address != sender else {
            throw CommandFault(
                "the account \(text) doesn't exist yet: it begins with the first payment to it")
        }
        return account
    }

    private func nextSequence(_ account: AccountInfo?) -> UInt64 {
        let stream = account?.streams.first { $0.stream == options.stream }
        return stream?.nextSequence.rawValue ?? 0
    }

    /// Off-line the policy may be known to the network; with a node it is known that it isn't.
    private func missingPolicy(of address: Address) throws(CommandFault) {
        guard client != nil else { return }
        let text = network.text(address)
        let option = address == sender ? "--policy FILE" : "--cosigner FILE"
        throw CommandFault(
            """
            the network doesn't know the policy of \(text) yet, and no key given here has this \
            address; name its policy file with \(option)
            """)
    }

    private func assemble(
        _ operations: [Operation], sequence: UInt64, revealed: [Policy], current: [Policy]
    ) throws(CommandFault) -> TransactionFile {
        func transaction(
            _ maxFee: Amount, tip: Amount
        ) throws(CommandFault) -> Transaction {
            Transaction(
                chainID: network.chainID, sender: sender, stream: options.stream,
                sequence: SequenceNumber(sequence), validUntil: try validUntil(), maxFee: maxFee,
                tip: tip, cosigners: cosigners, memo: Array((options.memo ?? "").utf8),
                operations: operations)
        }
        if let maxFee = options.maxFee {
            return try TransactionFile(
                transaction: try transaction(maxFee, tip: options.tip ?? 0),
                prefix: network.prefix, policies: revealed)
        }
        let signatures = max(keys.count, Set(current.flatMap(\.signers).map(\.publicKey)).count, 1)
        let unsigned = SignedTransaction(
            transaction: try transaction(0, tip: 0), policies: revealed, authorizations: [])
        let bytes = unsigned.byteCount + 96 * signatures
        let charged = signatures + unsigned.chargedSignatures
        // A node's word alone makes nobody tip more than the fee.
        let fee = network.fees.fee(
            bytes: bytes, signatures: charged, operations: operations.count)
        let tip = options.tip ?? min(network.fees.tip, fee ?? 0)
        let maxFee = network.fees.generousMaximum(
            bytes: bytes, signatures: charged, operations: operations.count, tip: tip)
        return try TransactionFile(
            transaction: try transaction(maxFee, tip: tip), prefix: network.prefix,
            policies: revealed)
    }

    private func validUntil() throws(CommandFault) -> Timestamp {
        let most =
            options.stream == 0
            ? TransactionLimits.validityMillisecondsMax
            : TransactionLimits.streamValidityMillisecondsMax
        let span = options.validity
        guard 1...most ~= span.milliseconds else {
            throw .usage(
                """
                --valid-for \(span): a transaction on stream \(options.stream) can be valid for \
                at most \(TimeSpan(milliseconds: most))
                """)
        }
        return network.now.clampedAdvance(by: span.milliseconds)
    }
}

extension Policy {
    /// The policy that a node tells.
    init(_ info: PolicyInfo, in prefix: NetworkPrefix) throws(CommandFault) {
        var signers: [Signer] = []
        for signer in info.signers {
            signers.append(
                Signer(
                    publicKey: try IDText.parse(signer.publicKey, in: prefix),
                    weight: signer.weight))
        }
        do throws(Fault) {
            try self.init(signers: signers, spend: info.spend, admin: info.admin)
        } catch {
            throw CommandFault("the node told an impossible policy: \(error)")
        }
    }
}

extension Operation {
    /// Whether it fails for its amount of 0.
    fileprivate var movesNothing: Bool {
        switch self {
        case .transfer(let transfer): transfer.amount == 0
        case .mint(let mint): mint.amount == 0
        case .redeem(let redemption): redemption.amount == 0
        case .clawback(let clawback): clawback.amount == 0
        case .bond(let bond): bond.amount == 0
        case .unbond(let unbond): unbond.amount == 0
        case .escrowTopUp(let topUp): topUp.amount == 0
        case .escrowDecide(let decision): decision.amount == 0
        default: false
        }
    }
}
