internal import Primitives
internal import RPC

/// A proof in a file: what a node answered, with or without JSON-RPC's wrapping.
enum ProofFile {
    /// Bytes: a proof of the longest value, twice over.
    static let bytesMax = 1 << 20

    private static let wrapping = ["jsonrpc", "id", "result"]
    private static let members = ["height", "stateRoot", "block", "blockHeight", "proof"]

    /// The answer in a file; `-` means stdin.
    static func read(_ path: String) throws(CommandFault) -> ProofInfo {
        try parse(
            try TextFile.read(path, maximum: bytesMax), name: path == "-" ? "stdin" : path)
    }

    static func parse(_ bytes: [UInt8], name: String) throws(CommandFault) -> ProofInfo {
        let all = try JSONFields(bytes: bytes, file: name, known: wrapping + members + ["error"])
        if let error = try? all.value("error") {
            throw CommandFault("\(name) is an error, not a proof: \(error.encodedText)")
        }
        guard let result = try? all.value("result") else {
            return try info(JSONFields(bytes: bytes, file: name, known: members))
        }
        _ = try JSONFields(bytes: bytes, file: name, known: wrapping)
        return try info(JSONFields(result, place: "\(name): result", known: members))
    }

    private static func info(_ fields: JSONFields) throws(CommandFault) -> ProofInfo {
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
