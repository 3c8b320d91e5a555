/// Command lines for people to copy.
enum ShellText {
    /// A line that a POSIX shell reads as these words, whatever is in them.
    static func line(_ words: [String]) -> String { words.map(word).joined(separator: " ") }

    /// A path that no command takes for an option.
    static func path(_ path: String) -> String { path.hasPrefix("-") ? "./\(path)" : path }

    private static func word(_ text: String) -> String {
        guard text.isEmpty || !text.utf8.allSatisfy(isPlain) else { return text }
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.joined(separator: "'\\''") + "'"
    }

    /// Whether no shell gives the byte a meaning, wherever in a word it stands.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "_./:@%+,-".utf8.contains(byte)
        }
    }
}
