internal import Primitives
internal import RPC

/// What moved in an account in a period, in one asset.
///
/// There is none whose moves don't lead from its opening balance to its closing one.
struct Statement: Sendable {
    /// From when to when, and what the node knew.
    struct Period: Hashable, Sendable {
        let start: Timestamp
        /// The first moment behind it.
        let end: Timestamp
        /// The newest block of the node that answered.
        let height: Height

        /// - Throws: `CommandFault` for a period that the node doesn't know all of.
        init(
            _ page: AccountHistory, from start: Timestamp, before end: Timestamp?
        ) throws(CommandFault) {
            let newest = page.time.clampedAdvance(by: 1)
            let end = end ?? newest
            guard end <= newest else {
                throw CommandFault(
                    """
                    the newest block is of \(ISOTime.text(page.time)): later moves can still come \
                    in; choose an earlier --to, or leave it out for a statement up to that block
                    """)
            }
            guard start < end else {
                throw CommandFault(
                    "the period begins after the newest block, \(ISOTime.text(page.time))")
            }
            guard page.completeAbove == 0 || start > page.completeSince else {
                throw CommandFault(
                    """
                    this node's history begins behind block \(page.completeAbove), \
                    \(ISOTime.text(page.completeSince)): ask one that has all of it, or choose a \
                    later --from
                    """)
            }
            self.start = start
            self.end = end
            height = page.height
        }
    }

    let address: String
    /// `native`, or `ast` text.
    let asset: String
    let period: Period
    let opening: Amount
    let closing: Amount
    /// The oldest first.
    let moves: [PostingInfo]

    /// - Parameter closing: What the account holds behind the period, from what comes later.
    /// - Throws: `CommandFault` unless each move begins with what the one before it left, and the
    ///   last one leaves the closing balance.
    init(
        _ address: String, _ asset: String, _ period: Period, moves: [PostingInfo],
        closing: Amount?
    ) throws(CommandFault) {
        let opening = moves.first.map(\.balanceBefore) ?? closing
        guard let opening, let closing else {
            throw CommandFault("the node's answer has no balance: no statement is written")
        }
        var held = opening
        for move in moves {
            guard move.balanceBefore == held, move.amount > 0 else {
                throw CommandFault(
                    """
                    the move \(move.place) doesn't begin with the balance \(held) that the one \
                    before it left: no statement is written
                    """)
            }
            held = move.balance
        }
        guard held == closing else {
            throw CommandFault(
                """
                the moves lead from \(opening) to \(held), but the balance behind the period is \
                \(closing): no statement is written
                """)
        }
        self.address = address
        self.asset = asset
        self.period = period
        self.opening = opening
        self.closing = closing
        self.moves = moves
    }

    /// The last moment of the period.
    var lastMoment: Timestamp { period.end.clampedRetreat(by: 1) }

    /// For people.
    func text(_ palette: Palette) -> String {
        let sheet = Sheet([
            "account": address, "asset": asset, "from": ISOTime.text(period.start),
            "to": ISOTime.text(lastMoment), "as of": "block \(period.height)",
            "opening": "\(opening)", "closing": "\(closing)",
        ])
        let columns: [Table.Column] = [
            .text("time"), .text("what"), .number("amount"), .number("balance"), .text("with"),
        ]
        let rows = moves.map {
            [
                ISOTime.text($0.time), $0.kind, $0.signedAmount, "\($0.balance)", $0.party ?? "",
            ]
        }
        let table = Table(columns, rows).text(palette, empty: "(nothing moved)")
        return sheet.text(palette) + "\n\n" + table + "\n"
    }
}

extension PostingInfo {
    /// With `-` where the account has less afterwards.
    var signedAmount: String { (direction == .credit ? "" : "-") + "\(amount)" }
}

extension Statement {
    private static let columns = [
        "account", "asset", "kind", "place", "time", "amount", "balance", "party", "transaction",
    ]

    /// By RFC 4180: a head, a record for the opening balance, one for each move, one for the
    /// closing balance. Amounts are units of the asset, those that leave the account below zero.
    var csv: String {
        var records = [Statement.columns, edge("opening", period.start, opening)]
        records += moves.map { move in
            [
                address, asset, move.kind, move.place, ISOTime.text(move.time),
                move.signedAmount, "\(move.balance)", move.party ?? "", move.transaction ?? "",
            ]
        }
        records.append(edge("closing", lastMoment, closing))
        return records.map(Statement.record).joined()
    }

    private func edge(_ kind: String, _ time: Timestamp, _ balance: Amount) -> [String] {
        [address, asset, kind, "", ISOTime.text(time), "", "\(balance)", "", ""]
    }

    private static func record(_ fields: [String]) -> String {
        fields.map(field).joined(separator: ",") + "\r\n"
    }

    /// A field as it is, or in quotes where something in it would end it.
    static func field(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else {
            return text
        }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}
