internal import Primitives
internal import RPC

/// Strict reading of a small JSON file: every member is known, and of the right type.
struct JSONFields {
    private let members: [JSONMember]
    /// Names the value in faults, such as `alice.json` or `alice.json: authorizations[1]`.
    let place: String

    /// The object in a file.
    /// - Throws: `CommandFault` for anything but one JSON object with only `known` members.
    init(
        bytes: [UInt8], file: String, known: [String]
    ) throws(CommandFault) {
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONReader.parse(bytes)
        } catch {
            throw CommandFault("\(file) isn't JSON: \(error)")
        }
        try self.init(value, place: file, known: known)
    }

    init(_ value: JSONValue, place: String, known: [String]) throws(CommandFault) {
        guard case .object(let members) = value else {
            throw CommandFault("\(place): \(value.kindName) where an object is wanted")
        }
        for member in members where !known.contains(member.name) {
            throw CommandFault(
                """
                \(place): unknown member "\(member.name)"; known are \
                \(known.joined(separator: ", "))
                """)
        }
        self.members = members
        self.place = place
    }

    /// A member that must be there.
    func value(_ name: String) throws(CommandFault) -> JSONValue {
        guard let member = members.first(where: { $0.name == name }) else {
            throw CommandFault("\(place): \"\(name)\" is missing")
        }
        return member.value
    }

    func text(_ name: String) throws(CommandFault) -> String {
        let value = try value(name)
        guard case .string(let text) = value else {
            throw CommandFault("\(place): \(name): \(value.kindName) where a string is wanted")
        }
        return text
    }

    /// The elements of a list of at most `maximum`.
    func list(_ name: String, maximum: Int) throws(CommandFault) -> [JSONValue] {
        let value = try value(name)
        guard case .array(let elements) = value else {
            throw CommandFault("\(place): \(name): \(value.kindName) where an array is wanted")
        }
        guard elements.count <= maximum else {
            throw CommandFault(
                "\(place): \(name): \(elements.count) elements, at most \(maximum) are allowed")
        }
        return elements
    }

    /// A whole number that fits.
    func number<Number: FixedWidthInteger>(_ name: String) throws(CommandFault) -> Number {
        let value = try value(name)
        guard case .number(let digits) = value, let number = Number(digits) else {
            throw CommandFault(
                "\(place): \(name): a whole number from 0 to \(Number.max) is wanted")
        }
        return number
    }

    /// A value from the hexadecimal digits of its canonical bytes.
    func decoded<Value: BCSDecodable>(_ name: String) throws(CommandFault) -> Value {
        try JSONFields.decode(try text(name), "\(place): \(name)")
    }

    /// A value from the hexadecimal digits of its canonical bytes.
    static func decode<Value: BCSDecodable>(
        _ text: String, _ place: String
    ) throws(CommandFault) -> Value {
        guard let bytes = Hex.decode(text) else {
            throw CommandFault("\(place): an even number of hexadecimal digits is wanted")
        }
        do throws(BCSError) {
            return try Value(bcs: bytes)
        } catch {
            throw CommandFault("\(place): \(error)")
        }
    }
}
