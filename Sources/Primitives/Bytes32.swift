/// 32 bytes held as four words, so that hashing, comparing and copying stay cheap.
///
/// Words are in big-endian order: comparing values is comparing bytes from the first to the last.
public struct Bytes32: Hashable, Comparable, Sendable {
    /// The number of bytes.
    public static let count = 32
    /// 32 zero bytes.
    public static let zero = Bytes32(0, 0, 0, 0)

    private let word0: UInt64
    private let word1: UInt64
    private let word2: UInt64
    private let word3: UInt64

    private init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// The value of exactly 32 bytes, or nil for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Bytes32.count else { return nil }
        var iterator = bytes.makeIterator()
        func word() -> UInt64 {
            var value: UInt64 = 0
            for _ in 0..<8 { value = value << 8 | UInt64(iterator.next() ?? 0) }
            return value
        }
        self.init(word(), word(), word(), word())
    }

    /// The value of the 32 bytes at the start of `buffer`, which must hold at least 32.
    package init(loading buffer: UnsafeRawBufferPointer) {
        precondition(buffer.count >= Bytes32.count, "32 bytes wanted, \(buffer.count) given")
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        self.init(word(0), word(1), word(2), word(3))
    }

    /// The 32 bytes, first to last.
    public var bytes: [UInt8] {
        withUnsafeBytes { Array($0) }
    }

    /// Calls `body` with the 32 bytes, which are valid only during the call.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let words = (word0.bigEndian, word1.bigEndian, word2.bigEndian, word3.bigEndian)
        return try Swift.withUnsafeBytes(of: words) { (buffer) throws(Failure) -> Result in
            try body(buffer)
        }
    }

    /// The half byte at `index` (0...63), the high half of the first byte first.
    package func nibble(at index: Int) -> Int {
        precondition((0..<64).contains(index), "nibble index 0...63, not \(index)")
        let word =
            switch index / 16 {
            case 0: word0
            case 1: word1
            case 2: word2
            default: word3
            }
        return Int(word >> UInt64(60 - 4 * (index % 16)) & 0xF)
    }

    /// The first `count` (0...64) half bytes, the others zero: a place in a tree above this value.
    package func keepingNibbles(_ count: Int) -> Bytes32 {
        precondition((0...64).contains(count), "nibble count 0...64, not \(count)")
        func kept(_ word: UInt64, _ first: Int) -> UInt64 {
            let nibbles = min(max(count - first, 0), 16)
            return nibbles == 0 ? 0 : word & (.max << UInt64(64 - 4 * nibbles))
        }
        return Bytes32(kept(word0, 0), kept(word1, 16), kept(word2, 32), kept(word3, 48))
    }

    /// The first eight bytes as a big-endian number.
    package var leadingWord: UInt64 { word0 }

    /// All of them, in order, each eight bytes as they lie in memory.
    package var words: (UInt64, UInt64, UInt64, UInt64) { (word0, word1, word2, word3) }

    /// The value modulo `modulus` (above zero), the bytes read as a big-endian number.
    package func remainder(dividingBy modulus: UInt64) -> UInt64 {
        precondition(modulus > 0, "modulus above zero wanted")
        var remainder: UInt64 = 0
        for word in [word0, word1, word2, word3] {
            remainder = modulus.dividingFullWidth((remainder, word)).remainder
        }
        return remainder
    }

    public static func < (left: Bytes32, right: Bytes32) -> Bool {
        if left.word0 != right.word0 { return left.word0 < right.word0 }
        if left.word1 != right.word1 { return left.word1 < right.word1 }
        if left.word2 != right.word2 { return left.word2 < right.word2 }
        return left.word3 < right.word3
    }
}

extension Bytes32: BCSCodable {
    public func encode(to writer: inout BCSWriter) {
        withUnsafeBytes { writer.appendRaw($0) }
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        self = try reader.readBytes32()
    }
}

extension Bytes32: CustomStringConvertible {
    /// 64 hexadecimal digits in lower case.
    public var description: String { Hex.encode(bytes) }
}

/// Hexadecimal text.
public enum Hex {
    /// Two lower-case digits for each byte.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 0xF)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of an even number of digits of either case; nil for anything else.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
