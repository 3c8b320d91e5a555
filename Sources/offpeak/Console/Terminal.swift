internal import Glibc
internal import Primitives

/// One of the process's own streams, written without a buffer.
struct Terminal: Sendable {
    private let descriptor: Int32

    static let input = Terminal(descriptor: STDIN_FILENO)
    /// Answers.
    static let output = Terminal(descriptor: STDOUT_FILENO)
    /// Errors, prompts and progress.
    static let errors = Terminal(descriptor: STDERR_FILENO)

    /// Whether a person sits at the other end.
    var isInteractive: Bool { isatty(descriptor) == 1 }

    /// Writes all of `text`; what a closed pipe refuses is lost.
    func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// Writes all of `bytes`; a secret is neither copied nor kept.
    func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor, part.baseAddress, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

// Secrets that a person types or another program gives.
extension Terminal {
    /// A secret from stdin: with `prompt` and without echo from a person, all that comes otherwise.
    /// - Throws: `CommandFault` for nothing, or more than `maximum` bytes.
    static func readSecret(
        _ prompt: String, maximum: Int = 4096
    ) throws(CommandFault) -> SecureBytes {
        guard input.isInteractive else { return try SecretFile.readInput(maximum: maximum) }
        errors.write(prompt)
        defer { errors.write("\n") }
        return try withoutEcho { () throws(CommandFault) in
            try SecretFile.readLine(STDIN_FILENO, maximum: maximum)
        }
    }

    private static func withoutEcho<Result>(
        _ body: () throws(CommandFault) -> Result
    ) throws(CommandFault) -> Result {
        var settings = termios()
        tcgetattr(STDIN_FILENO, &settings)
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) }
        return try body()
    }
}

/// Colours, on a terminal only: never in a file or a pipe, and not where `NO_COLOR` is set.
struct Palette: Sendable {
    enum Colour: String, Sendable {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    private let isOn: Bool

    init(isOn: Bool) { self.isOn = isOn }

    init(for terminal: Terminal) {
        isOn = terminal.isInteractive && getenv("NO_COLOR") == nil && Palette.knowsColours
    }

    private static var knowsColours: Bool {
        guard let kind = getenv("TERM") else { return false }
        return String(cString: kind) != "dumb"
    }

    func paint(_ text: String, _ colour: Colour) -> String {
        isOn ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
