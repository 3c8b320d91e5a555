package import Primitives

/// What a transaction takes from its sender beside fee and deposit of a new stream, by asset, if
/// all of its operations succeed.
///
/// Known before the first of them. Only an entry that the receiver has by then, that one of them
/// takes away and that another makes anew isn't foreseen.
struct Spending: Sendable {
    private var amounts: [AssetID: Amount] = [:]

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
        let charge: LedgerRules.Charge
        do throws(SkipReason) {
            charge = try executor.rules.charge(
                for: signed, parties: parties, at: time, baseFee: executor.baseFee, mayWait: true)
        } catch {
            return .refused(error)
        }
        guard executor.mayVeto(signed, parties) else { return .refused(.notAuthorized) }
        let spending = try executor.spending(of: transaction)
        do throws(SkipReason) {
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
}

extension Executor {
    /// What a transaction would take in the state as it is.
    func spending(of transaction: Transaction) throws(StorageFault) -> Spending {
        var spending = Spending()
        var opened: Set<Opened> = []
        for operation in transaction.operations {
            switch operation {
            case .transfer(let transfer):
                spending.add(transfer.amount, of: transfer.asset)
                try note(Opened(transfer.asset, transfer.to), &opened, &spending)
            case .mint(let mint): try note(Opened(mint.asset, mint.to), &opened, &spending)
            case .redeem(let redemption): spending.add(redemption.amount, of: redemption.asset)
            case .escrowCreate(let terms):
                spending.add(terms.amount, of: terms.asset)
                spending.add(rules.fees.escrowDeposit, of: .native)
                try note(Opened(terms.asset, terms.payee), &opened, &spending)
            case .escrowTopUp(let topUp):
                // Into one that there isn't, or isn't any more, nothing goes.
                guard let escrow = try escrows.peek(topUp.escrow, source), escrow.state != .closed
                else { continue }
                spending.add(topUp.amount, of: escrow.terms.asset)
            case .bond(let bond): spending.add(bond.amount, of: .native)
            case .proposeParameters: spending.add(rules.governance.deposit, of: .native)
            case .issueAsset: spending.add(rules.fees.assetDeposit, of: .native)
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
            try accounts.peek(entry.address, source)?.holding(of: entry.asset) == nil,
            opened.insert(entry).inserted
        else { return }
        spending.add(rules.fees.holdingDeposit, of: .native)
    }
}
