import Foundation
import Testing

/// Runs `tools/client.py` as a person would.
struct PythonClient {
    struct Result {
        let status: Int32
        let output: [String]
        let errors: String
    }

    private let python: String

    /// With the Python that `tools/setup` finds.
    static let found = Swift.Result { try PythonClient() }

    private init() throws {
        let setup = try PythonClient.run("tools/setup", ["--python"])
        try #require(setup.status == 0, "run tools/setup first: \(setup.errors)")
        python = try #require(setup.output.first)
    }

    func run(_ arguments: [String]) throws -> Result {
        let client = repositoryRoot.appending(path: "tools/client.py").path
        return try PythonClient.run(python, [client] + arguments)
    }

    private static func run(_ path: String, _ arguments: [String]) throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: path, relativeTo: repositoryRoot)
        process.arguments = arguments
        process.currentDirectoryURL = repositoryRoot
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
final class TemporaryFile {
    let url: URL
    let handle: FileHandle

    init(_ text: String = "", mode: Int = 0o600) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "offpeak-\(UUID())")
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: mode]
        try #require(
            FileManager.default.createFile(
                atPath: url.path, contents: Data(text.utf8), attributes: attributes))
        handle = try FileHandle(forWritingTo: url)
    }

    func contents() throws -> String { try String(contentsOf: url, encoding: .utf8) }

    deinit { try? FileManager.default.removeItem(at: url) }
}
