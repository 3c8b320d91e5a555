internal import Simulator

/// What many runs gave together.
struct VerificationSummary {
    let reports: [VerificationReport]
    let collusion: VerificationScenario.Collusion
    let wall: Duration
    /// Whether what the seed drew is told.
    let tellsDraw: Bool

    private var violating: [VerificationReport] { reports.filter { $0.violation != nil } }
    /// Runs in which something executed that nobody signed.
    private var broken: [VerificationReport] { reports.filter { $0.badExecuted > 0 } }

    /// Within the bound nothing may go wrong; beyond it the argument must fail somewhere.
    var isGood: Bool {
        switch collusion {
        case .within: violating.isEmpty && broken.isEmpty
        case .over: violating.isEmpty && !broken.isEmpty
        }
    }

    private func sum(_ value: (VerificationReport) -> UInt64) -> UInt64 {
        reports.reduce(0) { $0 &+ value($1) }
    }

    private var recovery: UInt64 { reports.compactMap(\.recoveryMilliseconds).max() ?? 0 }

    var text: String {
        let failures = violating.map { "seed \($0.seed): \($0.violation ?? "")" }
        let drew = tellsDraw ? reports.map { "seed \($0.seed): \($0.drew)" } : []
        let last = """
            \(reports.count) seeds, \(collusion.rawValue) the bound: \
            \(violating.count) violations, \
            \(broken.count) seeds executed what nobody signed; \(sum(\.blocks)) blocks, \
            \(sum(\.certificates)) certificates, \(sum(\.executed)) transactions, \
            \(sum { UInt64($0.restarts) }) restarts, \(sum(\.passedOver)) owners passed over, \
            \(sum { UInt64($0.offenders.count) }) liars named, slowest recovery \
            \(Summary.seconds(recovery)) s, \
            \(Summary.seconds(Summary.milliseconds(wall))) s, trace \
            \(Summary.hash(reports.map(\.traceHash)))
            """
        return (failures + drew + [last]).joined(separator: "\n")
    }

    var json: String {
        let failures = violating.map {
            "{\"seed\":\($0.seed),\"violation\":\"\(Summary.escape($0.violation ?? ""))\"}"
        }
        let fields = [
            "\"seeds\":\(reports.count)", "\"collude\":\"\(collusion.rawValue)\"",
            "\"violations\":[\(failures.joined(separator: ","))]",
            "\"seedsWithUnsignedExecuted\":\(broken.count)",
            "\"unsignedExecuted\":\(sum { UInt64($0.badExecuted) })",
            "\"blocks\":\(sum(\.blocks))", "\"certificates\":\(sum(\.certificates))",
            "\"transactions\":\(sum(\.executed))", "\"events\":\(sum(\.events))",
            "\"restarts\":\(sum { UInt64($0.restarts) })",
            "\"ownersPassedOver\":\(sum(\.passedOver))",
            "\"liarsNamed\":\(sum { UInt64($0.offenders.count) })",
            "\"batchesWithPlantedFaults\":\(sum { UInt64($0.planted) })",
            "\"jobsHandedBack\":\(sum { UInt64($0.declined) })",
            "\"jobsRunWholeToo\":\(sum { UInt64($0.comparedJobs) })",
            "\"slowestRecoverySeconds\":\(Summary.seconds(recovery))",
            "\"longestWaitSeconds\":"
                + Summary.seconds(reports.map(\.longestWaitMilliseconds).max() ?? 0),
            "\"simulatedSeconds\":\(Summary.seconds(sum(\.simulatedMilliseconds)))",
            "\"wallSeconds\":\(Summary.seconds(Summary.milliseconds(wall)))",
            "\"traceHash\":\"\(Summary.hash(reports.map(\.traceHash)))\"",
        ]
        let drew =
            tellsDraw
            ? reports.map { "\"drew\":\"\(Summary.escape($0.drew))\"" } : []
        return "{" + (fields + drew).joined(separator: ",") + "}"
    }
}
