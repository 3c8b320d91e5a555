/// Somebody who may attest that signatures were checked, with what it stands to lose.
///
/// Wire: key, peer id, bond, reward address.
public struct BondedVerifier: Hashable, Sendable, BCSCodable {
    /// The key that signs acks; a validator's voting key.
    public let key: PublicKey
    /// The node's identity on the network.
    public let peerID: PeerID
    /// In whole units of stake, as a validator's weight; 0 for one that is jailed.
    public let bond: UInt64
    /// The account that receives rewards.
    public let rewardAddress: Address

    public init(key: PublicKey, peerID: PeerID, bond: UInt64, rewardAddress: Address) {
        self.key = key
        self.peerID = peerID
        self.bond = bond
        self.rewardAddress = rewardAddress
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(key)
        writer.append(peerID)
        writer.append(bond)
        writer.append(rewardAddress)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        key = try reader.read()
        peerID = try reader.read()
        bond = try reader.readUInt64()
        rewardAddress = try reader.read()
    }
}

/// A member's place in a verifier set: the validators first, by their indexes. Wire: two bytes.
public struct VerifierIndex: Hashable, Comparable, Sendable, BCSCodable, CustomStringConvertible {
    public let rawValue: UInt16
    public init(_ rawValue: UInt16) { self.rawValue = rawValue }
    /// A validator's place.
    public init(_ validator: ValidatorIndex) { rawValue = validator.rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    public func encode(to writer: inout BCSWriter) { writer.append(rawValue) }
    public init(from reader: inout BCSReader) throws(BCSError) {
        rawValue = try reader.readUInt16()
    }
    public var description: String { String(rawValue) }
}

/// Those whose word counts for signatures during a period of heights: the validators, and the
/// verifiers that bonded stake without a vote.
///
/// With B the sum of the bonds, at most `faultyMax` = F_U = (B - 1) / 3 of it may lie; members with
/// `validityThreshold` = H_U = F_U + 1 that say the same include an honest one.
///
/// Wire: period, number of validators (two bytes), list of members.
public struct VerifierSet: Hashable, Sendable {
    /// Validators and other verifiers together: a certificate has an entry for each at most.
    public static let countMax = Committee.countMax

    /// Counts from 0 with the chain's first heights.
    public let period: UInt64
    /// The validators in the order of their indexes, then the others by rising key.
    public let members: [BondedVerifier]
    /// How many of them are validators.
    public let validatorCount: Int
    /// B, below 2^61.
    public let totalBond: UInt64
    /// F_U: the bonds that may lie.
    public let faultyMax: UInt64
    /// H_U: the least bonds with an honest member.
    public let validityThreshold: UInt64

    private let indexes: [PublicKey: VerifierIndex]
    private let peers: [PeerID: VerifierIndex]

    /// The set of `committee`'s validators, with their weights as bonds unless they are `jailed`,
    /// and of `others`.
    ///
    /// Others come in any order; those whose key or peer id is a validator's or another's, or whose
    /// bond is 0, are left out, and of too many the smallest bonds (ties: the higher key). Where
    /// all validators are jailed and nobody else is there, everybody counts again: signatures must
    /// be checked by somebody.
    public init(
        period: UInt64, committee: Committee, jailed: Set<ValidatorIndex> = [],
        others: [BondedVerifier] = []
    ) {
        var members = VerifierSet.validators(of: committee, jailed: jailed)
        members += VerifierSet.eligible(others, beside: members)
        if members.allSatisfy({ $0.bond == 0 }) {
            members = VerifierSet.validators(of: committee, jailed: [])
        }
        self.init(period: period, members: members, validatorCount: committee.count)
    }

