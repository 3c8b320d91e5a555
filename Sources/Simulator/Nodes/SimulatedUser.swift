internal import Primitives

/// Somebody with an account, or the hand that acts for an account of several signers: does one
/// thing after the other and keeps asking until it knows what became of it.
struct SimulatedUser {
    /// What a user is about, for the marks and the checks.
    enum Errand {
        case payment, overspending, forgery, tooFewSigners, doubleSpend, shortLived
        case escrowCreate, escrowDecide, escrowDispute, escrowArbitrate
        case candidacy
    }

    /// A transaction on its way.
    struct Attempt {
        let transaction: SignedTransaction
        var fate: Fate?
        /// Calls whose answer is still awaited.
        var requests: Set<UInt64> = []
        /// Whether some node may have taken it.
        var isUncertain = false
    }

    /// What is known for certain.
    enum Fate: Hashable {
        /// It took its sequence in a final block.
        case final
        /// It never will.
        case refused(SkipReason)
    }

    let index: Int
    let signers: [SimulatedSigner]
    let policy: Policy
    let address: Address
    let balance: UInt64
    /// The node whose bond it owns, which is all that it cares for.
    let node: Int?
    /// The sequence of the next thing.
    var next: SequenceNumber = 0
    var errand: Errand?
    /// Counts errands: answers to questions of an earlier one are void.
    private(set) var errands = 0
    var attempts: [Attempt] = []
    var triesLeft = 0

    init(
        index: Int, signers: [SimulatedSigner], policy: Policy, balance: UInt64, node: Int? = nil
    ) {
        self.node = node
        self.index = index
        self.signers = signers
        self.policy = policy
        self.balance = balance
        address = policy.address
    }

    var isIdle: Bool { attempts.isEmpty }
    var isDone: Bool { attempts.allSatisfy { $0.fate != nil } }

    func transaction(
        _ operations: [Operation], chainID: ChainID, validUntil: UInt64, memo: [UInt8] = []
    ) -> Transaction {
        Transaction(
            chainID: chainID, sender: address, sequence: next,
            validUntil: Timestamp(validUntil), maxFee: 10_000, memo: memo,
            operations: operations)
    }

    func signed(_ transaction: Transaction) -> SignedTransaction {
        SignedTransaction(signing: transaction, policies: [policy], by: signers)
    }

    /// Signed by one of several who are needed.
    func underSigned(_ transaction: Transaction) -> SignedTransaction {
        SignedTransaction(
            signing: transaction, policies: [policy], by: Array(signers.prefix(1)))
    }

    /// Signatures as somebody without the keys would make them up.
    func forged(_ transaction: Transaction) -> SignedTransaction {
        let real = signed(transaction)
        let wrong = real.authorizations.map {
            Authorization(
                publicKey: $0.publicKey,
                signature: Signature(r: $0.signature.r, s: .zero))
        }
        return SignedTransaction(
            transaction: transaction, policies: [policy], authorizations: wrong)
    }

    mutating func begin(_ errand: Errand, _ transactions: [SignedTransaction]) {
        self.errand = errand
        errands += 1
        attempts = transactions.map { Attempt(transaction: $0) }
    }

    /// Ends the errand: the sequence is used if one of its transactions is final.
    mutating func finish() {
        if attempts.contains(where: { $0.fate == .final }) { next = next.next ?? next }
        attempts = []
        errand = nil
    }
}
