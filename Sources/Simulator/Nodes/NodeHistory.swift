internal import Primitives

/// What users were told, in order, for the check at the end.
struct NodeHistory {
    /// Everything that users handed in, also what nobody signed.
    private(set) var submitted: [TransactionID: SignedTransaction] = [:]
    private(set) var forged: Set<TransactionID> = []
    /// Reported final, to some user, by some node.
    private(set) var final: Set<TransactionID> = []
    /// Refused for good, and why.
    private(set) var refused: [TransactionID: SkipReason] = [:]

    mutating func submit(_ transaction: SignedTransaction, isForged: Bool) {
        submitted[transaction.id] = transaction
        if isForged { forged.insert(transaction.id) }
    }

    mutating func tell(_ id: TransactionID, _ fate: SimulatedUser.Fate) {
        switch fate {
        case .final: final.insert(id)
        case .refused(let reason): refused[id] = reason
        }
    }

    /// A contradiction within what users were told.
    var contradiction: String? {
        let both = final.intersection(refused.keys)
        return both.isEmpty ? nil : "reported final and refused: \(both.count) transactions"
    }
}
