internal import Primitives
internal import RPC

/// One measurement of a network that runs: load, measured time, run-out, audit.
struct BenchRun: Sendable {
    let plan: BenchPlan
    let accounts: BenchAccounts
    /// What each account has before the first transfer.
    let initial: Amount
    let transfers: [PreparedTransfer]
    let clients: [RPCClient]
    let prefix: NetworkPrefix
    let fees: FeeRule
    /// Nil where the nodes' processes aren't ours to look at.
    let meter: BenchMeter?
    /// Verifiers without a vote, and whether checks are spread; nil where that isn't known.
    var verifiers: Int?
    var spreads: Bool?
    var strike: BenchStrike?
    let progress: BenchProgress

    /// How long the network may go on without finalizing anything before the run-out ends.
    private static let runOutSeconds = 10.0

    func run() async throws -> BenchReport {
        let tracker = BenchTracker()
        let load = BenchLoad(
            clients: clients, transfers: transfers, accounts: plan.accounts, pace: plan.pace,
            connections: plan.connections, tracker: tracker)
        let base = try await clients[0].chainHead().height
        let watch = BenchWatch(client: clients[0], tracker: tracker, prefix: prefix, base: base)
        let start = ContinuousClock.now
        let end = start.advanced(by: plan.warmUp + plan.measured)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            if !load.waitsForEach { group.addTask { await watch.run() } }
            group.addTask { await load.run(from: start, until: end) }
            let measured = try await measure(load, tracker, from: start, until: end)
            try await runOut(tracker)
            group.cancelAll()
            progress.step("reading \(plan.accounts) accounts")
            let audit = try await BenchAudit.read(
                accounts, initial: initial, transfers: transfers, fees: fees,
                costly: tracker.costly, prefix: prefix, clients: clients)
            return report(measured, tracker, audit)
        }
    }

    /// The measured time, and what the network had used at its ends.
    private struct Measured {
        let seconds: Double
        let before: BenchReading?
        let after: BenchReading?
        let transfersLasted: Bool
        /// When the verifiers were killed, in seconds.
        let struckAt: Double?
    }

    private func measure(
        _ load: BenchLoad, _ tracker: BenchTracker, from start: ContinuousClock.Instant,
        until end: ContinuousClock.Instant
    ) async throws -> Measured {
        progress.step("warming up")
        try await Task.sleep(until: start.advanced(by: plan.warmUp), clock: .continuous)
        let before = await meter?.read()
        let begin = ContinuousClock.now
        tracker.begin(at: begin)
        var struckAt: Double?
        while ContinuousClock.now < end, !load.isExhausted {
            try await Task.sleep(for: .milliseconds(100))
            showProgress(tracker, begin, end)
            let passed = ContinuousClock.now - begin
            if struckAt == nil, let strike, passed >= strike.after {
                struckAt = passed / .seconds(1)
                strike.carryOut()
            }
        }
        let stop = ContinuousClock.now
        tracker.end(at: stop)
        let after = await meter?.read()
        return Measured(
            seconds: (stop - begin) / .seconds(1), before: before, after: after,
            transfersLasted: !load.isExhausted || stop >= end, struckAt: struckAt)
    }

    private func showProgress(
        _ tracker: BenchTracker, _ begin: ContinuousClock.Instant, _ end: ContinuousClock.Instant
    ) {
        let counts = tracker.counts
        let passed = (ContinuousClock.now - begin) / .seconds(1)
        let rate = Int(Double(counts.measured) / max(0.1, passed))
        progress.share(
            passed / ((end - begin) / .seconds(1)),
            "\(counts.measured) final, \(rate) a second, \(counts.inFlight) under way")
    }

    private func runOut(_ tracker: BenchTracker) async throws {
        progress.step("waiting for what is under way")
        let start = ContinuousClock.now
        while tracker.counts.inFlight > 0 {
            let waited = (ContinuousClock.now - start) / .seconds(1)
            guard min(waited, tracker.idleSeconds) < BenchRun.runOutSeconds else { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

// The report.
extension BenchRun {
    private func report(
        _ measured: Measured, _ tracker: BenchTracker, _ audit: BenchAudit
    ) -> BenchReport {
        let counts = tracker.counts
        let rate: Double? = if case .rate(let rate) = plan.pace { rate } else { nil }
        return BenchReport(
            finalizedPerSecond: BenchReport.rounded(Double(counts.measured) / measured.seconds),
            latencyMilliseconds: .init(
                p50: tracker.latencyMilliseconds(percent: 50),
                p99: tracker.latencyMilliseconds(percent: 99),
                p999: tracker.latencyMilliseconds(percent: 99.9)),
            cost: cost(measured, transfers: counts.measured),
            peakMemoryMegabytes: measured.after.map {
                BenchReport.rounded(Double($0.peakMemoryBytes) / 1_048_576)
            },
            outage: outage(measured, tracker),
            validators: clients.count, verifiers: verifiers, spread: spreads,
            accounts: plan.accounts, seed: plan.seed, rate: rate, inFlightMax: inFlightMax,
            warmUpSeconds: plan.warmUp / .seconds(1),
            measuredSeconds: BenchReport.rounded(measured.seconds), finalized: counts.measured,
            total: .init(
                signed: transfers.count, submitted: counts.submitted, finalized: counts.finalized,
                unknown: counts.inFlight, failures: counts.failures),
            transfersLasted: measured.transfersLasted, audit: audit)
    }

    private var inFlightMax: Int? {
        if case .saturation(let inFlight) = plan.pace { inFlight } else { nil }
    }

    private func cost(_ measured: Measured, transfers: Int) -> BenchCost? {
        guard transfers > 0, let before = measured.before, let after = measured.after else {
            return nil
        }
        return BenchCost(before, after, transfers: transfers, hasVerifiers: (verifiers ?? 0) > 0)
    }

    private func outage(_ measured: Measured, _ tracker: BenchTracker) -> BenchOutage? {
        guard let struckAt = measured.struckAt else { return nil }
        let steps = tracker.steps
        let count = Int(measured.seconds * Double(BenchOutage.stepsPerSecond))
        let missing = max(0, count - steps.count)
        return BenchOutage(
            steps: Array(steps.prefix(count)) + Array(repeating: 0, count: missing),
            killed: Int(struckAt * Double(BenchOutage.stepsPerSecond)))
    }
}
