/// When a machine is lent.
package enum ShareMode: String, CaseIterable, Sendable {
    /// Never.
    case off
    /// While nobody else wants it.
    case idle
    /// Whatever else runs on it.
    case always
}

/// What the owner of a machine lends of it.
package struct ShareSettings: Hashable, Sendable {
    /// Nil: `always` on a validator, `idle` elsewhere.
    package var mode: ShareMode?
    /// Cores, 1...256; 0 for all.
    package var cores = 0
    /// Percent of the time of these cores, 1...100.
    package var cpuPercent = 100
    /// Bandwidth for others' work, 0...100,000 megabits a second; 0 for no limit.
    package var megabits = 0
    /// Times of the day, in the machine's local time; none for the whole day.
    package var hours: [DaySpan] = []
    /// Percent of the machine's cores that other programs may use before it is wanted, 1...100.
    package var loadMax = 20
    /// Percent of the time in which other programs may wait for processor, memory or disk before
    /// the machine is wanted, 1...100.
    package var pressureMax = 10

    package init() {}

    /// The machine's cores that are lent.
    func lentCores(of machine: Int) -> Int { cores == 0 ? machine : min(cores, machine) }

    /// Spans that a list may have.
    static let hoursMax = 24
}

/// A part of each day, such as 22:00-07:00: from the first minute, up to and without the last.
package struct DaySpan: Hashable, Sendable, CustomStringConvertible {
    /// Minutes since midnight, 0...1439.
    package let start: Int
    /// Minutes since midnight, 1...1440; before `start` if midnight lies between.
    package let end: Int

    /// The span in `HH:MM-HH:MM`, or nil for another text and for a span without a minute.
    package init?(_ text: String) {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count == 2, let start = DaySpan.minutes(halves[0]), start < 1440,
            let end = DaySpan.minutes(halves[1]), start != end
        else { return nil }
        self.start = start
        self.end = end == 0 ? 1440 : end
    }

    /// Whether a minute of the day, 0...1439, lies within.
    package func contains(_ minute: Int) -> Bool {
        start < end ? (start..<end).contains(minute) : minute >= start || minute < end
    }

    package var description: String { "\(DaySpan.text(start))-\(DaySpan.text(end))" }

    /// Minutes of `HH:MM`, 00:00 to 24:00.
    private static func minutes(_ text: Substring) -> Int? {
        let bytes = Array(text.utf8)
        let digits = [0, 1, 3, 4].compactMap { place -> Int? in
            guard bytes.count == 5, (0x30...0x39).contains(bytes[place]) else { return nil }
            return Int(bytes[place]) - 0x30
        }
        guard digits.count == 4, bytes[2] == UInt8(ascii: ":") else { return nil }
        let (hour, minute) = (10 * digits[0] + digits[1], 10 * digits[2] + digits[3])
        guard minute < 60, hour < 24 || (hour == 24 && minute == 0) else { return nil }
        return 60 * hour + minute
    }

    private static func text(_ minutes: Int) -> String {
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(padded(minutes / 60)):\(padded(minutes % 60))"
    }
}
