internal import Primitives

// The life of a bond. Upon
//   bond:     the owner's money moves in; the key and the node agree by signature. Who bonds a key
//             that has no verifier yet becomes its owner.
//   unbond:   part of it, or all, becomes a release that is due `unbondBlocks` later. It counts in
//             no later verifier set, but can still be slashed.
//   withdraw: the releases that are due move back to the owner.
//   evidence: bond and releases are slashed (Evidence.swift).
// A validator's stake is a bond like any other: what genesis bonds belongs to the reward address.
// What is unbonded counts in no later election, and can be slashed as long as a committee may act
// that it was elected into.

extension Executor {
    mutating func bond(_ bond: Bond, from sender: Address) throws(Stop) {
        guard committee.index(of: bond.peerID).map({ committee[$0]?.votingKey == bond.key }) ?? true
        else { throw .failed(.validatorBond) }
        var verifier =
            try verifier(bond.key)
            ?? Verifier(peerID: bond.peerID, owner: sender, rewardAddress: sender, bonded: 0)
        guard verifier.owner == sender else { throw .failed(.notBondOwner) }
        guard verifier.jailedUntil < Height(.max) else { throw .failed(.jailedForGood) }
        guard bond.isProven(chainID: rules.chainID, sender: sender) else {
            throw .failed(.proofWrong)
        }
        try debit(bond.amount, of: .native, from: sender, .bond(bond.key))
        try shift(bond.amount, from: .balances, to: .bonded)
        verifier.peerID = bond.peerID
        verifier.bonded = try sum(verifier.bonded, bond.amount)
        guard verifier.bonded >= rules.verification.minimumBond else {
            throw .failed(.bondTooSmall)
        }
        verifiers.write(verifier, for: bond.key)
    }

    mutating func unbond(_ unbond: Unbond, by sender: Address) throws(Stop) {
        var verifier = try ownVerifier(unbond.key, of: sender)
        guard unbond.amount > 0 else { throw .failed(.zeroAmount) }
        guard unbond.amount <= verifier.bonded else { throw .failed(.amountAboveBonded) }
        let rest = verifier.bonded.clampedRetreat(by: unbond.amount.rawValue)
        guard rest == 0 || rest >= rules.verification.minimumBond else {
            throw .failed(.bondTooSmall)
        }
        guard verifier.releases.count < Verifier.releasesMax else {
            throw .failed(.tooManyReleases)
        }
        verifier.bonded = rest
        let due = height.clampedAdvance(by: rules.verification.unbondBlocks)
        verifier.releases.append(Verifier.Release(amount: unbond.amount, height: due))
        verifiers.write(verifier, for: unbond.key)
    }

    mutating func withdraw(_ key: PublicKey, to sender: Address) throws(Stop) {
        var verifier = try ownVerifier(key, of: sender)
        var amount = Amount(0)
        for release in verifier.releases where release.height <= height {
            amount = try sum(amount, release.amount)
        }
        guard amount > 0 else { throw .failed(.nothingDue) }
        verifier.releases.removeAll { $0.height <= height }
        try credit(amount, to: sender, .withdrawal(key))
        try shift(amount, from: .bonded, to: .balances)
        verifiers.write(verifier, for: key)
    }

    /// A verifier that `sender` may decide about.
    mutating func ownVerifier(
        _ key: PublicKey, of sender: Address
    ) throws(Stop) -> Verifier {
        guard let verifier = try verifier(key) else { throw .failed(.verifierUnknown) }
        guard verifier.owner == sender else { throw .failed(.notBondOwner) }
        return verifier
    }

    /// The verifier, or nil where the state has none, or none any more.
    mutating func verifier(_ key: PublicKey) throws(Stop) -> Verifier? {
        do throws(StorageFault) {
            let verifier = try verifiers.read(key, source)
            return verifier.flatMap { $0.isGone ? nil : $0 }
        } catch {
            throw .fault(error)
        }
    }

    /// A sum of stakes, all of them part of the supply.
    func sum(_ left: Amount, _ right: Amount) throws(Stop) -> Amount {
        do throws(StorageFault) {
            return try books { () throws(ArithmeticOverflow) in try left.adding(right) }
        } catch {
            throw .fault(error)
        }
    }
}
