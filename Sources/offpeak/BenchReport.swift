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
    /// User and system time of all validator processes for each finalized transfer.
    let cpuMicrosecondsPerTransfer: Double?
    /// Users' signatures, summed over all validators.
    let signaturesCheckedPerTransfer: Double?
    /// Growth of data and journal folders, summed over all validators.
    let bytesOnDiskPerTransfer: Double?
    /// The most that the largest validator ever had resident, in MiB.
    let peakMemoryMegabytes: Double?
    /// Of the load generator itself.
    let loadGeneratorCpuMicrosecondsPerTransfer: Double?

    let validators: Int
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
        if total.unknown == 0, audit.executed != total.finalized {
            return "the chain executed \(audit.executed) transfers, \(total.finalized) were seen"
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
        add("CPU", cpuMicrosecondsPerTransfer, "µs a transfer, all validators together", &sheet)
        add("signatures", signaturesCheckedPerTransfer, "checks a transfer, all validators", &sheet)
        add("disk", bytesOnDiskPerTransfer, "bytes a transfer, all validators together", &sheet)
        add("memory", peakMemoryMegabytes, "MiB at most in one validator", &sheet)
        add("load generator", loadGeneratorCpuMicrosecondsPerTransfer, "µs a transfer", &sheet)
        sheet.add("submitted", "\(total.submitted) of \(total.signed) signed, seed \(seed)")
        let failures = total.failures.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        sheet.add("failures", list: failures)
        sheet.add("on the chain", "\(audit.executed) executed")
        if !transfersLasted {
            sheet.add("note", "all signed transfers were sent before the end: --transactions")
        }
        return sheet.text(palette)
    }

    private func add(_ name: String, _ value: Double?, _ unit: String, _ sheet: inout Sheet) {
        if let value { sheet.add(name, "\(format(value)) \(unit)") }
    }

    private func format(_ value: Double) -> String { "\(BenchReport.rounded(value))" }

    /// To one digit after the point: more would be made up.
    static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
