internal import Primitives

/// A strict reader of CSV (RFC 4180): what another program might read otherwise is a fault with its
/// line and column, never a guess.
///
/// UTF-8, with or without a byte order mark; comma; lines end with LF or CRLF; empty lines are left
/// out; a quote stands only around a whole field or doubled within one; no control characters but
/// line ends within quotes. The package SwiftCSV isn't
/// used here: it fills short rows up, leaves the surplus of long ones out, and tells no line
/// numbers.
struct CSVReader {
    /// Bytes of a file: ten thousand rows of 400 bytes.
    static let bytesMax = 4 << 20
    static let rowsMax = 10_000
    static let columnsMax = 16
    static let fieldBytesMax = 1024

    /// A cell, with the place where it begins, counted from 1 in characters.
    struct Field: Hashable, Sendable {
        let text: String
        let column: Int
    }

    /// A row, with the line where it begins.
    struct Record: Hashable, Sendable {
        let line: Int
        let fields: [Field]
    }

    private let bytes: [UInt8]
    private var place = 0
    private var line = 1
    private var lineStart = 0

    /// The records of a file, its heading first.
    /// - Throws: `CSVFault` at the first place that isn't CSV, or above a limit.
    static func read(_ bytes: [UInt8]) throws(CSVFault) -> [Record] {
        guard bytes.count <= bytesMax else {
            throw CSVFault(line: 1, column: 1, "\(bytes.count) bytes, at most \(bytesMax) allowed")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw CSVFault(line: 1, column: 1, "the file isn't UTF-8 text")
        }
        var reader = CSVReader(bytes: bytes)
        return try reader.records()
    }

    private init(bytes: [UInt8]) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(3)) : bytes
    }

    private var column: Int {
        String(decoding: bytes[lineStart..<min(place, bytes.count)], as: UTF8.self).count + 1
    }

    private func fault(_ text: String) -> CSVFault {
        CSVFault(line: line, column: column, text)
    }

    private mutating func records() throws(CSVFault) -> [Record] {
        var records: [Record] = []
        while place < bytes.count {
            if try endLine() { continue }
            records.append(try record())
            // The heading isn't a row.
            guard records.count <= CSVReader.rowsMax + 1 else {
                throw fault("more than \(CSVReader.rowsMax) rows: cut the file into several")
            }
        }
        return records
    }

    /// Takes the end of a line, if it is here.
    private mutating func endLine() throws(CSVFault) -> Bool {
        guard place < bytes.count else { return false }
        switch bytes[place] {
        case UInt8(ascii: "\n"): place += 1
        case UInt8(ascii: "\r"):
            guard place + 1 < bytes.count, bytes[place + 1] == UInt8(ascii: "\n") else {
                throw fault("a carriage return without a line feed")
            }
            place += 2
        default: return false
        }
        line += 1
        lineStart = place
        return true
    }

    private mutating func record() throws(CSVFault) -> Record {
        let start = line
        var fields: [Field] = []
        while true {
            guard fields.count < CSVReader.columnsMax else {
                throw fault("more than \(CSVReader.columnsMax) columns")
            }
            fields.append(try field())
            if place == bytes.count { break }
            if bytes[place] == UInt8(ascii: ",") {
                place += 1
            } else if try endLine() {
                break
            } else {
                throw fault("a comma or the end of the line is wanted after a quoted field")
            }
        }
        return Record(line: start, fields: fields)
    }

    private mutating func field() throws(CSVFault) -> Field {
        let start = column
        let isQuoted = place < bytes.count && bytes[place] == UInt8(ascii: "\"")
        let text = isQuoted ? try quoted() : try plain()
        guard text.count <= CSVReader.fieldBytesMax else {
            throw fault("a field of more than \(CSVReader.fieldBytesMax) bytes")
        }
        return Field(text: String(decoding: text, as: UTF8.self), column: start)
    }

    private mutating func plain() throws(CSVFault) -> [UInt8] {
        var text: [UInt8] = []
        while place < bytes.count, !",\r\n".utf8.contains(bytes[place]) {
            guard bytes[place] != UInt8(ascii: "\"") else {
                throw fault("a quote within a field: put the whole field in quotes, and double it")
            }
            guard !isControl else { throw fault("a control character") }
            text.append(bytes[place])
            place += 1
        }
        return text
    }

    /// Whether a control character is here: of ASCII, or of Unicode's first 256 (C2 80 to C2 9F).
    private var isControl: Bool {
        let byte = bytes[place]
        let next = place + 1 < bytes.count ? bytes[place + 1] : 0
        return byte < 0x20 || byte == 0x7F || byte == 0xC2 && 0x80...0x9F ~= next
    }

    /// Whether a carriage return is here, and a line feed behind it.
    private var isLineEnd: Bool {
        bytes[place] == UInt8(ascii: "\r") && place + 1 < bytes.count
            && bytes[place + 1] == UInt8(ascii: "\n")
    }

    private mutating func quoted() throws(CSVFault) -> [UInt8] {
        let opened = fault("a quote that isn't closed")
        place += 1
        var text: [UInt8] = []
        while place < bytes.count {
            let byte = bytes[place]
            if byte == UInt8(ascii: "\"") {
                place += 1
                guard place < bytes.count, bytes[place] == byte else { return text }
            } else if byte == UInt8(ascii: "\n") {
                line += 1
                lineStart = place + 1
            } else if isControl && !isLineEnd {
                throw fault("a control character")
            }
            text.append(byte)
            place += 1
        }
        throw opened
    }

    /// A row's text: fields with commas, quotes, line ends or blanks at an end in quotes.
    static func row(_ fields: [String]) -> String {
        fields.map { field in
            let needsQuotes =
                field.utf8.contains { ",\"\r\n".utf8.contains($0) } || field.first == " "
                || field.last == " "
            return needsQuotes ? "\"" + field.doubledQuotes + "\"" : field
        }.joined(separator: ",") + "\r\n"
    }
}

/// What is wrong in a CSV file, and where.
struct CSVFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Both count from 1.
    let line: Int
    let column: Int
    let text: String

    init(line: Int, column: Int, _ text: String) {
        self.line = line
        self.column = column
        self.text = text
    }

    var description: String { "line \(line), column \(column): \(text)" }
}

extension String {
    fileprivate var doubledQuotes: String {
        split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    }
}
