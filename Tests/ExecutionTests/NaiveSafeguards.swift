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

    var limits: [AssetID: SpendingLimit] = [:]
    var spendings: [AssetID: [Spending]] = [:]
    var guardians: Guardians?
    var quiet: UInt64 = 0
    var pending: Pending?

    /// The spendings of the window that is open at `time`: those of one that is over don't count.
    func spent(_ asset: AssetID, at time: UInt64) -> UInt64 {
        guard let limit = limits[asset], let some = spendings[asset], let first = some.first,
            time - first.time < limit.windowMilliseconds
        else { return 0 }
        return some.reduce(0) { $0 + $1.amount }
    }

    func isPending(at time: UInt64) -> Bool {
        pending.map { time <= $0.ready + 30 * 86_400_000 } ?? false
    }
}

extension NaiveLedger {
    /// What `address` may still spend with less than its admin threshold.
    func room(of address: Address, _ asset: AssetID = .native) -> UInt64 {
        guard let safeguards = safeguards[address], let limit = safeguards.limits[asset] else {
            return .max
        }
        let spent = safeguards.spent(asset, at: time)
        return limit.amount.rawValue < spent ? 0 : limit.amount.rawValue - spent
    }

    /// What a transaction moves out of its sender's account, all of it: what it names, and what is
    /// kept back for what it makes.
    func outflow(_ transaction: Transaction) -> [AssetID: Int128] {
        var sums: [AssetID: Int128] = [:]
        var kept = 0
        var missing: [AssetID: Set<Address>] = [:]
        for operation in transaction.operations {
            switch operation {
            case .transfer(let some):
                sums[some.asset, default: 0] += Int128(some.amount.rawValue)
                missing[some.asset, default: []].insert(some.to)
            case .mint(let some): missing[some.asset, default: []].insert(some.to)
            case .redeem(let some): sums[some.asset, default: 0] += Int128(some.amount.rawValue)
            case .escrowCreate(let some):
                sums[some.asset, default: 0] += Int128(some.amount.rawValue)
                missing[some.asset, default: []].insert(some.payee)
                kept += Int(fees.escrowDeposit.rawValue)
            case .escrowTopUp(let some):
                guard let trust = trusts[some.escrow] else { continue }
                sums[trust.terms.asset, default: 0] += Int128(some.amount.rawValue)
            case .bond(let some): sums[.native, default: 0] += Int128(some.amount.rawValue)
            case .issueAsset: kept += Int(fees.assetDeposit.rawValue)
            case .proposeParameters: kept += Int(parameters.governance.deposit.rawValue)
            default: break
            }
        }
        for (asset, receivers) in missing where asset != .native {
            let new = receivers.count { holdings[$0]?[asset] == nil }
            kept += new * Int(fees.holdingDeposit.rawValue)
        }
        sums[.native, default: 0] += Int128(kept)
        return sums
    }

    /// The first asset whose limit has no room for a transaction that takes `counted` beside.
    func takesTooMuch(_ transaction: Transaction, _ counted: UInt64) -> AssetID? {
        var sums = outflow(transaction)
        sums[.native, default: 0] += Int128(counted)
        return sums.keys.sorted().first { asset in
            let sum = min(sums[asset] ?? 0, Int128(UInt64.max))
            return sum > Int128(room(of: transaction.sender, asset))
        }
    }

    /// Whether a transaction vetoes for an account that has done so before, without its guardians
    /// and with less than its admin weight.
    func vetoesAgain(_ transaction: Transaction, _ keys: [PublicKey]) -> Bool {
        let parties = [transaction.sender] + transaction.cosigners
        for case .vetoRecovery(let account) in transaction.operations {
            guard parties.contains(account), let safeguards = safeguards[account],
                safeguards.isPending(at: time), safeguards.quiet > 0,
                let guardians = safeguards.guardians,
                let policy = policies[account], !isEnough(guardians, parties)
            else { continue }
            let signers = policy.signers.filter { keys.contains($0.publicKey) }
            if signers.reduce(0, { $0 + Int($1.weight) }) < Int(policy.admin) { return true }
        }
        return false
    }

    /// Writes a spending down, whoever signs less than the admin threshold.
    mutating func note(_ amount: UInt64, of address: Address, _ asset: AssetID = .native) {
        guard amount > 0, var safeguards = safeguards[address], safeguards.limits[asset] != nil
        else { return }
        if safeguards.spent(asset, at: time) == 0 { safeguards.spendings[asset] = [] }
        safeguards.spendings[asset, default: []].append(.init(time: time, amount: amount))
        self.safeguards[address] = safeguards
    }

    mutating func setSafeguards(_ terms: SafeguardTerms, _ sender: Address) throws {
        let least = parameters.safeguards
        for limit in terms.limits {
            if limit.asset != .native, assets[limit.asset] == nil {
                throw Failed(code: .unknownAsset)
            }
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
        var new = NaiveSafeguards(guardians: terms.guardians)
        for limit in terms.limits { new.limits[limit.asset] = limit }
        if new.guardians == old?.guardians { new.quiet = old?.quiet ?? 0 }
        new.spendings = (old?.spendings ?? [:]).filter { new.limits[$0.key] != nil }
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
            let limits = found?.limits ?? []
            let hasOthers = limits.contains { limit in
                let asset = limit.terms.asset
                return limit.terms != wanted?.limits[asset]
                    || limit.spent(at: Timestamp(time)).rawValue
                        != wanted?.spent(asset, at: time)
            }
            if hasOthers || limits.count != wanted?.limits.count ?? 0
                || found?.guardians != wanted?.guardians
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
