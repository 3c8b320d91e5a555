internal import Primitives

/// What a settlement's CSV file asks for: `receiver,amount` and, where wanted, `asset`, `reference`
/// and `payer`.
struct SettlementFile {
    /// A payment; its line names it in journal and report.
    struct Row: Hashable, Sendable {
        let line: Int
        let receiver: Address
        let amount: Amount
        let asset: AssetID
        let reference: String
    }

    /// Those of the payer, in the file's order.
    let rows: [Row]
    /// Of other payers.
    let leftOut: Int
    /// By asset, in order of id.
    let totals: [(asset: AssetID, amount: Amount)]
    /// Of the file's bytes.
    let digest: Bytes32

    /// - Throws: `CommandFault` with every fault of the file.
    init(
        _ bytes: [UInt8], file: String, payer: Address, in prefix: NetworkPrefix
    ) throws(CommandFault) {
        let table = try CSVTable(
            bytes, file: file, needed: ["receiver", "amount"],
            optional: ["asset", "reference", "payer"])
        let hasPayer = table.names.contains("payer")
        let read = try table.values(file: file) { row throws(CSVFault) -> (Row, Address) in
            let receiver = try row.address("receiver", in: prefix)
            let payment = Row(
                line: row.record.line, receiver: receiver, amount: try row.amount("amount"),
                asset: try row.asset("asset", in: prefix), reference: row.text("reference"))
            return (payment, hasPayer ? try row.address("payer", in: prefix) : payer)
        }
        rows = read.filter { $0.1 == payer }.map(\.0)
        leftOut = read.count - rows.count
        guard !rows.isEmpty else {
            throw CommandFault(
                "\(file): nothing to pay\(leftOut > 0 ? ": all \(leftOut) rows are others'" : "")")
        }
        totals = try SettlementFile.totals(rows, file: file)
        digest = .sha256(bytes)
    }

    private static func totals(
        _ rows: [Row], file: String
    ) throws(CommandFault) -> [(asset: AssetID, amount: Amount)] {
        var sums: [AssetID: Amount] = [:]
        for row in rows {
            guard let sum = try? (sums[row.asset] ?? 0).adding(row.amount) else {
                throw CommandFault(
                    "\(file): line \(row.line): with it the sum is more than \(UInt64.max)"
                )
            }
            sums[row.asset] = sum
        }
        return sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension SettlementFile.Row {
    var operation: Operation { .transfer(Transfer(to: receiver, asset: asset, amount: amount)) }
}
