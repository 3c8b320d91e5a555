import Foundation

/// The files of the working copy that this test was built from.
struct Repository {
    let root: URL
    /// From the root, sorted, without what is ignored.
    let paths: [String]

    init() throws {
        root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        paths = try Repository.listedByGit(root) ?? Repository.listedByFolder(root)
    }

    /// Every text file that some rule looks at.
    func textFiles() throws -> [TextFile] {
        try paths.compactMap(textFile)
    }

    /// The file at `path` if it is text.
    func textFile(_ path: String) throws -> TextFile? {
        let data = try Data(contentsOf: root.appending(path: path))
        return String(validating: data, as: UTF8.self).map { TextFile(path: path, text: $0) }
    }

    /// Whether a file or folder is part of the repository.
    func contains(_ path: String) -> Bool {
        path.isEmpty || paths.contains { $0 == path || $0.hasPrefix(path + "/") }
    }

    /// Tracked files and new ones that aren't ignored; nil outside a working copy of git.
    private static func listedByGit(_ root: URL) throws -> [String]? {
        guard FileManager.default.fileExists(atPath: root.appending(path: ".git").path) else {
            return nil
        }
        let git = Process()
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        git.currentDirectoryURL = root
        let output = Pipe()
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        try git.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        git.waitUntilExit()
        guard git.terminationStatus == 0 else { return nil }
        let paths = String(decoding: data, as: UTF8.self).split(separator: "\0").map(String.init)
        return Set(paths).sorted().filter {
            FileManager.default.fileExists(atPath: root.appending(path: $0).path)
        }
    }

    private static let skipped: Set<String> = [
        ".build", ".git", ".swiftpm", ".home", "__pycache__",
    ]

    /// Every file below the root but what builds and runs leave behind.
    static func listedByFolder(_ root: URL) throws -> [String] {
        let every = try FileManager.default.subpathsOfDirectory(atPath: root.path)
        return every.filter { path in
            let parts = path.split(separator: "/").map(String.init)
            guard skipped.isDisjoint(with: parts), path != "Package.resolved" else { return false }
            var isFolder: ObjCBool = false
            let full = root.appending(path: path).path
            return FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }
}
