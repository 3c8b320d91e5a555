internal import Foundation

/// Answers as JSON text, and back. Members are in alphabetical order, so that the same answer is
/// the same text.
enum AnswerCoding {
    static func encode(_ answer: some Encodable) throws(RPCFault) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(answer))
        } catch {
            throw .internalError
        }
    }

    /// - Throws: `DecodingError` for JSON of another shape.
    static func decode<Answer: Decodable>(_ type: Answer.Type, from json: JSONValue) throws
        -> Answer
    {
        try JSONDecoder().decode(type, from: Data(json.encoded))
    }
}

extension SubmitResult {
    /// The same text that `AnswerCoding` gives, at a tenth of the price: submission is the hot
    /// path.
    var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.append(raw: "{\"id\":")
        writer.append(id)
        writer.append(raw: ",\"state\":")
        writer.append(state.rawValue)
        writer.append(raw: "}")
        return writer.bytes
    }
}
