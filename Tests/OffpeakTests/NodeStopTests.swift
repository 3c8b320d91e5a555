import Runtime
import Testing

@testable import offpeak

@Suite("The end of a node")
struct NodeStopTests {
    private let program: WalletProgram

    init() throws { program = try WalletProgram() }

    /// A home with the genesis of a network whose only validator it is.
    private func makeHome() async throws -> Home {
        try await program.run(["init", "node"])
        let made = try await program.run([
            "genesis", "new", "--network", "tests", "--validator", "node", "--out",
            "node/genesis.json",
        ])
        #expect(made.exitCode == 0, "\(made.errors)")
        return Home("\(program.folder)/node")
    }

    @Test("a node whose disk takes nothing more ends with 74 and says what to do")
    func fullDisk() async throws {
        let home = try await makeHome()
        // Files may hold 512 bytes (1,024 in some shells), and a write beyond that only fails.
        let result = try await program.run(
            ["node", "--home", home.path], after: "trap '' XFSZ; ulimit -f 1")
        #expect(result.exitCode == ExitCode.storage.rawValue, "\(result.errors)")
        #expect(result.errors.contains("\(home.data): RocksDB couldn't"))
        #expect(result.errors.contains("free space (df)"))
    }
}
