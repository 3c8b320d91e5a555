/// Which module may import which: the direction of the architecture.
enum ImportRules {
    static let all = [direction]

    static let direction = FileRule(name: "imports") { file in
        guard file.isSwift, let module = file.module else { return [] }
        guard let allowed = ownImports[module] else {
            let text = "module \(module) isn't in the table of imports: add it with its place"
            return [Finding(path: file.path, line: 1, text: text)]
        }
        return file.codeLines.enumerated().compactMap { index, line in
            guard let name = imported(line), !isAllowed(name, in: module, allowed),
                exceptions[file.path] != name
            else { return nil }
            let text = "\(module) must not import \(name)"
            return Finding(path: file.path, line: index + 1, text: text)
        }
    }

    /// Imports that one file needs and its module's others must not have.
    private static let exceptions = [
        // The store of tests and simulations is shared between readers, so it has a lock.
        "Sources/Execution/State/MemoryStore.swift": "Synchronization"
    ]

    /// The module that a line imports, or nil.
    static func imported(_ line: String) -> String? {
        var words = line.split(separator: " ").drop { $0.hasPrefix("@") }
        let levels: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
        if let first = words.first, levels.contains(first) { words.removeFirst() }
        guard words.first == "import" else { return nil }
        words.removeFirst()
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let"]
        if let first = words.first, kinds.contains(first) { words.removeFirst() }
        return words.first?.split(separator: ".").first.map(String.init)
    }

    private static func isAllowed(_ name: String, in module: String, _ own: Set<String>) -> Bool {
        if ownImports[name] != nil || systemLibraries.contains(name) { return own.contains(name) }
        guard CodeRules.pureModules.contains(module) || module == "Simulator" else { return true }
        return collections.contains(name)
    }

    private static let systemLibraries: Set<String> = [
        "CBlake2", "CMemory", "CSodium", "CRocksDB", "CZstd",
    ]

    private static let collections: Set<String> = [
        "Collections", "DequeModule", "OrderedCollections", "HeapModule", "BitCollections",
        "HashTreeCollections", "BasicContainers",
    ]

    private static let engines: Set<String> = ["Gossip", "Mempool", "Consensus", "Execution"]

    /// What each module may import of the project's own.
    private static let ownImports: [String: Set<String>] = [
        "Primitives": ["CBlake2", "CSodium"],
        "Gossip": ["Primitives"],
        "Mempool": ["Primitives"],
        "Consensus": ["Primitives"],
        "Execution": ["CMemory", "Primitives"],
        "Bench": ["Execution", "Primitives"],
        "LightClient": ["Consensus", "Execution", "Primitives"],
        "NodeCore": engines.union(["Primitives"]),
        "Simulator": engines.union(["NodeCore", "Primitives"]),
        "Runtime": engines.union(["NodeCore", "Primitives", "CRocksDB", "CZstd"]),
        "RPC": ["Primitives"],
        "offpeak": engines.union([
            "Runtime", "RPC", "LightClient", "NodeCore", "Bench", "Primitives",
        ]),
        "offpeak-sim": ["Simulator", "Bench", "Consensus", "Execution", "Primitives"],
    ]
}
