import Testing

@Suite("The repository keeps its own rules")
struct RepositoryTests {
    private static let rules = TextRules.all + CodeRules.all + ImportRules.all
    private static let files = Result { try Repository().textFiles() }

    @Test("every file keeps", arguments: rules.map(\.name))
    func everyFile(keeps name: String) throws {
        let rule = try #require(Self.rules.first { $0.name == name })
        let files = try Self.files.get()
        try #require(files.contains { $0.path == "Package.swift" })
        report(files.flatMap(rule.findings))
    }

    @Test func `relative links in documents resolve`() throws {
        let repository = try Repository()
        let findings = try Self.files.get().flatMap {
            DocumentRules.brokenLinks(in: $0, exists: repository.contains)
        }
        report(findings)
    }

    @Test func `the hop list names files that exist`() throws {
        let repository = try Repository()
        // The map is written last; from then on it must be true.
        guard repository.contains("Sources/README.md") else { return }
        let map = try #require(try repository.textFile("Sources/README.md"))
        report(DocumentRules.brokenHops(in: map, paths: repository.paths))
    }

    @Test func `no file lies outside the agreed layout`() throws {
        report(LayoutRules.strays(in: try Repository().paths))
    }

    @Test func `no module consists of a placeholder`() throws {
        let placeholders = try Repository().paths.filter { $0.hasSuffix("/Placeholder.swift") }
        report(placeholders.map { Finding(path: $0, line: 1, text: "an empty target") })
    }

    @Test func `a copy without git has the same files`() throws {
        let repository = try Repository()
        let listed = Set(try Repository.listedByFolder(repository.root))
        #expect(listed.isSuperset(of: repository.paths))
        #expect(!listed.contains { $0.hasPrefix(".git/") || $0.hasPrefix(".build/") })
    }

    private func report(_ findings: [Finding]) {
        for finding in findings { Issue.record("\(finding)") }
    }
}
