import Primitives
import Testing

@testable import Mempool

@Suite("Figures of the mempool")
struct FiguresTests {
    @Test("the set that counts is that of the period after the newest height")
    func presentSet() throws {
        let network = try MempoolNetwork(seed: 41, bonds: [2])
        let settings = BatchSettings(periodBlocks: 10)
        let alone = VerifierSet(period: 1, committee: network.committee)
        let set = try #require(network.layout.verifiers(ofPeriod: 0))
        let layout = ShardLayout(
            committee: network.committee, settings: settings, verifierSets: [0: set, 1: alone])
        #expect(layout.presentVerifiers(after: 0) == set)
        #expect(layout.presentVerifiers(after: 8) == set)
        #expect(layout.presentVerifiers(after: 9) == alone)
        #expect(layout.presentVerifiers(after: 19) == nil, "a period nobody knows yet")
        #expect(settings.firstHeight(ofPeriod: 1) == 10)
        #expect(settings.firstHeight(ofPeriod: .max) == Height(.max))
    }

    @Test("members of every known set are bonded, others aren't")
    func bonded() throws {
        let network = try MempoolNetwork(seed: 42, bonds: [2])
        #expect(network.layout.isBonded(network.peer(0)))
        #expect(network.layout.isBonded(network.peer(4)))
        #expect(!network.layout.isBonded(PeerID.zero))
    }

    @Test("purposes have names of their own and sum to the total")
    func purposes() {
        var tally = SignatureTally()
        tally.admission = 1
        tally.assigned = 20
        tally.rescue = 300
        tally.screening = 4000
        tally.direct = 50_000
        let purposes = SignatureTally.purposes
        #expect(Set(purposes.map(\.name)).count == 5)
        #expect(purposes.reduce(0) { $0 + $1.count(tally) } == tally.total)
        var later = tally
        later.rescue += 7
        #expect(later.since(tally).rescue == 7)
        #expect(later.since(tally).total == 7)
        #expect(tally.since(later).total == 0, "never below zero")
    }
}
