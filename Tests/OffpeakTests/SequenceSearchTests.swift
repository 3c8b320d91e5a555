import Consensus
import Execution
import NodeCore
import Primitives
import ProofSupport
import TestSupport
import Testing

@testable import offpeak

@Suite("Which transaction used a sequence of stream 0")
struct SequenceSearchTests {
    /// A fixture whose payments lie on random streams, a block for each, with all blocks or all but
    /// one.
    private func fixture(
        _ count: Int, lacking: Int? = nil, _ generator: inout SeededGenerator
    ) throws -> ProofFixture {
        var fixture = try ProofFixture(blocks: 0)
        for _ in 0..<count {
            try fixture.pay(on: UInt16(generator.next() % 2 * (generator.next() % 3)))
        }
        var writes = WriteSet()
        for (place, signed) in fixture.transactions.enumerated() where place != lacking {
            let payload = BlockPayload([], direct: [signed]).bytes
            let height = Height(UInt64(place + 1))
            let header = BlockHeader(
                chainID: fixture.genesis.chainID, epoch: 0, view: 1, height: height,
                parent: BlockRef(view: 0, digest: .zero), proposer: ValidatorIndex(0), time: 0,
                executed: ExecutedRef(height: 0, stateRoot: .zero),
                payloadRoot: Block.root(of: payload))
            writes.put(
                Block(header: header, payload: payload).bcsBytes, in: .blocks,
                for: height.rawValue.bigEndianBytes)
        }
        fixture.store.apply(writes)
        return fixture
    }

    @Test("every one is found, whatever lies between, and none that isn't there")
    func finds() throws {
        var generator = SeededGenerator(seed: 8)
        for count in [0, 1, 2, 7, 40, 120] {
            let fixture = try fixture(count, &generator)
            let payer = Policy.single(fixture.payer.publicKey).address
            func find(_ sequence: UInt64, of sender: Address) throws -> TransactionID? {
                var search = try SequenceSearch(of: sender, in: fixture.store)
                return try search?.transaction(with: SequenceNumber(sequence))
            }
            let own = fixture.transactions.filter { $0.transaction.stream == 0 }
            for (sequence, signed) in own.enumerated() {
                let found = try find(UInt64(sequence), of: payer)
                #expect(found == signed.id, "\(sequence) of \(count), seed 8")
            }
            #expect(try find(UInt64(own.count), of: payer) == nil)
            #expect(try find(.max, of: payer) == nil)
            #expect(try find(0, of: fixture.payee) == nil)
        }
    }

    @Test("where a block on the way is gone nothing is found, and nothing wrong")
    func gaps() throws {
        var generator = SeededGenerator(seed: 9)
        for lacking in 0..<12 {
            let fixture = try fixture(12, lacking: lacking, &generator)
            let own = fixture.transactions.filter { $0.transaction.stream == 0 }
            for (sequence, signed) in own.enumerated() {
                var search = try SequenceSearch(
                    of: Policy.single(fixture.payer.publicKey).address, in: fixture.store)
                let found = try search?.transaction(with: SequenceNumber(UInt64(sequence)))
                #expect(found == nil || found == signed.id, "\(sequence), seed 9")
            }
        }
        var empty = try SequenceSearch(of: .zero, in: MemoryStore())
        #expect(try empty?.transaction(with: 0) == nil)
    }
}
