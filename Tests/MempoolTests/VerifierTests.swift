import Primitives
import TestSupport
import Testing

@testable import Mempool

/// Verifiers without a vote, from the chunk to the certificate.
@Suite struct VerifierTests {
    /// Two senders' payments in the owner's shard, given to it at once.
    private func submit(_ count: Int, to network: inout MempoolNetwork, salt: Int = 0) throws {
        let owner = network.sender(ownedBy: 2)
        let shard = network.layout.shard(of: Policy.single(owner.publicKey).address)
        for place in 0..<count {
            let sender = network.sender(inShard: shard, salt: 40 + salt * 20 + place / 60)
            try network.event(
                .submitted(
                    RequestID(UInt64(place)),
                    network.transfer(sender, sequence: UInt64(place % 60))), at: 2)
        }
        try network.run()
    }

    @Test func `with bonds of a third lent only the owner checks among the validators`() throws {
        var network = try MempoolNetwork(seed: 60, bonds: [1, 2])
        try submit(100, to: &network)
        try network.advance(milliseconds: 100)
        #expect(network.engines.map(\.signatures.admission) == [0, 0, 100, 0, 0, 0])
        #expect(network.engines[..<4].map(\.signatures.assigned) == [0, 0, 0, 0])
        // B = 7, H_U = 3: the owner's 1 and the 2 of the larger one, or both.
        #expect(network.engines[4...].map(\.signatures.assigned).reduce(0, +) >= 100)
        #expect(try network.include(proposedBy: 0).count == 100)
        #expect(network.penalties.isEmpty)
    }

    @Test func `chunks whose proof doesn't lead to the header's root are refused`() throws {
        var network = try MempoolNetwork(seed: 61, bonds: [3])
        var altered = 0
        network.tamper = { _, to, message in
            guard case .task(let task) = message, to == 4 else { return message }
            var bytes = task.bcsBytes
            // The last byte belongs to the last digest of the path, or to a transaction.
            bytes[bytes.count - 1] ^= 1
            guard let other = try? ChunkTask(bcs: bytes) else { return message }
            altered += 1
            return .task(other)
        }
        try submit(150, to: &network)
        #expect(altered > 0)
        #expect(network.penalised.contains(2))
        #expect(network.engines[4].signatures.assigned == 0)
        // The others are asked instead.
        try network.advance(milliseconds: 1_000)
        #expect(try network.include(proposedBy: 0).count == 150)
    }

    @Test(arguments: [UInt8(1), 7, 31, 32, 33, 200, 255])
    func `a chunk that a batch doesn't have is refused`(chunk: UInt8) throws {
        var network = try MempoolNetwork(seed: 62, bonds: [3])
        var seen: [ChunkTask] = []
        network.tamper = { _, _, message in
            if case .task(let task) = message { seen.append(task) }
            return message
        }
        try submit(3, to: &network)
        let task = try #require(seen.first)
        var writer = BCSWriter()
        writer.append(task.header)
        writer.appendLength(1)
        writer.append(chunk)
        writer.append(list: task.pieces[0].transactions)
        writer.append(list: task.pieces[0].path)
        let broken = try ChunkTask(bcs: writer.bytes)
        try network.event(.received(network.peer(2), .task(broken)), at: 4)
        #expect(network.engines[4].figures.checkingBatches == 0)
        try network.run()
        #expect(network.penalised == [2])
    }

    @Test func `a machine that is wanted hands chunks back, and others check them at once`() throws
    {
        var network = try MempoolNetwork(seed: 63, bonds: [2, 2])
        try network.event(.ownCapacity(Capacity(free: 0)), at: 4)
        try network.event(.ownCapacity(Capacity(free: 0)), at: 5)
        try submit(80, to: &network)
        #expect(network.engines[4...].map(\.signatures.assigned) == [0, 0])
        #expect(network.engines.map(\.figures.certificates).allSatisfy { $0 > 0 })
        let figures = network.engines[2].workerFigures
        #expect(figures.map(\.outstanding).allSatisfy { $0 == 0 })
        #expect(figures.reduce(0) { $0 + $1.tally.declined } > 0)
    }

    @Test func `who handed chunks back is asked again where the others have too little bond`()
        throws
    {
        // B = 24, H_U = 8: nothing is certified without the verifier's 20.
        var network = try MempoolNetwork(seed: 71, bonds: [20])
        try network.event(.ownCapacity(Capacity(free: 0)), at: 4)
        try submit(80, to: &network)
        try network.advance(milliseconds: 400)
        #expect(network.engines.map(\.figures.certificates).allSatisfy { $0 == 0 })
        try network.event(.ownCapacity(Capacity(free: 1000)), at: 4)
        try network.advance(milliseconds: 1000)
        #expect(network.engines[4].signatures.assigned == 80)
        #expect(try network.include(proposedBy: 0).count == 80)
    }

