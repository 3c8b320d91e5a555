/// A member of the committee that votes.
///
/// Wire: key, identity, weight, reward address.
public struct Validator: Hashable, Sendable, BCSCodable {
    /// The key that signs votes, batches and acks.
    public let votingKey: PublicKey
    /// The node's identity on the network.
    public let peerID: PeerID
    /// Votes: the bonded stake in whole units of the genesis parameter, at least 1.
    public let weight: UInt64
    /// The account that receives the validator's share of the fees.
    public let rewardAddress: Address

    public init(votingKey: PublicKey, peerID: PeerID, weight: UInt64, rewardAddress: Address) {
        self.votingKey = votingKey
        self.peerID = peerID
        self.weight = weight
        self.rewardAddress = rewardAddress
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(votingKey)
        writer.append(peerID)
        writer.append(weight)
        writer.append(rewardAddress)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        votingKey = try reader.read()
        peerID = try reader.read()
        weight = try reader.readUInt64()
        rewardAddress = try reader.read()
    }
}

/// A validator's place in its committee, 0 ..< count. Wire: two bytes.
public struct ValidatorIndex: Hashable, Comparable, Sendable, BCSCodable, CustomStringConvertible {
    public let rawValue: UInt16
    public init(_ rawValue: UInt16) { self.rawValue = rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    public func encode(to writer: inout BCSWriter) { writer.append(rawValue) }
    public init(from reader: inout BCSReader) throws(BCSError) {
        rawValue = try reader.readUInt16()
    }
    public var description: String { String(rawValue) }
}

/// The validators of an epoch with their weights, and every threshold made from them.
///
/// With W the sum of the weights, at most `faultyMax` = F = (W - 1) / 3 of it may lie. Two sets of
/// `quorum` = Q = W - F share an honest member; a set of `validityThreshold` = H = F + 1 has one.
public struct Committee: Hashable, Sendable {
    /// The most validators that a committee holds.
    public static let countMax = 512
    /// The most that the weights may sum up to.
    public static let totalWeightMax: UInt64 = (1 << 60) - 1

    public let chainID: ChainID
    public let epoch: Epoch
    /// In the order of their indexes.
    public let validators: [Validator]
    /// W, below 2^60.
    public let totalWeight: UInt64
    /// F: the weight that may be faulty.
    public let faultyMax: UInt64
    /// Q: the weight of a certificate.
    public let quorum: UInt64
    /// H: the least weight with an honest member.
    public let validityThreshold: UInt64
    /// What the epoch's choices of leaders and owners are drawn from.
    public let seed: Digest

    private let indexes: [PublicKey: ValidatorIndex]
    private let peers: [PeerID: ValidatorIndex]

    /// Why a list of validators can't be a committee.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case empty
        case tooMany(Int)
        case zeroWeight(Int)
        case weightOverflow
        case duplicateKey(Int)
        case duplicatePeer(Int)

        public var description: String {
            switch self {
            case .empty: "no validators: at least one is needed"
            case .tooMany(let count): "\(count) validators, at most \(Committee.countMax)"
            case .zeroWeight(let index): "validator \(index) has weight 0, at least 1 is needed"
            case .weightOverflow: "the sum of the weights isn't below 2^60"
            case .duplicateKey(let index): "validator \(index) repeats a voting key"
            case .duplicatePeer(let index): "validator \(index) repeats a peer id"
            }
        }
    }

    /// - Throws: `Fault` for a list that can't vote.
    public init(
        chainID: ChainID, epoch: Epoch, validators: [Validator], boundary: Digest = .zero
    ) throws(Fault) {
        guard !validators.isEmpty else { throw .empty }
        guard validators.count <= Committee.countMax else { throw .tooMany(validators.count) }
        var total: UInt64 = 0
        var indexes: [PublicKey: ValidatorIndex] = [:]
        var peers: [PeerID: ValidatorIndex] = [:]
        for (place, validator) in validators.enumerated() {
            let index = ValidatorIndex(UInt16(place))
            guard validator.weight > 0 else { throw .zeroWeight(place) }
            let (sum, overflow) = total.addingReportingOverflow(validator.weight)
            guard !overflow, sum <= Committee.totalWeightMax else {
                throw .weightOverflow
            }
            total = sum
            guard indexes.updateValue(index, forKey: validator.votingKey) == nil else {
                throw .duplicateKey(place)
            }
            guard peers.updateValue(index, forKey: validator.peerID) == nil else {
                throw .duplicatePeer(place)
            }
        }
        self.chainID = chainID
        self.epoch = epoch
        self.validators = validators
        self.indexes = indexes
        self.peers = peers
        totalWeight = total
        faultyMax = (total - 1) / 3
        quorum = total - faultyMax
        validityThreshold = faultyMax + 1
        seed = Committee.makeSeed(chainID, epoch, validators, boundary)
    }

