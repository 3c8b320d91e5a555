/// Reads strict JSON (RFC 8259) in one pass. The depth is bounded before anything is built, so the
/// reader's own recursion is too; a name that stands twice in an object is refused, since readers
/// differ on which one counts.
package struct JSONReader {
    /// What a text may hold at most.
    package struct Limits: Sendable {
        package let nesting: Int
        /// Members of one object; looking for repeated names costs its square.
        package let members: Int
        /// Elements of one array.
        package let elements: Int

        /// What a client may send.
        package static let request = Limits(
            nesting: RPCLimits.nestingMax, members: RPCLimits.membersMax,
            elements: RPCLimits.elementsMax)
        /// What a node may answer.
        package static let answer = Limits(
            nesting: RPCLimits.nestingMax, members: RPCLimits.membersMax, elements: .max)
    }

    private let bytes: [UInt8]
    private let limits: Limits
    private var offset = 0
    private var depth = 0

    private init(_ bytes: [UInt8], _ limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The value that `bytes` are the whole text of.
    package static func parse(
        _ bytes: [UInt8], within limits: Limits = .request
    ) throws(JSONFault) -> JSONValue {
        var reader = JSONReader(bytes, limits)
        reader.skipSpace()
        let value = try reader.readValue()
        reader.skipSpace()
        guard reader.offset == bytes.count else {
            throw JSONFault(.trailingBytes, at: reader.offset)
        }
        return value
    }

    private mutating func readValue() throws(JSONFault) -> JSONValue {
        guard let byte = peek() else { throw JSONFault(.truncated, at: offset) }
        switch byte {
        case UInt8(ascii: "{"): return try readObject()
        case UInt8(ascii: "["): return try readArray()
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try readNumber()
        default: throw JSONFault(.wanted("a value"), at: offset)
        }
    }

    private mutating func readWord(
        _ word: StaticString, _ value: JSONValue
    ) throws(JSONFault) -> JSONValue {
        let start = offset
        let matches = word.withUTF8Buffer { bytes[offset...].starts(with: $0) }
        guard matches else { throw JSONFault(.wanted("\(word)"), at: start) }
        offset += word.utf8CodeUnitCount
        return value
    }
}

// Arrays and objects.
extension JSONReader {
    private mutating func readObject() throws(JSONFault) -> JSONValue {
        try enter()
        var members: [JSONMember] = []
        if !skip(UInt8(ascii: "}")) {
            repeat {
                guard members.count < limits.members else {
                    throw JSONFault(.tooManyMembers(maximum: limits.members), at: offset)
                }
                members.append(try readMember(after: members))
            } while try separator(closing: UInt8(ascii: "}"), "\",\" or \"}\"")
        }
        depth -= 1
        return .object(members)
    }

    private mutating func readMember(after members: [JSONMember]) throws(JSONFault) -> JSONMember {
        skipSpace()
        let start = offset
        guard peek() == UInt8(ascii: "\"") else {
            throw JSONFault(peek() == nil ? .truncated : .wanted("a name in quotes"), at: offset)
        }
        let name = try readString()
        for member in members where member.name == name {
            throw JSONFault(.duplicateName(name), at: start)
        }
        skipSpace()
        guard skip(UInt8(ascii: ":")) else {
            throw JSONFault(peek() == nil ? .truncated : .wanted("\":\""), at: offset)
        }
        skipSpace()
        return JSONMember(name, try readValue())
    }

    private mutating func readArray() throws(JSONFault) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        if !skip(UInt8(ascii: "]")) {
            repeat {
                guard elements.count < limits.elements else {
                    throw JSONFault(.tooManyElements(maximum: limits.elements), at: offset)
                }
                skipSpace()
                elements.append(try readValue())
            } while try separator(closing: UInt8(ascii: "]"), "\",\" or \"]\"")
        }
        depth -= 1
        return .array(elements)
    }

    /// Passes the opening bracket and the space behind it.
    private mutating func enter() throws(JSONFault) {
        guard depth < limits.nesting else {
            throw JSONFault(.nestingTooDeep(maximum: limits.nesting), at: offset)
        }
        depth += 1
        offset += 1
        skipSpace()
    }

    /// Passes a comma (true) or the closing bracket (false).
    private mutating func separator(
        closing bracket: UInt8, _ wanted: String
    ) throws(JSONFault) -> Bool {
        skipSpace()
        if skip(UInt8(ascii: ",")) { return true }
        guard skip(bracket) else {
            throw JSONFault(peek() == nil ? .truncated : .wanted(wanted), at: offset)
        }
        return false
    }
}

