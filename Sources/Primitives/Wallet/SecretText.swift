/// Text that holds a secret, read and written in locked memory only.
struct SecretText {
    private let buffer: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    private(set) var count = 0

    /// A writer into `buffer`, which must be large enough for all that is appended.
    init(into buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Two small digits for each byte.
    mutating func append(hex bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            append(SecretText.digit(byte >> 4))
            append(SecretText.digit(byte & 0xF))
        }
    }

    private mutating func append(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    /// The bytes of small hexadecimal digits, or nil if `text` isn't an even number of them.
    static func decode(hex text: Slice<UnsafeRawBufferPointer>) -> SecureBytes? {
        let isHex = text.allSatisfy { value($0) != nil }
        guard isHex, text.count.isMultiple(of: 2) else { return nil }
        let digits = UnsafeRawBufferPointer(rebasing: text)
        return SecureBytes(count: digits.count / 2) { bytes in
            for place in bytes.indices {
                let high = value(digits[2 * place]) ?? 0
                bytes[place] = high << 4 | (value(digits[2 * place + 1]) ?? 0)
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
