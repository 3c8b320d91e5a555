import Testing

/// Each rule against a sample that breaks it and one that doesn't: a rule that can't fail guards
/// nothing.
@Suite("Each rule finds what it forbids")
struct RuleTests {
    /// The lines that `rule` objects to in `text` at `path`.
    private func lines(_ rule: FileRule, _ path: String, _ text: String) -> [Int] {
        rule.findings(TextFile(path: path, text: text)).map(\.line)
    }

    @Test func `long lines, by kind of file`() {
        let long = String(repeating: "x", count: 101)
        #expect(lines(TextRules.lineLength, "Sources/A/B.swift", "ok\n" + long) == [2])
        #expect(lines(TextRules.lineLength, "README.md", long) == [])
        let longer = String(repeating: "x", count: 131)
        #expect(lines(TextRules.lineLength, "README.md", longer) == [1])
        #expect(lines(TextRules.lineLength, "README.md", "| " + longer) == [])
        #expect(lines(TextRules.lineLength, "tools/check", longer) == [1])
        #expect(lines(TextRules.lineLength, "tools/client.py", longer) == [1])
        #expect(lines(TextRules.lineLength, "Tests/vectors.json", longer) == [])
    }

    @Test func `long Swift files`() {
        let full = String(repeating: "line\n", count: 600)
        #expect(lines(TextRules.fileLength, "Sources/A/B.swift", full) == [])
        #expect(lines(TextRules.fileLength, "Sources/A/B.swift", full + "line\n") == [601])
    }

    @Test("unfinished work", arguments: ["TODO", "FIXME", "XXX"])
    func unfinished(word: String) {
        #expect(lines(TextRules.unfinished, "Sources/A/B.swift", "// \(word): later") == [1])
        #expect(lines(TextRules.unfinished, "tools/check", "mktemp /tmp/XXXXXX") == [])
        #expect(lines(TextRules.unfinished, "README.md", "the code `XXX`, or \"XXX\"") == [])
    }

    @Test func `words of one desk`() {
        let rule = TextRules.workplace
        #expect(lines(rule, "README.md", "see /work/notes") == [1])
        #expect(lines(rule, "README.md", "in an earlier session") == [1])
        #expect(lines(rule, "README.md", "written by a helper agent") == [1])
        #expect(lines(rule, "README.md", "TLS session resumption is off") == [])
        #expect(lines(rule, "README.md", "framework/workers") == [])
    }

    @Test(
        "calls that depend on more than their arguments",
        arguments: [
            "let now = Date()", "let id = UUID()", "let x = Int.random(in: 0..<2)",
            "list.shuffled()", "func f() async {", "await g()", "Task { }", "print(x)",
            "let rate: Double = 1", "var h = Hasher()", "fatalError()", "actor Pool {",
            "var g = SystemRandomNumberGenerator()",
        ])
    func impure(call: String) {
        #expect(lines(CodeRules.pureCalls, "Sources/Mempool/A.swift", call) == [1])
        #expect(lines(CodeRules.pureCalls, "Sources/Runtime/A.swift", call) == [])
        #expect(lines(CodeRules.pureCalls, "Sources/Mempool/A.swift", "// \(call)") == [])
        #expect(lines(CodeRules.pureCalls, "Sources/Mempool/A.swift", "\"\(call)\"") == [])
    }

    @Test func `names that only contain a forbidden word`() {
        let harmless = "let asyncronous = TaskList(); let DoubleSpend = preprint(x); Update(y)"
        #expect(lines(CodeRules.pureCalls, "Sources/Mempool/A.swift", harmless) == [])
    }

    @Test func `new keys come from Primitives alone`() {
        let call = "let key = SecretKey.random()"
        #expect(lines(CodeRules.pureCalls, "Sources/Primitives/A.swift", call) == [])
        #expect(lines(CodeRules.pureCalls, "Sources/Consensus/A.swift", call) == [1])
        let dice = "let n = Int.random(in: 0..<6)"
        #expect(lines(CodeRules.pureCalls, "Sources/Primitives/A.swift", dice) == [1])
    }

    @Test("forced tries and casts", arguments: ["let x = try! f()", "let y = z as! Int"])
    func traps(code: String) {
        #expect(lines(CodeRules.traps, "Sources/Runtime/A.swift", code) == [1])
        #expect(lines(CodeRules.traps, "Sources/Runtime/A.swift", "// \(code)") == [])
    }

