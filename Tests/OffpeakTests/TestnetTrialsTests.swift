import Foundation
import Testing

/// The walk and the trials of `testnet/` on real processes: the same scripts that a person runs,
/// with the program that was built with these tests.
@Suite("A network of real processes", .serialized)
struct TestnetTrialsTests {
    /// The built program, next to the test bundle.
    private static func program() throws -> String {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        let places = [own] + (bundle.map { [URL(fileURLWithPath: $0)] } ?? [])
        let candidates = places.map {
            $0.deletingLastPathComponent().appendingPathComponent("offpeak").path
        }
        return try #require(
            candidates.first(where: FileManager.default.isExecutableFile),
            "no program at \(candidates)")
    }

    /// Runs a program of `testnet/` in a folder of its own.
    private func run(_ name: String, _ arguments: [String] = []) async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let home = NSTemporaryDirectory() + "offpeak-testnet-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        let process = Process()
        process.executableURL = root.appendingPathComponent("testnet/\(name)")
        process.arguments = arguments + ["--home", home]
        let programs = URL(fileURLWithPath: try Self.program()).deletingLastPathComponent().path
        process.environment = ProcessInfo.processInfo.environment
            .merging(["OFFPEAK_PROGRAMS": programs]) { _, new in new }
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
        #expect(process.terminationStatus == 0, "\(name) \(arguments):\n\(output)")
        #expect(!FileManager.default.fileExists(atPath: home), "its files are left behind")
    }

    @Test("the walk holds step by step")
    func walk() async throws {
        try await run("run", ["--demo-only"])
    }

    @Test(
        "what must hold when machines fail and people cheat",
        arguments: [
            "kill-each", "kill-all", "stop-one", "stop-two", "double-spend", "foreign-client",
        ])
    func trial(_ name: String) async throws {
        try await run(
            "trials.py", ["--offpeak", Self.program(), "--only", name, "--pairs", "40"])
    }
}
