package import Execution
package import Primitives

/// What a merchant can know of a voucher without a node.
///
/// Upon a voucher: its signatures hold; its proof holds against the genesis, is of the payer's
/// account and not too old; the ledger's own rules would take it in that account's state, now; the
/// account covers all that it takes; it pays what was agreed.
///
/// It can't know what happened since the proof, and whom else the payer has given a payment with
/// the same stream and sequence: of those one is paid.
package struct VoucherCheck: Sendable {
    /// How far the proof's block may lie ahead of the present, in milliseconds: clocks differ.
    package static let clockMillisecondsMax: UInt64 = 5 * 60_000

    private let client: LightClient
    /// In milliseconds.
    private let ageMax: UInt64
    /// How many vouchers before it on its stream are at hand.
    private let before: UInt64

    private var genesis: Genesis { client.genesis }

    /// A check by somebody who knows the validators of epoch 0.
    package init(trusting genesis: Genesis, ageMax: UInt64, before: UInt64 = 0) {
        self.init(LightClient(trusting: genesis), ageMax: ageMax, before: before)
    }

    /// A check by somebody who knows the validators that `client` does.
    package init(_ client: LightClient, ageMax: UInt64, before: UInt64 = 0) {
        self.client = client
        self.ageMax = ageMax
        self.before = before
    }

    /// What was agreed.
    package struct Demand: Hashable, Sendable {
        package let receiver: Address
        package let asset: AssetID
        /// At least; nil for any.
        package let amount: Amount?

        package init(receiver: Address, asset: AssetID = .native, amount: Amount? = nil) {
            self.receiver = receiver
            self.asset = asset
            self.amount = amount
        }
    }

    /// What the check has shown.
    package struct Report: Hashable, Sendable {
        /// The state that the payer's account was proven in.
        package let height: Height
        /// Of the block that names it.
        package let time: Timestamp
        /// Milliseconds since then.
        package let age: UInt64
        /// The payer's native balance then.
        package let held: Amount
        /// All that the voucher can take of it: payments, `maxFee` and a new stream's deposit.
        package let needed: Amount
        package let deposit: Amount
        /// The least fee; with `maxFee` below a multiple of it, a busy network may refuse it.
        package let feeMin: Amount
        /// What the stream expected next.
        package let next: SequenceNumber
    }

    /// - Throws: Why the voucher isn't to be taken.
    package func check(
        _ voucher: Voucher, now: Timestamp, wanting demand: Demand? = nil
    ) throws(VoucherFault) -> Report {
        let signed = voucher.transaction
        guard Verified.check(signed) != nil else { throw .signature }
        try checkForm(signed.transaction)
        let (proven, account) = try reserve(of: voucher, now)
        let time = max(now, proven.blockTime)
        let cost: PaymentCheck.Cost
        do throws(SkipReason) {
            cost = try PaymentCheck(genesis).cost(of: signed, sender: account, at: time)
        } catch {
            throw .refused(error)
        }
        let sequence = signed.transaction.sequence
        guard sequence.rawValue - cost.next.rawValue <= before else {
            throw .ahead(next: cost.next, sequence: sequence)
        }
        let needed = try checkCover(signed.transaction, cost, account)
        if let demand { try VoucherCheck.check(signed.transaction, demand) }
        return Report(
            height: proven.height, time: proven.blockTime,
            age: time.rawValue - proven.blockTime.rawValue, held: account.balance(of: .native),
            needed: needed, deposit: cost.deposit, feeMin: cost.fee, next: cost.next)
    }

    private func checkForm(_ transaction: Transaction) throws(VoucherFault) {
        guard transaction.chainID == genesis.chainID else { throw .refused(.wrongChain) }
        guard transaction.stream != 0 else { throw .defaultStream }
        guard transaction.cosigners.isEmpty else { throw .cosigners }
        for operation in transaction.operations {
            guard case .transfer(let transfer) = operation, transfer.amount > 0 else {
                throw .notPayment
            }
        }
    }

    private func reserve(
        of voucher: Voucher, _ now: Timestamp
    ) throws(VoucherFault) -> (LightClient.Proven, Account) {
        guard let reserve = voucher.reserve else { throw .noReserve }
        let sender = voucher.transaction.transaction.sender
        let proven: LightClient.Proven
        do throws(ProofFault) {
            proven = try client.verify(
                reserve, asking: .value(StateKey(.account, sender)))
        } catch {
            throw .reserve(error)
        }
        guard case .account(sender, let account?) = proven.fact else { throw .noAccount }
        let time = proven.blockTime.rawValue
        if time > now.rawValue, time - now.rawValue > VoucherCheck.clockMillisecondsMax {
            throw .fromFuture(time - now.rawValue)
        }
        if now.rawValue > time, now.rawValue - time > ageMax {
            throw .old(age: now.rawValue - time, maximum: ageMax)
        }
        return (proven, account)
    }

    /// - Returns: The native asset that it can take.
    private func checkCover(
        _ transaction: Transaction, _ cost: PaymentCheck.Cost, _ account: Account
    ) throws(VoucherFault) -> Amount {
        var needed: [AssetID: Amount] = [
            .native: transaction.maxFee.clampedAdvance(by: cost.deposit.rawValue)
        ]
        for case .transfer(let transfer) in transaction.operations {
            needed[transfer.asset, default: 0] =
                (needed[transfer.asset] ?? 0).clampedAdvance(by: transfer.amount.rawValue)
        }
        for (asset, amount) in needed.sorted(by: { $0.key < $1.key }) {
            let held = account.balance(of: asset)
            guard held >= amount else {
                throw .uncovered(asset: asset, needed: amount, held: held)
            }
        }
        return needed[.native] ?? 0
    }

    private static func check(
        _ transaction: Transaction, _ demand: Demand
    ) throws(VoucherFault) {
        var found: Amount = 0
        for case .transfer(let transfer) in transaction.operations
        where transfer.to == demand.receiver && transfer.asset == demand.asset {
            found = found.clampedAdvance(by: transfer.amount.rawValue)
        }
        let wanted = demand.amount ?? 1
        guard found >= wanted else { throw .paysOther(found: found, wanted: wanted) }
    }
}
