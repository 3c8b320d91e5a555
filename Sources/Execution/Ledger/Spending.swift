package import Primitives

/// What a transaction takes from its sender beside fee and deposit of a new stream, by asset.
///
/// An estimate before the operations: what they open for themselves, or take away, isn't seen.
struct Spending: Sendable {
    private var amounts: [AssetID: Amount] = [:]

    /// What the transaction itself says: whenever all of its operations succeed, at least that
    /// much is taken.
    init(saidBy transaction: Transaction) {
        for operation in transaction.operations {
            switch operation {
            case .transfer(let transfer): add(transfer.amount, of: transfer.asset)
            case .redeem(let redemption): add(redemption.amount, of: redemption.asset)
            case .escrowCreate(let terms): add(terms.amount, of: terms.asset)
            case .bond(let bond): add(bond.amount, of: .native)
            default: break
            }
        }
    }

    /// At most 2^64 - 1.
    subscript(asset: AssetID) -> Amount { amounts[asset] ?? 0 }

    mutating func add(_ amount: Amount, of asset: AssetID) {
        guard amount > 0 else { return }
        amounts[asset] = self[asset].clampedAdvance(by: amount.rawValue)
    }
}

extension LedgerRules {
    /// What a transaction takes of the sender's limits; none where the signatures lift them.
    /// - Throws: `limitReached` where one has no room for it.
    func limitUses(
        of account: Account, _ charge: Charge, _ spending: Spending, at time: Timestamp
    ) throws(SkipReason) -> [LimitUse] {
        guard !charge.isAdmin, let safeguards = account.safeguards else { return [] }
        var uses: [LimitUse] = []
        for limit in safeguards.limits {
            let asset = limit.terms.asset
            let counted = asset == .native ? charge.counted.rawValue : 0
            let cost = spending[asset].clampedAdvance(by: counted)
            guard cost > 0 else { continue }
            let use = LimitUse(asset: asset, room: limit.room(at: time), cost: cost)
            guard use.cost <= use.room else { throw .limitReached }
            uses.append(use)
        }
        return uses
    }
}

extension Ledger: AdmissionView {
    package func admission(
        of signed: SignedTransaction
    ) throws(StorageFault) -> Admission {
        let transaction = signed.transaction
        var parties: [LedgerRules.Party] = []
        for address in [transaction.sender] + transaction.cosigners {
            let account = try executor.accounts.peek(address, source)
            parties.append(LedgerRules.Party(address: address, account: account))
        }
        let spending = try spending(of: transaction)
        guard Ledger.mayVeto(signed, parties) else { return .refused(.notAuthorized) }
        do throws(SkipReason) {
            let charge = try executor.rules.charge(
                for: signed, parties: parties, at: time, baseFee: executor.baseFee, mayWait: true)
            let uses = try parties.first?.account.map { account throws(SkipReason) in
                try executor.rules.limitUses(of: account, charge, spending, at: time)
            }
            return .admissible(
                nextSequence: charge.nextSequence, spendable: charge.spendable,
                cost: transaction.maxFee.clampedAdvance(by: charge.deposit.rawValue)
                    .clampedAdvance(by: spending[.native].rawValue),
                tip: charge.tip, limits: uses ?? [])
        } catch {
            return .refused(error)
        }
    }

    /// False for a veto that would be skipped: a copy of it may have lost signatures on the way.
    private static func mayVeto(
        _ signed: SignedTransaction, _ parties: [LedgerRules.Party]
    ) -> Bool {
        signed.transaction.operations.allSatisfy { operation in
            guard case .vetoRecovery(let address) = operation,
                let account = parties.first(where: { $0.address == address })?.account,
                let guardians = account.safeguards?.guardians
            else { return true }
            return guardians.quorum.weight(of: parties.map(\.address)) >= guardians.quorum.threshold
                || LedgerRules.mayVeto(account, signed.authorizations)
        }
    }

    private func spending(of transaction: Transaction) throws(StorageFault) -> Spending {
        let fees = executor.rules.fees
        var spending = Spending(saidBy: transaction)
        var opened: Set<Opened> = []
        for operation in transaction.operations {
            switch operation {
            case .transfer(let transfer):
                try note(Opened(transfer.asset, transfer.to), &opened, &spending)
            case .mint(let mint): try note(Opened(mint.asset, mint.to), &opened, &spending)
            case .clawback(let clawback):
                guard clawback.holder == transaction.sender else { continue }
                spending.add(clawback.amount, of: clawback.asset)
            case .escrowCreate(let terms):
                spending.add(fees.escrowDeposit, of: .native)
                try note(Opened(terms.asset, terms.payee), &opened, &spending)
            case .escrowTopUp(let topUp):
                let escrow = try executor.escrows.peek(topUp.escrow, source)
                spending.add(topUp.amount, of: escrow?.terms.asset ?? .native)
            case .proposeParameters:
                spending.add(executor.rules.governance.deposit, of: .native)
            case .issueAsset: spending.add(fees.assetDeposit, of: .native)
            default: break
            }
        }
        return spending
    }

    /// An entry of an issued asset in an account.
    private struct Opened: Hashable {
        let asset: AssetID
        let address: Address

        init(_ asset: AssetID, _ address: Address) {
            self.asset = asset
            self.address = address
        }
    }

    /// Counts the deposit for a receiver's entry that isn't there yet, once.
    private func note(
        _ entry: Opened, _ opened: inout Set<Opened>, _ spending: inout Spending
    ) throws(StorageFault) {
        guard entry.asset != .native,
            try executor.accounts.peek(entry.address, source)?.holding(of: entry.asset) == nil,
            opened.insert(entry).inserted
        else { return }
        spending.add(executor.rules.fees.holdingDeposit, of: .native)
    }
}
