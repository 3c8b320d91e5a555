internal import CSodium

/// What a hash is of: the personalization that keeps one kind's hashes apart from another's.
///
/// Wire: the ASCII text, zero padded to 16 bytes, as BLAKE2b's `person` parameter.
public enum HashDomain: String, Sendable, CaseIterable {
    /// A transaction without signatures: its id, and what its signers sign.
    case transaction = "offpeak/tx"
    /// A policy: the address of the account it opens.
    case address = "offpeak/address"
    /// An escrow's id.
    case escrow = "offpeak/escrow"
    /// An asset's id.
    case asset = "offpeak/asset"
    /// A proposal's id.
    case proposal = "offpeak/proposal"
    /// What the keys of a verifier sign before somebody may bond them.
    case bond = "offpeak/bond"
    /// A canonical genesis: the chain id.
    case genesis = "offpeak/genesis"
    /// A batch header: its digest, and what the owner signs.
    case batch = "offpeak/batch"
    /// Leaves and nodes of the tree over a batch's transactions.
    case batchTree = "offpeak/txtree"
    /// What an owner commits to as planted faults.
    case canary = "offpeak/canary"
    /// Who checks which chunk of a batch first.
    case assignment = "offpeak/assign"
    /// What a complaint's signer signs.
    case complaint = "offpeak/complain"
    /// An act that evidence proves.
    case evidence = "offpeak/evidence"
    /// What an ack's signer signs.
    case ack = "offpeak/ack"
    /// A block.
    case block = "offpeak/block"
    /// A block's payload.
    case payload = "offpeak/payload"
    /// What a vote's signer signs.
    case vote = "offpeak/vote"
    /// A status message.
    case status = "offpeak/status"
    /// A committee.
    case committee = "offpeak/set"
    case epoch = "offpeak/epoch"
    /// An epoch's seed.
    case seed = "offpeak/seed"
    /// The choice of a view's leader.
    case leader = "offpeak/leader"
    /// The shard of a sender.
    case shard = "offpeak/shard"
    /// The owners of a shard.
    case owner = "offpeak/owner"
    /// A key of the state tree: the path of a value.
    case stateKey = "offpeak/key"
    /// A value of the state tree.
    case stateValue = "offpeak/value"
    /// A leaf of the state tree.
    case stateLeaf = "offpeak/leaf"
    /// An inner node of the state tree.
    case stateNode = "offpeak/node"
    /// Receipts of a block.
    case receipt = "offpeak/receipt"
    /// A link's certificate, signed by the node's identity key.
    case link = "offpeak/link"
    /// What a node says of itself: what its identity key signs.
    case peerRecord = "offpeak/record"
    /// What an address must send back to prove itself.
    case cookie = "offpeak/cookie"
    /// A record of the consensus journal.
    case journal = "offpeak/journal"
    /// A key file's checksum.
    case keyFile = "offpeak/keyfile"
    /// Seeds of generators in tests and simulations.
    case random = "offpeak/random"
    /// The checksum of long text.
    case text = "offpeak/text"
}

/// BLAKE2b-256 with a personalization, over pieces that are collected first.
public struct Hasher256: Sendable {
    private let domain: HashDomain
    private var bytes: [UInt8] = []

    public init(_ domain: HashDomain) { self.domain = domain }

    public mutating func update(_ piece: some Swift.Sequence<UInt8>) {
        bytes.append(contentsOf: piece)
    }

    public mutating func update(_ value: Bytes32) {
        value.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// The hash of everything fed so far.
    public func finalize() -> Digest { .hash(domain, bytes) }
}

extension Digest {
    /// BLAKE2b-256 of `bytes` in `domain`.
    public static func hash(_ domain: HashDomain, _ bytes: some Collection<UInt8>) -> Digest {
        let digest = bytes.withContiguousStorageIfAvailable {
            hash(domain, raw: UnsafeRawBufferPointer($0))
        }
        return digest ?? Array(bytes).withUnsafeBytes { hash(domain, raw: $0) }
    }

    /// BLAKE2b-256 of two 32-byte values in `domain`: an inner node of a tree.
    public static func hash(_ domain: HashDomain, _ left: Bytes32, _ right: Bytes32) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { both in
            left.withUnsafeBytes { both.copyMemory(from: $0) }
            right.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: both[32..<64]).copyMemory(from: $0)
            }
            return hash(domain, raw: UnsafeRawBufferPointer(both))
        }
    }

    /// BLAKE2b-256 of a value's canonical bytes in `domain`.
    public static func hash(_ domain: HashDomain, of value: some BCSEncodable) -> Digest {
        hash(domain, value.bcsBytes)
    }

    private static func hash(_ domain: HashDomain, raw: UnsafeRawBufferPointer) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: 48, alignment: 8) { scratch in
            // The first 32 bytes receive the hash, the other 16 hold the personalization.
            let personal = UnsafeMutableRawBufferPointer(rebasing: scratch[32..<48])
            personal.initializeMemory(as: UInt8.self, repeating: 0)
            personal.copyBytes(from: domain.rawValue.utf8.prefix(16))
            let status = crypto_generichash_blake2b_salt_personal(
                scratch.octets, 32, raw.isEmpty ? nil : raw.octets, UInt64(raw.count), nil, 0,
                nil, personal.octets)
            precondition(status == 0, "BLAKE2b refused \(raw.count) bytes")
            return Digest(Bytes32(loading: UnsafeRawBufferPointer(rebasing: scratch[0..<32])))
        }
    }
}

/// libsodium, started once for the process.
package enum Sodium {
    private static let started: Void = {
        precondition(sodium_init() >= 0, "libsodium didn't start")
    }()

    package static func start() { _ = started }

    /// `count` bytes from the system's generator, for the shell only.
    package static func randomBytes(_ count: Int) -> [UInt8] {
        start()
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }
}
