package import Primitives

extension Home {
    /// The key in a file of this home that only its owner can read.
    /// - Throws: `HomeFault` with what is wrong and what to do.
    package func loadKey(
        _ file: String, role: StoredKey.Role
    ) throws(HomeFault) -> SecretKey {
        var bytes = try readSecret(file)
        defer { SecureBytes.wipe(&bytes) }
        do throws(KeyFile.Fault) {
            return try KeyFile.decode(SecureBytes(copying: bytes), as: role).secretKey
        } catch {
            throw HomeFault("\(file): \(error)")
        }
    }
}
