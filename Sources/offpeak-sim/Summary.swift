internal import Simulator

/// What many runs gave together.
struct Summary {
    let reports: [SimulationReport]
    let wall: Duration

    var failing: [SimulationReport] { reports.filter { $0.violation != nil } }

    private func sum(_ value: (SimulationReport) -> UInt64) -> UInt64 {
        reports.reduce(0) { $0 &+ value($1) }
    }

    /// Depends on every run's trace and their order.
    private var traceHash: String { Summary.hash(reports.map(\.traceHash)) }

    static func hash(_ hashes: [UInt64]) -> String {
        let hash = hashes.reduce(UInt64(0)) { ($0 ^ $1) &* 0x9E37_79B9_7F4A_7C15 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// With three places after the point, without binary fractions.
    static func seconds(_ milliseconds: UInt64) -> String {
        let rest = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    private var wallMilliseconds: UInt64 { Summary.milliseconds(wall) }

    static func milliseconds(_ wall: Duration) -> UInt64 {
        let (seconds, attoseconds) = wall.components
        return UInt64(seconds) * 1_000 + UInt64(attoseconds / 1_000_000_000_000_000)
    }

    private var recovery: UInt64 { reports.compactMap(\.recoveryMilliseconds).max() ?? 0 }

    var text: String {
        let failures = failing.map { "seed \($0.seed): \($0.violation ?? "")" }
        let last = """
            \(reports.count) seeds, \(failing.count) violations, \(sum(\.blocks)) blocks, \
            \(sum { UInt64($0.restarts) }) restarts, \(sum { UInt64($0.evidence) }) proofs of \
            equivocation, slowest recovery \(Summary.seconds(recovery)) s, \
            \(Summary.seconds(sum(\.simulatedMilliseconds))) simulated s in \
            \(Summary.seconds(wallMilliseconds)) s, trace \(traceHash)
            """
        return (failures + [last]).joined(separator: "\n")
    }

    var json: String {
        let failures = failing.map {
            "{\"seed\":\($0.seed),\"violation\":\"\(Summary.escape($0.violation ?? ""))\"}"
        }
        let fields = [
            "\"seeds\":\(reports.count)", "\"violations\":[\(failures.joined(separator: ","))]",
            "\"blocks\":\(sum(\.blocks))", "\"events\":\(sum(\.events))",
            "\"restarts\":\(sum { UInt64($0.restarts) })",
            "\"evidence\":\(sum { UInt64($0.evidence) })",
            "\"blocksCaughtUp\":\(sum { UInt64($0.synced) })",
            "\"slowestRecoverySeconds\":\(Summary.seconds(recovery))",
            "\"simulatedSeconds\":\(Summary.seconds(sum(\.simulatedMilliseconds)))",
            "\"wallSeconds\":\(Summary.seconds(wallMilliseconds))",
            "\"traceHash\":\"\(traceHash)\"",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }

    static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if character == "\"" || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}
