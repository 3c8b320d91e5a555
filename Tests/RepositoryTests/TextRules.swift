/// Rules on the shape and the words of every text.
enum TextRules {
    static let all = [lineLength, fileLength, unfinished, workplace]

    static let swiftColumnsMax = 100
    static let otherColumnsMax = 130
    static let fileLinesMax = 600

    /// Rows of a table and links can't be broken, so they may be longer.
    static let lineLength = FileRule.lines("line length", in: isHeldToLength) { line, file in
        let limit = file.isSwift ? swiftColumnsMax : otherColumnsMax
        guard line.count > limit else { return nil }
        if !file.isSwift, line.hasPrefix("|") || line.contains("://") { return nil }
        return "\(line.count) columns, at most \(limit) allowed"
    }

    static let fileLength = FileRule(name: "file length") { file in
        let count = file.lines.count - (file.lines.last == "" ? 1 : 0)
        guard file.isSwift, count > fileLinesMax else { return [] }
        let text = "\(count) lines, at most \(fileLinesMax) allowed: split it by what changes alone"
        return [Finding(path: file.path, line: count, text: text)]
    }

    /// In quotes it is ISO 4217's code for "no currency".
    static let unfinished = FileRule.lines("unfinished", in: isHeldToWords) { line, _ in
        let line = line.replacing("\"XXX", with: "").replacing("`XXX", with: "")
        return ["TODO", "FIXME", "XXX"].first { line.contains(word: $0) }
            .map { "\($0): finish it or leave it out" }
    }

    /// The words of BIP-39 are what they are.
    private static let wordList = "Sources/Primitives/Wallet/EnglishWords.swift"

    /// Words that mean something only at one author's desk.
    static let workplace = FileRule.lines("workplace words", in: isHeldToWords) { line, file in
        if file.path == wordList { return nil }
        let lowered = line.lowercased()
        if lowered.contains("/work/") { return "/work/: a path that no reader has" }
        let words = ["helper agent", "coding agent", "subagent"].filter { lowered.contains($0) }
        if let word = words.first { return "\"\(word)\": say what the code does, not who wrote it" }
        let isSession = lowered.contains(word: "session") || lowered.contains(word: "sessions")
        guard isSession, !technicalSession.contains(where: lowered.contains) else { return nil }
        return "\"session\" other than one of TLS"
    }

    private static let technicalSession = [
        "tls", "ssl", "session ticket", "session resumption", "session key", "session cache",
    ]

    @Sendable private static func isHeldToLength(_ file: TextFile) -> Bool {
        file.isSwift || file.isMarkdown || file.isScript
    }

    @Sendable private static func isHeldToWords(_ file: TextFile) -> Bool {
        isHeldToLength(file) && !file.holdsRules
    }
}
