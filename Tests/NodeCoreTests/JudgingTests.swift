import Consensus
import Execution
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
}
