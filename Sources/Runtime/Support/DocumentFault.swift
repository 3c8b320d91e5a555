/// What is wrong with a text file that people write: where, what, and what would be right.
public struct DocumentFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as it was named.
    public let file: String
    /// Counted from 1; nil if the whole file is meant.
    public let line: Int?
    /// Like `peers[2].address`; empty for the whole document.
    public let path: String
    public let message: String

    public init(file: String, line: Int?, path: String, message: String) {
        self.file = file
        self.line = line
        self.path = path
        self.message = message
    }

    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return path.isEmpty ? "\(place): \(message)" : "\(place): \(path): \(message)"
    }
}

/// Names that a misspelt one may have meant.
enum Suggestion {
    /// ` (did you mean "x"?)` for the nearest of `known` within a third of the letters, else empty.
    static func text(for name: String, among known: [String]) -> String {
        let ranked = known.map { (name: $0, distance: distance(name, $0)) }
            .filter { $0.distance <= max(1, max(name.count, $0.name.count) / 3) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return ranked.map { " (did you mean \"\($0.name)\"?)" } ?? ""
    }

    /// Letters to insert, remove, change or swap with the next (optimal string alignment), without
    /// regard to case. O(product of the lengths).
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.lowercased().prefix(64))
        let right = Array(right.lowercased().prefix(64))
        var rows = [Array(0...right.count)]
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let change = rows[row][column] + (left[row] == right[column] ? 0 : 1)
                var best = min(rows[row][column + 1] + 1, current[column] + 1, change)
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    best = min(best, rows[row - 1][column - 1] + 1)
                }
                current.append(best)
            }
            rows.append(current)
        }
        return rows[left.count][right.count]
    }
}
