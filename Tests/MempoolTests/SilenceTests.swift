import Primitives
import TestSupport
import Testing

@testable import Mempool

/// What a validator that forgot its signatures keeps from signing.
@Suite struct SilenceTests {
    private func network(_ silence: Silence, at node: Int = 2) throws -> MempoolNetwork {
        var network = try MempoolNetwork(seed: 41, settings: BatchSettings(termBlocks: 16))
        network.engines[node].silence = silence
        return network
    }

    @Test(arguments: [Silence.complete, .sealing, .sealingThrough(0)])
    func `an owner that forgot seals nothing, and what it admitted when it may again`(
        silence: Silence
    ) throws {
        var network = try network(silence)
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        try network.submit(payment, to: 1)
        #expect(network.engines.allSatisfy { $0.figures.certificates == 0 })
        #expect(network.stored.isEmpty)
        network.engines[2].silence = .none
        try network.run()
        #expect(network.engines.allSatisfy { $0.figures.certificates == 1 })
    }

    @Test func `it seals in terms that began after the height, and in no earlier one`() throws {
        let network = try network(.sealingThrough(40))
        let engine = network.engines[2]
        for shard in 0..<UInt16(network.layout.shardCount) {
            let term = network.layout.term(of: shard, after: 40)
            for rank in UInt16(0)..<4 {
                #expect(!engine.maySeal(in: Lane(shard: shard, term: 0, rank: rank)))
                #expect(!engine.maySeal(in: Lane(shard: shard, term: term, rank: rank)))
                #expect(engine.maySeal(in: Lane(shard: shard, term: term + 1, rank: rank)))
            }
        }
    }

    @Test func `it acks others' batches unless it knows nothing at all`() throws {
        for (silence, acks) in [(Silence.complete, false), (.sealing, true)] {
            var network = try network(silence, at: 3)
            var acked: Set<Int> = []
            network.tamper = { from, _, message in
                if case .ack = message { acked.insert(from) }
                return message
            }
            try network.submit(
                network.transfer(network.sender(ownedBy: 2), sequence: 0), to: 1)
            try network.advance(milliseconds: 2_000)
            #expect(acked.contains(3) == acks, "\(silence)")
            #expect(network.engines[0].figures.certificates == 1, "others are enough")
        }
    }
}
