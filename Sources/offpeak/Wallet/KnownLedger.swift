internal import Primitives
internal import RPC

/// What a node tells of the accounts and escrows that a transaction is about.
struct KnownLedger: Sendable {
    /// An account as a node knows it.
    struct Account: Sendable {
        /// Nil until the account has revealed it.
        var policy: Policy?
        /// Who guards the account, where a recovery is pending and it has used its veto: another
        /// takes its admin threshold.
        var guardiansAfterVeto: Quorum?
        /// What its streams expect next.
        var nextSequences: [UInt16: SequenceNumber] = [:]
    }

    /// Without those that no node was asked about.
    var accounts: [Address: Account] = [:]
    /// Those in which the transaction refunds something.
    var escrows: [EscrowID: EscrowInfo] = [:]

    /// Asks a node about a transaction's accounts.
    /// - Throws: `CommandFault` where the node doesn't answer, or with what can't be.
    init(of file: TransactionFile, _ client: NodeClient) async throws(CommandFault) {
        for address in file.accounts {
            let text = address.text(in: file.prefix)
            let info = try await client.find { rpc throws(RPCClientFault) in
                try await rpc.account(text)
            }
            if let info { accounts[address] = try Account(info, in: file.prefix) }
        }
    }

    /// Asks a node about what a transaction refunds.
    /// - Throws: `CommandFault` where the node doesn't answer.
    mutating func addEscrows(
        of file: TransactionFile, _ client: NodeClient
    ) async throws(CommandFault) {
        for id in Set(file.transaction.operations.compactMap(\.refund).map(\.escrow)) {
            let text = id.text(in: file.prefix)
            escrows[id] = try await client.find { rpc throws(RPCClientFault) in
                try await rpc.escrow(text)
            }
        }
    }

    init(accounts: [Address: Account] = [:], escrows: [EscrowID: EscrowInfo] = [:]) {
        self.accounts = accounts
        self.escrows = escrows
    }
}

extension KnownLedger.Account {
    fileprivate init(_ info: AccountInfo, in prefix: NetworkPrefix) throws(CommandFault) {
        policy = try info.policy.map { (info) throws(CommandFault) in
            try Policy(info, in: prefix)
        }
        for stream in info.streams { nextSequences[stream.stream] = stream.nextSequence }
        if info.safeguards?.recovery != nil, let guardians = info.safeguards?.guardians,
            guardians.vetoUsed == true
        {
            guardiansAfterVeto = try Quorum(guardians.quorum, in: prefix)
        }
    }
}

extension KnownLedger {
    /// Whether a transaction was executed, or another one with its sequence.
    func isOver(_ transaction: Transaction) -> Bool {
        let next = accounts[transaction.sender]?.nextSequences[transaction.stream] ?? 0
        return transaction.sequence < next
    }
}

// What a payee refuses.
extension KnownLedger {
    /// A sentence for each refund by which a payee that acts in the transaction gives back all at
    /// once, as far as the escrows are known.
    func refusals(by file: TransactionFile) -> [String] {
        file.transaction.operations.compactMap(\.refund).compactMap { decision in
            let parties = file.accounts.map { $0.text(in: file.prefix) }
            let escrow = escrows[decision.escrow]
            guard let escrow, decision.round == escrow.round,
                escrow.isRefused(by: parties, refunding: decision.amount)
            else { return nil }
            return "the payee refunds all that is held, \(escrow.held): it goes back at once"
        }
    }
}

extension Operation {
    /// A decision by which a payee could refuse what an escrow holds.
    fileprivate var refund: EscrowDecision? {
        guard case .escrowDecide(let decision) = self, decision.direction == .refund,
            decision.preimage == nil
        else { return nil }
        return decision
    }
}

extension EscrowInfo {
    /// Whether a refund without a preimage, in the present round, gives back all at once whatever
    /// the quorum is: that of a payee does, who isn't the payer too.
    ///
    /// - Parameter parties: Addresses of those who act.
    func isRefused(by parties: [String], refunding amount: Amount) -> Bool {
        state != .closed && payee != payer && parties.contains(payee) && amount >= held
    }
}
