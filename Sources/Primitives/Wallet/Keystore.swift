internal import CSodium

/// A key under a password, as text to carry elsewhere: `offpeak-keystore-1`, a blank, and base64
/// (URL alphabet, no padding) of the bytes.
///
/// Bytes: header (BCS: public key, role, form, account, operations, memoryKiB, salt, nonce), sealed
/// secret, eight bytes of BLAKE2b-256 (`offpeak/keyfile`) of all before. The password becomes a key
/// by Argon2id; the secret is sealed by XChaCha20-Poly1305 with the header as associated data, so
/// that nothing in it can be changed unnoticed. The checksum tells damage from a wrong password.
public enum Keystore {
    /// Bytes of the longest keystore's text.
    public static let bytesMax = 512
    /// Bytes of salt and of nonce, both from the system's generator and new for each keystore.
    public static let saltBytes = 16
    public static let nonceBytes = 24
    static let tag = "offpeak-keystore-1"
    private static let tagBytes = 16
    private static let checksumBytes = 8

    /// Why text isn't a keystore, or doesn't open.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case notAKeystore
        case unsupportedVersion
        case damaged
        case header(BCSError)
        case emptyPassword
        case wrongPassword
        case wrongKey
        case outOfMemory(kibibytes: UInt32)

        public var description: String {
            switch self {
            case .notAKeystore: "not a keystore: it starts with \(Keystore.tag)"
            case .unsupportedVersion: "a keystore of another version, \(Keystore.tag) is wanted"
            case .damaged: "the keystore is damaged: its checksum or length is wrong"
            case .header(let error): "the keystore's header is wrong: \(error)"
            case .emptyPassword: "an empty password protects nothing"
            case .wrongPassword: "the password is wrong"
            case .wrongKey: "the keystore opens, but its secret isn't that of its public key"
            case .outOfMemory(let count):
                "no \(count) KiB of memory to turn the password into a key"
            }
        }
    }

    /// `key` under `password`. Takes as long as `cost` says.
    /// - Precondition: `salt` has 16 and `nonce` 24 bytes.
    public static func seal(
        _ key: StoredKey, password: SecureBytes, salt: [UInt8], nonce: [UInt8],
        cost: PasswordCost = .standard
    ) throws(Fault) -> String {
        precondition(salt.count == saltBytes, "a salt of \(salt.count) bytes")
        precondition(nonce.count == nonceBytes, "a nonce of \(nonce.count) bytes")
        let header = KeystoreHeader(key, cost: cost, salt: salt, nonce: nonce)
        let passwordKey = try passwordKey(of: header, password)
        var bytes = header.bcsBytes
        bytes += seal(key.material.secret, under: passwordKey, nonce: nonce, header: bytes)
        bytes += checksum(of: bytes[...])
        return tag + " " + base64(bytes)
    }

    /// The public key of a keystore, which needs no password.
    /// - Throws: `Fault` but those of the password.
    public static func publicKey(of text: String) throws(Fault) -> PublicKey {
        try parse(text).header.publicKey
    }

    /// The key in `text`.
    public static func open(_ text: String, password: SecureBytes) throws(Fault) -> StoredKey {
        let parsed = try parse(text)
        let passwordKey = try passwordKey(of: parsed.header, password)
        guard let secret = unseal(parsed, under: passwordKey) else { throw .wrongPassword }
        guard let material = parsed.header.material(secret) else { throw .damaged }
        let key = StoredKey(role: parsed.header.role, material: material)
        guard key.secretKey.publicKey == parsed.header.publicKey else { throw .wrongKey }
        return key
    }

    private struct Parsed {
        let header: KeystoreHeader
        let headerBytes: [UInt8]
        let sealed: [UInt8]
    }

    private static func parse(_ text: String) throws(Fault) -> Parsed {
        let bytes = try checked(text)
        var reader = BCSReader(bytes)
        do throws(BCSError) {
            let header = try KeystoreHeader(from: &reader)
            let sealed = try reader.readFixed(reader.remaining)
            guard KeystoreHeader.secretCounts.contains(sealed.count - tagBytes) else {
                throw reader.fault(.invalidValue("a sealed secret of \(sealed.count) bytes"))
            }
            let headerBytes = Array(bytes.dropLast(sealed.count))
            return Parsed(header: header, headerBytes: headerBytes, sealed: sealed)
        } catch {
            throw .header(error)
        }
    }

    /// The bytes in front of the checksum.
    private static func checked(_ text: String) throws(Fault) -> [UInt8] {
        let fields = text.utf8.prefix(bytesMax + 1).split { " \n".utf8.contains($0) }
        guard let first = fields.first, first.starts(with: "offpeak-keystore-".utf8) else {
            throw .notAKeystore
        }
        guard first.elementsEqual(tag.utf8) else { throw .unsupportedVersion }
        guard fields.count == 2, text.utf8.count <= bytesMax, let bytes = decode(base64: fields[1])
        else { throw .damaged }
        let body = bytes.dropLast(checksumBytes)
        guard bytes.suffix(checksumBytes).elementsEqual(checksum(of: body)) else {
            throw .damaged
        }
        return Array(body)
    }

    private static func checksum(of bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(Digest.hash(.keyFile, bytes).bytes.prefix(checksumBytes))
    }
}

