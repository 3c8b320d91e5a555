internal import Execution
internal import Primitives
internal import RPC

/// What the chain itself says of a measurement, account by account: nothing is taken from the load
/// generator's own counting.
struct BenchAudit: Encodable, Sendable {
    /// Executed transfers: the sum of the accounts' sequences.
    let executed: Int
    /// Whether every account has what its executed transfers leave it with: none failed.
    let balancesMatch: Bool

    /// Questions under way at once.
    private static let parallelMax = 32

    /// Reads all accounts of a network that is at rest.
    /// - Parameters:
    ///   - initial: what each account had before.
    ///   - transfers: what was signed; transfer i is number i / accounts of account i % accounts.
    ///   - costly: ids of transfers that may have cost twice their fee, by key: receipts tell.
    static func read(
        _ accounts: BenchAccounts, initial: Amount, transfers: [PreparedTransfer], fees: FeeRule,
        costly: [UInt64: String], prefix: NetworkPrefix, clients: [RPCClient]
    ) async throws(CommandFault) -> BenchAudit {
        let texts = accounts.addresses.map { $0.text(in: prefix) }
        do {
            let states = try await read(texts, clients)
            let ids = costly.sorted { $0.key < $1.key }.map(\.value)
            let paid = try await inParallel(ids, clients, BenchAudit.fee)
            let fees = BenchFees(
                rule: fees,
                paid: Dictionary(
                    zip(costly.keys.sorted(), paid), uniquingKeysWith: { first, _ in first }))
            let expected = expectedBalances(states.map(\.executed), initial, transfers, fees)
            return BenchAudit(
                executed: states.reduce(0) { $0 + $1.executed },
                balancesMatch: states.map(\.balance) == expected)
        } catch {
            throw CommandFault("the accounts can't be read after the load: \(error)")
        }
    }

    private struct AccountState: Sendable {
        let executed: Int
        let balance: UInt64
    }

    private static func read(
        _ texts: [String], _ clients: [RPCClient]
    ) async throws -> [AccountState] {
        try await inParallel(texts, clients, BenchAudit.read)
    }

    /// The answers to a question about each of `texts`, in their order.
    private static func inParallel<Answer: Sendable>(
        _ texts: [String], _ clients: [RPCClient],
        _ ask: @escaping @Sendable (String, RPCClient) async throws -> Answer
    ) async throws -> [Answer] {
        try await withThrowingTaskGroup(of: (Int, [Answer]).self) { group in
            for part in 0..<parallelMax {
                let client = clients[part % clients.count]
                let range = sliceRange(part, of: parallelMax, count: texts.count)
                group.addTask {
                    var answers: [Answer] = []
                    for place in range { answers.append(try await ask(texts[place], client)) }
                    return (part, answers)
                }
            }
            var parts = Array(repeating: [Answer](), count: parallelMax)
            for try await (part, answers) in group { parts[part] = answers }
            return parts.flatMap { $0 }
        }
    }

    /// What a transaction's receipt says that it paid; nil if it has none.
    private static func fee(
        _ id: String, _ client: RPCClient
    ) async throws(RPCClientFault) -> UInt64? {
        try await client.transaction(id).receipt?.fee.rawValue
    }

    private static func read(
        _ address: String, _ client: RPCClient
    ) async throws(RPCClientFault) -> AccountState {
        let account = try await client.account(address)
        let stream = account.streams.first { $0.stream == 0 }
        return AccountState(
            executed: Int(clamping: stream?.nextSequence.rawValue ?? 0),
            balance: account.balances.first?.amount.rawValue ?? 0)
    }

    /// What each account has if `executed` of its transfers took effect and none failed. Sums wrap:
    /// a balance that no chain can have differs from the one that is there.
    private static func expectedBalances(
        _ executed: [Int], _ initial: Amount, _ transfers: [PreparedTransfer], _ fees: BenchFees
    ) -> [UInt64] {
        let count = executed.count
        let moved = BenchTransfers.amount.rawValue
        var balances = [UInt64](repeating: initial.rawValue, count: count)
        for (account, executed) in executed.enumerated() {
            for place in stride(from: account, to: transfers.count, by: count).prefix(executed) {
                let payee = BenchTransfers.payee(of: account, round: place / count, count: count)
                balances[payee] &+= moved
                balances[account] &-= moved &+ fees.fee(of: transfers[place])
            }
        }
        return balances
    }
}

/// What transfers cost: their fee, or what a receipt says if that is possible.
private struct BenchFees {
    let rule: FeeRule
    /// By the transfer's key.
    let paid: [UInt64: UInt64?]

    /// What a block carries itself costs twice the fee, and nothing costs anything else.
    func fee(of transfer: PreparedTransfer) -> UInt64 {
        let usual =
            rule.fee(bytes: transfer.byteCount, signatures: 1, operations: 1)?.rawValue ?? 0
        guard case .some(.some(let paid)) = paid[transfer.key],
            paid == usual &* Ledger.directFeeFactor
        else { return usual }
        return paid
    }
}
