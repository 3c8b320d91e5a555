internal import CSodium

extension Bytes32 {
    /// SHA-256 of `bytes` (FIPS 180-4): what hashlocks of other systems are made with.
    public static func sha256(_ bytes: [UInt8]) -> Bytes32 {
        withUnsafeTemporaryAllocation(byteCount: Bytes32.count, alignment: 8) { output in
            let status = crypto_hash_sha256(output.octets, bytes, UInt64(bytes.count))
            precondition(status == 0, "SHA-256 refused \(bytes.count) bytes")
            return Bytes32(loading: UnsafeRawBufferPointer(output))
        }
    }
}
