/// One place that breaks a rule of the repository.
struct Finding: Hashable, CustomStringConvertible {
    let path: String
    /// From 1.
    let line: Int
    /// What is wrong, and what would be right.
    let text: String

    var description: String { "\(path):\(line): \(text)" }
}

/// A rule that each file can be held to on its own.
struct FileRule: Sendable {
    let name: String
    let findings: @Sendable (TextFile) -> [Finding]

    /// A rule on single lines: `fault` says what is wrong with one, or nil.
    static func lines(
        _ name: String, in files: @escaping @Sendable (TextFile) -> Bool,
        fault: @escaping @Sendable (String, TextFile) -> String?
    ) -> FileRule {
        FileRule(name: name) { file in
            guard files(file) else { return [] }
            return file.lines.enumerated().compactMap { index, line in
                fault(line, file).map { Finding(path: file.path, line: index + 1, text: $0) }
            }
        }
    }
}
