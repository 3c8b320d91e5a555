import Foundation
import Logging
import Primitives
import RPC
import Runtime
import Testing

@testable import offpeak

@Suite("Looking after a stopped node's files")
struct DatabaseCommandTests {
    private let program: WalletProgram

    init() throws { program = try WalletProgram() }

    /// A home of a network whose only validator it is, after a start.
    private func makeHome() async throws -> Home {
        let home = try await program.makeLoneHome()
        let node = try open(home)
        node.stop()
        return home
    }

    private func open(_ home: Home) throws -> RunningNode {
        try RunningNode(home: home, logger: Logger(label: "test")) { _, _ in }
    }

    private func run(_ words: String...) async throws -> ProgramResult {
        try await program.run(["db"] + words + ["--home", "node"])
    }

    @Test("a check of whole files ends with 0 and says what it read, also as JSON")
    func whole() async throws {
        _ = try await makeHome()
        let text = try await run("check")
        #expect(text.exitCode == 0, "\(text.errors)")
        #expect(text.output.contains("everything is whole"))
        #expect(text.errors.contains("state: "))
        let json = try await run("check", "--quick", "--json")
        #expect(json.exitCode == 0 && json.errors.isEmpty, "\(json.errors)")
        #expect(json["whole"] == .bool(true))
        #expect(json["appliedHeight"] == .number("0"))
    }

    @Test("while a node runs on the home nothing is read, and who runs there is said")
    func running() async throws {
        let home = try await makeHome()
        let node = try open(home)
        for command in ["check", "repair"] {
            let result = try await run(command)
            #expect(result.exitCode == ExitCode.locked.rawValue)
            #expect(result.errors.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
        }
        node.stop()
    }

    @Test("damage ends a check with 74 and with the command, and a start as well")
    func damaged() async throws {
        let home = try await makeHome()
        try FileManager.default.removeItem(atPath: "\(home.data)/CURRENT")
        let checked = try await run("check")
        #expect(checked.exitCode == ExitCode.storage.rawValue)
        #expect(checked.output.contains("\(Home("node").data)/CURRENT is missing"))
        #expect(checked.output.contains("offpeak db repair --home node"))
        let started = try await program.run(["node", "--home", home.path])
        #expect(started.exitCode == ExitCode.storage.rawValue)
        #expect(started.errors.contains("offpeak db repair --home \(home.path)"))
    }

    @Test("where nobody could give the chain back, repair changes nothing and asks for a backup")
    func alone() async throws {
        let home = try await makeHome()
        let before = try FileManager.default.contentsOfDirectory(atPath: home.path).sorted()
        let result = try await run("repair")
        #expect(result.exitCode == ExitCode.failure.rawValue)
        #expect(result.errors.contains("backup"))
        let after = try FileManager.default.contentsOfDirectory(atPath: home.path).sorted()
        #expect(before == after)
    }

    @Test("a validator by its configuration doesn't start without its key")
    func keyGone() async throws {
        let home = try await makeHome()
        let text = try String(contentsOfFile: home.configuration, encoding: .utf8)
        try text.replacingOccurrences(of: "role: null", with: "role: validator").write(
            toFile: home.configuration, atomically: true, encoding: .utf8)
        try FileManager.default.removeItem(atPath: home.validatorKey)
        let started = try await program.run(["node", "--home", home.path])
        #expect(started.exitCode == ExitCode.configuration.rawValue)
        #expect(started.errors.contains("\(home.validatorKey): no key there"))
    }
}
