internal import CSodium

/// An Ed25519 signature: R, then S (RFC 8032). Wire: 64 raw bytes.
public struct Signature: Hashable, Sendable, BCSCodable, CustomStringConvertible {
    /// The number of bytes.
    public static let count = 64

    /// The encoded point.
    public let r: Bytes32
    /// The scalar, little-endian.
    public let s: Bytes32

    public init(r: Bytes32, s: Bytes32) {
        self.r = r
        self.s = s
    }

    /// The signature of exactly 64 bytes, or nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Signature.count, let r = Bytes32(bytes.prefix(32)),
            let s = Bytes32(bytes.dropFirst(32))
        else { return nil }
        self.init(r: r, s: s)
    }

    /// The 64 bytes.
    public var bytes: [UInt8] { r.bytes + s.bytes }

    public func encode(to writer: inout BCSWriter) {
        writer.append(r)
        writer.append(s)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        r = try reader.readBytes32()
        s = try reader.readBytes32()
    }

    /// 128 hexadecimal digits.
    public var description: String { Hex.encode(bytes) }
}

/// A claim that the owner of `publicKey` signed `digest`.
public struct SignatureClaim: Hashable, Sendable {
    public let publicKey: PublicKey
    public let digest: Digest
    public let signature: Signature

    public init(publicKey: PublicKey, digest: Digest, signature: Signature) {
        self.publicKey = publicKey
        self.digest = digest
        self.signature = signature
    }

    /// Whether the signature is valid, by the one check of the whole network.
    public var isValid: Bool {
        digest.bytes32.withUnsafeBytes { message in
            SignatureCheck.isValid(publicKey: publicKey, message: message, signature: signature)
        }
    }
}

/// The one signature rule of the whole network.
enum SignatureCheck {
    /// Whether the owner of `publicKey` signed `message`. About 52 µs.
    ///
    /// The rule is libsodium 1.0.18's `crypto_sign_verify_detached`: S below the group's order, the
    /// key canonical and neither it nor R of small order, and the cofactorless equation by
    /// comparing bytes.
    static func isValid(
        publicKey: PublicKey, message: UnsafeRawBufferPointer, signature: Signature
    ) -> Bool {
        Sodium.start()
        return publicKey.bytes32.withUnsafeBytes { key in
            withUnsafeTemporaryAllocation(byteCount: Signature.count, alignment: 8) { both in
                signature.r.withUnsafeBytes { both.copyMemory(from: $0) }
                signature.s.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: both[32..<64]).copyMemory(from: $0)
                }
                let status = crypto_sign_verify_detached(
                    both.octets, message.isEmpty ? nil : message.octets,
                    UInt64(message.count), key.octets)
                return status == 0
            }
        }
    }
}

/// Something that signs digests with one key.
public protocol Signing: Sendable {
    var publicKey: PublicKey { get }
    func signature(over digest: Digest) -> Signature
}

/// An Ed25519 key pair; the secret half never leaves its locked memory.
public struct SecretKey: Signing, CustomStringConvertible {
    public let publicKey: PublicKey
    private let expanded: SecureBytes

    /// The key pair of a 32-byte seed (RFC 8032's private key).
    /// - Precondition: `seed` holds 32 bytes.
    public init(seed: SecureBytes) {
        precondition(seed.count == 32, "a seed of 32 bytes, not \(seed.count)")
        var publicBytes = [UInt8](repeating: 0, count: 32)
        expanded = SecureBytes(count: 64) { secret in
            seed.withUnsafeBytes { seedBytes in
                _ = crypto_sign_seed_keypair(
                    &publicBytes, secret.octets,
                    seedBytes.octets)
            }
        }
        publicKey = publicBytes.withUnsafeBytes { PublicKey(Bytes32(loading: $0)) }
    }

    /// A new key pair from the system's generator.
    public static func random() -> SecretKey { SecretKey(seed: .random(count: 32)) }

    /// The 32-byte seed, in locked memory of its own.
    public var seed: SecureBytes {
        SecureBytes(count: 32) { seed in
            expanded.withUnsafeBytes { seed.copyMemory(from: .init(rebasing: $0[0..<32])) }
        }
    }

    public func signature(over digest: Digest) -> Signature {
        var output = [UInt8](repeating: 0, count: Signature.count)
        digest.bytes32.withUnsafeBytes { message in
            expanded.withUnsafeBytes { secret in
                _ = crypto_sign_detached(
                    &output, nil, message.octets,
                    UInt64(message.count),
                    secret.octets)
            }
        }
        return output.withUnsafeBytes { bytes in
            Signature(
                r: Bytes32(loading: bytes),
                s: Bytes32(loading: UnsafeRawBufferPointer(rebasing: bytes[32..<64])))
        }
    }

    /// The public half only.
    public var description: String { "SecretKey(\(publicKey), [redacted])" }
}

extension SecretKey {
    /// The key shared with the owner of `peer`, to seal datagrams with; nil for bytes that are no
    /// point of the group, or one of small order. About 60 µs.
    ///
    /// Both halves are converted to X25519. The converted secret lives in locked memory for the
    /// length of the call.
    package func sharedKey(with peer: PublicKey) -> SharedKey? {
        var point = [UInt8](repeating: 0, count: 32)
        let isPoint = peer.bytes32.withUnsafeBytes { bytes in
            crypto_sign_ed25519_pk_to_curve25519(&point, bytes.octets) == 0
        }
        guard isPoint else { return nil }
        let scalar = SecureBytes(count: 32) { scalar in
            expanded.withUnsafeBytes { secret in
                _ = crypto_sign_ed25519_sk_to_curve25519(scalar.octets, secret.octets)
            }
        }
        return SharedKey(point: point, scalar: scalar)
    }
}
