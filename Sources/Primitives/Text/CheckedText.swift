/// Text with a checksum for more bytes than `Bech32m` is good for: one line that people copy, and
/// that in capitals fits a QR code's alphanumeric mode.
///
/// A prefix that says what the bytes are, `1`, then the bytes and the first four of
/// `H(offpeak/text, prefix ‖ bytes)` in groups of five bits, with bech32's characters. Any change
/// is found but for one in 2^32.
public enum CheckedText {
    private static let checksumBytes = 4

    /// Why text isn't one.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case tooLong(maximum: Int)
        case mixedCase
        case noSeparator
        /// Positions count characters from 1.
        case invalidCharacter(position: Int)
        case checksum

        public var description: String {
            switch self {
            case .tooLong(let maximum): "more than \(maximum) characters"
            case .mixedCase: "capital and small letters mixed"
            case .noSeparator: "no 1 between prefix and data"
            case .invalidCharacter(let position):
                "character \(position) can't stand there: after the prefix and 1 only "
                    + "qpzry9x8gf2tvdw0s3jn54khce6mua7l are used"
            case .checksum: "the checksum is wrong: a part is missing or was changed"
            }
        }
    }

    /// Text for `bytes`.
    /// - Precondition: `prefix` is of small letters a-z.
    public static func encode(prefix: String, _ bytes: [UInt8]) -> String {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        precondition(prefix.utf8.allSatisfy(letters.contains), "\(prefix) isn't of letters")
        let groups = Bech32m.groups(of: bytes + checksum(Array(prefix.utf8), bytes))
        let characters = groups.map { Bech32m.alphabet[Int($0)] }
        return prefix + "1" + String(decoding: characters, as: UTF8.self)
    }

    /// Prefix and bytes of text in small or in capital letters, with at most `bytesMax` bytes.
    public static func decode(
        _ text: some StringProtocol, bytesMax: Int
    ) throws(Fault) -> (prefix: String, bytes: [UInt8]) {
        let maximum = (bytesMax + checksumBytes) * 8 / 5 + 40
        guard text.utf8.count <= maximum else { throw .tooLong(maximum: maximum) }
        let characters = try lowered(Array(text.utf8))
        guard let separator = characters.firstIndex(of: UInt8(ascii: "1")) else {
            throw .noSeparator
        }
        let prefix = characters[..<separator]
        let data = try bytes(of: characters[(separator + 1)...])
        guard data.count >= checksumBytes else { throw .checksum }
        let bytes = Array(data.dropLast(checksumBytes))
        guard checksum(Array(prefix), bytes) == Array(data.suffix(checksumBytes)) else {
            throw .checksum
        }
        return (String(decoding: prefix, as: UTF8.self), bytes)
    }

    private static func checksum(_ prefix: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        Array(Digest.hash(.text, prefix + bytes).bytes.prefix(checksumBytes))
    }

    private static func lowered(_ characters: [UInt8]) throws(Fault) -> [UInt8] {
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let small = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard characters.contains(where: capitals.contains) else { return characters }
        guard !characters.contains(where: small.contains) else { throw .mixedCase }
        return characters.map { capitals.contains($0) ? $0 | 0x20 : $0 }
    }

    private static func bytes(of characters: ArraySlice<UInt8>) throws(Fault) -> [UInt8] {
        var groups: [UInt8] = []
        groups.reserveCapacity(characters.count)
        for (place, character) in zip(characters.indices, characters) {
            guard let value = Bech32m.alphabet.firstIndex(of: character) else {
                throw .invalidCharacter(position: place + 1)
            }
            groups.append(UInt8(value))
        }
        do throws(Bech32m.Fault) {
            return try Bech32m.bytes(of: groups)
        } catch {
            throw .checksum
        }
    }
}
