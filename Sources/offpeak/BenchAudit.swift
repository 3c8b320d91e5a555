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
    static func read(
        _ accounts: BenchAccounts, initial: Amount, transfers: [PreparedTransfer], fees: FeeRule,
        prefix: NetworkPrefix, clients: [RPCClient]
    ) async throws(CommandFault) -> BenchAudit {
        let texts = accounts.addresses.map { $0.text(in: prefix) }
        do {
            let states = try await read(texts, clients)
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
        try await withThrowingTaskGroup(of: (Int, [AccountState]).self) { group in
            for part in 0..<parallelMax {
                let client = clients[part % clients.count]
                let range = sliceRange(part, of: parallelMax, count: texts.count)
                group.addTask {
                    var states: [AccountState] = []
                    for place in range { states.append(try await read(texts[place], client)) }
                    return (part, states)
                }
            }
            var parts = Array(repeating: [AccountState](), count: parallelMax)
            for try await (part, states) in group { parts[part] = states }
            return parts.flatMap { $0 }
        }
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
        _ executed: [Int], _ initial: Amount, _ transfers: [PreparedTransfer], _ fees: FeeRule
    ) -> [UInt64] {
        let count = executed.count
        let moved = BenchTransfers.amount.rawValue
        var balances = [UInt64](repeating: initial.rawValue, count: count)
        for (account, executed) in executed.enumerated() {
            for place in stride(from: account, to: transfers.count, by: count).prefix(executed) {
                let payee = BenchTransfers.payee(of: account, round: place / count, count: count)
                balances[payee] &+= moved
                balances[account] &-= moved &+ fee(transfers[place], fees)
            }
        }
        return balances
    }

    private static func fee(_ transfer: PreparedTransfer, _ fees: FeeRule) -> UInt64 {
        fees.fee(bytes: transfer.byteCount, signatures: 1, operations: 1)?.rawValue ?? 0
    }
}
