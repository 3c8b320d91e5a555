/// Amounts as text: decimal digits of the asset's smallest unit and nothing else, so that each
/// amount has one text and no reader can lose a digit to a rounding.
public enum AmountText {
    /// Why text isn't an amount.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case empty
        case negative(String)
        case fractional(String)
        case notDigits(String)
        case leadingZero(String)
        case tooLarge(String)

        public var description: String {
            switch self {
            case .empty: "an amount is missing: write decimal digits, such as 1500"
            case .negative(let text): "\"\(text)\": an amount can't be negative"
            case .fractional(let text):
                "\"\(text)\": an amount is a whole number of the smallest unit"
            case .notDigits(let text):
                "\"\(text)\" isn't an amount: write decimal digits only, such as 1500"
            case .leadingZero(let text): "\"\(text)\": an amount has no zeros in front"
            case .tooLarge(let text):
                "\"\(text)\" is above \(UInt64.max), the largest amount"
            }
        }
    }

    /// Characters of the text that a fault quotes.
    private static let quotedMax = 40

    /// The amount that `text` writes.
    public static func parse(_ text: some StringProtocol) throws(Fault) -> Amount {
        let characters = Array(text.utf8)
        guard !characters.isEmpty else { throw .empty }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard characters.allSatisfy(digits.contains) else { throw fault(of: text) }
        if characters.count > 1, characters[0] == UInt8(ascii: "0") {
            throw .leadingZero(quoted(text))
        }
        guard let value = UInt64(text) else { throw .tooLarge(quoted(text)) }
        return Amount(value)
    }

    private static func fault(of text: some StringProtocol) -> Fault {
        let rest = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let parts = rest.split(omittingEmptySubsequences: false) { ".,".utf8.contains($0) }
        let areDigits = parts.allSatisfy { $0.allSatisfy(digits.contains) }
        guard areDigits, rest.contains(where: digits.contains) else {
            return .notDigits(quoted(text))
        }
        if rest.count < text.utf8.count { return .negative(quoted(text)) }
        return .fractional(quoted(text))
    }

    private static func quoted(_ text: some StringProtocol) -> String {
        text.count <= quotedMax ? String(text) : String(text.prefix(quotedMax)) + "..."
    }
}
