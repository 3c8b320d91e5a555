/// XML 1.0 as it is written from the top down: elements in order, indented, everything escaped.
struct XMLText {
    private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private var depth = 0

    /// An element with what `body` writes in it.
    mutating func element<Fault: Error>(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:],
        _ body: (inout XMLText) throws(Fault) -> Void
    ) throws(Fault) {
        begin(name, attributes)
        text += ">\n"
        depth += 1
        try body(&self)
        depth -= 1
        text += indent + "</\(name)>\n"
    }

    /// An element with text alone.
    mutating func leaf(
        _ name: String, _ content: String, _ attributes: KeyValuePairs<String, String> = [:]
    ) {
        begin(name, attributes)
        text += ">\(XMLText.escaped(content))</\(name)>\n"
    }

    private mutating func begin(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        text += indent + "<\(name)"
        for (key, value) in attributes { text += " \(key)=\"\(XMLText.escaped(value))\"" }
    }

    private var indent: String { String(repeating: "  ", count: depth) }

    /// Text as it may stand between tags and in quotes; what XML 1.0 can't carry at all becomes
    /// U+FFFD (section 2.2).
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&apos;"
            // As they are, readers would make blanks of them.
            case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
            case "\u{20}"..."\u{FFFD}", "\u{10000}"..."\u{10FFFF}":
                escaped.unicodeScalars.append(scalar)
            default: escaped += "\u{FFFD}"
            }
        }
        return escaped
    }
}
