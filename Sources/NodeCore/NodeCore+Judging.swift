package import Consensus
internal import Execution
package import Mempool
package import Primitives

/// Tells the ledger what evidence about verifiers, owners and voters proves: each is judged by the
/// committee of the epoch in which it was done.
struct NodeJudge: EvidenceJudge {
    let configuration: NodeConfiguration

    init(_ configuration: NodeConfiguration) { self.configuration = configuration }

    func judge(
        _ evidence: [UInt8], at height: Height, sets: [UInt64: VerifierSet], epochs: EpochTable
    ) -> Offence? {
        guard let evidence = try? ReportableEvidence(bcs: evidence),
            let committee = epochs[evidence.epoch]
        else { return nil }
        switch evidence {
        case .batches(let evidence):
            var layout = configuration.layout(of: committee)
            layout.setVerifierSets(sets)
            guard let finding = evidence.finding(in: layout), finding.height <= height else {
                return nil
            }
            return Offence(
                offender: finding.offender, kind: evidence.kind, id: finding.id,
                height: finding.height)
        case .votes(let votes):
            guard votes.isSigned(in: committee) else { return nil }
            return votes.offence(in: committee, until: epochs.schedule.last(of: evidence.epoch))
        }
    }
}

/// Proof of an act that the ledger punishes.
///
/// Wire: what `Mempool.Evidence` has, variants 0 to 2; 3: two votes, as `Consensus.Evidence`.
package enum ReportableEvidence: Hashable, Sendable, BCSCodable {
    case batches(Mempool.Evidence)
    case votes(Consensus.Evidence)

    private static let votesVariant: UInt32 = 3

    /// The epoch in which it was done.
    package var epoch: Epoch {
        switch self {
        case .batches(let evidence): evidence.epoch
        case .votes(let votes): votes.first.subject.epoch
        }
    }

    /// For logs and answers.
    package var name: String {
        switch self {
        case .batches(let evidence): evidence.name
        case .votes: "conflicting_votes"
        }
    }

    package func encode(to writer: inout BCSWriter) {
        switch self {
        case .batches(let evidence): writer.append(evidence)
        case .votes(let votes):
            writer.appendVariant(ReportableEvidence.votesVariant)
            writer.append(votes)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        var ahead = reader
        if try ahead.readULEB128() == ReportableEvidence.votesVariant {
            self = .votes(try ahead.read())
            reader = ahead
        } else {
            self = .batches(try reader.read())
        }
    }
}

extension Consensus.Evidence {
    /// Whether both signatures are those of a member of the committee.
    func isSigned(in committee: Committee) -> Bool {
        let claims = signatureClaims(in: CertificateContext(committee: committee))
        return claims?.allSatisfy(\.isValid) ?? false
    }

    /// The offence of a member of the committee who signed both. One for each epoch: two processes
    /// with one key, say, contradict each other in many views, and that is one mistake.
    /// - Parameter end: The last height of the epoch.
    func offence(in committee: Committee, until end: Height) -> Offence? {
        guard let member = committee[first.signer] else { return nil }
        var act = BCSWriter()
        act.append(member.votingKey)
        act.append(first.subject.epoch)
        return Offence(
            offender: member.votingKey, kind: .conflictingVotes,
            id: Digest.hash(.evidence, act.bytes), height: end)
    }
}

extension Mempool.Evidence {
    fileprivate var kind: OffenceKind {
        switch self {
        case .wrongVerdict: .wrongVerdict
        case .conflictingAcks: .conflictingAcks
        case .equivocatingOwner: .equivocatingOwner
        }
    }
}

extension NodeCore {
    /// Keeps evidence that holds, once for each act, for whoever reports it.
    mutating func accuse(_ evidence: Mempool.Evidence) {
        guard accusations.count < NodeCore.accusationsMax,
            let layout = layout(judging: evidence.epoch),
            let finding = evidence.finding(in: layout), accusations[finding.id] == nil
        else { return }
        note(.batches(evidence), finding.id, of: finding.offender, at: finding.height)
    }

    /// The same for two votes, which the engine has seen signed.
    mutating func accuse(_ votes: Consensus.Evidence) {
        let epoch = votes.first.subject.epoch
        let end = configuration.genesis.epochs.last(of: epoch)
        guard accusations.count < NodeCore.accusationsMax,
            let committee = committee(judging: epoch),
            let offence = votes.offence(in: committee, until: end),
            accusations[offence.id] == nil
        else { return }
        note(.votes(votes), offence.id, of: offence.offender, at: end)
    }

    /// Who voted in an epoch; nil where the state doesn't have it any more.
    private func committee(judging epoch: Epoch) -> Committee? {
        epoch == committee.epoch ? committee : ledger.epochs[epoch]
    }

    private func layout(judging epoch: Epoch) -> ShardLayout? {
        guard epoch != committee.epoch else { return layout }
        guard let committee = ledger.epochs[epoch] else { return nil }
        var layout = configuration.layout(of: committee)
        layout.setVerifierSets(ledger.verifierSets)
        return layout
    }

    /// A vote of the epoch before can't change anything there, but contradict another one.
    mutating func checkFormer(_ vote: Vote, from peer: PeerID) {
        let message = ConsensusMessage.vote(vote)
        guard let engine = formerConsensus, message.epoch == engine.epoch,
            engine.wants(message, from: peer)
        else { return }
        effects.append(.check(.consensus(peer, message, engine.context), .consensus))
    }

    /// The same when its signature holds.
    mutating func witness(_ message: Verified<ConsensusMessage>, from peer: PeerID) {
        guard case .vote = message.value, message.value.epoch == formerConsensus?.epoch,
            let found = formerConsensus?.handle(.message(from: peer, message), at: moment)
        else { return }
        for case .evidence(let votes) in found { accuse(votes) }
    }

    private mutating func note(
        _ evidence: ReportableEvidence, _ act: Digest, of offender: PublicKey, at height: Height
    ) {
        accusations[act] = Accusation(offender: offender, height: height, evidence: evidence)
        effects.append(.note(.misbehaviour(evidence, offender: offender)))
    }

    /// Acts of others that this node can prove, in order of height and id.
    package var evidence: [Accusation] {
        accusations.sorted { ($0.value.height, $0.key) < ($1.value.height, $1.key) }.map(\.value)
    }

    /// Forgets what is too old to be reported.
    mutating func dropOldAccusations() {
        let keep = configuration.genesis.parameters.verification.unbondBlocks
        accusations = accusations.filter {
            $0.value.height.clampedAdvance(by: keep) >= ledger.height
        }
    }

    /// Acts remembered; each is at most some kilobytes.
    static let accusationsMax = 256
}

/// An act that this node can prove.
package struct Accusation: Sendable {
    package let offender: PublicKey
    /// The height at which the batch says it was sealed; of votes, the last one of their epoch.
    package let height: Height
    package let evidence: ReportableEvidence
}
