internal import Simulator

/// What many runs of whole nodes gave together.
struct NodesSummary {
    let reports: [NodeReport]
    let wall: Duration
    /// What a single seed drew.
    let draw: String?

    var failing: [NodeReport] { reports.filter { $0.violation != nil } }

    var marks: Marks {
        var all = Marks()
        for report in reports { all.add(report.marks) }
        return all
    }

    private func sum(_ value: (NodeReport) -> UInt64) -> UInt64 {
        reports.reduce(0) { $0 &+ value($1) }
    }

    private var recovery: UInt64 { reports.compactMap(\.recoveryMilliseconds).max() ?? 0 }

    /// Virtual time in one of real time on the threads together.
    private var speed: UInt64 {
        sum(\.simulatedMilliseconds) / max(1, Summary.milliseconds(wall))
    }

    var text: String {
        let failures = failing.map { "seed \($0.seed): \($0.violation ?? "")" }
        let last = """
            \(reports.count) seeds, \(failing.count) violations, \(sum(\.blocks)) blocks, \
            \(sum { UInt64($0.transactions) }) transactions, \
            \(sum { UInt64($0.restarts) }) restarts, \
            \(sum { UInt64($0.firedFaults.count) }) faults, slowest recovery \
            \(Summary.seconds(recovery)) s, \
            \(Summary.seconds(sum(\.simulatedMilliseconds))) simulated s in \
            \(Summary.seconds(Summary.milliseconds(wall))) s (\(speed) times), \
            \(Mark.allCases.count - marks.missing.count) of \(Mark.allCases.count) marks, trace \
            \(Summary.hash(reports.map(\.traceHash)))
            """
        return (failures + [draw].compactMap(\.self) + [last]).joined(separator: "\n")
    }

    var json: String {
        let failures = failing.map {
            "{\"seed\":\($0.seed),\"violation\":\"\(Summary.escape($0.violation ?? ""))\"}"
        }
        let reached = Mark.allCases.map { "\"\($0.rawValue)\":\(marks.count($0))" }
        let fields = [
            "\"seeds\":\(reports.count)", "\"violations\":[\(failures.joined(separator: ","))]",
            "\"blocks\":\(sum(\.blocks))", "\"transactions\":\(sum { UInt64($0.transactions) })",
            "\"events\":\(sum(\.events))", "\"messages\":\(sum(\.messages))",
            "\"restarts\":\(sum { UInt64($0.restarts) })",
            "\"faults\":\(sum { UInt64($0.firedFaults.count) })",
            "\"slowestRecoverySeconds\":\(Summary.seconds(recovery))",
            "\"simulatedSeconds\":\(Summary.seconds(sum(\.simulatedMilliseconds)))",
            "\"wallSeconds\":\(Summary.seconds(Summary.milliseconds(wall)))",
            "\"simulatedSecondsInOne\":\(speed)",
            "\"marks\":{\(reached.joined(separator: ","))}",
            "\"traceHash\":\"\(Summary.hash(reports.map(\.traceHash)))\"",
        ]
        let drew = draw.map { ["\"drew\":\"\(Summary.escape($0))\""] } ?? []
        return "{" + (fields + drew).joined(separator: ",") + "}"
    }
}
