/// Who may act for an account: keys with weights, and how much weight is needed.
///
/// Wire: signers (sorted by key, unique, 1...32) as (key, weight), spend, admin.
public struct Policy: Hashable, Sendable, BCSCodable {
    /// A key and its weight.
    public struct Signer: Hashable, Sendable, BCSCodable {
        public let publicKey: PublicKey
        /// At least 1.
        public let weight: UInt16

        public init(publicKey: PublicKey, weight: UInt16) {
            self.publicKey = publicKey
            self.weight = weight
        }

        public func encode(to writer: inout BCSWriter) {
            writer.append(publicKey)
            writer.append(weight)
        }

        public init(from reader: inout BCSReader) throws(BCSError) {
            publicKey = try reader.read()
            weight = try reader.readUInt16()
        }
    }

    /// Why signers and thresholds can't be a policy.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case noSigners
        case tooManySigners(Int)
        case zeroWeight(PublicKey)
        case duplicateSigner(PublicKey)
        case zeroThreshold
        case unreachable(threshold: UInt32, weight: UInt32)
        case adminBelowSpend(admin: UInt32, spend: UInt32)

        public var description: String {
            switch self {
            case .noSigners: "a policy needs at least one signer"
            case .tooManySigners(let count):
                "\(count) signers, at most \(TransactionLimits.policySignersMax) allowed"
            case .zeroWeight(let key): "signer \(key) has weight 0, at least 1 is needed"
            case .duplicateSigner(let key): "signer \(key) is named twice"
            case .zeroThreshold: "a threshold of 0 would let anybody act; at least 1 is needed"
            case .unreachable(let threshold, let weight):
                "threshold \(threshold) can't be reached: all signers together weigh \(weight)"
            case .adminBelowSpend(let admin, let spend):
                "the admin threshold \(admin) lies below the spend threshold \(spend)"
            }
        }
    }

    /// Sorted by key, unique.
    public let signers: Signers
    /// The weight that everything but `setPolicy` needs.
    public let spend: UInt32
    /// The weight that `setPolicy` needs, not below `spend`.
    public let admin: UInt32

    /// A policy of signers in any order.
    /// - Throws: `Fault` for one that nobody or anybody could satisfy.
    public init(
        signers: some Collection<Signer>, spend: UInt32, admin: UInt32
    ) throws(Fault) {
        let sorted = signers.sorted { $0.publicKey < $1.publicKey }
        try Policy.check(sorted, spend, admin)
        self.signers = Signers(sorted)
        self.spend = spend
        self.admin = admin
    }

    private init(single key: PublicKey) {
        signers = Signers([Signer(publicKey: key, weight: 1)])
        spend = 1
        admin = 1
    }

    /// The policy of one key that may do everything.
    public static func single(_ key: PublicKey) -> Policy { Policy(single: key) }

    private static func check(
        _ signers: [Signer], _ spend: UInt32, _ admin: UInt32
    ) throws(Fault) {
        guard !signers.isEmpty else { throw .noSigners }
        guard signers.count <= TransactionLimits.policySignersMax else {
            throw .tooManySigners(signers.count)
        }
        for (left, right) in zip(signers, signers.dropFirst())
        where left.publicKey == right.publicKey {
            throw .duplicateSigner(left.publicKey)
        }
        for signer in signers where signer.weight == 0 { throw .zeroWeight(signer.publicKey) }
        guard spend > 0, admin > 0 else { throw .zeroThreshold }
        guard admin >= spend else { throw .adminBelowSpend(admin: admin, spend: spend) }
        let weight = signers.reduce(UInt32(0)) { $0 + UInt32($1.weight) }
        guard admin <= weight else { throw .unreachable(threshold: admin, weight: weight) }
    }

    /// The address of the account that this policy opens.
    public var address: Address { Address(Digest.hash(.address, of: self).bytes32) }

    /// The weight of `key`, or nil if it isn't a signer.
    public func weight(of key: PublicKey) -> UInt16? {
        signers.first { $0.publicKey == key }?.weight
    }

    /// The first key by which nobody can sign, or nil: see `SignatureCheck`. An address may come
    /// from a policy with such keys, but no account should be given one. O(signers).
    package var unusableKey: PublicKey? {
        signers.first { !$0.publicKey.isUsable }?.publicKey
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(list: signers)
        writer.append(spend)
        writer.append(admin)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let signers = try reader.readSortedList(
            minimum: 1, maximum: TransactionLimits.policySignersMax, elementBytes: 34
        ) { (signer: Signer) in signer.publicKey }
        spend = try reader.readUInt32()
        admin = try reader.readUInt32()
        do throws(Fault) {
            try Policy.check(signers, spend, admin)
        } catch {
            throw BCSError(.invalidValue(error.description), at: start)
        }
        self.signers = Signers(signers)
    }
}

