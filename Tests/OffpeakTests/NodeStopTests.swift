import Execution
import Logging
import Primitives
import RPC
import Runtime
import Testing

@testable import offpeak

@Suite("The end of a node")
struct NodeStopTests {
    private let program: WalletProgram

    init() throws { program = try WalletProgram() }

    @Test("a node whose disk takes nothing more ends with 74 and says what to do")
    func fullDisk() async throws {
        let home = try await program.makeLoneHome()
        // Files may hold 512 bytes (1,024 in some shells), and a write beyond that only fails.
        let result = try await program.run(
            ["node", "--home", home.path], after: "trap '' XFSZ; ulimit -f 1")
        #expect(result.exitCode == ExitCode.storage.rawValue, "\(result.errors)")
        #expect(result.errors.contains("\(home.data): RocksDB couldn't"))
        #expect(result.errors.contains("free space (df)"))
    }

    @Test("a node searches for a sequence of stream 0 for one client at a time")
    func oneSearch() async throws {
        let home = try await program.makeLoneHome()
        let node = try RunningNode(home: home, logger: Logger(label: "test")) { _, _ in }
        let backend = try NodeBackend(node)
        func code(of stream: UInt16) async throws -> Int64? {
            do throws(RPCFault) {
                _ = try await backend.transaction(of: .zero, stream: stream, sequence: 0)
                return nil
            } catch {
                return Int64(error.code)
            }
        }
        #expect(backend.searches.enter())
        #expect(try await code(of: 0) == Int64(RPCFault.Code.overloaded.rawValue))
        #expect(try await code(of: 1) == Int64(RPCFault.Code.notFound.rawValue))
        backend.searches.leave()
        for _ in 0..<2 {
            #expect(try await code(of: 0) == Int64(RPCFault.Code.notFound.rawValue))
        }
        node.endRequests()
        node.stop()
    }

    @Test("a node that stops answers who waits for an owner at once, and says why")
    func openSubmission() async throws {
        let home = try await program.makeLoneHome()
        // Never started: nobody answers.
        let node = try RunningNode(home: home, logger: Logger(label: "test")) { _, _ in }
        let backend = try NodeBackend(node)
        let policy = try WalletSamples.policy()
        let transaction = SignedTransaction(
            transaction: WalletSamples.transaction(from: policy), policies: [policy],
            authorizations: [])
        async let answers = backend.submit([transaction])
        while node.openRequests == 0 { await Task.yield() }
        node.endRequests()
        let early = await answers
        let late = await backend.submit([transaction])
        for answers in [early, late] {
            let fault = #expect(throws: RPCFault.self) { try answers.first?.get() }
            #expect(fault?.code == RPCFault.Code.unavailable.rawValue)
            #expect(fault?.description.contains("the node is stopping") == true)
        }
        node.stop()
    }
}
