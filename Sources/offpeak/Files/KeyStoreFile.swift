internal import Primitives

/// Key files and encrypted keystores on disk.
enum KeyStoreFile {
    /// The key in a file: a key file, or a keystore, whose password comes from the file
    /// `passwordFile` or is asked for.
    /// - Throws: `CommandFault` for a file that others can read, that is damaged, or whose key is
    ///   for another purpose than `role` (nil: any).
    static func read(
        _ path: String, as role: StoredKey.Role? = .wallet, passwordFile: String? = nil
    ) throws(CommandFault) -> StoredKey {
        let content = try SecretFile.read(path, maximum: Keystore.bytesMax)
        let key =
            isKeystore(content)
            ? try openKeystore(content, path, passwordFile: passwordFile)
            : try decode(content, path)
        if let role, key.role != role {
            throw CommandFault(
                "\(path): \(KeyFile.Fault.wrongRole(key.role, wanted: role))")
        }
        return key
    }

    /// Makes a key file of mode 0600; a file that is there isn't overwritten.
    static func create(_ path: String, _ key: StoredKey) throws(CommandFault) {
        try SecretFile.create(path, KeyFile.encode(key))
    }

    /// Makes a keystore of mode 0600; a file that is there isn't overwritten.
    static func createKeystore(
        _ path: String, _ key: StoredKey, password: SecureBytes
    ) throws(CommandFault) {
        let text: String
        do throws(Keystore.Fault) {
            text = try Keystore.seal(
                key, password: password, salt: random(Keystore.saltBytes),
                nonce: random(Keystore.nonceBytes))
        } catch {
            throw CommandFault("the keystore can't be made: \(error)")
        }
        try SecretFile.create(path, SecureBytes(copying: Array((text + "\n").utf8)))
    }

    /// A password from a file, or asked for: twice if it is a new one.
    static func password(
        from file: String?, isNew: Bool = false
    ) throws(CommandFault) -> SecureBytes {
        if let file { return try SecretFile.readText(file) }
        let password = try Terminal.readSecret("Password: ")
        guard isNew, Terminal.input.isInteractive else { return password }
        let again = try Terminal.readSecret("Once more: ")
        guard areEqual(password, again) else {
            throw CommandFault("the two passwords differ; nothing was written")
        }
        return password
    }

    private static func isKeystore(_ content: SecureBytes) -> Bool {
        content.withUnsafeBytes { $0.starts(with: "offpeak-keystore-".utf8) }
    }

    private static func decode(
        _ content: SecureBytes, _ path: String
    ) throws(CommandFault) -> StoredKey {
        do throws(KeyFile.Fault) {
            return try KeyFile.decode(content)
        } catch {
            throw CommandFault("\(path): \(error)")
        }
    }

    private static func openKeystore(
        _ content: SecureBytes, _ path: String, passwordFile: String?
    ) throws(CommandFault) -> StoredKey {
        let text = content.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let password = try password(from: passwordFile)
        do throws(Keystore.Fault) {
            return try Keystore.open(text, password: password)
        } catch {
            throw CommandFault("\(path): \(error)")
        }
    }

    private static func areEqual(_ left: SecureBytes, _ right: SecureBytes) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { left.elementsEqual($0) } }
    }

    private static func random(_ count: Int) -> [UInt8] {
        SecureBytes.random(count: count).withUnsafeBytes { Array($0) }
    }
}
