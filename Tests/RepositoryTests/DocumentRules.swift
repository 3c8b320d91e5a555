import Foundation

/// Rules on documents: what they point at exists.
enum DocumentRules {
    /// Relative links of `file` whose targets `exists` denies.
    static func brokenLinks(in file: TextFile, exists: (String) -> Bool) -> [Finding] {
        guard file.isMarkdown else { return [] }
        let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
        var findings: [Finding] = []
        var isCode = false
        for (index, line) in file.lines.enumerated() {
            if line.hasPrefix("```") { isCode.toggle() }
            guard !isCode else { continue }
            for link in relativeLinks(in: line) {
                let target = resolve(link, from: folder)
                if let target, exists(target) { continue }
                let text = "link to \(link): no such file in the repository"
                findings.append(Finding(path: file.path, line: index + 1, text: text))
            }
        }
        return findings
    }

    /// The targets of inline links and images, without fragments and without other sites.
    static func relativeLinks(in line: String) -> [String] {
        line.components(separatedBy: "](").dropFirst().compactMap { rest in
            let target = rest.prefix { $0 != ")" && $0 != " " && $0 != "#" }
            let isElsewhere = target.contains("://") || target.hasPrefix("mailto:")
            return target.isEmpty || isElsewhere ? nil : String(target)
        }
    }

    /// The path from the root that `link` in a file of `folder` means; nil if it leaves the root.
    static func resolve(_ link: String, from folder: String) -> String? {
        var parts = link.hasPrefix("/") ? [] : folder.split(separator: "/")
        for part in link.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                return nil
            }
        }
        return parts.joined(separator: "/")
    }

    static let hopHeading = "## One transaction, hop by hop"

    /// What is wrong with the hop list of the sources' map: each numbered hop names at least one
    /// file of `paths` in backticks, from `Sources` or by its last parts.
    static func brokenHops(in map: TextFile, paths: [String]) -> [Finding] {
        guard let start = map.lines.firstIndex(of: hopHeading) else {
            let text = "the section \"\(hopHeading)\" is missing"
            return [Finding(path: map.path, line: 1, text: text)]
        }
        let hops = hops(in: map, after: start)
        guard !hops.isEmpty else {
            let text = "the section has no numbered hops"
            return [Finding(path: map.path, line: start + 1, text: text)]
        }
        return hops.flatMap { line, text in
            fileFaults(in: text, paths: paths).map {
                Finding(path: map.path, line: line, text: $0)
            }
        }
    }

    /// The numbered items of the section with the lines that they begin on.
    private static func hops(in map: TextFile, after start: Int) -> [(line: Int, text: String)] {
        var hops: [(line: Int, text: String)] = []
        for (index, line) in map.lines.enumerated().dropFirst(start + 1) {
            if line.hasPrefix("## ") { break }
            let digits = line.prefix(while: \.isNumber)
            if !digits.isEmpty, line.dropFirst(digits.count).hasPrefix(". ") {
                hops.append((index + 1, line))
            } else if line.hasPrefix(" "), let last = hops.indices.last {
                hops[last].text += line
            }
        }
        return hops
    }

    private static func fileFaults(in hop: String, paths: [String]) -> [String] {
        let pieces = hop.split(separator: "`", omittingEmptySubsequences: false)
        let quoted = pieces.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        let names = quoted.filter { $0.hasSuffix(".swift") }
        guard !names.isEmpty else { return ["a hop that names no Swift file in backticks"] }
        return names.filter { name in
            !paths.contains { $0.hasPrefix("Sources/") && $0.hasSuffix("/" + name) }
        }.map { "`\($0)` isn't a file below Sources" }
    }
}

/// Rules on where files lie.
enum LayoutRules {
    static let topLevel: Set<String> = [
        "Package.swift", "Sources", "Tests", "genesis", "testnet", "tools", "README.md", "LICENSE",
        "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", ".gitignore", ".swift-format", ".ci",
        ".editorconfig", ".dockerignore",
    ]

    /// Paths outside the agreed top-level entries.
    static func strays(in paths: [String]) -> [Finding] {
        paths.compactMap { path in
            let top = path.split(separator: "/").first.map(String.init) ?? path
            guard !topLevel.contains(top) else { return nil }
            return Finding(path: path, line: 1, text: "\(top) isn't part of the agreed layout")
        }
    }
}
