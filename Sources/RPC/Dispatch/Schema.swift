/// Pieces of JSON schema.
enum Schema {
    static func text(_ description: String) -> JSONValue {
        .object([
            JSONMember("type", .string("string")), JSONMember("description", .string(description)),
        ])
    }

    static func number(_ range: ClosedRange<UInt64>) -> JSONValue {
        .object([
            JSONMember("type", .string("integer")),
            JSONMember("minimum", .number(String(range.lowerBound))),
            JSONMember("maximum", .number(String(range.upperBound))),
        ])
    }

    static func object(_ title: String) -> JSONValue {
        .object([JSONMember("type", .string("object")), JSONMember("title", .string(title))])
    }
}
