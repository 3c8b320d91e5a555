internal import Glibc

/// What a measurement found; the figures are over the measured time if nothing else is said.
struct BenchReport: Encodable, Sendable {
    struct Latency: Encodable, Sendable {
        let p50: Double?
        let p99: Double?
        let p999: Double?
    }

    let finalizedPerSecond: Double
    /// From the intended submission until finality was seen by the load generator.
    let latencyMilliseconds: Latency
    /// For each finalized transfer; nil where the nodes' processes aren't ours to look at. Its
    /// fields stand beside the others in JSON.
    let cost: BenchCost?
    /// The most that the largest validator ever had resident, in MiB.
    let peakMemoryMegabytes: Double?
    /// Absent unless verifiers were killed.
    let outage: BenchOutage?

    let validators: Int
    /// Bonded and without a vote; absent where that isn't known.
    let verifiers: Int?
    /// Whether the checking of signatures is spread; absent where that isn't known.
    let spread: Bool?
    let accounts: Int
    /// The number that the accounts' keys are made from.
    let seed: UInt64
    /// Transfers each second that were asked for; absent at saturation.
    let rate: Double?
    /// The most transfers under way at once; absent at a rate.
    let inFlightMax: Int?
    let warmUpSeconds: Double
    let measuredSeconds: Double
    /// Finalized in the measured time.
    let finalized: Int
    /// From the first to the last transfer, with warm-up and run-out.
    let total: Total
    /// Whether the transfers signed beforehand lasted until the end of the measured time.
    let transfersLasted: Bool
    let audit: BenchAudit

    struct Total: Encodable, Sendable {
        /// Signed beforehand.
        let signed: Int
        let submitted: Int
        let finalized: Int
        /// Submitted, neither finalized nor refused until the end.
        let unknown: Int
        /// By reason.
        let failures: [String: Int]
    }

    /// Why the figures can't be relied upon; nil if they can.
    var fault: String? {
        if finalized == 0 { return "no transfer was finalized" }
        if audit.executed < total.finalized {
            return """
                \(total.finalized) transfers were reported final, the chain executed \
                \(audit.executed)
                """
        }
        // What got no answer may have become final all the same.
        let open = total.unknown + total.failures.values.reduce(0, +)
        if audit.executed > total.finalized + open {
            return """
                the chain executed \(audit.executed) transfers, \(total.finalized) were seen and \
                \(open) got no answer
                """
        }
        return audit.balancesMatch ? nil : "balances and executed transfers don't match"
    }

    /// For people.
    func text(_ palette: Palette) -> String {
        var sheet = Sheet([
            "finalized":
                "\(format(finalizedPerSecond)) a second "
                + "(\(finalized) in \(format(measuredSeconds)) s)"
        ])
        let latency = [latencyMilliseconds.p50, latencyMilliseconds.p99, latencyMilliseconds.p999]
            .map { $0.map(format) ?? "-" }
        sheet.add("latency", "p50 \(latency[0]) ms, p99 \(latency[1]) ms, p99.9 \(latency[2]) ms")
        cost?.add(to: &sheet)
        sheet.add(
            "memory",
            optional: peakMemoryMegabytes.map { "\(format($0)) MiB at most in one validator" })
        sheet.add("verifiers killed", optional: outage?.text)
        sheet.add("submitted", "\(total.submitted) of \(total.signed) signed, seed \(seed)")
        let failures = total.failures.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        sheet.add("failures", list: failures)
        sheet.add("on the chain", "\(audit.executed) executed")
        if !transfersLasted {
            sheet.add("note", "all signed transfers were sent before the end: --transactions")
        }
        return sheet.text(palette)
    }

    private func format(_ value: Double) -> String { "\(BenchReport.rounded(value))" }

    /// To one digit after the point: more would be made up.
    static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}

// The cost's fields beside the others.
extension BenchReport {
    private enum CodingKeys: String, CodingKey {
        case finalizedPerSecond, latencyMilliseconds, peakMemoryMegabytes, outage, validators
        case verifiers, spread, accounts, seed, rate, inFlightMax, warmUpSeconds, measuredSeconds
        case finalized, total, transfersLasted, audit
    }

    func encode(to encoder: any Encoder) throws {
        try cost?.encode(to: encoder)
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(finalizedPerSecond, forKey: .finalizedPerSecond)
        try fields.encode(latencyMilliseconds, forKey: .latencyMilliseconds)
        try fields.encodeIfPresent(peakMemoryMegabytes, forKey: .peakMemoryMegabytes)
        try fields.encodeIfPresent(outage, forKey: .outage)
        try fields.encode(validators, forKey: .validators)
        try fields.encodeIfPresent(verifiers, forKey: .verifiers)
        try fields.encodeIfPresent(spread, forKey: .spread)
        try fields.encode(accounts, forKey: .accounts)
        try fields.encode(seed, forKey: .seed)
        try fields.encodeIfPresent(rate, forKey: .rate)
        try fields.encodeIfPresent(inFlightMax, forKey: .inFlightMax)
        try fields.encode(warmUpSeconds, forKey: .warmUpSeconds)
        try fields.encode(measuredSeconds, forKey: .measuredSeconds)
        try fields.encode(finalized, forKey: .finalized)
        try fields.encode(total, forKey: .total)
        try fields.encode(transfersLasted, forKey: .transfersLasted)
        try fields.encode(audit, forKey: .audit)
    }
}
