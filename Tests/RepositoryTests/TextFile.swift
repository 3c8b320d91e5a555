/// A text file of the repository with what the rules look at.
struct TextFile: Sendable {
    /// From the root of the repository, with slashes.
    let path: String
    let lines: [String]
    /// In Swift files the lines with comments and the contents of strings blanked out, else the
    /// lines themselves.
    let codeLines: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard path.hasSuffix(".swift") else {
            codeLines = lines
            return
        }
        var blanker = SwiftBlanker(text)
        codeLines = blanker.blanked().split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isMarkdown: Bool { path.hasSuffix(".md") }
    /// Whether it is run by a shell or by Python: these have no ending or one of two.
    var isScript: Bool {
        let ending = path.split(separator: "/").last?.split(separator: ".").dropFirst().last
        let folders = ["tools/", "testnet/", ".ci/"]
        return ending == "sh" || ending == "py"
            || ending == nil && folders.contains { path.hasPrefix($0) }
    }

    /// The module of a source file: the folder below `Sources`.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    /// Whether the file belongs to the rules themselves, whose samples break them.
    var holdsRules: Bool { path.hasPrefix("Tests/RepositoryTests/") }
}

extension String {
    /// Whether `word` occurs with no letter, digit or underscore at either end where the word
    /// itself begins or ends with one.
    func contains(word: String) -> Bool {
        let text = Array(utf8)
        let wanted = Array(word.utf8)
        guard let first = wanted.first, let last = wanted.last else { return false }
        guard text.count >= wanted.count else { return false }
        for start in 0...(text.count - wanted.count) where text[start] == first {
            let end = start + wanted.count
            guard text[start..<end].elementsEqual(wanted) else { continue }
            let joinedBefore = start > 0 && first.isWordByte && text[start - 1].isWordByte
            let joinedAfter = end < text.count && last.isWordByte && text[end].isWordByte
            if !joinedBefore, !joinedAfter { return true }
        }
        return false
    }
}

extension UInt8 {
    fileprivate var isWordByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
