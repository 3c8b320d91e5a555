internal import Primitives

// What protects an account. Upon
//   spend:    what an operation takes out of the sender's account, and tip and deposit before it,
//             counts against the limit of the asset, unless the signatures reach the admin
//             threshold (`debit`, `LedgerRules.charge`). The base fee counts against none. What a
//             limit has no room for is skipped before its operations (`lackOfWeight`).
//   set:      with the admin threshold, limits and guardians are replaced; what was spent of an
//             asset stays spent. A recovery that was pending is void.
//   propose:  guardians who reach their quorum name a new policy. It waits for their delay.
//   veto:     the account ends what is pending, and its guardians can propose nothing for another
//             delay; or they end it themselves. With less than the admin weight the account can do
//             so once, until guardians are heard or replaced: who has stolen a key that spends must
//             not keep them away for ever. A further veto with less is skipped (`lackOfWeight`).
//   complete: after the delay, for 30 days, anybody puts the policy in force. Limits and guardians
//             stay.
// Nothing of this keeps an owner from anything: with the admin threshold no limit counts, a
// recovery that is pending stops nothing, and guardians who are gone can't be missed.

/// Who pays for what a transaction's operations take.
struct Spender: Sendable {
    let address: Address
    /// Whether the signatures reach the admin threshold: no limit counts then.
    let isAdmin: Bool
}

extension Executor {
    mutating func setSafeguards(
        _ terms: SafeguardTerms, of sender: Address
    ) throws(Stop) {
        var account = try actingAccount(sender)
        for limit in terms.limits {
            if limit.asset != .native { _ = try asset(limit.asset) }
            guard rules.safeguards.windowRange ~= limit.windowMilliseconds else {
                throw .failed(.windowOutOfRange)
            }
        }
        if let policy = account.policy, !terms.limits.isEmpty {
            guard policy.admin > policy.spend else { throw .failed(.limitWithoutEffect) }
        }
        if let guardians = terms.guardians { try check(guardians, of: sender) }
        let safeguards = Safeguards(terms, after: account.safeguards)
        guard safeguards != account.safeguards else { throw .failed(.sameSafeguards) }
        account.safeguards = safeguards
        accounts.write(account, for: sender)
    }

    private func check(_ guardians: Guardians, of address: Address) throws(Stop) {
        guard rules.safeguards.delayRange ~= guardians.delayMilliseconds else {
            throw .failed(.delayOutOfRange)
        }
        guard guardians.quorum.weight(of: address) == nil else {
            throw .failed(.guardianIsSelf)
        }
        let partiesMax = 1 + TransactionLimits.cosignersMax
        guard guardians.quorum.isReachable(byMembers: partiesMax) else {
            throw .failed(.guardiansUnreachable)
        }
    }

    mutating func proposeRecovery(
        _ proposal: RecoveryProposal, by participants: Participants
    ) throws(Stop) {
        guard var account = try account(proposal.account), var safeguards = account.safeguards,
            let guardians = safeguards.guardians
        else { throw .failed(.noGuardians) }
        guard guardians.act(in: participants.all) else { throw .failed(.guardiansTooFew) }
        guard safeguards.recovery(at: time) == nil else { throw .failed(.recoveryPending) }
        guard time >= safeguards.quietUntil else { throw .failed(.recoveryTooSoon) }
        guard account.policy != proposal.policy else { throw .failed(.samePolicy) }
        guard proposal.policy.unusableKey == nil else { throw .failed(.keyUnusable) }
        safeguards.recovery = Safeguards.Recovery(
            policy: proposal.policy,
            readyAt: time.clampedAdvance(by: guardians.delayMilliseconds))
        account.safeguards = safeguards
        accounts.write(account, for: proposal.account)
    }

