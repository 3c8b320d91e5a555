internal import Primitives

extension Executor {
    /// Punishes what the evidence proves, and pays who brought it.
    mutating func report(_ evidence: [UInt8], by sender: Address) throws(Stop) {
        guard
            let offence = judge.judge(
                evidence, at: height, sets: verifierSets, epochs: epochs)
        else { throw .failed(.evidenceInvalid) }
        let expiry = offence.height.clampedAdvance(by: rules.verification.unbondBlocks)
        guard height <= expiry else { throw .failed(.evidenceExpired) }
        guard var offender = try verifier(offence.offender) else { throw .failed(.nothingToSlash) }
        guard !offender.marks.contains(where: { $0.id == offence.id }) else {
            throw .failed(.evidenceKnown)
        }
        guard offender.bonded > 0 || !offender.releases.isEmpty else {
            throw .failed(.nothingToSlash)
        }
        let slashed = try slash(&offender)
        mark(&offender, Verifier.Mark(id: offence.id, expiry: expiry))
        if offence.kind.jails { jail(&offender) }
        verifiers.write(offender, for: offence.offender)
        try pay(slashed, of: offence.offender, to: sender)
    }

    /// Takes the part of the bond and of each release that the offence costs, each rounded up: no
    /// stake is too small to lose something.
    private func slash(_ offender: inout Verifier) throws(Stop) -> Amount {
        let permille = permille(for: offender)
        var slashed = Amount(0)
        func take(from amount: inout Amount) throws(Stop) {
            let part = Executor.part(amount, permille)
            amount = amount.clampedRetreat(by: part.rawValue)
            slashed = try sum(slashed, part)
        }
        try take(from: &offender.bonded)
        for place in offender.releases.indices {
            try take(from: &offender.releases[place].amount)
        }
        offender.releases.removeAll { $0.amount == 0 }
        return slashed
    }

    private func permille(for offender: Verifier) -> UInt16 {
        guard offender.marks.count < Verifier.marksMax else { return 1000 }
        return offender.offences == 0
            ? rules.verification.slashPermille : rules.verification.repeatSlashPermille
    }

    /// - Precondition: At most 1000 permille, as genesis has checked.
    private static func part(_ amount: Amount, _ permille: UInt16) -> Amount {
        let (quotient, rest) = UInt64(1000).dividingFullWidth(
            amount.rawValue.multipliedFullWidth(by: UInt64(permille)))
        return Amount(rest > 0 ? quotient + 1 : quotient)
    }

    /// Notes the offence, and forgets those that nobody can report any more.
    private func mark(_ offender: inout Verifier, _ mark: Verifier.Mark) {
        offender.marks.removeAll { $0.expiry < height }
        if offender.marks.count == Verifier.marksMax { offender.marks.removeFirst() }
        offender.marks.append(mark)
        offender.offences = offender.offences == .max ? .max : offender.offences + 1
    }

    /// Also ends the candidacy: who is free again declares it anew.
    private func jail(_ offender: inout Verifier) {
        offender.isCandidate = false
        let until = height.clampedAdvance(by: rules.verification.unbondBlocks)
        offender.jailedUntil = offender.offences > 2 ? Height(.max) : until
    }

    /// The reporter's part, rounded down, and the rest to the treasury.
    private mutating func pay(
        _ slashed: Amount, of offender: PublicKey, to reporter: Address
    ) throws(Stop) {
        guard slashed > 0 else { return }
        let permille = UInt64(rules.verification.reporterPermille)
        let reward = Amount(FeeSplit.part(slashed.rawValue, permille, of: 1000))
        let rest = slashed.clampedRetreat(by: reward.rawValue)
        if reward > 0 { try credit(reward, to: reporter, .evidenceReward(offender)) }
        if rest > 0 { try credit(rest, to: rules.fees.treasury, .slashing(offender)) }
        try shift(slashed, from: .bonded, to: .balances)
    }
}
