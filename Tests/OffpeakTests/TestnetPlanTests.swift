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

    /// The ports at which a node asks for others.
    private func seeds(of node: Int, in folder: TestnetFolder) throws -> [UInt16] {
        try Configuration.load(folder.home(node).configuration).seeds.map(\.port)
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
        let ports = record.nodes.map(\.linkPort)
        #expect(try seeds(of: 0, in: folder) == [ports[1], ports[2]])
        for node in 3...6 {
            #expect(try seeds(of: node, in: folder) == Array(ports[0...2]))
        }
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

    @Test("nodes that are added get numbers, homes and the validators' addresses")
    func growth() throws {
        let (folder, record, _) = try make(TestnetPlan(validators: 2))
        defer { try? folder.purge() }
        let network = try TestnetNetwork(folder, record: record, executable: "/nowhere")
        let added = try TestnetGrowth(network).make(verifiers: 1, relays: 1)
        #expect(added.map(\.node.role) == [.verifier, .relay])
        let grown = try TestnetRecord.load(folder)
        #expect(grown.nodes.map(\.index) == [0, 1, 2, 3])
        let ports = grown.nodes.map(\.linkPort)
        #expect(Set(ports).count == 4)
        for node in 2...3 { #expect(try seeds(of: node, in: folder) == Array(ports[0...1])) }
        #expect(folder.home(2).hasValidatorKey && !folder.home(3).hasValidatorKey)
    }
}