    mutating func vetoRecovery(
        of address: Address, by participants: Participants
    ) throws(Stop) {
        var (account, safeguards, _) = try pendingRecovery(of: address)
        let isOwner = participants.all.contains(address)
        if let guardians = safeguards.guardians {
            guard isOwner || guardians.act(in: participants.all) else {
                throw .failed(.notParticipant)
            }
            safeguards.quietUntil =
                isOwner ? time.clampedAdvance(by: guardians.delayMilliseconds) : 0
        }
        safeguards.recovery = nil
        account.safeguards = safeguards
        accounts.write(account, for: address)
    }

    mutating func completeRecovery(of address: Address) throws(Stop) {
        var (account, safeguards, recovery) = try pendingRecovery(of: address)
        guard time >= recovery.readyAt else { throw .failed(.recoveryTooEarly) }
        safeguards.recovery = nil
        safeguards.quietUntil = 0
        account.policy = recovery.policy
        account.safeguards = safeguards
        accounts.write(account, for: address)
    }

    private mutating func pendingRecovery(
        of address: Address
    ) throws(Stop) -> (Account, Safeguards, Safeguards.Recovery) {
        guard let account = try account(address), let safeguards = account.safeguards,
            let recovery = safeguards.recovery(at: time)
        else { throw .failed(.noRecovery) }
        return (account, safeguards, recovery)
    }

    /// The sender's account, which paid the fee.
    private mutating func actingAccount(_ sender: Address) throws(Stop) -> Account {
        guard let account = try account(sender) else {
            throw .fault(StorageFault("\(sender) acts without an account"))
        }
        return account
    }
}

extension Executor {
    /// What a transaction's signatures must reach beyond `spend`, known before its operations: its
    /// id doesn't say who signed it, so that one that failed for it would let anybody who takes
    /// signatures away make it fail.
    /// - Returns: Why it is skipped, or nil.
    func lackOfWeight(
        _ signed: SignedTransaction, _ parties: [LedgerRules.Party], _ charge: LedgerRules.Charge
    ) throws(StorageFault) -> SkipReason? {
        guard mayVeto(signed, parties) else { return .notAuthorized }
        guard !charge.isAdmin, let sender = parties.first?.account, sender.safeguards != nil else {
            return nil
        }
        let spending = try spending(of: signed.transaction)
        do throws(SkipReason) {
            _ = try rules.limitUses(of: sender, charge, spending, at: time)
            return nil
        } catch {
            return error
        }
    }

    /// False for a transaction that vetoes again for an account, without its guardians and with
    /// less than its admin weight.
    func mayVeto(_ signed: SignedTransaction, _ parties: [LedgerRules.Party]) -> Bool {
        signed.transaction.operations.allSatisfy { operation in
            guard case .vetoRecovery(let address) = operation,
                let account = parties.first(where: { $0.address == address })?.account,
                let safeguards = account.safeguards, let guardians = safeguards.guardians,
                safeguards.recovery(at: time) != nil, safeguards.quietUntil > 0,
                !guardians.act(in: parties.map(\.address))
            else { return true }
            return account.policy.map {
                LedgerRules.weight(of: signed.authorizations, $0) >= $0.admin
            } ?? false
        }
    }
}

extension Guardians {
    /// Whether those who act in a transaction reach the threshold.
    fileprivate func act(in parties: [Address]) -> Bool {
        quorum.weight(of: parties) >= quorum.threshold
    }
}

extension Executor {
    /// Takes back what those who act have decided in this round.
    mutating func withdrawDecision(
        _ withdrawal: EscrowWithdrawal, _ participants: Participants
    ) throws(Stop) {
        var escrow = try liveEscrow(withdrawal.escrow)
        guard withdrawal.round == escrow.round else { throw .failed(.wrongRound) }
        let left = escrow.decisions.filter { !participants.all.contains($0.address) }
        guard left.count < escrow.decisions.count else { throw .failed(.nothingDecided) }
        escrow.decisions = left
        escrows.write(escrow, for: escrow.id)
    }
}
