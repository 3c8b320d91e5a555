package import Execution
package import Primitives

/// What a merchant can know of a voucher without a node.
///
/// Upon a voucher: its signatures hold; its proof holds against the genesis, is of the payer's
/// account and not too old; the ledger's own rules would take it in that account's state, now; the
/// account covers all that it takes, and all that the vouchers before it on its stream take; it
/// pays what was agreed. What an earlier voucher takes that nobody has shown isn't known, nor then
/// whether this one is covered.
///
/// It can't know what happened since the proof, and whom else the payer has given a payment with
/// the same stream and sequence: of those one is paid.
package struct VoucherCheck: Sendable {
    /// How far the proof's block may lie ahead of the present, in milliseconds: clocks differ.
    package static let clockMillisecondsMax: UInt64 = 5 * 60_000

    private let client: LightClient
    /// In milliseconds.
    private let ageMax: UInt64
    /// How many vouchers before it on its stream may be missing among those that are shown.
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
        /// By asset, the native one first.
        package let covers: [Cover]
        /// Vouchers before it that weren't shown. Unless 0, nothing says that it is covered.
        package let missing: UInt64
        package let deposit: Amount
        /// The least fee; with `maxFee` below a multiple of it, a busy network may refuse it.
        package let feeMin: Amount
        /// What the stream expected next.
        package let next: SequenceNumber
        /// What this network, this account and these payments leave open.
        package let doubts: [Doubt]
    }

    /// Why a voucher may come to nothing that is good by all that its check knows.
    package enum Doubt: Hashable, Sendable {
        /// The validators may have changed fees or deposits since the genesis.
        case fees
        /// A receiver of an issued asset, beside what the demand is about, may have no room for
        /// its entry: then the whole voucher fails.
        case receivers
        /// From this time on anybody may complete a recovery that replaces the payer's keys.
        case keys(from: Timestamp)
    }

    /// What a payer had of an asset, and what is taken of it.
    package struct Cover: Hashable, Sendable {
        package let asset: AssetID
        package let held: Amount
        /// By the voucher.
        package let needed: Amount
        /// By those before it.
        package let before: Amount
    }

    /// - Parameter earlier: Payments before it on its stream, in any order; others of the stream
    ///   are passed over.
    /// - Throws: Why the voucher isn't to be taken.
    package func check(
        _ voucher: Voucher, with earlier: [SignedTransaction] = [], now: Timestamp,
        wanting demand: Demand? = nil
    ) throws(VoucherFault) -> Report {
        let signed = voucher.transaction
        guard Verified.check(signed) != nil else { throw .signature }
        try checkForm(signed.transaction)
        let (proven, account) = try reserve(of: voucher, now)
        let time = max(now, proven.blockTime)
        let cost = try cost(of: signed, account, at: time)
        let sequence = signed.transaction.sequence
        let ahead = sequence.rawValue - cost.next.rawValue
        let shown = try checked(earlier, before: signed, from: cost.next, account, at: time)
        let missing = ahead - UInt64(shown.count)
        guard missing <= before else {
            throw .ahead(next: cost.next, sequence: sequence)
        }
        let payments = shown + [Payment(signed: signed, cost: cost)]
        try checkLimits(payments, of: account, at: time)
        let covers = try checkCover(payments, by: sequence, cost.deposit, account)
        if let demand { try VoucherCheck.check(signed.transaction, demand) }
        return Report(
            height: proven.height, time: proven.blockTime,
            age: time.rawValue - proven.blockTime.rawValue, held: account.balance(of: .native),
            needed: covers.first?.needed ?? 0, covers: covers, missing: missing,
            deposit: cost.deposit, feeMin: cost.fee, next: cost.next,
            doubts: doubts(signed.transaction, demand, account, at: time))
    }

    private func doubts(
        _ payment: Transaction, _ demand: Demand?, _ account: Account, at time: Timestamp
    ) -> [Doubt] {
        var doubts: [Doubt] = []
        let governed = genesis.parameters.governance.governed
        if governed.contains(where: VoucherCheck.feeParameters.contains) { doubts.append(.fees) }
        let mayFail = payment.operations.contains { operation in
            guard case .transfer(let transfer) = operation, transfer.asset != .native else {
                return false
            }
            return transfer.to != demand?.receiver || transfer.asset != demand?.asset
        }
        if mayFail { doubts.append(.receivers) }
        if let recovery = account.safeguards?.recovery(at: time),
            recovery.readyAt <= payment.validUntil
        {
            doubts.append(.keys(from: recovery.readyAt))
        }
        return doubts
    }

    /// What a payment's cost and deposits come from.
    private static let feeParameters: Set<GovernedParameter> = [
        .baseFee, .byteWeight, .signatureWeight, .writeWeight, .streamDeposit, .holdingDeposit,
    ]

    private func cost(
        of signed: SignedTransaction, _ account: Account, at time: Timestamp
    ) throws(VoucherFault) -> PaymentCheck.Cost {
        do throws(SkipReason) {
            return try PaymentCheck(genesis).cost(of: signed, sender: account, at: time)
        } catch {
            throw .refused(error)
        }
    }

    /// A payment before a voucher, or the voucher itself.
    private struct Payment {
        let signed: SignedTransaction
        let cost: PaymentCheck.Cost

        var body: Transaction { signed.transaction }
        /// Whether others can pass it on with signatures that the limits bind.
        var mayLoseSignatures: Bool { signed.authorizations.count > 1 }
        /// The more, the surer it is that the limits bind it.
        var boundness: Int { cost.isBound ? 2 : mayLoseSignatures ? 1 : 0 }
    }

    /// What is taken of each asset.
    private struct Taking {
        private(set) var amounts: [AssetID: Amount] = [:]

        mutating func add(_ amount: Amount, _ asset: AssetID) {
            guard amount > 0 else { return }
            amounts[asset] = (amounts[asset] ?? 0).clampedAdvance(by: amount.rawValue)
        }

        /// Adds the transfers and, for each receiver of an issued asset, the deposit for its entry:
        /// whether it has one then isn't known here, and who is paid by two vouchers may give all
        /// of it away between them. The payer's own entry may come and go with each transfer.
        mutating func addTransfers(of payment: Transaction, entryDeposit: Amount) {
            var entries: Set<Entry> = []
            for case .transfer(let transfer) in payment.operations {
                add(transfer.amount, transfer.asset)
                let entry = Entry(asset: transfer.asset, receiver: transfer.to)
                let isNew = entries.insert(entry).inserted || transfer.to == payment.sender
                if transfer.asset != .native, isNew { add(entryDeposit, .native) }
            }
        }
    }

    /// The limits must have room for a voucher and for those before it together.
    ///
    /// What is signed with the admin weight counts against none, but before one that they bind:
    /// whoever passes it on can take signatures away, and then it counts if it fits.
    private func checkLimits(
        _ payments: [Payment], of account: Account, at time: Timestamp
    ) throws(VoucherFault) {
        guard let last = payments.lastIndex(where: \.cost.isBound) else { return }
        let entryDeposit = PaymentCheck(genesis).holdingDeposit
        func added(_ payment: Payment, to sum: Taking) -> Taking {
            var sum = sum
            sum.addTransfers(of: payment.body, entryDeposit: entryDeposit)
            sum.add(min(payment.body.tip, payment.body.maxFee), .native)
            // The first on a new stream opens it.
            if payment.body.sequence == payment.cost.next {
                sum.add(payment.cost.deposit, .native)
            }
            return sum
        }
        func tooMuch(_ sum: Taking) -> VoucherFault? {
            for (asset, needed) in sum.amounts.sorted(by: { $0.key < $1.key }) {
                guard let room = account.room(for: asset, at: time), needed > room else { continue }
                return .limited(asset: asset, needed: needed, room: room)
            }
            return nil
        }
        var sum = Taking()
        for payment in payments[...last] {
            let mayCount = payment.mayLoseSignatures && tooMuch(added(payment, to: Taking())) == nil
            if payment.cost.isBound || mayCount { sum = added(payment, to: sum) }
        }
        if let fault = tooMuch(sum) { throw fault }
    }

    /// The payments that come before a voucher and weren't executed when its proof was made, by
    /// sequence.
    private func checked(
        _ earlier: [SignedTransaction], before signed: SignedTransaction,
        from next: SequenceNumber, _ account: Account, at time: Timestamp
    ) throws(VoucherFault) -> [Payment] {
        let own = signed.transaction
        var payments: [SequenceNumber: Payment] = [:]
        for one in earlier {
            let body = one.transaction
            guard body.sender == own.sender, body.stream == own.stream else {
                throw .otherStream
            }
            guard next <= body.sequence, body.sequence <= own.sequence else { continue }
            let payment: Payment
            do throws(VoucherFault) {
                guard Verified.check(one) != nil else { throw .signature }
                try checkForm(body)
                payment = Payment(signed: one, cost: try cost(of: one, account, at: time))
            } catch {
                throw .earlier(body.sequence, error)
            }
            let known = body.sequence == own.sequence ? signed : payments[body.sequence]?.signed
            guard known?.id ?? one.id == one.id else { throw .twice(body.sequence) }
            guard body.sequence < own.sequence else { continue }
            // Of copies that differ in their signatures, one that the limits bind, or may bind.
            let other = payments[body.sequence]
            if other.map({ $0.boundness < payment.boundness }) ?? true {
                payments[body.sequence] = payment
            }
        }
        return payments.values.sorted { $0.body.sequence < $1.body.sequence }
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

    private struct Entry: Hashable {
        let asset: AssetID
        let receiver: Address
    }

    /// - Parameter own: The voucher's sequence, which the deposit counts with; the others come
    ///   before.
    /// - Returns: What is taken of each asset, the native one first.
    private func checkCover(
        _ payments: [Payment], by own: SequenceNumber, _ deposit: Amount, _ account: Account
    ) throws(VoucherFault) -> [Cover] {
        let entryDeposit = PaymentCheck(genesis).holdingDeposit
        var sum = Taking()
        var before: [AssetID: Amount] = [:]
        for payment in payments {
            if payment.body.sequence == own { before = sum.amounts }
            sum.add(payment.body.maxFee, .native)
            sum.addTransfers(of: payment.body, entryDeposit: entryDeposit)
        }
        sum.add(deposit, .native)
        var covers = sum.amounts.map { asset, needed in
            let before = before[asset] ?? 0
            return Cover(
                asset: asset, held: account.balance(of: asset),
                needed: needed.clampedRetreat(by: before.rawValue), before: before)
        }
        if sum.amounts[.native] == nil {
            covers.append(
                Cover(asset: .native, held: account.balance(of: .native), needed: 0, before: 0))
        }
        covers.sort {
            $1.asset != .native && ($0.asset == .native || $0.asset < $1.asset)
        }
        for cover in covers {
            let needed = cover.needed.clampedAdvance(by: cover.before.rawValue)
            guard cover.held >= needed else {
                throw .uncovered(asset: cover.asset, needed: needed, held: cover.held)
            }
            guard account.holding(of: cover.asset)?.isFrozen != true else {
                throw .frozen(cover.asset)
            }
        }
        return covers
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
        guard found >= wanted else {
            throw .paysOther(asset: demand.asset, found: found, wanted: wanted)
        }
    }
}