extension Keystore {
    private static func passwordKey(
        of header: KeystoreHeader, _ password: SecureBytes
    ) throws(Fault) -> SecureBytes {
        guard password.count > 0 else { throw .emptyPassword }
        var status: Int32 = -1
        let key = SecureBytes(count: 32) { key in
            password.withUnsafeBytes { password in
                let characters = UnsafeRawPointer(password.octets)
                status = crypto_pwhash(
                    key.octets, 32, characters.assumingMemoryBound(to: CChar.self),
                    UInt64(password.count), header.salt, UInt64(header.cost.operations),
                    Int(header.cost.memoryKiB) * 1024, crypto_pwhash_alg_argon2id13())
            }
        }
        guard status == 0 else { throw .outOfMemory(kibibytes: header.cost.memoryKiB) }
        return key
    }

    private static func seal(
        _ secret: SecureBytes, under key: SecureBytes, nonce: [UInt8], header: [UInt8]
    ) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: secret.count + tagBytes)
        secret.withUnsafeBytes { secret in
            key.withUnsafeBytes { key in
                _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
                    &sealed, nil, secret.octets, UInt64(secret.count), header,
                    UInt64(header.count), nil, nonce, key.octets)
            }
        }
        return sealed
    }

    private static func unseal(_ parsed: Parsed, under key: SecureBytes) -> SecureBytes? {
        var status: Int32 = -1
        let secret = SecureBytes(count: parsed.sealed.count - tagBytes) { secret in
            key.withUnsafeBytes { key in
                status = crypto_aead_xchacha20poly1305_ietf_decrypt(
                    secret.octets, nil, nil, parsed.sealed, UInt64(parsed.sealed.count),
                    parsed.headerBytes, UInt64(parsed.headerBytes.count), parsed.header.nonce,
                    key.octets)
            }
        }
        return status == 0 ? secret : nil
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING
        var text = [CChar](repeating: 0, count: sodium_base64_encoded_len(bytes.count, variant))
        sodium_bin2base64(&text, text.count, bytes, bytes.count, variant)
        return String(decoding: text.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static func decode(base64 text: Substring.UTF8View) -> [UInt8]? {
        let characters = text.map(CChar.init(bitPattern:))
        var bytes = [UInt8](repeating: 0, count: characters.count)
        var count = 0
        let status = sodium_base642bin(
            &bytes, bytes.count, characters, characters.count, nil, &count, nil,
            sodium_base64_VARIANT_URLSAFE_NO_PADDING)
        return status == 0 ? Array(bytes.prefix(count)) : nil
    }
}
