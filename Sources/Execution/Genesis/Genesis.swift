package import Primitives

/// What a network starts from: its name, its first accounts and validators, and its parameters.
///
/// Only a consistent one can be made. Wire: network, prefix, time, accounts (sorted by address,
/// unique), validators (in the order of their indexes), verifiers, parameters.
package struct Genesis: Hashable, Sendable {
    /// The network's name, 1...64 bytes of letters, digits, `-`, `_` and `.`.
    package let network: String
    /// What every name that a person reads begins with, 1...8 lower-case letters.
    package let prefix: String
    /// The time of height 0.
    package let time: Timestamp
    /// Sorted by address.
    package let accounts: [GenesisAccount]
    /// In the order of their indexes.
    package let validators: [GenesisValidator]
    /// Bonded without a vote, at most 512.
    package let verifiers: [GenesisVerifier]
    package let parameters: LedgerParameters
    /// All that exists of the native asset: balances, stakes and bonds.
    package let supply: Amount
    /// The hash of the canonical bytes.
    package let chainID: ChainID
    /// The validators of epoch 0.
    package let committee: Committee

    /// The most accounts of a genesis.
    package static let accountsMax = 1_000_000

    /// A genesis of accounts in any order.
    /// - Throws: `GenesisFault` with the JSON path of the first fault.
    package init(
        network: String, prefix: String, time: Timestamp, accounts: [GenesisAccount],
        validators: [GenesisValidator], verifiers: [GenesisVerifier] = [],
        parameters: LedgerParameters
    ) throws(GenesisFault) {
        try GenesisCheck.names(network: network, prefix: prefix)
        try GenesisCheck.accounts(accounts)
        try GenesisCheck.parameters(parameters)
        try GenesisCheck.validators(validators, parameters.stake)
        try GenesisCheck.verifiers(
            verifiers, beside: validators, minimum: parameters.verification.minimumBond)
        supply = try GenesisCheck.supply(accounts, validators, verifiers)
        self.network = network
        self.prefix = prefix
        self.time = time
        self.accounts = accounts.sorted { $0.address < $1.address }
        self.validators = validators
        self.verifiers = verifiers
        self.parameters = parameters
        var writer = BCSWriter()
        Genesis.encode(
            network, prefix, time, self.accounts, validators, verifiers, parameters, to: &writer)
        chainID = ChainID(Digest.hash(.genesis, writer.bytes).bytes32)
        committee = try GenesisCheck.committee(chainID, validators, parameters.stake)
    }

    /// Checks that somebody can sign by every key of a genesis that a person has written; simulated
    /// networks have keys that are none. 10 µs for each key.
    /// - Throws: `GenesisFault` with the JSON path of the first by which nobody can.
    package static func checkKeys(
        of accounts: [GenesisAccount], _ validators: [GenesisValidator],
        _ verifiers: [GenesisVerifier]
    ) throws(GenesisFault) {
        try GenesisCheck.policies(accounts)
        try GenesisCheck.keys(validators, verifiers)
    }

    /// Which heights an epoch has.
    package var epochs: EpochSchedule { parameters.epochs }

    /// What the state has of epoch 0.
    package var epochRecord: EpochRecord {
        EpochRecord(epoch: 0, boundary: .zero, validators: committee.validators)
    }

    private static func encode(
        _ network: String, _ prefix: String, _ time: Timestamp, _ accounts: [GenesisAccount],
        _ validators: [GenesisValidator], _ verifiers: [GenesisVerifier],
        _ parameters: LedgerParameters, to writer: inout BCSWriter
    ) {
        writer.append(network)
        writer.append(prefix)
        writer.append(time)
        writer.append(list: accounts)
        writer.append(list: validators)
        writer.append(list: verifiers)
        writer.append(parameters)
    }
}

extension Genesis: BCSCodable {
    package func encode(to writer: inout BCSWriter) {
        Genesis.encode(
            network, prefix, time, accounts, validators, verifiers, parameters, to: &writer)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let network = try reader.readString(maximum: GenesisCheck.networkBytesMax)
        let prefix = try reader.readString(maximum: GenesisCheck.prefixBytesMax)
        let time: Timestamp = try reader.read()
        let accounts = try reader.readSortedList(
            maximum: Genesis.accountsMax, elementBytes: 41
        ) { (account: GenesisAccount) in account.address }
        let validators: [GenesisValidator] = try reader.readList(
            minimum: 1, maximum: Committee.countMax, elementBytes: 104)
        let verifiers: [GenesisVerifier] = try reader.readList(
            maximum: VerifierSet.countMax, elementBytes: 104)
        let parameters: LedgerParameters = try reader.read()
        do throws(GenesisFault) {
            self = try Genesis(
                network: network, prefix: prefix, time: time, accounts: accounts,
                validators: validators, verifiers: verifiers, parameters: parameters)
        } catch {
            throw BCSError(.invalidValue(error.description), at: start)
        }
    }
}

/// An account that exists from the start.
///
/// Wire: owner (variant 0 and an address, or 1 and a policy), balance.
package struct GenesisAccount: Hashable, Sendable, BCSCodable {
    /// Whose account it is.
    package enum Owner: Hashable, Sendable {
        /// An address whose policy is revealed by the first spend.
        case address(Address)
        /// A policy that everybody knows from the start; its hash is the address.
        case policy(Policy)
    }

    package let owner: Owner
    /// Native asset; may be 0.
    package let balance: Amount
    /// The account's name, computed once.
    package let address: Address

    package init(owner: Owner, balance: Amount) {
        self.owner = owner
        self.balance = balance
        switch owner {
        case .address(let address): self.address = address
        case .policy(let policy): address = policy.address
        }
    }

    /// The policy, where it is known from the start.
    package var policy: Policy? {
        if case .policy(let policy) = owner { policy } else { nil }
    }

    package func encode(to writer: inout BCSWriter) {
        switch owner {
        case .address(let address):
            writer.appendVariant(0)
            writer.append(address)
        case .policy(let policy):
            writer.appendVariant(1)
            writer.append(policy)
        }
        writer.append(balance)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let owner: Owner
        switch try reader.readULEB128() {
        case 0: owner = .address(try reader.read())
        case 1: owner = .policy(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
        self.init(owner: owner, balance: try reader.read())
    }
}

/// A validator of epoch 0. Wire: voting key, peer id, reward address, stake.
package struct GenesisValidator: Hashable, Sendable, BCSCodable {
    package let votingKey: PublicKey
    package let peerID: PeerID
    package let rewardAddress: Address
    /// Bonded native asset: part of the supply, and not of any balance.
    package let stake: Amount

    package init(votingKey: PublicKey, peerID: PeerID, rewardAddress: Address, stake: Amount) {
        self.votingKey = votingKey
        self.peerID = peerID
        self.rewardAddress = rewardAddress
        self.stake = stake
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(votingKey)
        writer.append(peerID)
        writer.append(rewardAddress)
        writer.append(stake)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        votingKey = try reader.read()
        peerID = try reader.read()
        rewardAddress = try reader.read()
        stake = try reader.read()
    }
}
