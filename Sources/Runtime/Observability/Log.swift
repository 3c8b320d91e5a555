internal import Glibc
package import Logging

/// The node's log on standard error: lines for people on a terminal, JSON objects elsewhere.
package enum Log {
    /// Sets up the process's log; once, before the first `Logger` is made.
    package static func start(level: LogLevel, format: LogFormat) {
        let style = style(format)
        LoggingSystem.bootstrap { label in
            LineLogHandler(label: label, level: Logger.Level(level), style: style)
        }
    }

    /// A logger of its own that writes whole lines through `write`.
    package static func logger(
        _ label: String, level: LogLevel, style: LineLogHandler.Style,
        write: @escaping @Sendable (String) -> Void
    ) -> Logger {
        Logger(label: label) { label in
            LineLogHandler(label: label, level: Logger.Level(level), style: style, write: write)
        }
    }

    private static func style(_ format: LogFormat) -> LineLogHandler.Style {
        switch format {
        case .json: .json
        case .text: .text(colours: isatty(STDERR_FILENO) == 1)
        case .automatic: isatty(STDERR_FILENO) == 1 ? .text(colours: true) : .json
        }
    }
}

extension Logger.Level {
    init(_ level: LogLevel) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}

/// Writes each event as one line, in one call, so that lines of threads never mix.
package struct LineLogHandler: LogHandler {
    /// How lines look.
    package enum Style: Hashable, Sendable {
        /// `2026-11-23T15:54:23.123Z INFO  network: link open peer=... rtt=3`.
        case text(colours: Bool)
        /// An object with `time`, `level`, `component`, `message` and the metadata.
        case json
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let style: Style
    private let write: @Sendable (String) -> Void

    package init(
        label: String, level: Logger.Level, style: Style,
        write: @escaping @Sendable (String) -> Void = LineLogHandler.writeToStandardError
    ) {
        self.label = label
        self.style = style
        self.write = write
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        if let error = event.error { all["error"] = .string("\(error)") }
        let pairs = all.sorted { $0.key < $1.key }
        let time = UTCTime.now()
        let message = event.message.description
        switch style {
        case .json: write(json(time, event.level, message, pairs))
        case .text(let colours): write(text(time, event.level, message, pairs, colours))
        }
    }

    private func json(
        _ time: String, _ level: Logger.Level, _ message: String,
        _ pairs: [(key: String, value: Logger.MetadataValue)]
    ) -> String {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"component\":"
        JSONText.append(label, to: &line)
        line += ",\"message\":"
        JSONText.append(message, to: &line)
        for (key, value) in pairs {
            line += ","
            JSONText.append(key, to: &line)
            line += ":"
            JSONText.append(value, to: &line)
        }
        return line + "}\n"
    }

    private func text(
        _ time: String, _ level: Logger.Level, _ message: String,
        _ pairs: [(key: String, value: Logger.MetadataValue)], _ colours: Bool
    ) -> String {
        let name = level.rawValue.uppercased()
        let padded = name + String(repeating: " ", count: max(0, 8 - name.count))
        let (start, dim, end) =
            colours ? (LineLogHandler.colour(level), "\u{1B}[2m", "\u{1B}[0m") : ("", "", "")
        var line = "\(dim)\(time)\(end) \(start)\(padded)\(end) \(label): \(message)"
        for (key, value) in pairs { line += " \(dim)\(key)=\(end)\(value)" }
        // A message that came from others must not forge lines or drive the terminal.
        return LineLogHandler.visible(line, keepingEscapes: colours) + "\n"
    }

    private static func visible(_ line: String, keepingEscapes: Bool) -> String {
        var text = ""
        for scalar in line.unicodeScalars {
            let isOurs = keepingEscapes && scalar == "\u{1B}"
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            text.unicodeScalars.append(isControl && !isOurs ? " " : scalar)
        }
        return text
    }

    private static func colour(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1B}[90m"
        case .info: "\u{1B}[32m"
        case .notice: "\u{1B}[36m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }

    /// One write call; what the system doesn't take is lost, the node goes on.
    package static func writeToStandardError(_ line: String) {
        var line = line
        line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}

/// JSON strings, written by hand: the log needs nothing more.
enum JSONText {
    /// Adds `text` in quotes with everything escaped that JSON asks for.
    static func append(_ text: String, to line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }

    static func append(_ value: Logger.MetadataValue, to line: inout String) {
        switch value {
        case .string(let text): append(text, to: &line)
        case .stringConvertible(let value): append(value.description, to: &line)
        case .array(let values):
            line += "["
            for (index, value) in values.enumerated() {
                if index > 0 { line += "," }
                append(value, to: &line)
            }
            line += "]"
        case .dictionary(let values):
            line += "{"
            for (index, pair) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { line += "," }
                append(pair.key, to: &line)
                line += ":"
                append(pair.value, to: &line)
            }
            line += "}"
        }
    }
}

/// Wall-clock time as ISO 8601 in UTC with milliseconds.
package enum UTCTime {
    /// The time now.
    package static func now() -> String { text(milliseconds: milliseconds) }

    /// Milliseconds since 1970.
    package static var milliseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000))
    }

    /// `2026-11-23T15:54:23.123Z` for milliseconds since 1970.
    package static func text(milliseconds: UInt64) -> String {
        var seconds = time_t(clamping: milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [
            padded(Int(parts.tm_year) + 1900, 4), padded(parts.tm_mon + 1, 2),
            padded(parts.tm_mday, 2),
        ]
        let clock = [padded(parts.tm_hour, 2), padded(parts.tm_min, 2), padded(parts.tm_sec, 2)]
        return date.joined(separator: "-") + "T" + clock.joined(separator: ":") + "."
            + padded(milliseconds % 1000, 3) + "Z"
    }
}
