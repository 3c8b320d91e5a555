package import Primitives

extension Home {
    /// The key pair in a key file of this home.
    /// - Throws: `HomeFault` for a file that others can read, that isn't a key file, or that holds
    ///   a key for another role.
    package func loadKey(
        _ file: String, role: StoredKey.Role
    ) throws(HomeFault) -> SecretKey {
        var bytes = try readSecret(file)
        let text = SecureBytes(copying: bytes)
        SecureBytes.wipe(&bytes)
        do throws(KeyFile.Fault) {
            return try KeyFile.decode(text, as: role).secretKey
        } catch {
            throw HomeFault("\(file): \(error); restore it from its backup (`offpeak key import`)")
        }
    }

    /// Writes a key pair to a file that only its owner can read.
    /// - Throws: `HomeFault`, also when the file is there already.
    package func saveKey(_ key: StoredKey, to file: String) throws(HomeFault) {
        var bytes = KeyFile.encode(key).withUnsafeBytes { Array($0) }
        defer { SecureBytes.wipe(&bytes) }
        try Home.write(bytes, to: file)
    }
}
