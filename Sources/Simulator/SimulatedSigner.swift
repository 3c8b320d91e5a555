package import Primitives

/// A key whose signature is the signed digest beside the key: as good as real among actors that
/// sign only for themselves, and a thousand times cheaper.
package struct SimulatedSigner: Signing {
    package let publicKey: PublicKey

    /// The key of the validator at `index`.
    package init(index: Int) {
        publicKey = PublicKey(Digest.hash(.random, UInt64(index).bcsLittleEndian).bytes32)
    }

    init(publicKey: PublicKey) { self.publicKey = publicKey }

    package func signature(over digest: Digest) -> Signature {
        Signature(r: digest.bytes32, s: publicKey.bytes32)
    }

    /// Whether every claim was made by `signature(over:)`.
    static func holds(_ claims: [SignatureClaim]?) -> Bool {
        guard let claims else { return false }
        return claims.allSatisfy {
            $0.signature.r == $0.digest.bytes32 && $0.signature.s == $0.publicKey.bytes32
        }
    }
}
