import Foundation
import RPC
import Runtime
import Testing

/// What a run of the built program said.
struct ProgramResult: Sendable {
    let exitCode: Int32
    let output: String
    let errors: String

    /// The member `name` of the JSON on stdout; nil if it isn't JSON or has none.
    subscript(name: String) -> JSONValue? { json?[name] }

    var json: JSONValue? { try? JSONReader.parse(Array(output.utf8), within: .answer) }

    /// The message of the JSON error on stderr.
    var errorMessage: String? {
        (try? JSONReader.parse(Array(errors.utf8)))?["error"]?["message"]?.text
    }
}

/// Runs the built program in a folder of its own, which goes with the last reference.
final class WalletProgram: Sendable {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "offpeak-wallet-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The program next to the test bundle in the build folder.
    private static func executable() throws -> URL {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        let places = [own] + (bundle.map { [URL(fileURLWithPath: $0)] } ?? [])
        let candidates = places.map {
            $0.deletingLastPathComponent().appendingPathComponent("offpeak")
        }
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) },
            "no program at \(candidates.map(\.path))")
    }

    /// Runs `offpeak` with `arguments`, with `input` on stdin and only the given environment, after
    /// a shell's commands if there are some.
    ///
    /// The wait is on a thread of its own: the tests' node answers on the shared ones.
    @discardableResult
    func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:],
        after commands: String? = nil
    ) async throws -> ProgramResult {
        let process = Process()
        let program = try WalletProgram.executable()
        if let commands {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            let script = "\(commands); exec \"$0\" \"$@\""
            process.arguments = ["-c", script, program.path] + arguments
        } else {
            process.executableURL = program
            process.arguments = arguments
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own }
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try WalletProgram.wait(for: process, input) })
            }
        }
    }

    private static func wait(for process: Process, _ input: String) throws -> ProgramResult {
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        let errors = try stderr.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return ProgramResult(
            exitCode: process.terminationStatus,
            output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }

    /// A wallet key, and what `key new --json` tells of it.
    func makeKey(_ name: String) async throws -> (address: String, publicKey: String) {
        let made = try await run(["key", "new", name, "--hide-words", "--json"])
        try #require(made.exitCode == 0, "\(made)")
        return (
            try #require(made["address"]?.text), try #require(made["publicKey"]?.text)
        )
    }

    func read(_ file: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
    }

    func write(_ text: String, to file: String) throws {
        try text.write(toFile: "\(folder)/\(file)", atomically: true, encoding: .utf8)
    }

    func setMode(_ mode: Int, of file: String) throws {
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: "\(folder)/\(file)")
    }

    func mode(of file: String) throws -> Int? {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(file)")
        return (attributes[.posixPermissions] as? NSNumber)?.intValue
    }

    /// A home with the genesis of a network whose only validator it is.
    func makeLoneHome() async throws -> Home {
        try await run(["init", "node"])
        let made = try await run([
            "genesis", "new", "--network", "tests", "--validator", "node", "--out",
            "node/genesis.json",
        ])
        #expect(made.exitCode == 0, "\(made.errors)")
        return Home("\(folder)/node")
    }
}
