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

/// The one signature rule of the whole network, "SC": whether the owner of public key A signed a
/// message with the signature R, S. All of these hold:
///
/// 1. S, little-endian, is below the order L of the base point B.
/// 2. A is the one encoding of a point (y below p, no "-0"), and not of small order.
/// 3. R likewise.
/// 4. With h = SHA-512(R ‖ A ‖ message) modulo L, [8](S·B - h·A - R) = O.
///
/// It is this project's own code, for no library is both fast and fixed in this, and all nodes must
/// give the same verdict; see Sources/decisions/0006-own-signature-check.md. Checking handles no
/// secret. Signing, and everything else with secrets, is libsodium's.
public enum SignatureCheck {
    /// Whether the owner of `publicKey` signed `message`. About 40 µs.
    package static func isValid(
        publicKey: PublicKey, message: UnsafeRawBufferPointer, signature: Signature
    ) -> Bool {
        guard let minusA = SignatureEquation.decode(publicKey.bytes32) else { return false }
        let equation = SignatureEquation(
            publicKey: publicKey, minusA: minusA, message: message, signature: signature)
        return equation?.holds ?? false
    }

    /// The indexes of the claims that don't hold, rising: the verdict of each is that of
    /// `SignatureClaim.isValid`, but a hundred together cost about half.
    public static func invalid(among claims: [SignatureClaim]) -> [Int] {
        batch(of: claims).invalid()
    }

    /// Whether all claims hold, checked together where that is faster.
    package static func allHold(_ claims: [SignatureClaim]) -> Bool {
        guard claims.count >= BatchSearch.togetherMin else { return claims.allSatisfy(\.isValid) }
        return batch(of: claims).allHold
    }

    private static func batch(of claims: [SignatureClaim]) -> SignatureBatch {
        var batch = SignatureBatch(capacity: claims.count)
        for claim in claims {
            claim.digest.bytes32.withUnsafeBytes { message in
                batch.add(
                    publicKey: claim.publicKey, message: message, signature: claim.signature)
            }
        }
        return batch
    }
}

extension PublicKey {
    /// Whether any signature of this key can hold: it is a key by step 2 of the signature rule.
    /// About 10 µs.
    package var isUsable: Bool { SignatureEquation.decode(bytes32) != nil }
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
