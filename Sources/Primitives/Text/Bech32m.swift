/// Text with a checksum for bytes that people copy: bech32m.
///
/// A prefix that says what the bytes are, `1`, the bytes in groups of five bits, and six characters
/// of checksum that find any four wrong characters. Source: BIP-350, with BIP-173's character set.
public enum Bech32m {
    /// Characters: beyond them the checksum promises less.
    public static let lengthMax = 90
    private static let checksumLength = 6
    private static let checksumConstant: UInt32 = 0x2BC8_30A3
    static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    /// Why text isn't bech32m. Positions count characters from 1.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case tooLong(Int)
        case mixedCase
        case invalidCharacter(position: Int)
        case noSeparator
        case emptyPrefix
        case tooShort
        case checksum
        case padding

        public var description: String {
            switch self {
            case .tooLong(let count):
                "\(count) characters, at most \(Bech32m.lengthMax) are allowed"
            case .mixedCase: "capital and small letters mixed: use small letters only"
            case .invalidCharacter(let position):
                "character \(position) can't stand there: after the prefix and 1 only "
                    + "qpzry9x8gf2tvdw0s3jn54khce6mua7l are used"
            case .noSeparator: "no 1 between prefix and data"
            case .emptyPrefix: "nothing before the 1: a prefix is missing"
            case .tooShort: "too short: the end seems to be missing"
            case .checksum: "the checksum is wrong: a character was mistyped, added or left out"
            case .padding: "the data doesn't end at a whole byte"
            }
        }
    }

    /// Text for `bytes`.
    /// - Precondition: `prefix` is of small ASCII letters, digits or signs, and the whole fits.
    public static func encode(prefix: String, _ bytes: some Collection<UInt8>) -> String {
        encode(prefix: prefix, groups: groups(of: bytes))
    }

    /// Prefix and bytes of text in small or in capital letters.
    public static func decode(
        _ text: some StringProtocol
    ) throws(Fault) -> (prefix: String, bytes: [UInt8]) {
        let (prefix, groups) = try decodeGroups(text)
        return (prefix, try bytes(of: groups))
    }

    static func encode(prefix: String, groups: [UInt8]) -> String {
        let prefixBytes = Array(prefix.utf8)
        precondition(!prefixBytes.isEmpty, "a prefix is wanted")
        let length = prefixBytes.count + 1 + groups.count + checksumLength
        precondition(length <= lengthMax, "\(length) characters of bech32m")
        let data = groups + checksum(prefixBytes, groups)
        let characters = data.map { alphabet[Int($0)] }
        return prefix + "1" + String(decoding: characters, as: UTF8.self)
    }

    static func decodeGroups(
        _ text: some StringProtocol
    ) throws(Fault) -> (prefix: String, groups: [UInt8]) {
        let characters = try lowered(Array(text.utf8))
        guard let separator = characters.lastIndex(of: UInt8(ascii: "1")) else {
            throw .noSeparator
        }
        guard separator > 0 else { throw .emptyPrefix }
        let prefix = Array(characters[..<separator])
        let groups = try values(of: characters, after: separator)
        guard groups.count >= checksumLength else { throw .tooShort }
        guard polymod(expanded(prefix) + groups) == checksumConstant else { throw .checksum }
        let data = Array(groups.dropLast(checksumLength))
        return (String(decoding: prefix, as: UTF8.self), data)
    }

    private static func lowered(_ characters: [UInt8]) throws(Fault) -> [UInt8] {
        guard characters.count <= lengthMax else { throw .tooLong(characters.count) }
        for (place, character) in characters.enumerated() where !(33...126 ~= character) {
            throw .invalidCharacter(position: place + 1)
        }
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let small = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard characters.contains(where: capitals.contains) else { return characters }
        guard !characters.contains(where: small.contains) else { throw .mixedCase }
        return characters.map { capitals.contains($0) ? $0 | 0x20 : $0 }
    }

    private static func values(
        of characters: [UInt8], after separator: Int
    ) throws(Fault) -> [UInt8] {
        var values: [UInt8] = []
        for (place, character) in characters.enumerated().dropFirst(separator + 1) {
            guard let value = alphabet.firstIndex(of: character) else {
                throw .invalidCharacter(position: place + 1)
            }
            values.append(UInt8(value))
        }
        return values
    }

    static func groups(of bytes: some Collection<UInt8>) -> [UInt8] {
        var groups: [UInt8] = []
        var pending: UInt32 = 0
        var pendingBits = 0
        for byte in bytes {
            pending = pending << 8 & 0xFFF | UInt32(byte)
            pendingBits += 8
            while pendingBits >= 5 {
                pendingBits -= 5
                groups.append(UInt8(pending >> UInt32(pendingBits) & 31))
            }
        }
        if pendingBits > 0 { groups.append(UInt8(pending << UInt32(5 - pendingBits) & 31)) }
        return groups
    }

    /// The bytes of groups whose last bits, fewer than five, are zero.
    static func bytes(of groups: [UInt8]) throws(Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        var pending: UInt32 = 0
        var pendingBits = 0
        for group in groups {
            pending = pending << 5 & 0xFFF | UInt32(group)
            pendingBits += 5
            guard pendingBits >= 8 else { continue }
            pendingBits -= 8
            bytes.append(UInt8(pending >> UInt32(pendingBits) & 0xFF))
        }
        let padding = pending & (1 << UInt32(pendingBits) - 1)
        guard pendingBits < 5, padding == 0 else { throw .padding }
        return bytes
    }

    private static func checksum(_ prefix: [UInt8], _ groups: [UInt8]) -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: checksumLength)
        let remainder = polymod(expanded(prefix) + groups + zeros) ^ checksumConstant
        return (0..<checksumLength).map { UInt8(remainder >> UInt32(5 * (5 - $0)) & 31) }
    }

    /// The prefix as the checksum sees it: the high bits, 0, the low bits.
    private static func expanded(_ prefix: [UInt8]) -> [UInt8] {
        prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 }
    }

    /// The remainder of the BCH code over five-bit values.
    private static func polymod(_ values: [UInt8]) -> UInt32 {
        let generator: [UInt32] = [
            0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3,
        ]
        var remainder: UInt32 = 1
        for value in values {
            let top = remainder >> 25
            remainder = (remainder & 0x1FF_FFFF) << 5 ^ UInt32(value)
            for (bit, term) in generator.enumerated() where top >> UInt32(bit) & 1 == 1 {
                remainder ^= term
            }
        }
        return remainder
    }
}
