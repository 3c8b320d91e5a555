internal import CSodium

/// A secret as 12 to 24 English words that a person writes down (BIP-39).
///
/// The words are the entropy and some bits of its SHA-256, eleven bits a word. They exist only in
/// locked memory and appear in no description.
public struct Mnemonic: Sendable, CustomStringConvertible, CustomReflectable {
    /// Bytes of entropy that have words: 12, 15, 18, 21 and 24 of them.
    public static let entropyCounts = [16, 20, 24, 28, 32]
    private static let seedRounds = 2048
    private static let bitsPerWord = 11

    /// The entropy, then the first byte of its SHA-256.
    private let bits: SecureBytes

    /// Why something isn't a mnemonic, or has no seed. Words count from 1.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case entropyCount(Int)
        case wordCount(Int)
        /// The suggestion tells about the secret: for the person who typed it, not for a log.
        case unknownWord(position: Int, suggestion: String?)
        case checksum
        case passphraseNotASCII(position: Int)

        public var description: String {
            switch self {
            case .entropyCount(let count):
                "\(count) bytes of entropy: 16, 20, 24, 28 or 32 are wanted"
            case .wordCount(let count): "\(count) words: 12, 15, 18, 21 or 24 are wanted"
            case .unknownWord(let position, let suggestion):
                "word \(position) isn't in the English list of BIP-39"
                    + (suggestion.map { ": is it \"\($0)\"?" } ?? "")
            case .checksum:
                "the words don't belong together: one of them is another, or their order is wrong"
            case .passphraseNotASCII(let position):
                "byte \(position) of the passphrase isn't ASCII: use letters without accents, "
                    + "digits and signs, which every wallet encodes alike"
            }
        }
    }

    /// The words of `entropy`.
    /// - Throws: `Fault.entropyCount` unless it has 16, 20, 24, 28 or 32 bytes.
    public init(entropy: SecureBytes) throws(Fault) {
        guard Mnemonic.entropyCounts.contains(entropy.count) else {
            throw .entropyCount(entropy.count)
        }
        let count = entropy.count
        bits = SecureBytes(count: count + 1) { buffer in
            entropy.withUnsafeBytes { buffer.copyMemory(from: $0) }
            buffer[count] = Mnemonic.checkByte(of: .init(rebasing: buffer[..<count]))
        }
    }

    /// The mnemonic of words that a person typed: UTF-8 in small or capital letters, with blanks,
    /// tabs or line ends between them.
    public init(words text: SecureBytes) throws(Fault) {
        let places = Mnemonic.places(of: text)
        guard Mnemonic.entropyCounts.contains(where: { Mnemonic.wordCount($0) == places.count })
        else { throw .wordCount(places.count) }
        if let fault = Mnemonic.fault(in: text, places) { throw fault }
        let packed = Mnemonic.pack(text, places)
        try self.init(entropy: packed.slice(0..<packed.count - 1))
        guard checkBitsEqual(packed) else { throw .checksum }
    }

    /// 12, 15, 18, 21 or 24.
    public var wordCount: Int { Mnemonic.wordCount(bits.count - 1) }

    /// The entropy, in locked memory of its own.
    public var entropy: SecureBytes { bits.slice(0..<bits.count - 1) }

    /// Calls `body` with the words as ASCII, one blank between them. To be shown once to the person
    /// who writes them down; the bytes must not be kept.
    public func withWords<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        phrase.withUnsafeBytes(body)
    }

    /// The 64 bytes that keys are derived from. About 5 ms.
    /// - Throws: `Fault.passphraseNotASCII`: other text would need Unicode's normal form NFKD.
    public func seed(passphrase: SecureBytes) throws(Fault) -> SecureBytes {
        let foreign = passphrase.withUnsafeBytes { bytes in bytes.firstIndex { $0 >= 0x80 } }
        if let foreign { throw .passphraseNotASCII(position: foreign + 1) }
        return makeSeed(salt: Mnemonic.salt(passphrase))
    }

    public var description: String { "Mnemonic(\(wordCount) words, [redacted])" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Mnemonic {
    func makeSeed(salt: SecureBytes) -> SecureBytes {
        PBKDF2.derive(password: phrase, salt: salt, rounds: Mnemonic.seedRounds)
    }

    static func salt(_ passphrase: SecureBytes) -> SecureBytes {
        let label = Array("mnemonic".utf8)
        return SecureBytes(count: label.count + passphrase.count) { buffer in
            buffer.copyBytes(from: label)
            passphrase.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: buffer[label.count...]).copyMemory(from: $0)
            }
        }
    }

    private static func wordCount(_ entropyCount: Int) -> Int { entropyCount * 3 / 4 }

    private var phrase: SecureBytes {
        let indexes = 0..<wordCount
        let letters = indexes.reduce(0) { $0 + WordList.words[wordIndex(at: $1)].count }
        return SecureBytes(count: letters + wordCount - 1) { buffer in
            var place = 0
            for index in indexes {
                if index > 0 {
                    buffer[place] = UInt8(ascii: " ")
                    place += 1
                }
                let word = WordList.words[wordIndex(at: index)]
                UnsafeMutableRawBufferPointer(rebasing: buffer[place...]).copyBytes(from: word)
                place += word.count
            }
        }
    }

    private func wordIndex(at word: Int) -> Int {
        bits.withUnsafeBytes { bytes in
            (0..<Mnemonic.bitsPerWord).reduce(0) { value, bit in
                let place = word * Mnemonic.bitsPerWord + bit
                return value << 1 | Int(bytes[place / 8] >> UInt8(7 - place % 8) & 1)
            }
        }
    }

    /// Whether the words' own check bits, one for each four bytes of entropy, are the right ones.
    private func checkBitsEqual(_ packed: SecureBytes) -> Bool {
        let last = bits.count - 1
        let unused = UInt8(8 - last / 4)
        return bits.withUnsafeBytes { right in
            packed.withUnsafeBytes { ($0[last] ^ right[last]) >> unused == 0 }
        }
    }

    private static func checkByte(of entropy: UnsafeRawBufferPointer) -> UInt8 {
        Sodium.start()
        return withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { digest in
            crypto_hash_sha256(digest.octets, entropy.octets, UInt64(entropy.count))
            defer { sodium_memzero(digest.octets, digest.count) }
            return digest[0]
        }
    }

    private static func places(of text: SecureBytes) -> [Range<Int>] {
        text.withUnsafeBytes { bytes in
            bytes.split { " \t\r\n".utf8.contains($0) }.map { $0.startIndex..<$0.endIndex }
        }
    }

    private static func fault(in text: SecureBytes, _ places: [Range<Int>]) -> Fault? {
        text.withUnsafeBytes { bytes in
            for (position, place) in places.enumerated()
            where WordList.index(of: bytes[place]) == nil {
                return .unknownWord(
                    position: position + 1, suggestion: WordList.suggestion(for: bytes[place]))
            }
            return nil
        }
    }

    /// The words' numbers as bits: entropy, then a byte with the check bits on top.
    private static func pack(_ text: SecureBytes, _ places: [Range<Int>]) -> SecureBytes {
        SecureBytes(count: places.count * 4 / 3 + 1) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            text.withUnsafeBytes { bytes in
                for (word, place) in places.enumerated() {
                    let index = WordList.index(of: bytes[place]) ?? 0
                    for bit in 0..<bitsPerWord where index >> (bitsPerWord - 1 - bit) & 1 == 1 {
                        let place = word * bitsPerWord + bit
                        buffer[place / 8] |= 0x80 >> UInt8(place % 8)
                    }
                }
            }
        }
    }
}
