internal import RPC

/// What one node says of the checking of signatures, for people.
struct VerificationText {
    private let status: VerificationStatus
    private let palette: Palette

    init(_ status: VerificationStatus, _ palette: Palette) {
        self.status = status
        self.palette = palette
    }

    var text: String {
        [head, counts, checkers, evidence].compactMap { $0 }.joined(separator: "\n\n")
    }

    private var head: String {
        var sheet = Sheet([
            "node": status.peerID,
            "role": "\(status.role.rawValue), bond \(status.bond)",
            "signatures": status.spread
                ? "checked by bonds above a third" : "checked by every validator",
        ])
        sheet.add("lends", optional: status.capacity.map(VerificationText.capacity))
        return sheet.text(palette)
    }

    private static func capacity(_ capacity: CapacityInfo) -> String {
        """
        \(capacity.free) of \(capacity.signaturesPerSecond) signatures a second, \
        \(capacity.forecast) expected; \(capacity.queueMilliseconds) ms until the next is checked
        """
    }

    private var counts: String {
        let recent = status.recent.map { ("last \($0.minutes) min", $0.checked) }
        let rows = ([("since the start", status.checked)] + recent).map { name, counts in
            [name] + VerificationText.numbers(counts)
        }
        return Table([.text("CHECKED HERE")] + VerificationText.columns, rows).text(palette)
    }

    static let columns = ["TOTAL", "ADMISSION", "ASSIGNED", "RESCUE", "SCREENING", "DIRECT"]
        .map { Table.Column.number($0) }

    /// In the order of `columns`.
    static func numbers(_ counts: CheckCounts) -> [String] {
        [
            counts.total, counts.admission, counts.assigned, counts.rescue, counts.screening,
            counts.direct,
        ].map { "\($0)" }
    }

    private var checkers: String {
        Table(
            [
                .text("CHECKS FOR THIS NODE"), .text("ROLE"), .number("BOND"), .number("SPEED"),
                .number("LATENCY"), .number("WAITING"), .number("ASKED"), .number("ANSWERED"),
                .number("LATE"), .number("DECLINED"), .number("WRONG"),
            ],
            status.checkers.map { checker in
                [
                    checker.peerID, checker.role.rawValue, "\(checker.bond)",
                    "\(checker.signaturesPerSecond)/s", "\(checker.latencyMilliseconds) ms",
                    "\(checker.outstanding)", "\(checker.asked)", "\(checker.answered)",
                    "\(checker.late)", "\(checker.declined)",
                    checker.wrong > 0 ? palette.paint("\(checker.wrong)", .red) : "0",
                ]
            }
        ).text(palette, empty: "(nobody has checked for this node yet)")
    }

    private var evidence: String? {
        guard !status.evidence.isEmpty else { return nil }
        let rows = status.evidence.enumerated().map { place, act in
            ["\(place + 1)", act.kind, "\(act.height)", act.offender]
        }
        let columns: [Table.Column] = [
            .number("PROOF"), .text("OF"), .number("HEIGHT"), .text("AGAINST"),
        ]
        return Table(columns, rows).text(palette)
            + "\n`offpeak verifier report --key WALLET` puts a proof before the ledger"
    }
}

/// What several nodes say of the checking of signatures, side by side.
struct VerificationSums: Encodable, Sendable {
    /// A node's answer, or why there is none.
    struct Node: Encodable, Sendable {
        let address: String
        let status: VerificationStatus?
        let fault: String?
    }

    let nodes: [Node]
    /// Since the nodes' starts.
    let total: CheckCounts

    init(nodes: [Node]) {
        self.nodes = nodes
        total = VerificationSums.sum(nodes.compactMap { $0.status?.checked })
    }

    private static func sum(_ counts: [CheckCounts]) -> CheckCounts {
        func all(_ value: (CheckCounts) -> UInt64) -> UInt64 {
            counts.reduce(0) { $0 &+ value($1) }
        }
        return CheckCounts(
            admission: all(\.admission), assigned: all(\.assigned), rescue: all(\.rescue),
            screening: all(\.screening), direct: all(\.direct))
    }

    /// For people.
    func text(_ palette: Palette) -> String {
        let columns: [Table.Column] =
            [.text("NODE"), .text("ROLE"), .number("BOND")] + VerificationText.columns
            + [.number("SHARE"), .number("LAST MIN"), .number("SHARE")]
        let minute = nodes.compactMap { lastMinute($0) }.reduce(0, &+)
        let rows = nodes.map { row($0, minute: minute) }
        let sums =
            ["all", "", ""] + VerificationText.numbers(total) + ["", "\(minute)", ""]
        let faults = nodes.compactMap { node in node.fault.map { "\(node.address): \($0)" } }
        return ([Table(columns, rows + [sums]).text(palette)] + faults).joined(separator: "\n")
    }

    private func lastMinute(_ node: Node) -> UInt64? {
        node.status?.recent.first { $0.minutes == 1 }?.checked.total
    }

    private func row(_ node: Node, minute: UInt64) -> [String] {
        guard let status = node.status else {
            return [node.address] + Array(repeating: "-", count: 11)
        }
        let last = lastMinute(node) ?? 0
        return [node.address, status.role.rawValue, "\(status.bond)"]
            + VerificationText.numbers(status.checked)
            + [
                VerificationSums.percent(status.checked.total, of: total.total), "\(last)",
                VerificationSums.percent(last, of: minute),
            ]
    }

    private static func percent(_ part: UInt64, of all: UInt64) -> String {
        guard all > 0 else { return "-" }
        let permille = Int((Double(part) / Double(all) * 1000).rounded())
        return "\(permille / 10).\(permille % 10) %"
    }
}

// The set of verifiers, and what waits.
extension AnswerText {
    static func verifiers(_ list: VerifierList, _ palette: Palette) -> String {
        let table = Table(
            [
                .number("INDEX"), .text("ROLE"), .number("BOND"), .text("CONNECTED"),
                .text("KEY"), .text("PEER"),
            ],
            list.verifiers.map {
                [
                    "\($0.index)", $0.role.rawValue, "\($0.bond)", $0.connected ? "yes" : "no",
                    $0.key, $0.peerID,
                ]
            })
        return table.text(palette) + """


            period \(list.period) (heights \(list.from) to \(list.until)), bonds \
            \(list.totalBond), \(list.validityThreshold) needed for a verdict
            """
    }

    static func mempool(_ status: MempoolStatus, _ palette: Palette) -> String {
        let queues = status.queues
        var sheet = Sheet([
            "waiting":
                "\(status.transactions) transactions, \(bytes(UInt64(clamping: status.bytes)))",
            "of own clients": "\(queues.following) whose fate is open",
            "own batches": "\(status.batchesOpen), \(queues.batchesUncertified) uncertified",
            "certified batches": "\(status.batchesCertified)",
            "being checked": "\(queues.batchesChecking) of others, \(queues.checks) checks",
        ])
        sheet.add("missing bodies", "\(queues.bodiesMissing)")
        sheet.add("appeals", "\(queues.appeals), \(queues.complaints) complaints")
        let table = Table(
            [
                .number("SHARD"), .number("TERM"), .number("RANK"), .number("OWNER"),
                .number("WAITING"), .number("SEALED"),
            ],
            status.shards.map {
                [
                    "\($0.shard)", "\($0.term)", "\($0.rank)", "\($0.owner)",
                    "\($0.transactions)", "\($0.batches)",
                ]
            })
        return sheet.text(palette) + "\n\n" + table.text(palette, empty: "(no shards)")
    }
}
