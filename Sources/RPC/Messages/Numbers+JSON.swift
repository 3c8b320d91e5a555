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
        do throws(AmountText.Fault) {
            self = try AmountText.parse(text)
        } catch {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: error.description)
        }
    }
}
