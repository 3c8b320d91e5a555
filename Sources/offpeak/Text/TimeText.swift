internal import Primitives

/// A time as people write it: `+2h` from now, `2026-11-23T16:00:00Z`, or milliseconds since 1970.
enum TimeText: Hashable, Sendable {
    /// After the moment at which the command runs.
    case after(TimeSpan)
    case at(Timestamp)

    /// - Throws: `TextFault` for text of none of the three forms.
    init(_ text: String) throws(TextFault) {
        if text.hasPrefix("+") {
            self = .after(try TimeSpan(text.dropFirst()))
        } else if !text.isEmpty, text.utf8.allSatisfy(TimeText.isDigit) {
            self = .at(try TimeText.milliseconds(text))
        } else {
            self = .at(try ISOTime.parse(text))
        }
    }

    /// The time meant at `now`.
    /// - Throws: `TextFault` past the last time there is.
    func resolved(at now: Timestamp) throws(TextFault) -> Timestamp {
        switch self {
        case .at(let time): return time
        case .after(let span):
            guard let time = now.advanced(by: span.milliseconds) else {
                throw TextFault("+\(span) lies beyond the last time that can be written")
            }
            return time
        }
    }

    /// Numbers below are taken for seconds by mistake: in milliseconds they lie before 2001.
    private static let millisecondsMin: UInt64 = 1_000_000_000_000

    private static func milliseconds(_ text: String) throws(TextFault) -> Timestamp {
        guard let value = UInt64(text) else {
            throw TextFault("\"\(text)\" lies beyond the last time that can be written")
        }
        guard value >= millisecondsMin else {
            throw TextFault(
                """
                "\(text)" as milliseconds since 1970 lies before 2001; write +\(text)s for a time \
                from now, or 2026-11-23T16:00:00Z
                """)
        }
        return Timestamp(value)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
}

/// Times in ISO 8601: `2026-11-23T16:00:00Z`, with a fraction or another offset if need be. A date
/// alone is its first moment in UTC.
enum ISOTime {
    private static let dayMilliseconds: UInt64 = 86_400_000

    /// - Throws: `TextFault` for text that isn't a time from 1970 to 9999.
    static func parse(_ text: String) throws(TextFault) -> Timestamp {
        var scanner = DigitScanner(text)
        guard let day = ISOTime.day(&scanner), let clock = ISOTime.clock(&scanner),
            scanner.isAtEnd
        else {
            throw TextFault(
                """
                "\(text)" isn't a time; write +10s or +2h from now, 2026-11-23T16:00:00Z, or \
                milliseconds since 1970
                """)
        }
        let value = Int64(day * dayMilliseconds + clock.milliseconds) - clock.offset
        guard let milliseconds = UInt64(exactly: value) else {
            throw TextFault("\"\(text)\" lies before 1970")
        }
        return Timestamp(milliseconds)
    }

    /// `2026-11-23T16:00:00.000Z`; milliseconds only where there are some.
    static func text(_ time: Timestamp) -> String {
        let (count, rest) = time.rawValue.quotientAndRemainder(dividingBy: dayMilliseconds)
        guard count < days(year: 10_000, month: 1, day: 1) else { return "\(time) ms" }
        let date = civil(count)
        let fraction = rest % 1000 == 0 ? "" : ".\(padded(rest % 1000, 3))"
        let seconds = rest / 1000
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(clock.joined(separator: ":"))\(fraction)Z"
    }

    private static func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Days since 1970 of a date at the scanner.
    private static func day(_ scanner: inout DigitScanner) -> UInt64? {
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2),
            scanner.skip("-"), let day = scanner.number(2), 1970...9999 ~= year, 1...12 ~= month,
            1...length(month, of: year) ~= day
        else { return nil }
        return days(year: year, month: month, day: day)
    }

    /// The time of day at the scanner, and its offset from UTC in milliseconds.
    private static func clock(
        _ scanner: inout DigitScanner
    ) -> (milliseconds: UInt64, offset: Int64)? {
        if scanner.isAtEnd { return (0, 0) }
        guard scanner.skip("T") || scanner.skip(" "), let hour = scanner.number(2),
            scanner.skip(":"), let minute = scanner.number(2), hour < 24, minute < 60
        else { return nil }
        var milliseconds = (hour * 60 + minute) * 60_000
        if scanner.skip(":") {
            guard let second = scanner.number(2), second < 60 else { return nil }
            milliseconds += second * 1000
            if scanner.skip(".") {
                guard let fraction = scanner.fraction() else { return nil }
                milliseconds += fraction
            }
        }
        guard let offset = ISOTime.offset(&scanner) else { return nil }
        return (milliseconds, offset)
    }

    private static func offset(_ scanner: inout DigitScanner) -> Int64? {
        if scanner.skip("Z") { return 0 }
        let isEast = scanner.skip("+")
        guard isEast || scanner.skip("-"), let hour = scanner.number(2), scanner.skip(":"),
            let minute = scanner.number(2), hour < 24, minute < 60
        else { return nil }
        let milliseconds = Int64((hour * 60 + minute) * 60_000)
        return isEast ? milliseconds : -milliseconds
    }

    private static func isLeap(_ year: UInt64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func length(_ month: UInt64, of year: UInt64) -> UInt64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01; the year starts in March, so that a leap day is its last.
    private static func days(year: UInt64, month: UInt64, day: UInt64) -> UInt64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year % 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(_ days: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
        let shifted = days + 719_468
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + shifted / 146_097 * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

/// Reads fixed runs of digits from text.
private struct DigitScanner {
    private var rest: Substring

    init(_ text: String) { rest = text[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    /// Exactly `count` digits.
    mutating func number(_ count: Int) -> UInt64? {
        let digits = rest.prefix(count)
        guard digits.utf8.count == count, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
            return nil
        }
        rest = rest.dropFirst(count)
        return UInt64(digits)
    }

    /// One digit or more after the point, as milliseconds; finer ones are cut.
    mutating func fraction() -> UInt64? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        return UInt64((digits + "00").prefix(3))
    }
}
