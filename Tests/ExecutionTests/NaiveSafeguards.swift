import Primitives

@testable import Execution

/// Limits, guardians and recoveries as the naive model has them: every spending of a window is
/// written down by itself, and summed anew for each question.
struct NaiveSafeguards: Equatable {
    struct Spending: Equatable {
        let time: UInt64
        let amount: UInt64
    }

    struct Pending: Equatable {
        let policy: Policy
        let ready: UInt64
    }

    /// Of the native asset.
    var limit: SpendingLimit?
    var spendings: [Spending] = []
    var guardians: Guardians?
    var quiet: UInt64 = 0
    var pending: Pending?

    /// The spendings of the window that is open at `time`: those of one that is over don't count.
    func spent(at time: UInt64) -> UInt64 {
        guard let limit, let first = spendings.first,
            time - first.time < limit.windowMilliseconds
        else { return 0 }
        return spendings.reduce(0) { $0 + $1.amount }
    }

    func isPending(at time: UInt64) -> Bool {
        pending.map { time <= $0.ready + 30 * 86_400_000 } ?? false
    }
}

extension NaiveLedger {
    /// What `address` may still spend with less than its admin threshold.
    func room(of address: Address) -> UInt64 {
        guard let safeguards = safeguards[address], let limit = safeguards.limit else {
            return .max
        }
        let spent = safeguards.spent(at: time)
        return limit.amount.rawValue < spent ? 0 : limit.amount.rawValue - spent
    }

    /// Whether the sender's limit has no room for what a transaction says that it takes; `counted`
    /// of it is known already.
    func takesTooMuch(_ transaction: Transaction, _ counted: UInt64) -> Bool {
        var sum = Int128(counted)
        for operation in transaction.operations {
            switch operation {
            case .transfer(let some) where some.asset == .native:
                sum += Int128(some.amount.rawValue)
            case .redeem(let some) where some.asset == .native:
                sum += Int128(some.amount.rawValue)
            case .escrowCreate(let some) where some.asset == .native:
                sum += Int128(some.amount.rawValue)
            case .bond(let some): sum += Int128(some.amount.rawValue)
            default: break
            }
        }
        return min(sum, Int128(UInt64.max)) > Int128(room(of: transaction.sender))
    }

    /// Writes a spending down, whoever signs less than the admin threshold.
    mutating func note(_ amount: UInt64, of address: Address) {
        guard amount > 0, var safeguards = safeguards[address], safeguards.limit != nil else {
            return
        }
        if safeguards.spent(at: time) == 0 { safeguards.spendings = [] }
        safeguards.spendings.append(.init(time: time, amount: amount))
        self.safeguards[address] = safeguards
    }

    mutating func setSafeguards(_ terms: SafeguardTerms, _ sender: Address) throws {
        let least = parameters.safeguards
        for limit in terms.limits {
            if limit.asset != .native { throw Failed(code: .unknownAsset) }
            let window = limit.windowMilliseconds
            if window < least.windowMillisecondsMin || window > 30 * 86_400_000 {
                throw Failed(code: .windowOutOfRange)
            }
        }
        if let policy = policies[sender], !terms.limits.isEmpty, policy.admin == policy.spend {
            throw Failed(code: .limitWithoutEffect)
        }
        if let guardians = terms.guardians {
            let delay = guardians.delayMilliseconds
            if delay < least.delayMillisecondsMin || delay > 90 * 86_400_000 {
                throw Failed(code: .delayOutOfRange)
            }
            if guardians.quorum.members.contains(where: { $0.address == sender }) {
                throw Failed(code: .guardianIsSelf)
            }
            let weights = guardians.quorum.members.map(\.weight).sorted().reversed()
            if weights.prefix(9).reduce(0, { $0 + Int($1) }) < Int(guardians.quorum.threshold) {
                throw Failed(code: .guardiansUnreachable)
            }
        }
        let old = safeguards[sender]
        var new = NaiveSafeguards(limit: terms.limits.first, guardians: terms.guardians)
        if new.guardians == old?.guardians { new.quiet = old?.quiet ?? 0 }
        if new.limit != nil { new.spendings = old?.spendings ?? [] }
        if new == old ?? NaiveSafeguards() { throw Failed(code: .sameSafeguards) }
        safeguards[sender] = new == NaiveSafeguards() ? nil : new
    }

    private func isEnough(_ guardians: Guardians, _ parties: [Address]) -> Bool {
        let weights = guardians.quorum.members.filter { parties.contains($0.address) }
        return weights.reduce(0) { $0 + Int($1.weight) } >= Int(guardians.quorum.threshold)
    }

