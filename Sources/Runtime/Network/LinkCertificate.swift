internal import Crypto
internal import FoundationEssentials
internal import NIOSSL
internal import Primitives
internal import SwiftASN1
internal import X509

/// The certificates of links: self-signed with a key that lasts as long as the process, and bound
/// to the node's identity by a critical extension.
///
/// Extension value: identity key (32), chain id (32), Ed25519 signature by the identity key (64)
/// over BLAKE2b-256 in the domain `link` of the certificate's SubjectPublicKeyInfo in DER followed
/// by the chain id. TLS proves that the peer holds the certificate's key, the extension that the
/// identity vouches for that key on this chain. Names and dates say nothing and aren't looked at.
/// The idea is libp2p's TLS handshake.
struct LinkCertificate {
    /// An arc that nobody assigns (2.25 is for made-up numbers).
    static let extensionID: ASN1ObjectIdentifier = [2, 25, 6_109_430_214_127_716_385]
    private static let valueBytes = 32 + 32 + Signature.count

    let certificate: NIOSSLCertificate
    let privateKey: NIOSSLPrivateKey

    /// A new key and certificate for `identity` on `chainID`.
    init(identity: SecretKey, chainID: ChainID) throws {
        let key = P256.Signing.PrivateKey()
        let value = LinkCertificate.value(
            identity: identity, chainID: chainID, key: key.publicKey)
        let issuerKey = Certificate.PrivateKey(key)
        let name = try DistinguishedName { CommonName("offpeak") }
        // Fixed dates: clocks of nodes may differ, and the certificate ends with the process.
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(),
            publicKey: issuerKey.publicKey,
            notValidBefore: Date(timeIntervalSince1970: 1_577_836_800),
            notValidAfter: Date(timeIntervalSince1970: 4_102_444_800),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Certificate.Extension(
                    oid: LinkCertificate.extensionID, critical: true, value: value[...])
            },
            issuerPrivateKey: issuerKey)
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        self.certificate = try NIOSSLCertificate(bytes: serializer.serializedBytes, format: .der)
        privateKey = try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der)
    }

    private static func value(
        identity: SecretKey, chainID: ChainID, key: P256.Signing.PublicKey
    ) -> [UInt8] {
        let signature = identity.signature(over: digest(of: key, chainID))
        return identity.publicKey.bytes + chainID.bytes + signature.bytes
    }

    private static func digest(of key: P256.Signing.PublicKey, _ chainID: ChainID)
        -> Primitives.Digest
    {
        Primitives.Digest.hash(.link, Array(key.derRepresentation) + chainID.bytes)
    }

    /// The node that a peer's certificate in DER belongs to.
    /// - Throws: `LinkRefusal` for a certificate that isn't a link's, or another chain's.
    static func peer(of der: [UInt8], chainID: ChainID) throws(LinkRefusal) -> PeerID {
        guard let certificate = try? Certificate(derEncoded: der),
            let key = P256.Signing.PublicKey(certificate.publicKey),
            let value = certificate.extensions[oid: extensionID]?.value,
            value.count == valueBytes,
            let identity = PublicKey(bytes: value.prefix(32)),
            let chain = ChainID(bytes: value.dropFirst(32).prefix(32)),
            let signature = Signature(bytes: value.dropFirst(64))
        else { throw .badCertificate }
        guard chain == chainID else { throw .otherChain(ours: chainID, theirs: chain) }
        let claim = SignatureClaim(
            publicKey: identity, digest: digest(of: key, chain), signature: signature)
        guard claim.isValid else { throw .badCertificate }
        return PeerID(identity)
    }
}
