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
    /// - Parameter initial: what each account had before.
    static func read(
        _ accounts: BenchAccounts, initial: [Amount], prefix: NetworkPrefix,
        clients: [RPCClient]
    ) async throws(CommandFault) -> BenchAudit {
        let texts = accounts.addresses.map { $0.text(in: prefix) }
        do {
            let states = try await read(texts, clients)
            return BenchAudit(
                executed: states.reduce(0) { $0 + $1.executed },
                balancesMatch: balancesMatch(states, initial))
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

    /// Every transfer has the same fee. What an account paid beyond its transfers must be that fee
    /// times the number of its transfers, with one fee for all.
    private static func balancesMatch(_ states: [AccountState], _ initial: [Amount]) -> Bool {
        let count = states.count
        var received = [Int](repeating: 0, count: count)
        for (account, state) in states.enumerated() {
            for round in 0..<state.executed {
                received[BenchTransfers.payee(of: account, round: round, count: count)] += 1
            }
        }
        var fee: Int?
        for (account, state) in states.enumerated() {
            let moved = Int(BenchTransfers.amount.rawValue)
            let before = Int(clamping: initial[account].rawValue) + received[account] * moved
            let paid = before - state.executed * moved - Int(clamping: state.balance)
            guard state.executed > 0 else {
                if paid != 0 { return false }
                continue
            }
            let each = fee ?? paid / state.executed
            fee = each
            guard paid == each * state.executed, each >= 0 else { return false }
        }
        return true
    }
}
