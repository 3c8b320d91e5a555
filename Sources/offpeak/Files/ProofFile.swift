internal import Primitives
internal import RPC

/// A proof in a file: what a node answered, with or without JSON-RPC's wrapping.
enum ProofFile {
    /// Bytes: a proof of the longest value, twice over.
    static let bytesMax = 1 << 20

    private static let wrapping = ["jsonrpc", "id", "result"]
    static let members = ["height", "stateRoot", "block", "blockHeight", "proof"]

    /// What a file may have beside the answer: the signed transaction that the receipt is of, in
    /// base64.
    private static let extra = "transaction"

    /// An answer with the transaction that it is about.
    struct Content: Encodable, Sendable {
        let answer: ProofInfo
        /// In base64.
        let transaction: String?

        private enum CodingKeys: CodingKey {
            case transaction
        }

        func encode(to encoder: any Encoder) throws {
            try answer.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(transaction, forKey: .transaction)
        }
    }

    /// The answer in a file; `-` means stdin.
    static func read(_ path: String) throws(CommandFault) -> ProofInfo {
        try parse(
            try TextFile.read(path, maximum: bytesMax), name: path == "-" ? "stdin" : path)
    }

    static func parse(_ bytes: [UInt8], name: String) throws(CommandFault) -> ProofInfo {
        let all = try JSONFields(
            bytes: bytes, file: name, known: wrapping + members + ["error", extra])
        if let error = try? all.value("error") {
            throw CommandFault("\(name) is an error, not a proof: \(error.encodedText)")
        }
        guard let result = try? all.value("result") else {
            return try info(JSONFields(bytes: bytes, file: name, known: members + [extra]))
        }
        _ = try JSONFields(bytes: bytes, file: name, known: wrapping)
        return try info(JSONFields(result, place: "\(name): result", known: members))
    }

    /// The transaction that stands beside the answer, if one does.
    static func transaction(
        _ bytes: [UInt8], name: String
    ) throws(CommandFault) -> SignedTransaction? {
        let fields = try JSONFields(
            bytes: bytes, file: name, known: wrapping + members + ["error", extra])
        guard (try? fields.value(extra)) != nil else { return nil }
        guard let body = Base64.decode(try fields.text(extra)) else {
            throw CommandFault("\(name): transaction: base64 is wanted")
        }
        do throws(BCSError) {
            return try SignedTransaction(bcs: body)
        } catch {
            throw CommandFault("\(name): transaction: \(error)")
        }
    }

    static func info(_ fields: JSONFields) throws(CommandFault) -> ProofInfo {
        ProofInfo(
            height: Height(try fields.number("height")), stateRoot: try fields.text("stateRoot"),
            block: try fields.text("block"), blockHeight: Height(try fields.number("blockHeight")),
            proof: try fields.text("proof"))
    }
}

extension JSONValue {
    /// The JSON text.
    fileprivate var encodedText: String { String(decoding: encoded, as: UTF8.self) }
}
