import Consensus
import Execution
import LightClient
import Mempool
import Primitives
import TestSupport
import Testing

@testable import NodeCore

/// Nodes over the ends of epochs.
@Suite struct EpochEndTests {
    private static let length: UInt64 = 16

    /// The view of the newest proposal for each height, and who made it.
    private final class Proposals {
        var views: [Height: (view: View, by: ValidatorIndex)] = [:]
    }

    /// Two people pay through one node after the other until all named nodes are in an epoch.
    /// - Returns: What was paid.
    private func pay(
        _ cluster: inout Cluster, until epoch: Epoch, at nodes: [Int], through: [Int],
        sequence: inout UInt64
    ) throws -> [SignedTransaction] {
        var payments: [SignedTransaction] = []
        let end = cluster.now.advanced(byMilliseconds: 400_000)
        while cluster.now < end, !nodes.allSatisfy({ cluster.epoch($0) >= epoch }) {
            for payer in [0, 1] {
                let payment = cluster.payment(
                    from: payer, to: 2, amount: 1, sequence: sequence)
                payments.append(payment)
                try cluster.submit(
                    payment, to: through[(Int(sequence) + payer) % through.count])
            }
            sequence += 1
            try cluster.run(milliseconds: 100)
        }
        return payments
    }

    @Test(arguments: [UInt64(1), 2])
    func `payments go on over the ends of epochs`(seed: UInt64) throws {
        var cluster = try Cluster(seed: seed, epochBlocks: EpochEndTests.length, asks: true)
        var sequence: UInt64 = 0
        let paid = try pay(
            &cluster, until: 3, at: [0, 1, 2, 3], through: [0, 1, 2, 3], sequence: &sequence)
        try cluster.run(milliseconds: 10_000) { $0.isFinal(paid, at: [0, 1, 2, 3]) }
        #expect((0..<4).map { cluster.epoch($0) } == [3, 3, 3, 3])
        #expect(missing(paid, cluster, at: [0, 1, 2, 3]) == [])
        #expect(try cluster.faults() == [])
        for node in 0..<4 {
            let store = ChainStore(cluster.members[node].store)
            for epoch in 0..<3 {
                let end = try #require(try store.end(of: Epoch(UInt64(epoch))))
                #expect(end.isLinked)
                let block = try store.block(at: end.boundary.height)
                #expect(block?.header == end.boundary)
                let record = try store.record(of: Epoch(UInt64(epoch + 1)))
                #expect(record?.digest == end.boundary.nextSetHash)
            }
            try audit(cluster, node)
        }
    }

    /// The places of those in the list that aren't final everywhere.
    private func missing(
        _ sent: [SignedTransaction], _ cluster: Cluster, at nodes: [Int]
    ) -> [Int] {
        sent.indices.filter { !cluster.isFinal([sent[$0]], at: nodes) }
    }

    private func audit(_ cluster: Cluster, _ node: Int) throws {
        let source = cluster.members[node].store
        var audit = try ChainAudit(of: source, genesis: cluster.genesis, depth: .whole)
        try audit.checkHead()
        var walk = StoreWalk()
        while let step = try walk.step(on: source) {
            for row in step.rows { try audit.check(row, in: step.column) }
        }
    }

    /// Everybody votes, then only those that joined.
    private func replaceSet(
        _ cluster: inout Cluster, sequence: inout UInt64
    ) throws -> [SignedTransaction] {
        var sent: [SignedTransaction] = []
        for node in 4..<8 {
            let owner = cluster.people[node]
            let sender = Policy.single(owner.publicKey).address
            let key = cluster.votingKeys[node]
            let bond = Bond(
                amount: 2_000_000, chainID: cluster.genesis.chainID, sender: sender, key: key,
                peerKey: key)
            sent.append(cluster.transaction(by: owner, sequence: 0, .bond(bond)))
            sent.append(
                cluster.transaction(by: owner, sequence: 1, .declareCandidate(key.publicKey)))
        }
        for transaction in sent { try cluster.submit(transaction, to: 0) }
        var paid = try pay(
            &cluster, until: 2, at: Array(0..<8), through: Array(0..<8), sequence: &sequence)
        #expect(cluster.members[0].core?.committee.count == 8)
        var gone: [SignedTransaction] = []
        for node in 0..<4 {
            let owner = Policy.single(cluster.votingKeys[node].publicKey).address
            let gift = cluster.transaction(
                from: 2, sequence: UInt64(node), .transfer(Transfer(to: owner, amount: 100_000)))
            try cluster.submit(gift, to: 4)
            gone.append(gift)
        }
        let gifts = gone
        try cluster.run(milliseconds: 10_000) { $0.isFinal(gifts, at: [5]) }
        for node in 0..<4 {
            let key = cluster.votingKeys[node]
            gone.append(
                cluster.transaction(by: key, sequence: 0, .withdrawCandidacy(key.publicKey)))
        }
        for transaction in gone.dropFirst(4) { try cluster.submit(transaction, to: 5) }
        paid += try pay(
            &cluster, until: 4, at: Array(0..<8), through: Array(0..<8), sequence: &sequence)
        return sent + gone + paid
    }

