/// A key as it is kept: what it is for, and what it is made from.
public struct StoredKey: Sendable, CustomStringConvertible {
    /// What a key is for, so that a file of one kind isn't used as another.
    public enum Role: String, CaseIterable, Sendable {
        /// Signs transactions.
        case wallet
        /// Signs a validator's votes, batches and acks.
        case voting
        /// Proves a node's identity to its peers.
        case identity
    }

    public let role: Role
    public let material: KeyMaterial
    /// The key pair itself.
    public let secretKey: SecretKey

    public init(role: Role, material: KeyMaterial) {
        self.role = role
        self.material = material
        secretKey = material.makeSecretKey()
    }

    public var description: String { "StoredKey(\(role), \(secretKey.publicKey), [redacted])" }
}

/// What a key pair is made from.
public enum KeyMaterial: Sendable, CustomStringConvertible {
    /// The key pair's own seed.
    case secretKey(SecretKey)
    /// Words without a passphrase, and which of their accounts it is: the words can be shown again.
    case mnemonic(Mnemonic, account: UInt16)

    fileprivate func makeSecretKey() -> SecretKey {
        switch self {
        case .secretKey(let key): key
        case .mnemonic(let mnemonic, let account): mnemonic.secretKey(account: account)
        }
    }

    /// The bytes that have to be kept: a seed of 32, or the words' entropy.
    var secret: SecureBytes {
        switch self {
        case .secretKey(let key): key.seed
        case .mnemonic(let mnemonic, _): mnemonic.entropy
        }
    }

    public var description: String { "[redacted]" }
}

extension Mnemonic {
    /// The key of `account` at `m/44'/9009'/account'`, without a passphrase.
    public func secretKey(account: UInt16 = 0) -> SecretKey {
        KeyDerivation(seed: makeSeed(salt: Mnemonic.salt(SecureBytes(copying: []))))
            .descendant(at: DerivationPath(account: account)).secretKey
    }

    /// The key of `account` under a passphrase, which is needed again to derive it.
    /// - Throws: `Fault.passphraseNotASCII`.
    public func secretKey(
        account: UInt16 = 0, passphrase: SecureBytes
    ) throws(Fault) -> SecretKey {
        KeyDerivation(seed: try seed(passphrase: passphrase))
            .descendant(at: DerivationPath(account: account)).secretKey
    }
}
