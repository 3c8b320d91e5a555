import Execution
import FoundationEssentials
import Glibc
import Primitives
import Runtime
import Testing

@testable import offpeak

@Suite("What a local network is made of")
struct TestnetPlanTests {
    private func make(_ plan: TestnetPlan) throws -> (TestnetFolder, TestnetRecord, Genesis) {
        var template = Array("/tmp/offpeak-plan-XXXXXX".utf8CString)
        #expect(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        let folder = TestnetFolder(path)
        let record = try TestnetMaker(folder, plan).make()
        return (folder, record, try GenesisFile.load(folder.genesis))
    }

    private func peers(of node: Int, in folder: TestnetFolder) throws -> Int {
        try Configuration.load(folder.home(node).configuration).peers.count
    }

    @Test("verifiers are bonded with half of the stake and don't vote, relays have neither")
    func roles() throws {
        let plan = TestnetPlan(validators: 4, verifiers: 2, relays: 1)
        let (folder, record, genesis) = try make(plan)
        defer { try? folder.purge() }
        #expect(record.nodes(.validator) == [0, 1, 2, 3])
        #expect(record.nodes(.verifier) == [4, 5])
        #expect(record.nodes(.relay) == [6])
        #expect(genesis.committee.count == 4)
        let stake = genesis.validators.reduce(0) { $0 + $1.stake.rawValue }
        #expect(genesis.verifiers.map(\.bond.rawValue) == [stake / 2, stake / 2])
        #expect(genesis.parameters.verification.spread)
        let keys = try [4, 5].map {
            try folder.home($0).loadKey(folder.home($0).validatorKey, role: .voting).publicKey
        }
        #expect(genesis.verifiers.map(\.key) == keys)
        #expect(keys.allSatisfy { genesis.committee.index(of: $0) == nil })
        #expect(!folder.home(6).hasValidatorKey)
        #expect(try peers(of: 0, in: folder) == 6, "validators have links to everybody")
        #expect(try peers(of: 4, in: folder) == 4, "the others to the validators")
        #expect(try peers(of: 6, in: folder) == 4)
    }

    @Test("a network whose checks aren't spread says so in its genesis")
    func withoutSpreading() throws {
        let (folder, record, genesis) = try make(TestnetPlan(validators: 1, spreads: false))
        defer { try? folder.purge() }
        #expect(!genesis.parameters.verification.spread)
        #expect(genesis.verifiers.isEmpty && record.nodes.count == 1)
    }

    @Test("numbers out of range are named")
    func ranges() throws {
        let folder = TestnetFolder("/nowhere")
        for (plan, named) in [
            (TestnetPlan(validators: 0), "0 validators"),
            (TestnetPlan(verifiers: 9), "9 verifiers"), (TestnetPlan(relays: -1), "-1 relays"),
        ] {
            let fault = #expect(throws: CommandFault.self) { try TestnetMaker(folder, plan) }
            #expect(fault?.description.contains(named) == true)
        }
    }

    @Test("nodes that are added get numbers, homes and links, and the validators learn of them")
    func growth() async throws {
        let (folder, record, _) = try make(TestnetPlan(validators: 2))
        defer { try? folder.purge() }
        let network = try TestnetNetwork(folder, record: record, executable: "/nowhere")
        let growth = try TestnetGrowth(network)
        let added = try growth.make(verifiers: 1, relays: 1)
        #expect(added.map(\.node.role) == [.verifier, .relay])
        let grown = try TestnetRecord.load(folder)
        #expect(grown.nodes.map(\.index) == [0, 1, 2, 3])
        #expect(try peers(of: 2, in: folder) == 2)
        #expect(try peers(of: 0, in: folder) == 1)
        try await growth.introduce(
            TestnetNetwork(folder, record: grown, executable: "/nowhere"))
        #expect(try peers(of: 0, in: folder) == 3)
        #expect(folder.home(2).hasValidatorKey && !folder.home(3).hasValidatorKey)
    }
}
