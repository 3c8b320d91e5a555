internal import Primitives

/// Rows of a CSV file by the names of its heading; faults of all rows are gathered.
struct CSVTable {
    /// Faults that are shown; more are counted.
    private static let shownMax = 20

    /// A row that is read.
    struct Row {
        let record: CSVReader.Record
        private let columns: [String: Int]

        fileprivate init(_ record: CSVReader.Record, _ columns: [String: Int]) {
            self.record = record
            self.columns = columns
        }

        /// The text in a column; empty where the heading doesn't have it.
        func text(_ name: String) -> String { field(name)?.text ?? "" }

        func fault(_ name: String, _ text: String) -> CSVFault {
            CSVFault(line: record.line, column: field(name)?.column ?? 1, "\(name): \(text)")
        }

        private func field(_ name: String) -> CSVReader.Field? {
            columns[name].map { record.fields[$0] }
        }
    }

    let rows: [Row]
    /// Of rows with another number of fields than the heading.
    private(set) var faults: [CSVFault] = []
    let names: [String]

    /// - Throws: `CommandFault` for a heading without a needed column, or with an unknown one.
    init(
        _ bytes: [UInt8], file: String, needed: [String], optional: [String]
    ) throws(CommandFault) {
        let records: [CSVReader.Record]
        do throws(CSVFault) {
            records = try CSVReader.read(bytes)
        } catch {
            throw CommandFault("\(file): \(error)")
        }
        guard let heading = records.first else {
            throw CommandFault(
                "\(file) is empty: a heading is wanted: \(needed.joined(separator: ","))")
        }
        names = heading.fields.map(\.text)
        var columns: [String: Int] = [:]
        for (place, field) in heading.fields.enumerated() {
            guard needed.contains(field.text) || optional.contains(field.text) else {
                throw CommandFault(
                    """
                    \(file): line \(heading.line), column \(field.column): unknown heading \
                    "\(field.text)"; known are \((needed + optional).joined(separator: ", "))
                    """)
            }
            guard columns.updateValue(place, forKey: field.text) == nil else {
                throw CommandFault("\(file): line \(heading.line): \"\(field.text)\" stands twice")
            }
        }
        for name in needed where columns[name] == nil {
            throw CommandFault("\(file): line \(heading.line): the heading \"\(name)\" is missing")
        }
        var rows: [Row] = []
        for record in records.dropFirst() {
            if record.fields.count == heading.fields.count {
                rows.append(Row(record, columns))
            } else {
                faults.append(
                    CSVFault(
                        line: record.line, column: 1,
                        "\(record.fields.count) fields, the heading has \(heading.fields.count)"))
            }
        }
        self.rows = rows
    }

    /// What each row means.
    /// - Throws: `CommandFault` with the faults of all rows, if there is one.
    func values<Value>(
        file: String, _ read: (Row) throws(CSVFault) -> Value
    ) throws(CommandFault) -> [Value] {
        var values: [Value] = []
        var faults = faults
        for row in rows {
            do throws(CSVFault) {
                values.append(try read(row))
            } catch {
                faults.append(error)
            }
        }
        guard faults.isEmpty else { throw CSVTable.refusal(faults, file: file) }
        return values
    }

    private static func refusal(_ faults: [CSVFault], file: String) -> CommandFault {
        let sorted = faults.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
        var lines = sorted.prefix(shownMax).map { "  \($0)" }
        if sorted.count > shownMax { lines.append("  and \(sorted.count - shownMax) more") }
        return CommandFault(
            "\(file): \(sorted.count) wrong; nothing is paid:\n" + lines.joined(separator: "\n"))
    }
}

extension CSVTable.Row {
    func address(_ name: String, in prefix: NetworkPrefix) throws(CSVFault) -> Address {
        do throws(HumanID.Fault) {
            return try Address(text: text(name), in: prefix)
        } catch {
            throw fault(name, "\(error)")
        }
    }

    /// Above 0.
    func amount(_ name: String) throws(CSVFault) -> Amount {
        let amount: Amount
        do throws(AmountText.Fault) {
            amount = try AmountText.parse(text(name))
        } catch {
            throw fault(name, "\(error)")
        }
        guard amount > 0 else { throw fault(name, "0 pays nothing: at least 1 is wanted") }
        return amount
    }

    /// The native asset for an empty field or `native`.
    func asset(_ name: String, in prefix: NetworkPrefix) throws(CSVFault) -> AssetID {
        let text = text(name)
        if text.isEmpty || text == "native" { return .native }
        do throws(HumanID.Fault) {
            return try AssetID(text: text, in: prefix)
        } catch {
            throw fault(name, "native or an asset's id is wanted: \(error)")
        }
    }
}