    private static func makeSeed(
        _ chainID: ChainID, _ epoch: Epoch, _ validators: [Validator], _ boundary: Digest
    ) -> Digest {
        var set = BCSWriter()
        set.append(list: validators)
        var writer = BCSWriter()
        writer.append(chainID)
        writer.append(epoch)
        writer.append(Digest.hash(.committee, set.bytes))
        writer.append(boundary)
        return Digest.hash(.seed, writer.bytes)
    }

    /// The number of validators.
    public var count: Int { validators.count }

    /// Every index in order.
    public var indices: [ValidatorIndex] { (0..<count).map { ValidatorIndex(UInt16($0)) } }

    /// The member at `index`, or nil outside the committee.
    public subscript(index: ValidatorIndex) -> Validator? {
        Int(index.rawValue) < count ? validators[Int(index.rawValue)] : nil
    }

    /// The weight of the member at `index`, 0 outside the committee.
    public func weight(of index: ValidatorIndex) -> UInt64 { self[index]?.weight ?? 0 }

    public func index(of key: PublicKey) -> ValidatorIndex? { indexes[key] }
    public func index(of peer: PeerID) -> ValidatorIndex? { peers[peer] }

    /// The summed weight of distinct members. Indexes outside count nothing.
    public func weight(of signers: some Sequence<ValidatorIndex>) -> UInt64 {
        signers.reduce(0) { $0 + weight(of: $1) }
    }

    /// The leader of `view`: drawn by weight from the epoch's seed, the same on every node.
    public func leader(of view: View) -> ValidatorIndex {
        var hasher = Hasher256(.leader)
        hasher.update(seed.bytes32)
        hasher.update(view.bcsBytes)
        return member(at: hasher.finalize().bytes32.remainder(dividingBy: totalWeight))
    }

    /// All members in an order drawn by weight without replacement from `salt` and the seed: the
    /// first is the owner of what `salt` names, the next its replacement, and so on.
    public func ranking(_ domain: HashDomain, salt: [UInt8]) -> [ValidatorIndex] {
        var left = indices
        var leftWeight = totalWeight
        var ranking: [ValidatorIndex] = []
        ranking.reserveCapacity(count)
        for draw in 0..<count {
            var hasher = Hasher256(domain)
            hasher.update(seed.bytes32)
            hasher.update(salt)
            hasher.update(UInt64(draw).bcsLittleEndian)
            var target = hasher.finalize().bytes32.remainder(dividingBy: leftWeight)
            let place = left.firstIndex { index in
                let weight = weight(of: index)
                if target < weight { return true }
                target -= weight
                return false
            }
            let index = left.remove(at: place ?? 0)
            leftWeight -= weight(of: index)
            ranking.append(index)
        }
        return ranking
    }

    private func member(at point: UInt64) -> ValidatorIndex {
        var sum: UInt64 = 0
        for (place, validator) in validators.enumerated() {
            sum += validator.weight
            if sum > point { return ValidatorIndex(UInt16(place)) }
        }
        preconditionFailure("point \(point) beyond total weight \(totalWeight)")
    }
}

extension UInt64 {
    /// Eight bytes, the lowest first.
    package var bcsLittleEndian: [UInt8] {
        Swift.withUnsafeBytes(of: littleEndian) { Array($0) }
    }
}

/// Which validators signed: one bit each, exactly as many as the committee has members.
///
/// Wire: the byte string of ceil(count / 8) bytes, the lowest bit of the first byte being index 0;
/// padding bits are zero. The count comes from the committee and is checked against it.
public struct SignerSet: Hashable, Sendable, BCSCodable {
    private(set) var bits: [UInt8]

    /// No signer, for a committee of `count`.
    public init(count: Int) {
        bits = [UInt8](repeating: 0, count: (count + 7) / 8)
    }

    public func encode(to writer: inout BCSWriter) { writer.appendBytes(bits) }

    public init(from reader: inout BCSReader) throws(BCSError) {
        bits = try reader.readBytes(maximum: Committee.countMax / 8)
    }

    public func contains(_ index: ValidatorIndex) -> Bool {
        let place = Int(index.rawValue)
        return place / 8 < bits.count && bits[place / 8] & 1 << UInt8(place % 8) != 0
    }

    /// Adds a signer whose index lies within the count.
    public mutating func insert(_ index: ValidatorIndex) {
        let place = Int(index.rawValue)
        precondition(place / 8 < bits.count, "index \(place) in a set of \(bits.count) bytes")
        bits[place / 8] |= 1 << UInt8(place % 8)
    }

    /// The indexes in rising order.
    public var indexes: [ValidatorIndex] {
        (0..<bits.count * 8).map { ValidatorIndex(UInt16($0)) }.filter(contains)
    }

    /// Whether length and padding are exactly those of a committee of `count`.
    public func fits(count: Int) -> Bool {
        bits.count == (count + 7) / 8 && indexes.allSatisfy { Int($0.rawValue) < count }
    }
}
