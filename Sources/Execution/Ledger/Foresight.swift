internal import Primitives

/// What is brought near before it is read, in this order.
enum Foresight {
    case index, value, rest
}

/// Brings the accounts near that the next transactions need, while one is executed: a miss of the
/// processor's caches takes about as long as a part of a transaction.
struct AccountForesight {
    /// How many transactions ahead each step is.
    fileprivate static let stepTransactions = 4

    /// Senders and payees in the order of the transactions.
    private var addresses: [Address] = []
    /// Where those of each transaction end.
    private var ends: [Int] = []

    init(_ transactions: [Verified<SignedTransaction>]) {
        addresses.reserveCapacity(2 * transactions.count)
        ends.reserveCapacity(transactions.count)
        for transaction in transactions {
            addresses.append(transaction.value.transaction.sender)
            for case .transfer(let transfer) in transaction.value.transaction.operations {
                addresses.append(transfer.to)
            }
            ends.append(addresses.count)
        }
    }

    /// Those of a transaction, nothing behind the last one.
    fileprivate func addresses(of place: Int) -> ArraySlice<Address> {
        guard place < ends.count else { return [] }
        return addresses[(place == 0 ? 0 : ends[place - 1])..<ends[place]]
    }
}

extension Executor {
    /// Says that the transaction at a place is executed now.
    mutating func foresee(_ foresight: AccountForesight, after place: Int) {
        let step = AccountForesight.stepTransactions
        for address in foresight.addresses(of: place + 2 * step) {
            accounts.foresee(address, .index)
        }
        for address in foresight.addresses(of: place + step) { accounts.foresee(address, .value) }
    }
}
