internal import Simulator

/// What the crash points of one run gave, for one node and for all.
struct CrashesSummary {
    let reports: [CrashReport]
    let wall: Duration
    /// What repeats a run, but for the point.
    let command: String
    /// Whether a kind of write at which no run crashed is a failure.
    let mustMeetAll: Bool

    /// Violations that are printed.
    private static let shownMax = 10

    private var missed: [StorageWrite] {
        StorageWrite.allCases.filter { write in reports.allSatisfy { $0.missed.contains(write) } }
    }

    var holds: Bool {
        reports.allSatisfy { $0.failing.isEmpty && $0.violation == nil && !$0.runs.isEmpty }
            && !(mustMeetAll && !missed.isEmpty)
    }

    private var traceHash: String {
        Summary.hash(reports.flatMap { $0.runs.map(\.traceHash) })
    }

    private var wallSeconds: String { Summary.seconds(Summary.milliseconds(wall)) }

    var text: String {
        let never = missed.map(\.rawValue).joined(separator: ", ")
        let last = missed.isEmpty ? "each kind of write was met" : "never met: \(never)"
        return (reports.flatMap(lines) + ["\(last); \(wallSeconds) s, trace \(traceHash)"])
            .joined(separator: "\n")
    }

    private func lines(_ report: CrashReport) -> [String] {
        let kinds = StorageWrite.allCases.compactMap { write in
            report.writes[write].map { "\(write.rawValue) \($0)" }
        }
        let who = report.victim == .one ? "one node crashes" : "all nodes crash at once"
        let found = Set(report.failing.map(\.point.number)).count
        let head = """
            \(who): \(report.points) storage writes (\(kinds.joined(separator: ", "))), \
            \(report.runs.count) runs, \(report.failing.count) violations at \(found) of them, \
            recovery at most \(Summary.seconds(worst(report))) s, mostly \
            \(Summary.seconds(median(report))) s
            """
        let quiet = report.violation.map { ["  without a crash: \($0)"] } ?? []
        let rest = report.failing.count - CrashesSummary.shownMax
        return [head] + quiet
            + report.failing.prefix(CrashesSummary.shownMax).flatMap { failure($0, report.victim) }
            + (rest > 0 ? ["  and \(rest) more"] : [])
    }

    private func failure(_ run: CrashRun, _ victim: CrashPoint.Victim) -> [String] {
        let point = run.point
        return [
            "  \(point.mode.rawValue) write \(point.number), \(point.write.rawValue): "
                + (run.violation ?? ""),
            "    \(repeating(point, victim))",
        ]
    }

    private func repeating(_ point: CrashPoint, _ victim: CrashPoint.Victim) -> String {
        command + " --victim \(victim.rawValue) --point \(point.number)"
            + " --mode \(point.mode.rawValue)"
    }

    private func worst(_ report: CrashReport) -> UInt64 { report.recoveries.last ?? 0 }

    private func median(_ report: CrashReport) -> UInt64 {
        let sorted = report.recoveries
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    var json: String {
        let fields = [
            "\"networks\":[\(reports.map(object).joined(separator: ","))]",
            "\"neverMet\":[\(missed.map { "\"\($0.rawValue)\"" }.joined(separator: ","))]",
            "\"wallSeconds\":\(wallSeconds)", "\"traceHash\":\"\(traceHash)\"",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }

    private func object(_ report: CrashReport) -> String {
        let kinds = StorageWrite.allCases.map { "\"\($0.rawValue)\":\(report.writes[$0] ?? 0)" }
        let failures = report.failing.map { run in
            "{\"repeat\":\"\(repeating(run.point, report.victim))\","
                + "\"violation\":\"\(Summary.escape(run.violation ?? ""))\"}"
        }
        let quiet = report.violation.map { "\"\(Summary.escape($0))\"" } ?? "null"
        let fields = [
            "\"victim\":\"\(report.victim.rawValue)\"", "\"points\":\(report.points)",
            "\"writes\":{\(kinds.joined(separator: ","))}", "\"runs\":\(report.runs.count)",
            "\"violations\":[\(failures.joined(separator: ","))]",
            "\"withoutCrash\":\(quiet)",
            "\"worstRecoverySeconds\":\(Summary.seconds(worst(report)))",
            "\"medianRecoverySeconds\":\(Summary.seconds(median(report)))",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }
}
