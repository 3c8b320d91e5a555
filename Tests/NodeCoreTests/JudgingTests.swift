import Consensus
import Execution
import Mempool
import Primitives
import TestSupport
import Testing

@testable import NodeCore

/// What the ledger is told of votes that contradict each other.
@Suite struct JudgingTests {
    private func vote(
        _ kind: VoteKind, _ view: View, _ digest: Digest, by index: Int, _ cluster: Cluster,
        epoch: Epoch = 0, key: Int? = nil
    ) -> Vote {
        let subject = VoteSubject(kind: kind, epoch: epoch, view: view, digest: digest)
        let signed = subject.signingDigest(chainID: cluster.genesis.chainID)
        return Vote(
            subject: subject, signer: ValidatorIndex(UInt16(index)),
            signature: cluster.votingKeys[key ?? index].signature(over: signed))
    }

    private func offence(
        _ first: Vote, _ second: Vote, _ cluster: Cluster
    ) throws -> Offence? {
        let pair = Consensus.Evidence(first, second)
        let evidence = try #require(pair)
        let bytes = ReportableEvidence.votes(evidence).bcsBytes
        #expect(try ReportableEvidence(bcs: bytes) == .votes(evidence))
        let configuration = NodeConfiguration(genesis: cluster.genesis, signer: nil)
        return NodeJudge(configuration).judge(
            bytes, at: 5, sets: [:], epochs: EpochTable(cluster.genesis))
    }

    @Test func `two votes of one view by one member are one offence for each epoch`() throws {
        let cluster = try Cluster(seed: 1)
        let (one, two) = (Digest.hash(.random, [1]), Digest.hash(.random, [2]))
        let pairs = [
            (vote(.notarize, 3, one, by: 2, cluster), vote(.notarize, 3, two, by: 2, cluster)),
            (vote(.finalize, 9, one, by: 2, cluster), vote(.finalize, 9, two, by: 2, cluster)),
            (vote(.finalize, 4, one, by: 2, cluster), vote(.nullify, 4, .zero, by: 2, cluster)),
        ]
        let found = try pairs.map { try offence($0, $1, cluster) }
        for offence in found {
            #expect(offence?.offender == cluster.votingKeys[2].publicKey)
            #expect(offence?.kind == .conflictingVotes)
            #expect(offence?.height == cluster.genesis.epochs.last(of: 0))
        }
        #expect(Set(found.map { $0?.id }).count == 1)
        let other = try offence(
            vote(.notarize, 3, one, by: 1, cluster), vote(.notarize, 3, two, by: 1, cluster),
            cluster)
        #expect(other != nil && other?.id != found[0]?.id)
    }

