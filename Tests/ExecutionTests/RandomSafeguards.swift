import Primitives

@testable import Execution

/// Limits, guardians and recoveries as many people might use them, rightly and wrongly.
extension RandomTraffic {
    mutating func safeguardOperation(_ sender: Address, _ model: NaiveLedger) throws -> Operation {
        let account = chance(92) ? ward ?? sender : person().address
        if model.safeguards[account]?.isPending(at: model.time) == true, chance(45) {
            return .vetoRecovery(account)
        }
        if model.mayProposeAgain(account), chance(60) {
            return .proposeRecovery(RecoveryProposal(account: account, policy: policy(model)))
        }
        switch below(20) {
        case 0...3: return .setSafeguards(try safeguardTerms(sender, model))
        case 4...8:
            return .proposeRecovery(RecoveryProposal(account: account, policy: policy(model)))
        case 9...10: return .vetoRecovery(account)
        case 11...12: return .completeRecovery(account)
        case 13...14: return .setPolicy(policy(model))
        default:
            let holdings: [AssetID: NaiveHolding] = model.holdings[sender] ?? [:]
            let all = holdings.filter { $0.value.amount > 0 }
            if let held = all.keys.min(), let amount = all[held]?.amount, chance(15) {
                // Its entry goes and is made anew.
                return .transfer(Transfer(to: sender, asset: held, amount: Amount(amount)))
            }
            let bound = model.safeguards[sender]?.limits.keys.sorted() ?? []
            let asset = bound.isEmpty ? .native : bound[below(bound.count)]
            let room = model.room(of: sender, asset)
            let amount = chance(40) ? room : UInt64(below(asset == .native ? 4000 : 300))
            let more = chance(20) ? UInt64(1) : 0
            return .transfer(
                Transfer(
                    to: person().address, asset: asset,
                    amount: Amount(min(amount, 50_000_000) + more)))
        }
    }

    /// Somebody whom a limit may stop.
    mutating func limited(_ model: NaiveLedger) -> Person? {
        let limited = people.filter { person in
            guard let policy = model.policies[person.address] else { return false }
            return model.safeguards[person.address]?.limits.isEmpty == false
                && policy.admin > policy.spend
        }
        return limited.isEmpty ? nil : limited[below(limited.count)]
    }

    /// Who guards the ward that the next transaction is about, and perhaps the ward.
    mutating func guardians(_ model: NaiveLedger) -> [Person]? {
        let guarded = model.safeguards.filter { $0.value.guardians != nil }.keys.sorted()
        guard !guarded.isEmpty else { return nil }
        let pending = guarded.filter {
            model.safeguards[$0]?.isPending(at: model.time) == true
        }
        // Those that could propose again after a veto, all of them.
        let open = guarded.first { model.mayProposeAgain($0) }
        let quorumOfOpen = open.flatMap { model.safeguards[$0]?.guardians?.quorum }
        let proposers = people.filter { quorumOfOpen?.weight(of: $0.address) != nil }
        if !proposers.isEmpty, chance(50) {
            ward = open
            return proposers
        }
        let vetoed = pending.first { model.safeguards[$0]?.quiet ?? 0 > 0 }
        if let owner = people.first(where: { $0.address == vetoed }), chance(50) {
            ward = vetoed
            return [owner]
        }
        let some = pending.isEmpty || chance(60) ? guarded : pending
        let ward = some[below(some.count)]
        let quorum = model.safeguards[ward]?.guardians?.quorum
        let members = people.filter { quorum?.weight(of: $0.address) != nil }
        guard !members.isEmpty else { return nil }
        self.ward = ward
        let owners = people.filter { $0.address == ward && chance(35) }
        if !owners.isEmpty, chance(30) { return owners }
        let acting = members.count > 1 && chance(15) ? Array(members.dropFirst()) : members
        return owners + acting
    }

    private mutating func safeguardTerms(
        _ sender: Address, _ model: NaiveLedger
    ) throws -> SafeguardTerms {
        let day: UInt64 = 86_400_000
        let windows = [999, 1000, 1000, 5000, 20_000, 30 * day, 30 * day + 1]
        let delays = [999, 1000, 3000, 5000, 8000, 90 * day, 90 * day + 1]
        let amounts: [UInt64] = [0, 35, 3000, 10_000, 30_000, 100_000, .max]
        var limits: [SpendingLimit] = []
        var assets: [AssetID] = chance(70) ? [.native] : []
        if chance(40), let held = model.holdings[sender]?.keys.sorted().first {
            assets.append(held)
        }
        if chance(4) { assets.append(AssetID(.sha256([1]))) }
        for asset in assets.sorted() {
            limits.append(
                SpendingLimit(
                    asset: asset, amount: Amount(amounts[below(7)] / (asset == .native ? 1 : 100)),
                    windowMilliseconds: windows[below(7)]))
        }
        guard chance(80) else { return SafeguardTerms(limits: limits) }
        let members = Set((0...below(3)).map { _ in person().address })
            .filter { $0 != sender || chance(60) }.sorted()
            .map { Quorum.Member(address: $0, weight: UInt16(below(2) + 1)) }
        guard !members.isEmpty else { return SafeguardTerms(limits: limits) }
        let strangers = (0..<16).map {
            Quorum.Member(address: Address(.sha256([UInt8($0)])), weight: 1)
        }
        let quorum =
            chance(90)
            ? try Quorum(members: members, threshold: UInt32(below(members.count) + 1))
            : try Quorum(members: strangers, threshold: UInt32(chance(80) ? 10 : 9))
        return SafeguardTerms(
            limits: limits,
            guardians: Guardians(quorum: quorum, delayMilliseconds: delays[below(7)]))
    }

    /// A policy of some of the keys that there are.
    private mutating func policy(_ model: NaiveLedger) -> Policy {
        var some = Set((0...below(3)).map { _ in person().key.publicKey })
        if chance(10), let key = Policy.madeUpKey { some.insert(key) }
        let keys = some.sorted()
        let signers = keys.map { Policy.Signer(publicKey: $0, weight: 1) }
        let spend = below(keys.count) + 1
        let admin = spend + below(keys.count - spend + 1)
        let policy = try? Policy(signers: signers, spend: UInt32(spend), admin: UInt32(admin))
        return policy ?? .single(keys[0])
    }

    /// As many of an account's keys as may change it, or only as may spend.
    mutating func signers(
        of person: Person, isAdmin: Bool, _ model: NaiveLedger
    ) -> [PublicKey] {
        let policy = model.policies[person.address] ?? person.policy
        let needed = isAdmin ? policy.admin : policy.spend
        var keys: [PublicKey] = []
        var weight: UInt32 = 0
        for signer in policy.signers where weight < needed {
            keys.append(signer.publicKey)
            weight += UInt32(signer.weight)
        }
        return keys
    }
}

extension NaiveLedger {
    /// Whether the account has vetoed, and its guardians may propose anew.
    fileprivate func mayProposeAgain(_ account: Address) -> Bool {
        guard let safeguards = safeguards[account] else { return false }
        return (1...time).contains(safeguards.quiet) && !safeguards.isPending(at: time)
    }
}
