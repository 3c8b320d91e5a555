internal import Foundation

/// Runs one of the Python programs of `tools/` as a person would.
public struct PythonTool: Sendable {
    /// What a run came to.
    public struct Result: Sendable {
        public let status: Int32
        /// The lines of stdout.
        public let output: [String]
        public let errors: String
    }

    /// Why there is no Python to run it with.
    public struct Missing: Error, CustomStringConvertible {
        public let description: String
    }

    private let python: String
    private let program: String

    /// - Parameter program: Its path below the repository's root.
    /// - Throws: `Missing` without the Python that `tools/setup` finds.
    public init(_ program: String) throws {
        let setup = try PythonTool.run("tools/setup", ["--python"])
        guard setup.status == 0, let python = setup.output.first else {
            throw Missing(description: "run tools/setup first: \(setup.errors)")
        }
        self.python = python
        self.program = program
    }

    public func run(_ arguments: [String]) throws -> Result {
        try PythonTool.run(python, [program] + arguments)
    }

    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func run(_ path: String, _ arguments: [String]) throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: path, relativeTo: root)
        process.arguments = arguments
        process.currentDirectoryURL = root
        process.standardInput = FileHandle.nullDevice
        let errors = try TemporaryFile()
        process.standardError = errors.handle
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus,
            output: String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init),
            errors: try errors.contents())
    }
}

/// A file that is gone with its last reference.
public final class TemporaryFile {
    private let url: URL
    let handle: FileHandle
    public var path: String { url.path }

    public init(_ text: String = "", mode: Int = 0o600) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "offpeak-\(UUID())")
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: mode]
        guard
            FileManager.default.createFile(
                atPath: url.path, contents: Data(text.utf8), attributes: attributes)
        else { throw CocoaError(.fileWriteUnknown) }
        handle = try FileHandle(forWritingTo: url)
    }

    public func contents() throws -> String { try String(contentsOf: url, encoding: .utf8) }

    deinit { try? FileManager.default.removeItem(at: url) }
}
