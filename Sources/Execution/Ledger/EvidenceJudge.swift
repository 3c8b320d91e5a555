package import Primitives

/// Says what evidence proves. The ledger knows nothing of acks and batch headers: whoever opens it
/// brings the judge.
///
/// A judge is a pure function: every node must come to the same judgment.
package protocol EvidenceJudge: Sendable {
    /// What `evidence`, at most 16 KiB from anybody, proves at `height`, where `sets` are the
    /// verifiers by period and `epochs` the committees that the state names; nil where it proves
    /// nothing. Its cost must lie below one signature check for each 128 bytes.
    func judge(
        _ evidence: [UInt8], at height: Height, sets: [UInt64: VerifierSet], epochs: EpochTable
    ) -> Offence?
}

/// Takes nothing as proven.
package struct NoEvidence: EvidenceJudge {
    package init() {}

    package func judge(
        _ evidence: [UInt8], at height: Height, sets: [UInt64: VerifierSet], epochs: EpochTable
    ) -> Offence? { nil }
}

/// What somebody with stake did against the rules.
package enum OffenceKind: UInt8, Hashable, Sendable, CaseIterable {
    /// A verdict on signatures that their check contradicts.
    case wrongVerdict = 0
    /// Two acks of one key that can't both be honest.
    case conflictingAcks = 1
    /// Two batches of one owner at one position.
    case equivocatingOwner = 2
    /// Two votes of one validator in one view that no honest one signs both.
    case conflictingVotes = 3

    /// Whether its word on signatures doesn't count any more for a while, nor its candidacy.
    package var jails: Bool {
        switch self {
        case .wrongVerdict, .conflictingAcks, .conflictingVotes: true
        case .equivocatingOwner: false
        }
    }
}

/// A proven breach of the rules.
package struct Offence: Hashable, Sendable {
    /// The key that signed.
    package let offender: PublicKey
    package let kind: OffenceKind
    /// Names the act, not the bytes that prove it: two proofs of one act have the same.
    package let id: Digest
    /// When it was done, as far as the signed bytes say; of votes, which name no height, the last
    /// one of their epoch.
    package let height: Height

    package init(offender: PublicKey, kind: OffenceKind, id: Digest, height: Height) {
        self.offender = offender
        self.kind = kind
        self.id = id
        self.height = height
    }
}
