internal import Primitives

/// Carries out the transactions of one block after another on the state in memory.
///
/// It keeps every rule about money; what it changed is taken out at the end of the block.
struct Executor: Sendable {
    /// Memory for records of the state that no block is changing, in bytes: about a million
    /// accounts of one or two keys. Beyond it those are read from the store again that were asked
    /// for the longest time ago.
    static let cachedAccountBytesMax = 384 << 20
    static let cachedEscrowBytesMax = 8 << 20
    static let cachedVerifierBytesMax = 4 << 20
    static let cachedAssetBytesMax = 4 << 20
    static let cachedProposalBytesMax = 1 << 20

    var rules: LedgerRules
    let judge: any EvidenceJudge
    /// The sets of verifiers that the state before the block names.
    var verifierSets: [UInt64: VerifierSet] = [:]
    /// The committees that the state before the block names.
    var epochs: EpochTable
    /// That of the block's epoch.
    var committee: Committee
    let source: any KeyValueSource
    var accounts: AccountTable
    var escrows = RecordTable<Escrow>(cachedBytesMax: cachedEscrowBytesMax)
    var verifiers = RecordTable<Verifier>(cachedBytesMax: cachedVerifierBytesMax)
    var assets = RecordTable<Asset>(cachedBytesMax: cachedAssetBytesMax)
    var proposals = RecordTable<ParameterProposal>(cachedBytesMax: cachedProposalBytesMax)
    var proposalQueue = ProposalQueue()
    var deadlines = DeadlineIndex()
    var bonds = BondIndex()
    var totals: Totals
    /// Of the block that is being executed.
    var height: Height
    var time: Timestamp
    /// What a unit of weight costs in the block.
    var baseFee: BaseFee
    /// What the block's executed transactions weigh so far.
    var usedWeight: UInt64 = 0
    /// What the block's executed transactions paid above the base fee.
    var tips: [Amount] = []
    /// Of the transaction whose operations are carried out; nil between transactions.
    var spender: Spender?

    /// Why an operation ends early.
    enum Stop: Error {
        /// The transaction fails.
        case failed(FailureCode)
        /// The node stops.
        case fault(StorageFault)
    }

    /// One transaction: its fee and sequence, then its operations, all or none. Whether it is
    /// skipped is decided before: what has begun is paid for.
    mutating func execute(
        _ signed: SignedTransaction, index: UInt32, feeFactor: UInt64
    ) throws(StorageFault) -> TransactionResult {
        let transaction = signed.transaction
        var parties: [LedgerRules.Party] = []
        for address in [transaction.sender] + transaction.cosigners
        where !parties.contains(where: { $0.address == address }) {
            let account = try accounts.read(address, source)
            parties.append(LedgerRules.Party(address: address, account: account))
        }
        let charge: LedgerRules.Charge
        do throws(SkipReason) {
            charge = try rules.charge(
                for: signed, parties: parties, at: time, baseFee: baseFee, mayWait: false,
                feeFactor: feeFactor)
        } catch {
            return .skipped(signed.id, error)
        }
        if let reason = try lackOfWeight(signed, parties, charge) {
            return .skipped(signed.id, reason)
        }
        accounts.postings.transaction = signed.id
        defer { accounts.postings.transaction = nil }
        try take(charge, transaction, parties)
        spender = Spender(address: transaction.sender, isAdmin: charge.isAdmin)
        let (outcome, made) = try operate(signed)
        spender = nil
        usedWeight += min(charge.weight, .max - usedWeight)
        tips.append(charge.tip)
        if rules.planted == .failedKeepsSequence, outcome != .success {
            giveBackSequence(of: transaction, parties)
        }
        return .executed(
            Receipt(
                transactionID: signed.id, height: height, index: index, fee: charge.fee,
                outcome: outcome, escrows: made.escrows, assets: made.assets,
                proposals: made.proposals))
    }

    /// The planted fault of that name.
    private mutating func giveBackSequence(
        of transaction: Transaction, _ parties: [LedgerRules.Party]
    ) {
        guard var account = try? accounts.read(transaction.sender, source), !parties.isEmpty else {
            return
        }
        account.use(transaction.stream, next: transaction.sequence, at: time, deposit: 0)
        accounts.write(account, for: transaction.sender)
    }

    /// Takes fee and deposit, moves the sequence on, keeps the policies that were revealed.
    private mutating func take(
        _ charge: LedgerRules.Charge, _ transaction: Transaction, _ parties: [LedgerRules.Party]
    ) throws(StorageFault) {
        for (party, policy) in zip(parties, charge.policies) {
            guard var account = party.account else { continue }
            let isSender = party.address == transaction.sender
            guard isSender || account.policy == nil else { continue }
            account.policy = policy
            if isSender {
                try take(charge, transaction, from: account)
            } else {
                accounts.write(account, for: party.address)
            }
        }
    }

    private mutating func take(
        _ charge: LedgerRules.Charge, _ transaction: Transaction, from account: Account
    ) throws(StorageFault) {
        var sender = account
        try books { () throws(ArithmeticOverflow) in
            sender.native = try charge.spendable.subtracting(charge.fee)
            sender.deposits = try sender.deposits.adding(charge.deposit)
        }
        // That the limit has room for it was checked before.
        if !charge.isAdmin { _ = sender.spend(charge.counted, of: .native, at: time) }
        guard let next = transaction.sequence.next else {
            throw StorageFault("sequence \(transaction.sequence) of \(transaction.sender): no next")
        }
        sender.use(transaction.stream, next: next, at: time, deposit: charge.deposit)
        let address = transaction.sender
        accounts.write(sender, for: address, .fee)
        if charge.deposit > 0 {
            sender.native = try books { () throws(ArithmeticOverflow) in
                try sender.native.subtracting(charge.deposit)
            }
            accounts.write(sender, for: address, .deposit)
        }
        try move(charge.fee, from: .balances, to: .undistributed)
        try move(charge.deposit, from: .balances, to: .deposits)
    }

