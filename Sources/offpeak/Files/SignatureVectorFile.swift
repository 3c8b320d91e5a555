internal import Primitives
internal import RPC

/// One signature with the verdict that its author expects.
struct SignatureVector: Sendable {
    /// Wycheproof's `result`.
    enum Expectation: String, Encodable, Sendable {
        case valid, invalid, acceptable
    }

    /// Wycheproof's `tcId`.
    let number: Int
    let comment: String
    let publicKey: [UInt8]
    let message: [UInt8]
    let signature: [UInt8]
    let expected: Expectation

    /// The key and the signature; nil if one of them hasn't its number of bytes.
    var keyAndSignature: (PublicKey, Signature)? {
        guard let key = PublicKey(bytes: publicKey), let signature = Signature(bytes: signature)
        else { return nil }
        return (key, signature)
    }

    /// The verdict of the network's rule.
    var isValid: Bool {
        guard let (key, signature) = keyAndSignature else { return false }
        return message.withUnsafeBytes {
            SignatureCheck.isValid(publicKey: key, message: $0, signature: signature)
        }
    }
}

/// A file of vectors in Wycheproof's JSON format: `testGroups`, each with the `pk` of `publicKey`
/// or of `key`, and with `tests` of `tcId`, `comment`, `msg`, `sig` and `result`. Members that the
/// format has beside these are passed over.
enum SignatureVectorFile {
    /// The largest of Wycheproof's own files for Ed25519 has less than a hundredth of this.
    private static let bytesMax = 64 << 20

    /// The vectors of a file (- for stdin), in their order.
    /// - Throws: `CommandFault` with the place of what is missing or of the wrong kind.
    static func read(_ path: String) throws(CommandFault) -> [SignatureVector] {
        let name = path == "-" ? "stdin" : path
        return try vectors(in: try TextFile.read(path, maximum: bytesMax), file: name)
    }

    static func vectors(
        in bytes: [UInt8], file: String
    ) throws(CommandFault) -> [SignatureVector] {
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONReader.parse(bytes, within: .answer)
        } catch {
            throw CommandFault("\(file) isn't JSON: \(error)")
        }
        var vectors: [SignatureVector] = []
        for group in try JSONPlace(value, "\(file): $").elements("testGroups") {
            vectors += try self.vectors(of: group)
        }
        return vectors
    }

    private static func vectors(of group: JSONPlace) throws(CommandFault) -> [SignatureVector] {
        let key = try group.member(group.has("publicKey") ? "publicKey" : "key")
        if key.has("curve"), try key.text("curve") != "edwards25519" {
            throw CommandFault("\(key.path).curve: only edwards25519 is checked")
        }
        let publicKey = try key.hex("pk")
        var vectors: [SignatureVector] = []
        for test in try group.elements("tests") {
            vectors.append(try vector(test, publicKey: publicKey))
        }
        return vectors
    }

    private static func vector(
        _ test: JSONPlace, publicKey: [UInt8]
    ) throws(CommandFault) -> SignatureVector {
        let result = try test.text("result")
        guard let expected = SignatureVector.Expectation(rawValue: result) else {
            throw CommandFault(
                "\(test.path).result: \"\(result)\" isn't valid, invalid or acceptable")
        }
        return SignatureVector(
            number: try test.number("tcId"),
            comment: test.has("comment") ? try test.text("comment") : "",
            publicKey: publicKey, message: try test.hex("msg"), signature: try test.hex("sig"),
            expected: expected)
    }
}

/// A value of a JSON text with the path to it, such as `$.testGroups[0].tests[3]`.
private struct JSONPlace {
    private let value: JSONValue
    let path: String

    init(_ value: JSONValue, _ path: String) {
        self.value = value
        self.path = path
    }

    func has(_ name: String) -> Bool { value[name] != nil }

    func member(_ name: String) throws(CommandFault) -> JSONPlace {
        guard case .object = value else {
            throw CommandFault("\(path): \(value.kindName) where an object is wanted")
        }
        guard let member = value[name] else {
            throw CommandFault("\(path): \"\(name)\" is missing")
        }
        return JSONPlace(member, "\(path).\(name)")
    }

    func elements(_ name: String) throws(CommandFault) -> [JSONPlace] {
        let list = try member(name)
        guard case .array(let elements) = list.value else {
            throw CommandFault("\(list.path): \(list.value.kindName) where an array is wanted")
        }
        return elements.enumerated().map { JSONPlace($1, "\(list.path)[\($0)]") }
    }

    func text(_ name: String) throws(CommandFault) -> String {
        let member = try member(name)
        guard let text = member.value.text else {
            throw CommandFault("\(member.path): \(member.value.kindName) where a string is wanted")
        }
        return text
    }

    func hex(_ name: String) throws(CommandFault) -> [UInt8] {
        guard let bytes = Hex.decode(try text(name)) else {
            throw CommandFault("\(path).\(name): an even number of hexadecimal digits is wanted")
        }
        return bytes
    }

    func number(_ name: String) throws(CommandFault) -> Int {
        let member = try member(name)
        guard case .number(let digits) = member.value, let number = Int(digits) else {
            throw CommandFault("\(member.path): a whole number is wanted")
        }
        return number
    }
}
