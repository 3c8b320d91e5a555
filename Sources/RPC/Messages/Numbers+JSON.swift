public import Primitives

// Heights, views, times and sequences are JSON numbers; their `Codable` comes from the standard
// library's default for raw values. Amounts are decimal strings: half of all JSON readers round
// numbers above 2^53.

extension Height: Codable {}
extension View: Codable {}
extension Epoch: Codable {}
extension SequenceNumber: Codable {}
extension Timestamp: Codable {}

extension Amount: Codable {
    /// A string of decimal digits.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// - Throws: `DecodingError` for anything but a string of digits up to 2^64 - 1.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let amount = Amount(decimal: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" isn't an amount: digits only")
        }
        self = amount
    }

    /// The amount that `text` gives in decimal digits; nil for signs, fractions, spaces and values
    /// above 2^64 - 1.
    package init?(decimal text: String) {
        guard !text.isEmpty,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }),
            let value = UInt64(text)
        else { return nil }
        self.init(value)
    }
}
