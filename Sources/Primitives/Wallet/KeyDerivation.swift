/// Many keys from one seed: SLIP-0010 for Ed25519, where every step is hardened.
///
/// Each node is a key and a chain code; a child's come from HMAC-SHA512 of its number, keyed with
/// the parent's chain code. A wallet's account N has the key at `m/44'/9009'/N'`.
public struct KeyDerivation: Sendable {
    /// Bytes of a seed.
    public static let seedCounts = 16...64
    /// The key, 32 bytes, then the chain code.
    let node: SecureBytes

    /// The root of the tree over `seed`.
    /// - Precondition: `seed` has 16...64 bytes.
    public init(seed: SecureBytes) {
        precondition(KeyDerivation.seedCounts ~= seed.count, "a seed of \(seed.count) bytes")
        let curve = Array("ed25519 seed".utf8)
        node = SecureBytes(count: HMACSHA512.count) { output in
            var hmac = curve.withUnsafeBytes { HMACSHA512(key: $0) }
            seed.withUnsafeBytes { hmac.authenticate($0, into: output) }
            hmac.wipe()
        }
    }

    private init(node: SecureBytes) { self.node = node }

    /// The node at `path` below this one.
    public func descendant(at path: DerivationPath) -> KeyDerivation {
        path.steps.reduce(self) { $0.child($1) }
    }

    /// The key pair of this node.
    public var secretKey: SecretKey { SecretKey(seed: node.slice(0..<32)) }

    private func child(_ number: UInt32) -> KeyDerivation {
        let hardened = number | DerivationPath.hardenedBit
        let message = SecureBytes(count: 37) { buffer in
            buffer[0] = 0
            node.withUnsafeBytes { node in
                for place in 0..<32 { buffer[1 + place] = node[place] }
            }
            for place in 0..<4 {
                buffer[33 + place] = UInt8(hardened >> UInt32(24 - 8 * place) & 0xFF)
            }
        }
        let child = SecureBytes(count: HMACSHA512.count) { output in
            var hmac = node.withUnsafeBytes { HMACSHA512(key: .init(rebasing: $0[32...])) }
            message.withUnsafeBytes { hmac.authenticate($0, into: output) }
            hmac.wipe()
        }
        return KeyDerivation(node: child)
    }
}

/// The steps from a seed's root to a key, each hardened, as in `m/44'/9009'/0'`.
public struct DerivationPath: Hashable, Sendable, CustomStringConvertible {
    /// Offpeak's coin type, the second step (44 is BIP-44's purpose).
    public static let coinType: UInt32 = 9009
    /// Steps at most.
    public static let depthMax = 16
    static let hardenedBit: UInt32 = 1 << 31

    /// The numbers without the hardened bit: each below 2^31.
    public let steps: [UInt32]

    /// Why text isn't a path. Steps count from 1.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case noRoot
        case tooDeep(Int)
        case notHardened(step: Int)
        case notANumber(step: Int)

        public var description: String {
            switch self {
            case .noRoot: "a path starts with m, as in m/44'/9009'/0'"
            case .tooDeep(let count):
                "\(count) steps, at most \(DerivationPath.depthMax) are allowed"
            case .notHardened(let step):
                "step \(step) isn't hardened: Ed25519 has hardened steps only, write it with '"
            case .notANumber(let step): "step \(step) isn't a number from 0 to 2147483647 with '"
            }
        }
    }

    /// The path of a wallet's account.
    public init(account: UInt16) {
        steps = [44, DerivationPath.coinType, UInt32(account)]
    }

    /// The path that text such as `m/44'/9009'/0'` writes; `m` alone is the root.
    public init(_ text: String) throws(Fault) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.first == "m" else { throw .noRoot }
        guard parts.count - 1 <= DerivationPath.depthMax else { throw .tooDeep(parts.count - 1) }
        var steps: [UInt32] = []
        for (step, part) in parts.enumerated().dropFirst() {
            guard part.hasSuffix("'") else { throw .notHardened(step: step) }
            steps.append(try DerivationPath.number(part.dropLast(), step))
        }
        self.steps = steps
    }

    private static func number(_ text: Substring, _ step: Int) throws(Fault) -> UInt32 {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard text.utf8.allSatisfy(digits.contains), let number = UInt32(text),
            number < hardenedBit
        else { throw .notANumber(step: step) }
        return number
    }

    public var description: String { (["m"] + steps.map { "\($0)'" }).joined(separator: "/") }
}