extension Policy {
    /// At least one signer, in order. The first two lie in the value itself: most policies have no
    /// more, and those cost neither an allocation nor a count of references.
    public struct Signers: RandomAccessCollection, Hashable, Sendable {
        private let first: Signer
        private let second: Signer?
        private let further: Further

        private indirect enum Further: Hashable, Sendable {
            case none
            case signers([Signer])
        }

        /// - Parameter signers: Not empty.
        fileprivate init(_ signers: [Signer]) {
            precondition(!signers.isEmpty, "a policy without signers")
            first = signers[0]
            second = signers.count > 1 ? signers[1] : nil
            further = signers.count > 2 ? .signers(Array(signers[2...])) : .none
        }

        public var startIndex: Int { 0 }
        public var endIndex: Int {
            guard case .signers(let others) = further else { return second == nil ? 1 : 2 }
            return 2 + others.count
        }

        public subscript(place: Int) -> Signer {
            if place == 0 { return first }
            if place == 1, let second { return second }
            guard case .signers(let others) = further, place >= 2 else {
                preconditionFailure("signer \(place) of \(count)")
            }
            return others[place - 2]
        }

        /// Memory beside the value's own size that it takes, in bytes; about.
        package var heapBytes: Int {
            guard case .signers(let others) = further else { return 0 }
            return 96 + others.count * MemoryLayout<Signer>.stride
        }
    }
}

/// Addresses with weights, and the weight at which their equal decisions count: an escrow's
/// release, refund or arbitration.
///
/// Wire: members (sorted by address, unique, 1...16) as (address, weight), threshold.
public struct Quorum: Hashable, Sendable, BCSCodable {
    /// A participant and its weight.
    public struct Member: Hashable, Sendable, BCSCodable {
        public let address: Address
        /// At least 1.
        public let weight: UInt16

        public init(address: Address, weight: UInt16) {
            self.address = address
            self.weight = weight
        }

        public func encode(to writer: inout BCSWriter) {
            writer.append(address)
            writer.append(weight)
        }

        public init(from reader: inout BCSReader) throws(BCSError) {
            address = try reader.read()
            weight = try reader.readUInt16()
        }
    }

    /// Why members and a threshold can't be a quorum.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case noMembers
        case tooManyMembers(Int)
        case zeroWeight(Address)
        case duplicateMember(Address)
        case zeroThreshold
        case unreachable(threshold: UInt32, weight: UInt32)

        public var description: String {
            switch self {
            case .noMembers: "a quorum needs at least one member"
            case .tooManyMembers(let count):
                "\(count) members, at most \(TransactionLimits.quorumMembersMax) allowed"
            case .zeroWeight(let address): "member \(address) has weight 0"
            case .duplicateMember(let address): "member \(address) is named twice"
            case .zeroThreshold: "a threshold of 0 would let anybody decide"
            case .unreachable(let threshold, let weight):
                "threshold \(threshold) can't be reached: all members together weigh \(weight)"
            }
        }
    }

    /// Sorted by address, unique.
    public let members: [Member]
    public let threshold: UInt32

    /// A quorum of members in any order.
    /// - Throws: `Fault` for one that nobody or anybody could satisfy.
    public init(members: [Member], threshold: UInt32) throws(Fault) {
        let sorted = members.sorted { $0.address < $1.address }
        try Quorum.check(sorted, threshold)
        self.members = sorted
        self.threshold = threshold
    }

    private static func check(_ members: [Member], _ threshold: UInt32) throws(Fault) {
        guard !members.isEmpty else { throw .noMembers }
        guard members.count <= TransactionLimits.quorumMembersMax else {
            throw .tooManyMembers(members.count)
        }
        for (left, right) in zip(members, members.dropFirst())
        where left.address == right.address {
            throw .duplicateMember(left.address)
        }
        for member in members where member.weight == 0 { throw .zeroWeight(member.address) }
        guard threshold > 0 else { throw .zeroThreshold }
        let weight = members.reduce(UInt32(0)) { $0 + UInt32($1.weight) }
        guard threshold <= weight else {
            throw .unreachable(threshold: threshold, weight: weight)
        }
    }

    /// The weight of `address`, or nil if it isn't a member.
    public func weight(of address: Address) -> UInt16? {
        members.first { $0.address == address }?.weight
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(list: members)
        writer.append(threshold)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        members = try reader.readSortedList(
            minimum: 1, maximum: TransactionLimits.quorumMembersMax, elementBytes: 34
        ) { (member: Member) in member.address }
        threshold = try reader.readUInt32()
        do throws(Fault) {
            try Quorum.check(members, threshold)
        } catch {
            throw BCSError(.invalidValue(error.description), at: start)
        }
    }
}
