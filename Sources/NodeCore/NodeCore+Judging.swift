internal import Execution
package import Mempool
package import Primitives

/// Tells the ledger what evidence about verifiers and owners proves.
struct MempoolJudge: EvidenceJudge {
    let layout: ShardLayout

    func judge(
        _ evidence: [UInt8], at height: Height, sets: [UInt64: VerifierSet]
    ) -> Offence? {
        guard let evidence = try? Mempool.Evidence(bcs: evidence) else { return nil }
        var layout = layout
        layout.setVerifierSets(sets)
        guard let finding = evidence.finding(in: layout), finding.height <= height else {
            return nil
        }
        return Offence(
            offender: finding.offender, kind: evidence.kind, id: finding.id,
            height: finding.height)
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
            let finding = evidence.finding(in: layout), accusations[finding.id] == nil
        else { return }
        accusations[finding.id] = Accusation(
            offender: finding.offender, height: finding.height, evidence: evidence)
        effects.append(.note(.misbehaviour(evidence, offender: finding.offender)))
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
    /// The height at which the batch says it was sealed.
    package let height: Height
    package let evidence: Mempool.Evidence
}
