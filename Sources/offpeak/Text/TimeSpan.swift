/// A length of time as people write it: `90` (seconds), `500ms`, `10s`, `2h`, `1d12h`.
struct TimeSpan: Hashable, Sendable, CustomStringConvertible {
    let milliseconds: UInt64

    init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    static func seconds(_ count: UInt64) -> TimeSpan { TimeSpan(milliseconds: count * 1000) }

    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ("w", 604_800_000),
    ]

    /// - Throws: `TextFault` for anything but whole numbers with units, or seconds alone.
    init(_ text: some StringProtocol) throws(TextFault) {
        if let seconds = UInt64(text), !text.hasPrefix("+") {
            milliseconds = try TimeSpan.product(seconds, 1000, of: text)
            return
        }
        var total: UInt64 = 0
        var rest = text[...]
        repeat {
            let part = try TimeSpan.part(&rest, of: text)
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { throw TimeSpan.tooLong(text) }
            total = sum
        } while !rest.isEmpty
        milliseconds = total
    }

    /// Takes a number with its unit from the front of `rest`.
    private static func part<Text: StringProtocol>(
        _ rest: inout Text.SubSequence, of text: Text
    ) throws(TextFault) -> UInt64 {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        let letters = rest.prefix { $0.isASCII && $0.isLetter }
        rest = rest.dropFirst(letters.count)
        guard !digits.isEmpty, let unit = units.first(where: { $0.name == letters }) else {
            throw TextFault(
                "\"\(text)\" isn't a length of time; write 90 (seconds), 500ms, 10s, 5m, 2h, 3d")
        }
        guard let number = UInt64(digits) else { throw tooLong(text) }
        return try product(number, unit.milliseconds, of: text)
    }

    private static func product(
        _ number: UInt64, _ unit: UInt64, of text: some StringProtocol
    ) throws(TextFault) -> UInt64 {
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow else { throw tooLong(text) }
        return product
    }

    private static func tooLong(_ text: some StringProtocol) -> TextFault {
        TextFault("\"\(text)\" is longer than any time that can be written")
    }

    /// The largest units first, at most two of them.
    var description: String {
        var rest = milliseconds
        var parts: [String] = []
        for unit in TimeSpan.units.reversed() where rest >= unit.milliseconds && parts.count < 2 {
            if unit.name == "w" { continue }
            parts.append("\(rest / unit.milliseconds)\(unit.name)")
            rest %= unit.milliseconds
        }
        return parts.isEmpty ? "0s" : parts.joined(separator: " ")
    }
}

/// Why text isn't what an option wants: with the text, and what would be right.
struct TextFault: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