    private init(period: UInt64, members: [BondedVerifier], validatorCount: Int) {
        self.period = period
        self.members = members
        self.validatorCount = validatorCount
        totalBond = members.reduce(0) { $0 + $1.bond }
        faultyMax = (max(totalBond, 1) - 1) / 3
        validityThreshold = faultyMax + 1
        var indexes: [PublicKey: VerifierIndex] = [:]
        var peers: [PeerID: VerifierIndex] = [:]
        for (place, member) in members.enumerated() {
            indexes[member.key] = VerifierIndex(UInt16(place))
            peers[member.peerID] = VerifierIndex(UInt16(place))
        }
        self.indexes = indexes
        self.peers = peers
    }

    private static func validators(
        of committee: Committee, jailed: Set<ValidatorIndex>
    ) -> [BondedVerifier] {
        committee.indices.map { index in
            let validator = committee.validators[Int(index.rawValue)]
            return BondedVerifier(
                key: validator.votingKey, peerID: validator.peerID,
                bond: jailed.contains(index) ? 0 : validator.weight,
                rewardAddress: validator.rewardAddress)
        }
    }

    private static func eligible(
        _ others: [BondedVerifier], beside validators: [BondedVerifier]
    ) -> [BondedVerifier] {
        var keys = Set(validators.map(\.key))
        var peers = Set(validators.map(\.peerID))
        let ranked = others.sorted { ($1.bond, $0.key) < ($0.bond, $1.key) }
        var chosen: [BondedVerifier] = []
        var total: UInt64 = 0
        for other in ranked where other.bond > 0 && other.bond < 1 << 60 {
            guard validators.count + chosen.count < countMax, total + other.bond < 1 << 60,
                !keys.contains(other.key), !peers.contains(other.peerID)
            else { continue }
            keys.insert(other.key)
            peers.insert(other.peerID)
            total += other.bond
            chosen.append(other)
        }
        return chosen.sorted { $0.key < $1.key }
    }

    /// The number of members.
    public var count: Int { members.count }

    /// Every place in order.
    public var indices: [VerifierIndex] { (0..<count).map { VerifierIndex(UInt16($0)) } }

    /// The member at `index`, or nil outside the set.
    public subscript(index: VerifierIndex) -> BondedVerifier? {
        Int(index.rawValue) < count ? members[Int(index.rawValue)] : nil
    }

    /// Whether the member at `index` has a vote too.
    public func isValidator(_ index: VerifierIndex) -> Bool {
        Int(index.rawValue) < validatorCount
    }

    /// The place of a key, or nil outside the set.
    public func index(of key: PublicKey) -> VerifierIndex? { indexes[key] }
    /// The place of a node, or nil outside the set.
    public func index(of peer: PeerID) -> VerifierIndex? { peers[peer] }

    /// The bond of the member at `index`, 0 outside the set.
    public func bond(of index: VerifierIndex) -> UInt64 { self[index]?.bond ?? 0 }

    /// The summed bonds of distinct members. Indexes outside count nothing.
    public func bond(of signers: some Sequence<VerifierIndex>) -> UInt64 {
        signers.reduce(0) { $0 + bond(of: $1) }
    }
}

extension VerifierSet: BCSCodable {
    public func encode(to writer: inout BCSWriter) {
        writer.append(period)
        writer.append(UInt16(validatorCount))
        writer.append(list: members)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let period = try reader.readUInt64()
        let validatorCount = Int(try reader.readUInt16())
        let members: [BondedVerifier] = try reader.readList(
            minimum: 1, maximum: VerifierSet.countMax, elementBytes: 104)
        guard validatorCount <= members.count,
            Set(members.map(\.key)).count == members.count,
            members.allSatisfy({ $0.bond < 1 << 60 }),
            VerifierSet.sumIsInRange(members)
        else { throw BCSError(.invalidValue("a verifier set that can't be"), at: start) }
        self.init(period: period, members: members, validatorCount: validatorCount)
    }

    private static func sumIsInRange(_ members: [BondedVerifier]) -> Bool {
        var total: UInt64 = 0
        for member in members {
            total += member.bond
            guard total < 1 << 61 else { return false }
        }
        return true
    }
}
