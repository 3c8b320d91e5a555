import Foundation
import Primitives
import Testing

/// The repository's folder, from this file's place in it.
let repositoryRoot = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// What a reader of `Sources/PROTOCOL.md` finds in its tables and examples.
struct ProtocolDocument {
    private let lines: [String]

    init() throws {
        let url = repositoryRoot.appending(path: "Sources/PROTOCOL.md")
        lines = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n")
    }

    /// The cells of the table whose first row reads `header`, without backticks.
    func table(_ header: String) throws -> [[String]] {
        let start = try #require(lines.firstIndex(of: header), "no table \(header)")
        return lines.dropFirst(start + 2).prefix { $0.hasPrefix("|") }.map { row in
            row.split(separator: "|").map {
                $0.replacing("`", with: "").trimmingCharacters(in: .whitespaces)
            }
        }
    }

    /// The named values of the example `name`; a line that begins with a blank goes on with the
    /// value above it.
    func example(_ name: String) throws -> [String: String] {
        let start = try #require(lines.firstIndex(of: "```text \(name)"), "no example \(name)")
        var values: [String: String] = [:]
        var current = ""
        for line in lines.dropFirst(start + 1).prefix(while: { $0 != "```" }) {
            if !line.hasPrefix(" ") {
                current = line.prefix(16).trimmingCharacters(in: .whitespaces)
            }
            values[current, default: ""] += line.dropFirst(16)
        }
        return values
    }
}