    @Test(arguments: [UInt64(1), 2])
    func `a set is replaced as a whole while payments go on, and none is lost`(
        seed: UInt64
    ) throws {
        var cluster = try Cluster(
            seed: seed, count: 8, voting: 4, epochBlocks: EpochEndTests.length, asks: true)
        var sequence: UInt64 = 0
        let sent = try replaceSet(&cluster, sequence: &sequence)
        let committee = try #require(cluster.members[0].core?.committee)
        let keys = committee.validators.map(\.votingKey)
        let places = keys.map { key in cluster.votingKeys.firstIndex { $0.publicKey == key } }
        #expect(Set(places) == [4, 5, 6, 7])
        for node in 0..<4 { try cluster.crash(node) }
        let late = cluster.payment(from: 0, to: 1, amount: 1, sequence: sequence)
        try cluster.submit(late, to: 6)
        try cluster.run(milliseconds: 10_000) { $0.isFinal(sent + [late], at: [4, 5, 6, 7]) }
        #expect(missing(sent + [late], cluster, at: [4, 5, 6, 7]) == [])
        #expect(try cluster.faults() == [])
        try audit(cluster, 5)
        try follow(cluster, 5)
    }

    /// Checks that whoever knows genesis alone gets as far as a node with what that node stores.
    private func follow(_ cluster: Cluster, _ node: Int) throws {
        let store = ChainStore(cluster.members[node].store)
        let present = try #require(cluster.members[node].core?.committee)
        var client = LightClient(trusting: cluster.genesis)
        while client.epoch < present.epoch {
            let end = try #require(try store.end(of: client.epoch))
            let record = try #require(try store.record(of: client.epoch.clampedAdvance(by: 1)))
            try client.follow(EpochStep(end: end, record: record).bcsBytes)
        }
        let first = cluster.genesis.epochs.first(of: present.epoch)
        #expect(client.committee(at: first)?.validators == present.validators)
    }

    @Test func `who was away for epochs follows the proofs of their ends`() throws {
        var cluster = try Cluster(
            seed: 5, count: 9, voting: 4, epochBlocks: EpochEndTests.length, asks: true)
        try cluster.crash(8)
        var sequence: UInt64 = 0
        let sent = try replaceSet(&cluster, sequence: &sequence)
        for node in 0..<4 { try cluster.crash(node) }
        try cluster.start(8)
        try cluster.run(milliseconds: 60_000) { $0.isFinal(sent, at: [8]) }
        #expect(cluster.epoch(8) >= 4)
        #expect(missing(sent, cluster, at: [8]) == [])
        #expect(try cluster.faults() == [])
    }

    @Test func `a former committee that has old copies of its stores gets the chain from others`()
        throws
    {
        var cluster = try Cluster(
            seed: 10, count: 8, voting: 4, epochBlocks: EpochEndTests.length, asks: true)
        try cluster.run(milliseconds: 3_000)
        let copies = (0..<4).map { cluster.members[$0].store.copy() }
        #expect((1..<8).contains(cluster.height(0).rawValue))
        var sequence: UInt64 = 0
        let sent = try replaceSet(&cluster, sequence: &sequence)
        for node in 0..<4 { try cluster.crash(node) }
        for node in 0..<4 {
            cluster.members[node].store = copies[node]
            cluster.members[node].journal = []
            try cluster.start(node)
            #expect(cluster.epoch(node) == 0)
        }
        try cluster.run(milliseconds: 60_000) { $0.isFinal(sent, at: [0, 1, 2, 3]) }
        #expect((0..<4).allSatisfy { cluster.epoch($0) >= 4 })
        #expect(missing(sent, cluster, at: [0, 1, 2, 3]) == [])
        #expect(try cluster.faults() == [])
    }

    @Test func `a node that restarts in a later epoch goes on there`() throws {
        var cluster = try Cluster(seed: 6, epochBlocks: EpochEndTests.length, asks: true)
        var sequence: UInt64 = 0
        let paid = try pay(
            &cluster, until: 1, at: [0, 1, 2, 3], through: [0], sequence: &sequence)
        for node in 0..<4 {
            try cluster.crash(node)
            try cluster.run(milliseconds: 500)
            try cluster.start(node)
            #expect(cluster.epoch(node) == 1)
            try cluster.run(milliseconds: 2_000)
        }
        let late = cluster.payment(from: 0, to: 1, amount: 1, sequence: sequence)
        try cluster.submit(late, to: 3)
        try cluster.run(milliseconds: 10_000) { $0.isFinal(paid + [late], at: [0, 1, 2, 3]) }
        #expect(missing(paid + [late], cluster, at: [0, 1, 2, 3]) == [])
        #expect(try cluster.faults() == [])
    }

