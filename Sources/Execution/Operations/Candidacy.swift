internal import Primitives

// Who stands for election. Upon
//   declare:  the owner of a bond that reaches `stake.minimum` puts it up; out of jail only.
//   withdraw: the owner takes it back: it stands in no later election.
//   jail:     ends the candidacy (Evidence.swift); after it the owner declares again.
// A committee that was elected stays so for its epoch. A candidate whose bond falls below the
// minimum stays one: it stands again when the bond has grown.

extension Executor {
    mutating func declareCandidate(_ key: PublicKey, by sender: Address) throws(Stop) {
        var verifier = try ownVerifier(key, of: sender)
        guard !verifier.isCandidate else { throw .failed(.alreadyCandidate) }
        guard verifier.jailedUntil < Height(.max) else { throw .failed(.jailedForGood) }
        guard !verifier.isJailed(at: height) else { throw .failed(.stillJailed) }
        guard verifier.bonded >= rules.stake.minimum else { throw .failed(.stakeTooSmall) }
        verifier.isCandidate = true
        verifiers.write(verifier, for: key)
    }

    mutating func withdrawCandidacy(_ key: PublicKey, by sender: Address) throws(Stop) {
        var verifier = try ownVerifier(key, of: sender)
        guard verifier.isCandidate else { throw .failed(.notCandidate) }
        verifier.isCandidate = false
        verifiers.write(verifier, for: key)
    }
}