// Numbers.
extension JSONReader {
    private mutating func readNumber() throws(JSONFault) -> JSONValue {
        let start = offset
        _ = skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { try skipDigits() }
        if skip(UInt8(ascii: ".")) { try skipDigits() }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            try skipDigits()
        }
        return .number(String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    /// Passes one digit or more.
    private mutating func skipDigits() throws(JSONFault) {
        let start = offset
        while let byte = peek(), UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { offset += 1 }
        guard offset > start else {
            throw JSONFault(peek() == nil ? .truncated : .wanted("a digit"), at: offset)
        }
    }
}

// Strings.
extension JSONReader {
    private mutating func readString() throws(JSONFault) -> String {
        let start = offset + 1
        offset = endOfPlainText(from: start)
        guard let byte = peek() else { throw JSONFault(.truncated, at: offset) }
        switch byte {
        case UInt8(ascii: "\""):
            offset += 1
            return try text(of: bytes[start..<offset - 1], at: start)
        case UInt8(ascii: "\\"): return try readEscapedString(from: start)
        default: throw JSONFault(.controlCharacter(byte), at: offset)
        }
    }

    /// Where the first quote, backslash or control character from `start` on stands. Transactions
    /// are long texts without any, so this loop is most of what reading them costs.
    private func endOfPlainText(from start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            end += 1
        }
        return end
    }

    /// The rest of a string whose first escape is here.
    private mutating func readEscapedString(from start: Int) throws(JSONFault) -> String {
        var content = Array(bytes[start..<offset])
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return try text(of: content[...], at: start)
            case UInt8(ascii: "\\"):
                offset += 1
                try readEscape(into: &content)
            case 0..<0x20: throw JSONFault(.controlCharacter(byte), at: offset)
            default:
                content.append(byte)
                offset += 1
            }
        }
        throw JSONFault(.truncated, at: offset)
    }

    /// What follows a backslash.
    private mutating func readEscape(into content: inout [UInt8]) throws(JSONFault) {
        guard let byte = peek() else { throw JSONFault(.truncated, at: offset) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"): content.append(contentsOf: String(try readScalar()).utf8)
        default: throw JSONFault(.wanted("one of \"\\/bfnrtu after a backslash"), at: offset - 1)
        }
    }

    /// The character of `\uXXXX`, or of two of them that make a surrogate pair.
    private mutating func readScalar() throws(JSONFault) -> Character {
        let start = offset
        var value = try readHexadecimal()
        if 0xD800..<0xDC00 ~= value {
            guard skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else {
                throw JSONFault(.invalidText, at: start)
            }
            let low = try readHexadecimal()
            guard 0xDC00..<0xE000 ~= low else { throw JSONFault(.invalidText, at: start) }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw JSONFault(.invalidText, at: start) }
        return Character(scalar)
    }

    /// Four hexadecimal digits.
    private mutating func readHexadecimal() throws(JSONFault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek() else { throw JSONFault(.truncated, at: offset) }
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw JSONFault(.wanted("four hexadecimal digits"), at: offset)
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    private func text(of content: ArraySlice<UInt8>, at start: Int) throws(JSONFault) -> String {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw JSONFault(.invalidText, at: start)
        }
        return text
    }
}

// Single bytes.
extension JSONReader {
    private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// Passes `byte` if it is next.
    private mutating func skip(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }
}