    mutating func propose(_ proposal: RecoveryProposal, _ parties: [Address]) throws {
        guard let safeguards = safeguards[proposal.account],
            let guardians = safeguards.guardians
        else { throw Failed(code: .noGuardians) }
        if !isEnough(guardians, parties) { throw Failed(code: .guardiansTooFew) }
        if safeguards.isPending(at: time) { throw Failed(code: .recoveryPending) }
        if time < safeguards.quiet { throw Failed(code: .recoveryTooSoon) }
        if policies[proposal.account] == proposal.policy { throw Failed(code: .samePolicy) }
        if proposal.policy.hasMadeUpKey { throw Failed(code: .keyUnusable) }
        self.safeguards[proposal.account]?.pending = .init(
            policy: proposal.policy, ready: time + guardians.delayMilliseconds)
    }

    mutating func veto(_ account: Address, _ parties: [Address]) throws {
        guard let safeguards = safeguards[account], safeguards.isPending(at: time),
            let guardians = safeguards.guardians
        else { throw Failed(code: .noRecovery) }
        let isOwner = parties.contains(account)
        let isWithdrawn = isEnough(guardians, parties)
        if !isOwner && !isWithdrawn { throw Failed(code: .notParticipant) }
        if !isWithdrawn && safeguards.quiet > 0 {
            let signers = policies[account]?.signers.filter { signing.contains($0.publicKey) } ?? []
            let weight = signers.reduce(0) { $0 + Int($1.weight) }
            if weight < Int(policies[account]?.admin ?? .max) {
                throw Skipped(reason: "notAuthorized")
            }
        }
        self.safeguards[account]?.pending = nil
        self.safeguards[account]?.quiet = isOwner ? time + guardians.delayMilliseconds : 0
    }

    mutating func complete(_ account: Address) throws {
        guard let safeguards = safeguards[account], safeguards.isPending(at: time),
            let pending = safeguards.pending
        else { throw Failed(code: .noRecovery) }
        if time < pending.ready { throw Failed(code: .recoveryTooEarly) }
        policies[account] = pending.policy
        self.safeguards[account]?.pending = nil
        self.safeguards[account]?.quiet = 0
    }

    mutating func replacePolicy(_ policy: Policy, _ sender: Address) throws {
        if policies[sender] == policy { throw Failed(code: .samePolicy) }
        if policy.hasMadeUpKey { throw Failed(code: .keyUnusable) }
        policies[sender] = policy
        safeguards[sender]?.pending = nil
    }

    mutating func withdrawDecision(_ withdrawal: EscrowWithdrawal, _ parties: [Address]) throws {
        var trust = try open(withdrawal.escrow, isDisputed: nil)
        if withdrawal.round != trust.round { throw Failed(code: .wrongRound) }
        let decided = parties.filter { trust.wishes[$0] != nil }
        if decided.isEmpty { throw Failed(code: .nothingDecided) }
        for party in decided { trust.wishes[party] = nil }
        trusts[withdrawal.escrow] = trust
    }

    /// Where an account's safeguards or policy differ from the model's.
    func safeguardDifferences(_ reader: LedgerReader) throws -> [String] {
        var differences: [String] = []
        for address in balances.keys {
            let account = try reader.account(address)
            if account?.policy != policies[address] { differences.append("policy of \(address)") }
            let found = account?.safeguards
            let wanted = safeguards[address]
            let limit = found?.limits.first
            if limit?.terms != wanted?.limit || found?.guardians != wanted?.guardians
                || (limit?.spent(at: Timestamp(time)).rawValue ?? 0)
                    != (wanted?.spent(at: time) ?? 0)
                || found?.recovery?.policy != wanted?.pending?.policy
                || found?.recovery?.readyAt.rawValue != wanted?.pending?.ready
                || (found?.quietUntil.rawValue ?? 0) != wanted?.quiet ?? 0
            {
                differences.append("\(address): \(found as Any), model \(wanted as Any)")
            }
            guard height % 8 == 0 else { continue }
            let guards = try reader.accounts(guardedBy: address, limit: 100).map(\.address)
            let wards = safeguards.filter {
                $0.value.guardians?.quorum.weight(of: address) != nil
            }
            if guards != wards.keys.sorted() { differences.append("wards of \(address)") }
        }
        return differences
    }
}

extension Policy {
    /// The only one in random traffic that is no key.
    static let madeUpKey = PublicKey(bytes: [2] + [UInt8](repeating: 0, count: 31))

    fileprivate var hasMadeUpKey: Bool { signers.contains { $0.publicKey == Policy.madeUpKey } }
}
