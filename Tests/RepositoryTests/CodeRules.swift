/// Rules on what Swift code may call and where.
enum CodeRules {
    static let all = [pureCalls, traps, unchecked, simulationInterface]

    /// The modules whose results may depend on nothing but their arguments.
    static let pureModules: Set<String> = [
        "Primitives", "Gossip", "Mempool", "Consensus", "Execution", "LightClient", "NodeCore",
    ]

    /// Clocks, randomness, concurrency, output and inexact numbers stay out of the pure modules.
    static let pureCalls = code("calls in pure modules", in: isPure) { line, file in
        let word = bannedCalls.first { line.contains(word: $0) }
        if let word { return "\"\(word)\" in a pure module: pass the value in" }
        let isRandom = line.contains(word: ".random(")
        guard isRandom, file.module != "Primitives" || !isKeyGeneration(line) else { return nil }
        return "\".random(\" in a pure module: pass a seed or a value in"
    }

    private static let bannedCalls = [
        "Date(", "UUID(", ".randomElement(", ".shuffled(", ".shuffle(",
        "SystemRandomNumberGenerator", "ContinuousClock", "SuspendingClock", "async", "await",
        "actor", "Task", "print(", "debugPrint(", "Double", "Float", "Float32", "CGFloat",
        "Hasher(", "fatalError",
    ]

    /// New keys come from the system's generator; the shell alone asks for them.
    private static func isKeyGeneration(_ line: String) -> Bool {
        ["SecretKey.random(", "SecureBytes.random(", "seed: .random(count:"]
            .contains(where: line.contains)
    }

    static let traps = code("traps", in: { $0.module != nil }) { line, _ in
        ["try!", "as!"].first { line.contains(word: $0) }
            .map { "\"\($0)\" can trap: throw or return an error" }
    }

    static let unchecked = FileRule(name: "unchecked concurrency") { file in
        guard file.isSwift else { return [] }
        return file.codeLines.indices.compactMap { index in
            let escape = escapes.first { file.codeLines[index].contains($0) }
            guard let escape, !hasReason(file, index) else { return nil }
            let text = "\"\(escape)\" without \"// SAFETY:\" and its reason above"
            return Finding(path: file.path, line: index + 1, text: text)
        }
    }

    private static let escapes = ["@unchecked Sendable", "nonisolated(unsafe)", "Task.detached"]
    /// How far above a declaration's line its reason may begin.
    private static let reasonLinesMax = 8

    /// Whether a reason stands on the line or above it without an empty line between.
    private static func hasReason(_ file: TextFile, _ index: Int) -> Bool {
        for line in file.lines[max(0, index - reasonLinesMax)...index].reversed() {
            if line.contains("// SAFETY:") { return true }
            if line.allSatisfy(\.isWhitespace) { return false }
        }
        return false
    }

    static let simulationInterface = code(
        "simulation interface",
        in: { file in
            !file.path.hasPrefix("Tests/") && file.module != "Simulator"
                && file.module != "offpeak-sim"
        },
        fault: { line, _ in
            guard line.contains("@_spi(Simulation)"), line.contains(word: "import") else {
                return nil
            }
            return "@_spi(Simulation) makes up signatures: only the simulator and tests import it"
        })

    @Sendable private static func isPure(_ file: TextFile) -> Bool {
        file.module.map(pureModules.contains) ?? false
    }

    /// A rule on lines of Swift code without their comments and strings.
    private static func code(
        _ name: String, in files: @escaping @Sendable (TextFile) -> Bool,
        fault: @escaping @Sendable (String, TextFile) -> String?
    ) -> FileRule {
        FileRule(name: name) { file in
            guard file.isSwift, files(file) else { return [] }
            return file.codeLines.enumerated().compactMap { index, line in
                fault(line, file).map { Finding(path: file.path, line: index + 1, text: $0) }
            }
        }
    }
}
