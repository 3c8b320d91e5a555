/// Rows in columns, for people.
struct Table: Sendable {
    /// A column's heading and on which side its cells stand.
    struct Column: Sendable {
        let title: String
        let isNumber: Bool

        /// A column of text.
        static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
        /// A column of figures, which stand to the right.
        static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
    }

    private let columns: [Column]
    private let rows: [[String]]

    /// - Precondition: each row has a cell for each column.
    init(_ columns: [Column], _ rows: [[String]]) {
        for row in rows {
            precondition(
                row.count == columns.count, "\(row.count) cells for \(columns.count) columns")
        }
        self.columns = columns
        self.rows = rows
    }

    /// The lines; `empty` where there is no row.
    func text(_ palette: Palette, empty: String = "(none)") -> String {
        guard !rows.isEmpty else { return empty }
        let widths = columns.indices.map { place in
            rows.reduce(columns[place].title.count) { max($0, $1[place].count) }
        }
        let titles = palette.paint(line(columns.map(\.title), widths), .bold)
        return ([titles] + rows.map { line($0, widths) }).joined(separator: "\n")
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (place, cell) in cells.enumerated() {
            let room = String(repeating: " ", count: widths[place] - cell.count)
            line += columns[place].isNumber ? room + cell : cell + room
            line += "  "
        }
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}

/// Names and values, one pair a line, for people.
struct Sheet: Sendable {
    private var pairs: [(name: String, value: String)] = []

    init(_ pairs: KeyValuePairs<String, String> = [:]) {
        for (name, value) in pairs { self.pairs.append((name, value)) }
    }

    mutating func add(_ name: String, _ value: String) { pairs.append((name, value)) }

    /// Adds a line where there is a value.
    mutating func add(_ name: String, optional value: String?) {
        if let value { add(name, value) }
    }

    /// Adds a line for each value, the name in front of the first only.
    mutating func add(_ name: String, list values: [String]) {
        for (place, value) in values.enumerated() { add(place == 0 ? name : "", value) }
    }

    /// The lines, names to the left.
    func text(_ palette: Palette) -> String {
        let width = pairs.reduce(0) { max($0, $1.name.count) }
        let lines = pairs.map { pair in
            let room = String(repeating: " ", count: width - pair.name.count + 2)
            return palette.paint(pair.name, .bold) + room + pair.value
        }
        return lines.joined(separator: "\n")
    }
}
