package import Primitives

/// The ledger's own check of a transaction against an account that was proven: for people without a
/// node.
package struct PaymentCheck: Sendable {
    private let rules: LedgerRules
    private let baseFee: BaseFee

    /// A check by the rules of `genesis`, at its base fee: the lowest, as long as the validators
    /// haven't changed it.
    package init(_ genesis: Genesis) {
        rules = LedgerRules(genesis)
        baseFee = BaseFee(genesis.parameters.fees.baseFee)
    }

    /// What a transaction costs before its operations.
    package struct Cost: Hashable, Sendable {
        /// At the genesis' base fee, tip included.
        package let fee: Amount
        /// For a new stream.
        package let deposit: Amount
        /// What the account's stream expects next; the transaction's own may come later.
        package let next: SequenceNumber
        /// Whether the sender's spending limits bind the signatures.
        package let isBound: Bool
    }

    /// The cost of payments that speak for their sender alone.
    ///
    /// Signatures are taken as checked.
    /// - Throws: Why it couldn't execute at `time`.
    package func cost(
        of signed: SignedTransaction, sender: Account?, at time: Timestamp
    ) throws(SkipReason) -> Cost {
        let party = LedgerRules.Party(address: signed.transaction.sender, account: sender)
        let charge = try rules.charge(
            for: signed, parties: [party], at: time, baseFee: baseFee, mayWait: true)
        return Cost(
            fee: charge.fee, deposit: charge.deposit, next: charge.nextSequence,
            isBound: !charge.isAdmin)
    }

    /// What the sender pays for an entry of an issued asset that a receiver hasn't yet.
    package var holdingDeposit: Amount { rules.fees.holdingDeposit }
}
