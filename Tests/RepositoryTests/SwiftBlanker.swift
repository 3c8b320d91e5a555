/// Replaces comments and the contents of strings by spaces and keeps line breaks, so that a rule
/// about calls isn't misled by prose.
///
/// Code inside an interpolation counts as part of its string.
struct SwiftBlanker {
    private let source: [UInt8]
    private var output: [UInt8] = []
    private var index = 0

    init(_ text: String) {
        source = Array(text.utf8)
        output.reserveCapacity(source.count)
    }

    mutating func blanked() -> String {
        while index < source.count {
            if starts("//") {
                blankLine()
            } else if starts("/*") {
                blankComment()
            } else if let hashes = hashesBeforeQuote() {
                blankString(hashes: hashes)
            } else {
                keep(1)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private func starts(_ text: String, at offset: Int = 0) -> Bool {
        let wanted = text.utf8
        let start = index + offset
        return start + wanted.count <= source.count
            && source[start..<start + wanted.count].elementsEqual(wanted)
    }

    private mutating func keep(_ count: Int) {
        output.append(contentsOf: source[index..<index + count])
        index += count
    }

    private mutating func blank(_ count: Int) {
        for byte in source[index..<min(index + count, source.count)] {
            output.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
        }
        index = min(index + count, source.count)
    }

    private mutating func blankLine() {
        while index < source.count, source[index] != UInt8(ascii: "\n") { blank(1) }
    }

    private mutating func blankComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && index < source.count
    }

    /// How many `#` stand before the quote if a string begins here.
    private func hashesBeforeQuote() -> Int? {
        var hashes = 0
        while starts("#", at: hashes) { hashes += 1 }
        return starts("\"", at: hashes) ? hashes : nil
    }

    private mutating func blankString(hashes: Int) {
        let guards = String(repeating: "#", count: hashes)
        let isLong = starts("\"\"\"", at: hashes)
        let quote = isLong ? "\"\"\"" : "\""
        keep(hashes + quote.utf8.count)
        while index < source.count, !starts(quote + guards) {
            if !isLong, starts("\n") { return }
            blank(starts("\\" + guards) ? 2 + hashes : 1)
        }
        if index < source.count { keep(quote.utf8.count + hashes) }
    }
}