    @Test func `forged votes, those of strangers and of an unknown epoch prove nothing`() throws {
        let cluster = try Cluster(seed: 1)
        let (one, two) = (Digest.hash(.random, [1]), Digest.hash(.random, [2]))
        let right = vote(.notarize, 3, one, by: 2, cluster)
        #expect(
            try offence(right, vote(.notarize, 3, two, by: 2, cluster, key: 1), cluster) == nil)
        let strangers = (0..<2).map {
            vote(.notarize, 3, [one, two][$0], by: 77, cluster, key: 1)
        }
        #expect(try offence(strangers[0], strangers[1], cluster) == nil)
        let later = (0..<2).map { vote(.notarize, 3, [one, two][$0], by: 2, cluster, epoch: 1) }
        #expect(try offence(later[0], later[1], cluster) == nil)
        let same = Consensus.Evidence(right, right)
        #expect(same == nil)
    }

    /// Four nodes that have come into epoch 1.
    private func clusterInNextEpoch() throws -> Cluster {
        var cluster = try Cluster(seed: 11, epochBlocks: 16)
        try cluster.run(milliseconds: 60_000) { cluster in
            (0..<4).allSatisfy { cluster.epoch($0) == 1 }
        }
        try #require(cluster.epoch(0) == 1)
        return cluster
    }

    /// Two votes of node 2 that it can't both have given, after the end of epoch 0.
    private func contradiction(_ cluster: Cluster) throws -> [Vote] {
        let end = try #require(try ChainStore(cluster.members[0].store).end(of: 0))
        let view = end.certificate.view.clampedAdvance(by: 1)
        return [[UInt8(1)], [2]].map {
            vote(.notarize, view, Digest.hash(.random, $0), by: 2, cluster)
        }
    }

    @Test func `votes of an epoch that has ended are held against who gave them`() throws {
        var cluster = try clusterInNextEpoch()
        let votes = try contradiction(cluster)
        for vote in votes {
            let message = NodeMessage.consensus(.vote(vote))
            try cluster.handle([.received(cluster.peer(1), message)], at: 0)
            try cluster.run(milliseconds: 1)
        }
        let found = try #require(cluster.members[0].core?.evidence.first)
        #expect(found.offender == cluster.votingKeys[2].publicKey)
        #expect(found.height == cluster.genesis.epochs.last(of: 0))
        let report = cluster.transaction(
            from: 0, sequence: 0, .reportEvidence(found.evidence.bcsBytes))
        try cluster.submit(report, to: 3)
        try cluster.run(milliseconds: 20_000) { $0.isFinal([report], at: [0, 1, 2, 3]) }
        for node in 0..<4 {
            let reader = LedgerReader(cluster.members[node].store)
            #expect(try reader.receipt(report.id)?.outcome == .success)
            let offender = try reader.verifier(found.offender)
            #expect(offender?.bonded == 950_000 && offender?.jailedUntil ?? 0 > 0)
        }
        #expect(try cluster.faults() == [])
    }

    @Test func `forged votes of an ended epoch, and those of nobody, are held against none`()
        throws
    {
        var cluster = try clusterInNextEpoch()
        let votes = try contradiction(cluster)
        let forged = vote(.notarize, votes[1].view, votes[1].digest, by: 2, cluster, key: 1)
        let nobodys = (0..<2).map {
            vote(.notarize, votes[0].view, votes[$0].digest, by: 77, cluster, key: 2)
        }
        for vote in [votes[0], forged] + nobodys {
            let message = NodeMessage.consensus(.vote(vote))
            try cluster.handle([.received(cluster.peer(1), message)], at: 0)
            try cluster.run(milliseconds: 1)
        }
        #expect(cluster.members[0].core?.evidence.isEmpty == true)
    }

    @Test func `evidence about votes and batches is judged by the committee of its epoch`() throws {
        var cluster = try clusterInNextEpoch()
        let votes = try contradiction(cluster)
        let pair = Consensus.Evidence(votes[0], votes[1])
        cluster.members[0].core?.accuse(try #require(pair))
        let configuration = NodeConfiguration(genesis: cluster.genesis, signer: nil)
        let layout = configuration.layout(of: cluster.genesis.committee)
        let lane = Lane(shard: 0, term: layout.term(of: 0, after: 0), rank: 0)
        let owner = try #require(layout.owner(of: lane))
        let expiry = layout.settings.expiryBlocks
        let headers = (0..<2).map { place in
            BatchHeader(
                signing: BatchHeader.Content(
                    chainID: cluster.genesis.chainID, epoch: 0, lane: lane, owner: owner,
                    position: 1, parent: .zero, transactionRoot: votes[place].digest,
                    transactionCount: 1, byteLength: 100, signatureCount: 1, chunkSize: 1,
                    expiryHeight: Height(expiry)),
                by: cluster.votingKeys[Int(owner.rawValue)])
        }
        cluster.members[0].core?.accuse(.equivocatingOwner(headers[0], headers[1]))
        let found = cluster.members[0].core?.evidence ?? []
        let key = cluster.votingKeys[Int(owner.rawValue)].publicKey
        #expect(
            Set(found.map(\.offender)) == [cluster.votingKeys[2].publicKey, key]
                && found.count == 2)
    }
}
