internal import Primitives

/// The votes of one kind in one view: of each signer the first, and at most one that differs.
struct VoteTally: Sendable {
    private(set) var first: [ValidatorIndex: Vote] = [:]
    private var second: [ValidatorIndex: Vote] = [:]
    private var weights: [Digest: UInt64] = [:]

    /// What became of a vote.
    enum Insertion {
        /// Counted; the summed weight for its digest.
        case counted(UInt64)
        /// Known, or the signer's third.
        case ignored
    }

    var isEmpty: Bool { first.isEmpty }

    /// The most weight that one digest has.
    var heaviest: UInt64 { weights.values.max() ?? 0 }

    func weight(for digest: Digest) -> UInt64 { weights[digest] ?? 0 }

    /// Whether `insert` would count the vote.
    func wants(_ vote: Vote) -> Bool {
        guard let known = first[vote.signer] else { return true }
        return known.digest != vote.digest && second[vote.signer] == nil
    }

    /// Counts a vote of a signer of `weight`. A signer's two votes both count: certificates made
    /// elsewhere may rest on either. A known one counts only for the planted bug `again`.
    mutating func insert(_ vote: Vote, weight: UInt64, again: Bool = false) -> Insertion {
        guard wants(vote) || again else { return .ignored }
        if first[vote.signer] == nil {
            first[vote.signer] = vote
        } else if first[vote.signer]?.digest != vote.digest {
            second[vote.signer] = vote
        }
        // At most the committee's weight twice, which is below 2^61.
        weights[vote.digest, default: 0] += weight
        return .counted(weights[vote.digest] ?? 0)
    }

    /// The votes for `digest` in the order of their signers.
    func votes(for digest: Digest) -> [Vote] {
        (Array(first.values) + second.values).filter { $0.digest == digest }
            .sorted { $0.signer < $1.signer }
    }
}
