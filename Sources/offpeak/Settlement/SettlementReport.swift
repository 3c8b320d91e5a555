internal import Primitives

/// What a settlement has come to, row by row.
struct SettlementReport: Encodable, Sendable {
    struct Row: Encodable, Sendable {
        let line: Int
        let receiver: String
        let amount: Amount
        /// Absent for the native asset.
        let asset: String?
        let reference: String
        /// Absent in a dry run.
        let transaction: String?
        /// `paid`, `failed`, `void` (never executes any more), `open` (may still), `unclear`
        /// (another transaction may have paid it), `planned`.
        let status: String
        let error: String
    }

    struct Total: Encodable, Sendable {
        /// Absent for the native asset.
        let asset: String?
        let amount: Amount
    }

    let rows: [Row]
    let totals: [Total]
    let transactions: Int
    /// The most that all fees together can be.
    let maxFees: Amount
    let paid: Int
    /// Rows of other payers.
    let leftOut: Int
    /// Absent in a dry run.
    let journal: String?

    init(
        _ file: SettlementFile, _ journal: SettlementJournal, in prefix: NetworkPrefix,
        fates: [SettlementRun.Fate], path: String?
    ) {
        let fates = journal.rows(fates)
        var ids: [Int: String] = [:]
        var fees: Amount = 0
        for entry in journal.entries {
            fees = fees.clampedAdvance(by: entry.transaction.transaction.maxFee.rawValue)
            for line in entry.lines { ids[line] = entry.transaction.id.text(in: prefix) }
        }
        rows = file.rows.map { row in
            let fate = path == nil ? nil : fates[row.line]
            return Row(
                line: row.line, receiver: row.receiver.text(in: prefix), amount: row.amount,
                asset: row.asset == .native ? nil : row.asset.text(in: prefix),
                reference: row.reference, transaction: path == nil ? nil : ids[row.line],
                status: fate?.word ?? "planned", error: fate?.reason ?? "")
        }
        totals = file.totals.map { total in
            Total(
                asset: total.asset == .native ? nil : total.asset.text(in: prefix),
                amount: total.amount)
        }
        transactions = journal.entries.count
        maxFees = fees
        paid = rows.count { $0.status == "paid" }
        leftOut = file.leftOut
        self.journal = path
    }

    /// Whether every row is paid, or was only planned.
    var isDone: Bool { journal == nil || paid == rows.count }

    func text(_ palette: Palette) -> String {
        let table = Table(
            [
                .number("LINE"), .text("RECEIVER"), .number("AMOUNT"), .text("STATUS"),
                .text("TRANSACTION"), .text("REFERENCE"),
            ],
            rows.map { row in
                [
                    "\(row.line)", row.receiver, "\(row.amount)", row.status,
                    row.transaction ?? "",
                    (row.error.isEmpty ? row.reference : row.error).visible,
                ]
            })
        var sheet = Sheet()
        for total in totals {
            sheet.add("total", "\(total.amount)\(total.asset.map { " of asset \($0)" } ?? "")")
        }
        sheet.add("transactions", "\(transactions), fees at most \(maxFees)")
        if leftOut > 0 { sheet.add("left out", "\(leftOut) rows of other payers") }
        sheet.add("journal", optional: journal)
        if journal != nil { sheet.add("paid", "\(paid) of \(rows.count)") }
        return table.text(palette) + "\n\n" + sheet.text(palette)
    }

    /// The rows as CSV.
    var csv: String {
        let head = [
            "line", "receiver", "amount", "asset", "reference", "transaction", "status", "error",
        ]
        return CSVReader.row(head)
            + rows.map { row in
                CSVReader.row([
                    "\(row.line)", row.receiver, "\(row.amount)", row.asset ?? AssetText.native,
                    row.reference, row.transaction ?? "", row.status, row.error,
                ])
            }.joined()
    }
}
