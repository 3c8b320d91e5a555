import Primitives
import TestSupport
import Testing

@testable import Mempool

/// Faults that owners plant against signing unseen.
@Suite struct CanaryTests {
    /// 300 payments of one shard of owner 2, so that one batch has enough of them.
    private func submit(to network: inout MempoolNetwork, sequences: Range<UInt64> = 0..<60) throws
    {
        let first = network.sender(ownedBy: 2)
        let shard = network.layout.shard(of: Policy.single(first.publicKey).address)
        var events: [SignedTransaction] = []
        for salt in 0..<5 {
            let sender = network.sender(inShard: shard, salt: 70 + salt)
            events += sequences.map { network.transfer(sender, sequence: $0) }
        }
        // All are admitted before anything is sealed.
        network.isUp = network.isUp.map { _ in false }
        var results: [(CheckID, CheckResult)] = []
        for (place, payment) in events.enumerated() {
            try network.event(.submitted(RequestID(UInt64(place)), payment), at: 2)
        }
        for case .check(let id, let job, _) in network.engines[2].flush(at: network.moment) {
            results.append((id, job.run(in: network.layout)))
        }
        for (id, result) in results { try network.event(.checked(id, result), at: 2) }
        network.isUp = network.isUp.map { _ in true }
        try network.run()
    }

    private func certificates(_ network: MempoolNetwork) -> [BatchCertificate] {
        network.engines[0].includable(after: LaneTable(), at: 1)
    }

    @Test func `planted faults are found, certified as invalid, and their originals follow`() throws
    {
        var network = try MempoolNetwork(seed: 80)
        try submit(to: &network)
        let first = try #require(certificates(network).first)
        #expect(first.invalid.count == 1)
        #expect(first.header.content.canaryCommitment != .zero)
        let batch = try #require(network.engines[0].body(first.digest))
        let damaged = batch.transactions[Int(first.invalid[0])]
        #expect(Verified.check(damaged) == nil)
        var executed: Set<TransactionID> = []
        for _ in 0..<12 {
            try network.advance(milliseconds: 100)
            for transaction in try network.include(proposedBy: 0) {
                if Verified.check(transaction) != nil { executed.insert(transaction.id) }
            }
        }
        #expect(executed.contains(damaged.id))
        #expect(executed.count == 300)
        #expect(network.penalties.isEmpty && network.evidence.isEmpty)
    }

    @Test func `the next header reveals what the last one committed to`() throws {
        var network = try MempoolNetwork(seed: 81)
        try submit(to: &network)
        try network.advance(milliseconds: 200)
        let chain = certificates(network)
        try #require(chain.count >= 2)
        for (earlier, later) in zip(chain, chain.dropFirst()) {
            #expect(later.header.content.parent == earlier.digest)
            let reveal = later.header.content.reveal
            #expect(reveal?.commitment ?? .zero == earlier.header.content.canaryCommitment)
            #expect(reveal?.positions ?? [] == earlier.invalid)
        }
    }

    @Test func `a restarted owner reveals what it planted before`() throws {
        var network = try MempoolNetwork(seed: 82)
        network.tamper = { _, _, message in
            if case .ack = message { return nil }
            return message
        }
        try submit(to: &network)
        let write = try #require(network.stored.first)
        let batch = try Batch(bcs: try #require(write.changes.first?.value))
        let ack = try Ack(bcs: try #require(write.changes.last?.value))
        #expect(batch.header.content.canaryCommitment != .zero)
        network.tamper = { $2 }
        network.engines[2] = MempoolEngine(
            layout: network.layout, ownIndex: ValidatorIndex(2), signer: network.keys[2],
            table: LaneTable(), height: 0,
            recovered: [RecoveredAck(ack: ack, batch: batch)])
        for other in [0, 1, 3] { try network.event(.connected(network.peer(other)), at: 2) }
        try network.event(.start, at: 2)
        try network.run()
        try network.advance(milliseconds: 1_500)
        let late = network.sender(inShard: batch.lane.shard, salt: 90)
        try network.submit(network.transfer(late, sequence: 0), to: 2)
        try network.advance(milliseconds: 200)
        let next = try #require(
            certificates(network).first { $0.header.content.parent == batch.digest })
        #expect(next.header.content.reveal?.commitment == batch.header.content.canaryCommitment)
    }

    @Test func `a verifier that signs unseen is caught, and anybody can prove it`() throws {
        var network = try MempoolNetwork(seed: 83, bonds: [4])
        network.lie = { node, job, result in
            if node == 4, case .work = job { .work(isGenuine: true, invalid: []) } else { result }
        }
        try submit(to: &network)
        let findings = network.evidence.compactMap { $0.finding(in: network.layout) }
        #expect(Set(findings.map(\.offender)) == [network.keys[4].publicKey])
        #expect(network.penalised.contains(4))
        // Somebody else with nothing but the bytes.
        let bytes = try #require(network.evidence.first).bcsBytes
        #expect(bytes.count <= TransactionLimits.evidenceBytesMax)
        #expect(try Evidence(bcs: bytes).finding(in: network.layout) == findings.first)
        // Others check what it didn't.
        try network.advance(milliseconds: 600)
        let certificate = try #require(certificates(network).first)
        #expect(certificate.invalid.count == 1)
    }

    @Test func `a verifier that calls everything invalid is caught without planted faults`() throws
    {
        var network = try MempoolNetwork(seed: 84, bonds: [4])
        network.lie = { node, job, result in
            guard node == 4, case .work(let work) = job else { return result }
            let all = work.transactions.indices.map { UInt32($0) }
            return .work(isGenuine: true, invalid: all)
        }
        try network.submit(network.transfer(network.sender(ownedBy: 2), sequence: 0), to: 2)
        let finding = network.evidence.first?.finding(in: network.layout)
        #expect(finding?.offender == network.keys[4].publicKey)
        try network.advance(milliseconds: 400)
        #expect(try network.include(proposedBy: 0).count == 1)
    }
}
