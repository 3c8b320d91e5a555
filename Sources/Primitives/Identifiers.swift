/// A name of 32 bytes with a meaning of its own: a digest, a key or an address is never mistaken
/// for another kind.
///
/// Wire: the 32 bytes, raw.
public protocol Identifier32: Hashable, Comparable, Sendable, BCSCodable, CustomStringConvertible {
    /// The 32 bytes.
    var bytes32: Bytes32 { get }
    init(_ bytes32: Bytes32)
}

extension Identifier32 {
    /// The identifier of 32 zero bytes.
    public static var zero: Self { Self(.zero) }

    /// The identifier of exactly 32 bytes, or nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard let bytes32 = Bytes32(bytes) else { return nil }
        self.init(bytes32)
    }

    /// The 32 bytes, first to last.
    public var bytes: [UInt8] { bytes32.bytes }

    public static func < (left: Self, right: Self) -> Bool { left.bytes32 < right.bytes32 }

    public func encode(to writer: inout BCSWriter) { bytes32.encode(to: &writer) }

    public init(from reader: inout BCSReader) throws(BCSError) {
        self.init(try reader.readBytes32())
    }

    /// 64 hexadecimal digits.
    public var description: String { bytes32.description }
}

/// A BLAKE2b-256 value.
public struct Digest: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }
}

/// An Ed25519 public key as RFC 8032 encodes it. Whether it is a point is decided by the check of
/// a signature.
public struct PublicKey: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }
}

/// The public key that a node is known by to its peers.
public struct PeerID: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }

    /// The peer that owns `key`.
    public init(_ key: PublicKey) { self.init(key.bytes32) }
    /// The key that proves the identity.
    public var publicKey: PublicKey { PublicKey(bytes32) }
}

/// The hash of a network's canonical genesis; every signed thing carries it.
public struct ChainID: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }
}

/// An account's name: the hash of its first policy.
public struct Address: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }
}

/// The hash of a transaction without its signatures.
public struct TransactionID: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }

    /// The digest that the transaction's signers sign: the same 32 bytes.
    public var digest: Digest { Digest(bytes32) }
}

/// An escrow's name: the hash of the transaction that made it and of the operation's place in it.
public struct EscrowID: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }
}

/// A proposal's name: the hash of the transaction that made it and of the operation's place in it.
public struct ProposalID: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }
}

/// An asset's name; 32 zero bytes name the native asset.
public struct AssetID: Identifier32 {
    public let bytes32: Bytes32
    public init(_ bytes32: Bytes32) { self.bytes32 = bytes32 }

    /// The asset that fees are paid in.
    public static let native = AssetID(.zero)
}