    @Test(
        "unchecked concurrency without a reason",
        arguments: [
            "class A: @unchecked Sendable {", "nonisolated(unsafe) var a", "Task.detached {",
        ])
    func unchecked(code: String) {
        let rule = CodeRules.unchecked
        #expect(lines(rule, "Sources/Runtime/A.swift", code) == [1])
        #expect(lines(rule, "Sources/Runtime/A.swift", "// SAFETY: one writer.\n" + code) == [])
        #expect(lines(rule, "Sources/Runtime/A.swift", "// SAFETY: other\n\n" + code) == [3])
    }

    @Test func `made-up signatures stay in the simulator`() {
        let line = "@_spi(Simulation) internal import Primitives"
        let rule = CodeRules.simulationInterface
        #expect(lines(rule, "Sources/NodeCore/A.swift", line) == [1])
        #expect(lines(rule, "Sources/Simulator/A.swift", line) == [])
        #expect(lines(rule, "Sources/offpeak-sim/main.swift", line) == [])
        #expect(lines(rule, "Tests/NodeCoreTests/A.swift", line) == [])
    }

    @Test(
        "imports against the direction",
        arguments: [
            ("Primitives", "import Foundation"), ("Mempool", "internal import Consensus"),
            ("Consensus", "public import Execution"), ("Execution", "import NIOCore"),
            ("NodeCore", "package import Runtime"), ("RPC", "import NodeCore"),
            ("RPC", "import CRocksDB"), ("Gossip", "import CSodium"),
            ("Simulator", "import Runtime"), ("Execution", "import Synchronization"),
            ("Primitives", "import struct Foundation.Data"),
            ("Primitives", "@preconcurrency import Dispatch"), ("NewModule", "let x = 1"),
        ])
    func wrongImport(module: String, line: String) {
        #expect(lines(ImportRules.direction, "Sources/\(module)/A.swift", line) == [1])
    }

    @Test(
        "imports in the direction",
        arguments: [
            ("Primitives", "internal import CSodium"), ("Mempool", "public import Primitives"),
            ("NodeCore", "import Consensus"), ("Runtime", "import Foundation"),
            ("Consensus", "internal import Collections"), ("offpeak", "import ArgumentParser"),
        ])
    func rightImport(module: String, line: String) {
        #expect(lines(ImportRules.direction, "Sources/\(module)/A.swift", line) == [])
    }

    @Test func `links to nothing`() {
        let text = "[a](there.md) [b](../gone.md#part) [c](https://x.example) [d](#here)"
        let file = TextFile(path: "Sources/README.md", text: text + "\n[e](../../outside.md)")
        let findings = DocumentRules.brokenLinks(in: file) { $0 == "Sources/there.md" }
        #expect(findings.map(\.line) == [1, 2])
    }

    @Test func `hops without files`() {
        func faults(_ text: String) -> [Int] {
            let map = TextFile(path: "Sources/README.md", text: text)
            return DocumentRules.brokenHops(in: map, paths: ["Sources/RPC/Server.swift"])
                .map(\.line)
        }
        let heading = DocumentRules.hopHeading
        #expect(faults("# Map") == [1])
        #expect(faults("\(heading)\n\nno list") == [1])
        #expect(faults("\(heading)\n1. RPC: `RPC/Server.swift`.\n## Next\n2. other") == [])
        #expect(faults("\(heading)\n1. RPC:\n   `Server.swift`.") == [])
        #expect(faults("\(heading)\n1. RPC: `RPC/Gone.swift`.\n2. nothing") == [2, 3])
    }

    @Test func `files outside the layout`() {
        let paths = ["Sources/A/B.swift", "notes.txt", "scratch/a.swift", ".ci/run"]
        #expect(LayoutRules.strays(in: paths).map(\.path) == ["notes.txt", "scratch/a.swift"])
    }

    @Test func `comments and strings are blanked, code is kept`() {
        let text = #"""
            let a = "x // \" y" // comment
            let b = #"raw "quoted" text"# /* one /* two */ three */ + c
            """#
        let code = TextFile(path: "Sources/A/B.swift", text: text).codeLines
        #expect(code[0].hasPrefix("let a = \""))
        for word in ["x", "y", "comment"] { #expect(!code[0].contains(word: word)) }
        for word in ["raw", "quoted", "text", "one", "three"] {
            #expect(!code[1].contains(word: word))
        }
        #expect(code[1].contains(word: "c"))
    }
}
