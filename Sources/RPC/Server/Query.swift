internal import Primitives

/// The part of a URL behind the question mark.
enum Query {
    /// Names and texts in their order, percent-decoded.
    /// - Throws: `invalidParameters` for items without "=" and for wrong escapes.
    static func items(of query: String) throws(RPCFault) -> [(name: String, text: String)] {
        var items: [(name: String, text: String)] = []
        for item in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = item.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first.flatMap({ decode($0) }) else { throw wrong(item) }
            guard parts.count == 2, let text = decode(parts[1]) else { throw wrong(item) }
            items.append((name, text))
        }
        return items
    }

    private static func wrong(_ item: Substring.UTF8View) -> RPCFault {
        let text = String(Substring(item).prefix(40))
        return .invalidParameter(text, "name=value is wanted, with %XX for special characters")
    }

    private static func decode(_ text: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                continue
            }
            guard let value = Hex.decode(Substring(rest.prefix(2))), value.count == 1 else {
                return nil
            }
            bytes.append(contentsOf: value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