    @Test func `a node that stops between the end of an epoch and the next enters it later`()
        throws
    {
        var cluster = try Cluster(seed: 7, epochBlocks: EpochEndTests.length, asks: true)
        var sequence: UInt64 = 0
        // Node 3 gets no bodies: it can't execute what leads to the next committee.
        cluster.passes = { _, to, message in
            if to == 3, case .mempool(.body) = message { return false }
            if to == 3, case .mempool(.batch) = message { return false }
            return true
        }
        let paid = try pay(
            &cluster, until: 1, at: [0, 1, 2], through: [0], sequence: &sequence)
        try cluster.run(milliseconds: 3_000)
        #expect(cluster.epoch(3) == 0)
        #expect(cluster.members[3].core?.consensus.end != nil)
        try cluster.crash(3)
        try cluster.start(3)
        #expect(cluster.epoch(3) == 0)
        cluster.passes = { _, _, _ in true }
        try cluster.run(milliseconds: 20_000) { $0.isFinal(paid, at: [3]) && $0.epoch(3) == 1 }
        #expect(cluster.epoch(3) == 1)
        #expect(missing(paid, cluster, at: [3]) == [])
        #expect(try cluster.faults() == [])
    }

    @Test func `an epoch ends although nothing is final for longer than execution may lag`()
        throws
    {
        var cluster = try Cluster(seed: 8, epochBlocks: EpochEndTests.length)
        try cluster.run(milliseconds: 6_000)
        let height = cluster.height(0)
        #expect(height < 11, "the committee of epoch 1 is elected after height 11")
        // No finalize vote arrives, and no proof made of some: blocks pile up.
        let proposals = Proposals()
        cluster.passes = { _, _, message in
            switch message {
            case .consensus(.vote(let vote)): return vote.kind != .finalize
            case .consensus(.certificate(let certificate)): return certificate.kind != .finalize
            case .consensus(.status): return false
            case .consensus(.proposal(let proposal)):
                let block = proposal.block
                proposals.views[block.height] = (block.view, block.proposer)
                return true
            default: return true
            }
        }
        let tail = cluster.genesis.epochs.last(of: 0).clampedAdvance(by: 2)
        try cluster.run(milliseconds: 60_000) { _ in proposals.views[tail] != nil }
        #expect(cluster.height(0) <= height.clampedAdvance(by: 1))
        #expect(proposals.views[tail] != nil, "a second tail block is proposed")
        cluster.passes = { _, _, _ in true }
        try cluster.run(milliseconds: 30_000) { cluster in
            (0..<4).allSatisfy { cluster.epoch($0) >= 1 }
        }
        #expect((0..<4).map { cluster.epoch($0) } == [1, 1, 1, 1])
        let end = try ChainStore(cluster.members[0].store).end(of: 0)
        #expect(end?.isLinked == true)
        #expect(try cluster.faults() == [])
    }

    /// Nothing passes but finalize votes of one view to some nodes: views don't change, so that
    /// votes are sent again.
    private func votes(of view: View, to places: [Int]) -> (Int, Int, NodeMessage) -> Bool {
        { _, to, message in
            guard case .consensus(.vote(let vote)) = message else { return false }
            return vote.kind == .finalize && vote.view == view && places.contains(to)
        }
    }

    @Test func `a node whose proof of the end nobody can complete takes that of the others`()
        throws
    {
        var cluster = try Cluster(seed: 9, epochBlocks: EpochEndTests.length)
        let last = cluster.genesis.epochs.last(of: 0)
        let (lost, top) = (last.clampedAdvance(by: 1), last.clampedAdvance(by: 2))
        let (late, others) = (3, [0, 1, 2])
        let proposals = Proposals()
        try cluster.run(milliseconds: 60_000) { $0.height(0) >= 13 }
        cluster.passes = { _, to, message in
            switch message {
            case .consensus(.vote(let vote)): return vote.kind != .finalize
            case .consensus(.certificate(let certificate)): return certificate.kind != .finalize
            case .consensus(.status), .consensus(.syncResponse): return false
            case .consensus(.proposal(let proposal)):
                let block = proposal.block
                proposals.views[block.height] = (block.view, block.proposer)
                return to != late || block.height != lost
            case .consensus(.block(let block)): return to != late || block.height != lost
            default: return true
            }
        }
        try cluster.run(milliseconds: 60_000) { _ in
            proposals.views[top.clampedAdvance(by: 1)] != nil
        }
        let boundary = try #require(proposals.views[last])
        let first = try #require(proposals.views[lost])
        let second = try #require(proposals.views[top])
        #expect(first.by.rawValue != UInt16(late) && second.by.rawValue != UInt16(late))
        cluster.passes = votes(of: second.view, to: [late])
        try cluster.run(milliseconds: 60_000) { cluster in
            cluster.members[late].core?.consensus.finalizedView == second.view
        }
        cluster.passes = votes(of: boundary.view, to: others)
        try cluster.run(milliseconds: 60_000) { cluster in
            others.allSatisfy { cluster.epoch($0) == 1 }
        }
        #expect((0..<4).map { cluster.epoch($0) } == [1, 1, 1, 0])
        #expect(cluster.members[late].core?.consensus.finalizedView == second.view)
        cluster.passes = { _, _, _ in true }
        try cluster.run(milliseconds: 30_000) { $0.epoch(late) >= 1 }
        #expect(cluster.epoch(late) == 1)
        #expect(try ChainStore(cluster.members[late].store).end(of: 0)?.tails == [])
        #expect(try cluster.faults() == [])
    }
}
