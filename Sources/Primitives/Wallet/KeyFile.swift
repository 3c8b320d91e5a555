/// A key on disk without a password: one line of text, to be readable by its owner only.
///
/// `offpeak-key-1 ROLE seed SEED CHECKSUM`, or
/// `offpeak-key-1 ROLE mnemonic ENTROPY/ACCOUNT CHECKSUM`, then a line end. ROLE is `wallet`,
/// `voting` or `identity`; SEED (64) and ENTROPY (32 to 64) are small hexadecimal digits; ACCOUNT
/// is decimal; CHECKSUM is 16 hexadecimal digits, the first eight bytes of BLAKE2b-256
/// (`offpeak/keyfile`) of all before the blank in front of it.
public enum KeyFile {
    /// Bytes of the longest key file; a larger file isn't one.
    public static let bytesMax = 256
    private static let tag = "offpeak-key-1"
    private static let checksumBytes = 8

    /// Why text isn't a key file. No fault quotes the text, which may hold a secret.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case notAKeyFile
        case unsupportedVersion
        case fields(Int)
        case checksum
        case unknownRole
        case unknownForm
        case secret
        case wrongRole(StoredKey.Role, wanted: StoredKey.Role)

        public var description: String {
            switch self {
            case .notAKeyFile: "not a key file: its only line starts with \(KeyFile.tag)"
            case .unsupportedVersion: "a key file of another version, \(KeyFile.tag) is wanted"
            case .fields(let count): "a key file of \(count) fields, 5 with one blank are wanted"
            case .checksum: "the key file is damaged: its checksum doesn't match"
            case .unknownRole: "the key file's role isn't wallet, voting or identity"
            case .unknownForm: "the key file's form isn't seed or mnemonic"
            case .secret: "the key file's secret isn't of the form and length that it should be"
            case .wrongRole(let role, let wanted):
                "this file holds the key of a \(role), the key of a \(wanted) is wanted"
            }
        }
    }

    /// The line for `key`.
    public static func encode(_ key: StoredKey) -> SecureBytes {
        let secret = key.material.secret
        let (form, suffix) = form(of: key.material)
        let start = "\(tag) \(key.role.rawValue) \(form) "
        let count = start.utf8.count + 2 * secret.count + suffix.utf8.count
        return SecureBytes(count: count + 2 * checksumBytes + 2) { buffer in
            var text = SecretText(into: buffer)
            text.append(start)
            secret.withUnsafeBytes { text.append(hex: $0) }
            text.append(suffix)
            let checksum = checksum(of: text.written)
            text.append(" \(checksum)\n")
        }
    }

    /// The key in `text`, which must be for `role`.
    /// - Throws: `Fault` for text that isn't exactly what `encode` writes, but for the line end,
    ///   which may be missing.
    public static func decode(
        _ text: SecureBytes, as role: StoredKey.Role
    ) throws(Fault) -> StoredKey {
        let key = try decode(text)
        guard key.role == role else { throw .wrongRole(key.role, wanted: role) }
        return key
    }

    /// The key in `text`, whatever it is for.
    public static func decode(_ text: SecureBytes) throws(Fault) -> StoredKey {
        let result = text.withUnsafeBytes { bytes in
            Result { () throws(Fault) in try decode(bytes) }
        }
        return try result.get()
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> StoredKey {
        let end = bytes.last == UInt8(ascii: "\n") ? bytes.count - 1 : bytes.count
        let fields = bytes[..<end].split(
            separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        try checkTag(fields.first)
        guard fields.count == 5 else { throw .fields(fields.count) }
        let signed = UnsafeRawBufferPointer(rebasing: bytes[..<(fields[4].startIndex - 1)])
        guard fields[4].elementsEqual(checksum(of: signed).utf8) else { throw .checksum }
        guard let role = StoredKey.Role(rawValue: String(decoding: fields[1], as: UTF8.self)) else {
            throw .unknownRole
        }
        return StoredKey(role: role, material: try material(form: fields[2], secret: fields[3]))
    }

    private static func checkTag(_ field: Slice<UnsafeRawBufferPointer>?) throws(Fault) {
        guard let field, field.starts(with: "offpeak-key-".utf8) else { throw .notAKeyFile }
        guard field.elementsEqual(tag.utf8) else { throw .unsupportedVersion }
    }

    private static func form(of material: KeyMaterial) -> (form: String, suffix: String) {
        switch material {
        case .secretKey: ("seed", "")
        case .mnemonic(_, let account): ("mnemonic", "/\(account)")
        }
    }

    private static func material(
        form: Slice<UnsafeRawBufferPointer>, secret: Slice<UnsafeRawBufferPointer>
    ) throws(Fault) -> KeyMaterial {
        if form.elementsEqual("seed".utf8) {
            guard let seed = SecretText.decode(hex: secret), seed.count == 32 else {
                throw .secret
            }
            return .secretKey(SecretKey(seed: seed))
        }
        guard form.elementsEqual("mnemonic".utf8) else { throw .unknownForm }
        guard let slash = secret.firstIndex(of: UInt8(ascii: "/")),
            let entropy = SecretText.decode(hex: secret[..<slash]),
            let mnemonic = try? Mnemonic(entropy: entropy),
            let account = account(secret[(slash + 1)...])
        else { throw .secret }
        return .mnemonic(mnemonic, account: account)
    }

    /// Decimal digits in their shortest form.
    private static func account(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt16? {
        let text = String(decoding: digits, as: UTF8.self)
        guard let account = UInt16(text), String(account) == text else { return nil }
        return account
    }

    private static func checksum(of text: UnsafeRawBufferPointer) -> String {
        Hex.encode(Digest.hash(.keyFile, text).bytes.prefix(checksumBytes))
    }
}
