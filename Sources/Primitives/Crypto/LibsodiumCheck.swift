internal import CSodium

/// libsodium's own check of signatures: a yardstick for speed, and for verdicts where its rule and
/// the network's agree. Nothing else may ask it; the rule is `SignatureCheck`'s.
package enum LibsodiumCheck {
    /// Whether `crypto_sign_verify_detached` accepts a claim's signature.
    package static func isValid(_ claim: SignatureClaim) -> Bool {
        Sodium.start()
        return withUnsafeTemporaryAllocation(byteCount: Signature.count, alignment: 8) { both in
            claim.signature.r.withUnsafeBytes { both.copyMemory(from: $0) }
            claim.signature.s.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: both[32..<64]).copyMemory(from: $0)
            }
            return claim.digest.bytes32.withUnsafeBytes { message in
                claim.publicKey.bytes32.withUnsafeBytes { key in
                    crypto_sign_verify_detached(
                        both.octets, message.octets, UInt64(message.count), key.octets) == 0
                }
            }
        }
    }
}