    @Test func `what is being checked when the machine is wanted is handed back too`() throws {
        var network = try MempoolNetwork(seed: 64, bonds: [4])
        network.lie = { node, job, result in
            if node == 4, case .work = job { .declined } else { result }
        }
        try submit(80, to: &network)
        #expect(network.engines[4].signatures.assigned == 0)
        #expect(try network.include(proposedBy: 1).count == 80)
    }

    @Test func `a verifier that doesn't answer is joined by others after its time`() throws {
        var network = try MempoolNetwork(seed: 65, bonds: [4])
        network.tamper = { from, _, message in
            if from == 4, case .ack = message { return nil }
            return message
        }
        try submit(80, to: &network)
        #expect(network.engines.allSatisfy { $0.figures.certificates == 0 })
        try network.advance(milliseconds: MempoolTimes.hedgeWait + 100)
        #expect(network.engines.map(\.figures.certificates).allSatisfy { $0 > 0 })
        #expect(network.engines.map(\.signatures.rescue).reduce(0, +) == 0)
        let lent = try #require(
            network.engines[2].workerFigures.first { $0.peer == network.peer(4) })
        #expect(lent.tally.late > 0 && lent.outstanding == 0)
    }

    @Test func `where nobody was asked in time everybody checks, and the batch is certified`()
        throws
    {
        var network = try MempoolNetwork(seed: 66, bonds: [4])
        // The owner's wishes and questions get lost, batches and acks don't.
        network.tamper = { _, _, message in
            switch message {
            case .batch(let batch, _): .batch(batch, Assignment([]))
            case .task, .checkAlso: nil
            default: message
            }
        }
        try submit(80, to: &network)
        try network.advance(milliseconds: MempoolTimes.rescueWait - 100)
        #expect(network.engines.allSatisfy { $0.figures.certificates == 0 })
        try network.advance(milliseconds: 300)
        #expect(network.engines.map(\.signatures.rescue).reduce(0, +) > 0)
        // B = 8, H_U = 3: the owner and two more validators.
        #expect(try network.include(proposedBy: 1).count == 80)
    }

    @Test func `without spreading others are asked only where validators have too little bond`()
        throws
    {
        for (bond, isAsked) in [(UInt64(2), false), (20, true)] {
            var network = try MempoolNetwork(
                seed: 69, settings: BatchSettings(spread: false), bonds: [bond])
            try submit(3, to: &network)
            #expect(network.engines[..<4].map(\.signaturesChecked) == [3, 3, 3, 3])
            #expect((network.engines[4].signaturesChecked > 0) == isAsked)
            #expect(try network.include(proposedBy: 0).count == 3)
        }
    }

    @Test func `a task that comes again is answered without a second check`() throws {
        var network = try MempoolNetwork(seed: 67, bonds: [3])
        var tasks: [ChunkTask] = []
        var acks = 0
        network.tamper = { from, _, message in
            if case .task(let task) = message { tasks.append(task) }
            if from == 4, case .ack = message { acks += 1 }
            return message
        }
        try submit(1, to: &network)
        #expect(network.engines[4].signatures.assigned == 1)
        let task = try #require(tasks.first)
        try network.event(.received(network.peer(2), .task(task)), at: 4)
        try network.run()
        #expect(network.engines[4].signatures.assigned == 1)
        #expect(acks == 2)
    }

    @Test func `what a verifier owes for a batch that expired is forgotten`() throws {
        var network = try MempoolNetwork(
            seed: 68, settings: BatchSettings(expiryBlocks: 3), bonds: [4])
        network.tamper = { _, _, message in
            if case .ack = message { return nil }
            return message
        }
        try submit(80, to: &network)
        let owed = network.engines[2].workerFigures.reduce(0) { $0 + $1.outstanding }
        #expect(owed > 0)
        try network.stop(4)
        network.isUp = [false, false, true, false, false]
        for height in 1...4 {
            try network.event(.included(Height(UInt64(height)), [], passedOver: []), at: 2)
        }
        let left = network.engines[2].workerFigures.filter { $0.peer == network.peer(4) }
        #expect(left.reduce(0) { $0 + $1.outstanding } == 0)
    }
}