    private mutating func operate(
        _ signed: SignedTransaction
    ) throws(StorageFault) -> (Receipt.Outcome, Made) {
        let totalsBefore = totals
        let queueBefore = proposalQueue
        accounts.beginOperations()
        escrows.beginOperations()
        verifiers.beginOperations()
        assets.beginOperations()
        proposals.beginOperations()
        var made = Made()
        for (place, operation) in signed.transaction.operations.enumerated() {
            do throws(Stop) {
                try perform(operation, place, signed, &made)
            } catch {
                accounts.revertOperations()
                escrows.revertOperations()
                verifiers.revertOperations()
                assets.revertOperations()
                proposals.revertOperations()
                totals = totalsBefore
                proposalQueue = queueBefore
                switch error {
                case .fault(let fault): throw fault
                case .failed(let code): return (.failed(operation: place, code), Made())
                }
            }
        }
        return (.success, made)
    }

    /// What a transaction's operations have put into the state under new names.
    private struct Made {
        var escrows: [EscrowID] = []
        var assets: [AssetID] = []
        var proposals: [ProposalID] = []
    }

    private mutating func perform(
        _ operation: Operation, _ place: Int, _ signed: SignedTransaction, _ made: inout Made
    ) throws(Stop) {
        let participants = Participants(signed.transaction)
        switch operation {
        case .transfer(let transfer): try self.transfer(transfer, from: participants.sender)
        case .setPolicy(let policy): try setPolicy(policy, of: participants.sender)
        case .escrowCreate(let terms):
            let id = Escrow.id(transaction: signed.id, operation: place)
            try createEscrow(id, terms, payer: participants.sender)
            made.escrows.append(id)
        case .escrowTopUp(let topUp): try self.topUp(topUp, from: participants.sender)
        case .escrowDecide(let decision): try decide(decision, participants)
        case .escrowDispute(let escrow): try dispute(escrow, participants)
        case .escrowArbitrate(let split): try arbitrate(split, participants)
        case .bond(let bond): try self.bond(bond, from: participants.sender)
        case .unbond(let unbond): try self.unbond(unbond, by: participants.sender)
        case .withdraw(let key): try withdraw(key, to: participants.sender)
        case .reportEvidence(let evidence): try report(evidence, by: participants.sender)
        case .issueAsset(let terms):
            let id = AssetID.issued(by: signed.id, operation: place)
            try issue(id, terms, by: participants.sender)
            made.assets.append(id)
        case .mint(let mint): try self.mint(mint, by: participants.sender)
        case .redeem(let redemption): try redeem(redemption, by: participants.sender)
        case .retireAsset(let asset): try retire(asset, by: participants.sender)
        case .freeze(let freeze): try self.freeze(freeze, by: participants.sender)
        case .clawback(let clawback): try clawBack(clawback, by: participants.sender)
        case .proposeParameters(let changes):
            let id = ProposalID.made(by: signed.id, operation: place)
            try propose(changes, id, by: participants.sender)
            made.proposals.append(id)
        case .voteParameters(let vote): try self.vote(vote, by: participants.sender)
        case .setSafeguards(let terms): try setSafeguards(terms, of: participants.sender)
        case .proposeRecovery(let proposal): try proposeRecovery(proposal, by: participants)
        case .vetoRecovery(let account):
            try vetoRecovery(of: account, by: participants)
        case .completeRecovery(let account): try completeRecovery(of: account)
        case .escrowWithdrawDecision(let withdrawal):
            try withdrawDecision(withdrawal, participants)
        case .closeStream(let number): try closeStream(number, of: participants.sender)
        case .declareCandidate(let key): try declareCandidate(key, by: participants.sender)
        case .withdrawCandidacy(let key): try withdrawCandidacy(key, by: participants.sender)
        }
    }

    /// The store has every write that was handed out.
    mutating func writesApplied() {
        accounts.writesApplied()
        escrows.writesApplied()
        verifiers.writesApplied()
        assets.writesApplied()
        proposals.writesApplied()
        deadlines.writesApplied()
        bonds.writesApplied()
    }
}

/// Who acts in a transaction: the sender and the accounts that sign with it.
struct Participants {
    let sender: Address
    let cosigners: [Address]

    init(_ transaction: Transaction) {
        sender = transaction.sender
        cosigners = transaction.cosigners
    }

    /// The sender and all cosigners.
    var all: [Address] { [sender] + cosigners }
}

extension Executor {
    /// Arithmetic that can only overflow when the books are wrong: then the node stops.
    func books<Value>(
        _ body: () throws(ArithmeticOverflow) -> Value
    ) throws(StorageFault) -> Value {
        do throws(ArithmeticOverflow) {
            return try body()
        } catch {
            throw StorageFault(
                "supply: a total left its range at height \(height); the state is damaged, move"
                    + " the store away and let the node fetch the chain again")
        }
    }

    /// Moves an amount between parts of the totals.
    mutating func move(
        _ amount: Amount, from source: Totals.Part, to target: Totals.Part
    ) throws(StorageFault) {
        guard amount > 0 else { return }
        do throws(ArithmeticOverflow) {
            try totals.move(amount, from: source, to: target)
        } catch {
            try books { () throws(ArithmeticOverflow) in throw error }
        }
    }
}
