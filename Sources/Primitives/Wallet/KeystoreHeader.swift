/// What turning a password into a key costs: whoever guesses pays it for each guess.
///
/// Wire: operations (four bytes), memoryKiB (four bytes).
public struct PasswordCost: Hashable, Sendable, BCSCodable {
    /// Passes over the memory that a keystore may ask for: minutes at the most.
    public static let operationsMax: UInt32 = 16
    /// Memory that a keystore may ask for: 1 GiB. Argon2 itself needs at least 8 KiB.
    public static let memoryKiBRange: ClosedRange<UInt32> = 8...1_048_576
    /// Three passes over 256 MiB: about a second.
    public static let standard = PasswordCost(checkedOperations: 3, memoryKiB: 262_144)

    /// 1...16.
    public let operations: UInt32
    /// 8...1,048,576.
    public let memoryKiB: UInt32

    private init(checkedOperations: UInt32, memoryKiB: UInt32) {
        operations = checkedOperations
        self.memoryKiB = memoryKiB
    }

    /// A cost within the bounds, or nil.
    public init?(operations: UInt32, memoryKiB: UInt32) {
        guard 1...PasswordCost.operationsMax ~= operations,
            PasswordCost.memoryKiBRange ~= memoryKiB
        else { return nil }
        self.init(checkedOperations: operations, memoryKiB: memoryKiB)
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(operations)
        writer.append(memoryKiB)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let operations = try reader.readUInt32()
        let memoryKiB = try reader.readUInt32()
        guard let cost = PasswordCost(operations: operations, memoryKiB: memoryKiB) else {
            let what = "a password cost of \(operations) passes over \(memoryKiB) KiB"
            throw BCSError(.invalidValue(what), at: start)
        }
        self = cost
    }
}

/// What a keystore says without its password.
///
/// Wire: public key, role (variant 0 wallet, 1 voting, 2 identity), form (variant 0 seed, 1
/// mnemonic), account (two bytes, 0 for a seed), cost, salt (16 bytes), nonce (24 bytes).
struct KeystoreHeader: Hashable, Sendable, BCSCodable {
    /// Bytes of a secret: a seed's, or an entropy's.
    static let secretCounts = Mnemonic.entropyCounts

    let publicKey: PublicKey
    let role: StoredKey.Role
    let isMnemonic: Bool
    let account: UInt16
    let cost: PasswordCost
    let salt: [UInt8]
    let nonce: [UInt8]

    init(_ key: StoredKey, cost: PasswordCost, salt: [UInt8], nonce: [UInt8]) {
        publicKey = key.secretKey.publicKey
        role = key.role
        switch key.material {
        case .secretKey: (isMnemonic, account) = (false, 0)
        case .mnemonic(_, let account): (isMnemonic, self.account) = (true, account)
        }
        self.cost = cost
        self.salt = salt
        self.nonce = nonce
    }

    /// What `secret` is the secret of, or nil if its length is wrong for the form.
    func material(_ secret: SecureBytes) -> KeyMaterial? {
        if isMnemonic {
            return (try? Mnemonic(entropy: secret)).map { .mnemonic($0, account: account) }
        }
        return secret.count == 32 ? .secretKey(SecretKey(seed: secret)) : nil
    }

    func encode(to writer: inout BCSWriter) {
        writer.append(publicKey)
        writer.appendVariant(UInt32(StoredKey.Role.allCases.firstIndex(of: role) ?? 0))
        writer.appendVariant(isMnemonic ? 1 : 0)
        writer.append(account)
        writer.append(cost)
        writer.appendFixed(salt)
        writer.appendFixed(nonce)
    }

    init(from reader: inout BCSReader) throws(BCSError) {
        publicKey = try reader.read()
        let roles = StoredKey.Role.allCases
        role = roles[try KeystoreHeader.variant(below: roles.count, &reader)]
        isMnemonic = try KeystoreHeader.variant(below: 2, &reader) == 1
        account = try reader.readUInt16()
        guard isMnemonic || account == 0 else {
            throw reader.fault(.invalidValue("account \(account) of a key without words"))
        }
        cost = try reader.read()
        salt = try reader.readFixed(Keystore.saltBytes)
        nonce = try reader.readFixed(Keystore.nonceBytes)
    }

    private static func variant(
        below count: Int, _ reader: inout BCSReader
    ) throws(BCSError) -> Int {
        let start = reader.offset
        let index = try reader.readULEB128()
        guard index < count else { throw BCSError(.unknownVariant(index), at: start) }
        return Int(index)
    }
}
