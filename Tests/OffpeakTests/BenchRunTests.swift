import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("Measurements of a made-up network")
struct BenchRunTests {
    private static let balance = Amount(1_000_000_000)

    private func measure(
        _ pace: BenchLoad.Pace, transfers: Int, accounts: Int = 100, losesOneOf: Int? = nil,
        isBusyOneOf: Int? = nil,
        takenBeyondFee: UInt64 = 0, carriesOneOf: Int? = nil
    ) async throws -> BenchReport {
        let plan = BenchPlan(
            seed: 11, accounts: accounts, pace: pace, connections: 2, warmUp: .milliseconds(100),
            measured: .milliseconds(1000), transfers: transfers)
        let accounts = await BenchAccounts(seed: plan.seed, count: plan.accounts)
        let prepared = await BenchTransfers(
            accounts: accounts, chainID: .zero, validUntil: Timestamp(.max),
            revealsPolicies: false, maxFee: 1000
        ).sign(plan.transfers) { _ in }
        let node = try BenchNode(
            accounts.addresses, balance: Self.balance, losesOneOf: losesOneOf,
            isBusyOneOf: isBusyOneOf, takenBeyondFee: takenBeyondFee, carriesOneOf: carriesOneOf)
        let prefix = node.prefix
        return try await node.serve { client in
            try await BenchRun(
                plan: plan, accounts: accounts,
                initial: Self.balance, transfers: prepared, clients: [client], prefix: prefix,
                fees: .standard, meter: nil,
                progress: BenchProgress(isQuiet: true)
            ).run()
        }
    }

    @Test("saturation: everything that was sent is found on the chain, and nothing else counted")
    func saturation() async throws {
        let report = try await measure(.saturation(inFlight: 60), transfers: 10_000)
        #expect(report.fault == nil)
        #expect(report.total.submitted == report.total.finalized)
        #expect(report.audit.executed == report.total.finalized)
        #expect(report.finalized <= report.total.finalized)
        #expect(report.latencyMilliseconds.p50 != nil)
        #expect(report.cost == nil)
    }

    @Test(
        "a rate is kept, with a call for each transfer and with batches", arguments: [200.0, 2000])
    func rate(_ rate: Double) async throws {
        // One transfer of each account: the made-up node doesn't put late ones into order.
        let transfers = Int(2 * rate)
        let report = try await measure(.rate(rate), transfers: transfers, accounts: transfers)
        #expect(report.fault == nil)
        #expect(report.total.unknown == 0 && report.total.failures.isEmpty)
        // The whole time at this rate: not one transfer is sent before its moment.
        #expect(report.total.submitted <= Int(rate * 1.1) + 1)
    }

    @Test("what a node is too busy for is sent again")
    func busy() async throws {
        let report = try await measure(
            .saturation(inFlight: 40), transfers: 10_000, isBusyOneOf: 7)
        #expect(report.fault == nil)
        #expect(report.total.failures.isEmpty)
    }

    @Test("transfers that stand in a block without being executed are noticed")
    func lostTransfers() async throws {
        let report = try await measure(
            .saturation(inFlight: 60), transfers: 10_000, losesOneOf: 3)
        #expect(report.fault?.contains("reported final") == true)
    }

    @Test("balances that the executed transfers don't explain are noticed")
    func wrongBalances() async throws {
        let report = try await measure(
            .saturation(inFlight: 60), transfers: 10_000, takenBeyondFee: 1)
        #expect(report.fault?.contains("balances") == true)
    }

    @Test("transfers that blocks carry themselves are seen, and may cost twice their fee")
    func carried() async throws {
        let report = try await measure(
            .saturation(inFlight: 60), transfers: 10_000, carriesOneOf: 5)
        #expect(report.fault == nil)
        #expect(report.total.unknown == 0)
    }

    @Test("figures of a time in which the transfers ran out say so")
    func ranOut() async throws {
        let report = try await measure(.saturation(inFlight: 60), transfers: 100)
        #expect(!report.transfersLasted)
    }
}
