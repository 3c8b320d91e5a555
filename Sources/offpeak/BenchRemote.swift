internal import Primitives
internal import RPC

/// A measurement of a network that runs already. A wallet pays for fresh accounts first; what
/// their processes use isn't ours to see.
struct BenchRemote: Sendable {
    let plan: BenchPlan
    /// RPC addresses.
    let nodes: [String]
    let keyFile: String
    let progress: BenchProgress

    /// How long after signing the transfers may execute.
    private static let validityMilliseconds: UInt64 = 12 * 3_600_000
    /// Bytes of a payment to sixteen accounts that reveals the wallet's policy, rounded up.
    private static let paymentBytesMax = 2000
    /// Bytes of a signed transfer that reveals its sender's policy, rounded up.
    private static let transferBytesMax = 500

    func run() async throws -> BenchReport {
        var clients: [NodeClient] = []
        for node in nodes { clients.append(try NodeClient(node, timeout: .seconds(60))) }
        let context = try await clients[0].context()
        progress.step("making \(plan.accounts) accounts")
        let accounts = await BenchAccounts(seed: plan.seed, count: plan.accounts)
        let balance = try balance(context)
        try await fund(accounts, with: balance, clients[0], context)
        return try await BenchRun(
            plan: plan, accounts: accounts,
            initial: balance, transfers: await sign(accounts, context), clients: clients.map(\.rpc),
            prefix: context.prefix, fees: context.fees, meter: nil, progress: progress
        ).run()
    }

    /// What an account needs for all of its transfers.
    private func balance(_ context: NetworkContext) throws(CommandFault) -> Amount {
        let rounds = UInt64((plan.transfers + plan.accounts - 1) / plan.accounts)
        guard let each = try? maxFee(context).adding(BenchTransfers.amount),
            let all = try? each.multiplied(by: rounds)
        else { throw CommandFault("\(rounds) transfers of each account cost more than exists") }
        return all
    }

    private func maxFee(_ context: NetworkContext) -> Amount {
        context.fees.generousMaximum(
            bytes: BenchRemote.transferBytesMax, signatures: 1, operations: 1, tip: 0)
    }

    private func sign(
        _ accounts: BenchAccounts, _ context: NetworkContext
    ) async -> [PreparedTransfer] {
        let transfers = BenchTransfers(
            accounts: accounts, chainID: context.chainID,
            validUntil: WallClock.now.clampedAdvance(by: BenchRemote.validityMilliseconds),
            revealsPolicies: true, maxFee: maxFee(context))
        let text = "signing \(plan.transfers) transfers"
        progress.step(text)
        return await transfers.sign(plan.transfers) { progress.share($0, text) }
    }
}

// Paying for the accounts.
extension BenchRemote {
    private func fund(
        _ accounts: BenchAccounts, with balance: Amount, _ client: NodeClient,
        _ context: NetworkContext
    ) async throws(CommandFault) {
        let payments = try await payments(accounts, balance, client, context)
        let text = "paying \(balance) to each account"
        progress.step(text)
        var done = 0
        while done < payments.count {
            // The first may reveal the wallet's policy, without which no other is accepted.
            let count = done == 0 ? 1 : RPCLimits.batchMax
            let batch = payments[done..<min(done + count, payments.count)]
            try await deliver(Array(batch), client)
            done += batch.count
            progress.share(Double(done) / Double(payments.count), text)
        }
    }

    /// Transactions that pay as many accounts as one transaction can.
    private func payments(
        _ accounts: BenchAccounts, _ balance: Amount, _ client: NodeClient,
        _ context: NetworkContext
    ) async throws(CommandFault) -> [SignedTransaction] {
        let key = try KeyStoreFile.read(keyFile, passwordFile: nil).secretKey
        let policy = Policy.single(key.publicKey)
        let sender = context.text(policy.address)
        let account = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.account(sender)
        }
        let first = account.streams.first { $0.stream == 0 }?.nextSequence ?? 0
        let step = TransactionLimits.operationsMax
        let paymentFeeMax = context.fees.generousMaximum(
            bytes: BenchRemote.paymentBytesMax, signatures: 1, operations: step, tip: 0)
        return stride(from: 0, to: accounts.addresses.count, by: step).enumerated().map {
            place, start in
            let payees = accounts.addresses[start..<min(start + step, accounts.addresses.count)]
            let transaction = Transaction(
                chainID: context.chainID, sender: policy.address,
                sequence: first.clampedAdvance(by: UInt64(place)),
                validUntil: WallClock.now.clampedAdvance(by: 3_600_000),
                maxFee: paymentFeeMax,
                operations: payees.map { .transfer(Transfer(to: $0, amount: balance)) })
            let reveals = account.policy == nil && place == 0
            return SignedTransaction(
                signing: transaction, policies: reveals ? [policy] : [], by: [key])
        }
    }

    private func deliver(
        _ payments: [SignedTransaction], _ client: NodeClient
    ) async throws(CommandFault) {
        let outcomes = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.submit(payments)
        }
        for outcome in outcomes {
            let id: String
            switch outcome {
            case .success(let submitted): id = submitted.id
            case .failure(let fault): throw CommandFault(fault)
            }
            let status = try await client.call { rpc throws(RPCClientFault) in
                try await rpc.wait(for: id)
            }
            guard status.receipt?.outcome == .success else {
                let reason = status.receipt?.failure?.reason ?? status.reason ?? status.note
                throw CommandFault(
                    """
                    a payment to the accounts came to nothing: \(status.state.rawValue), \
                    \(reason ?? "no reason given")
                    """)
            }
        }
    }
}
