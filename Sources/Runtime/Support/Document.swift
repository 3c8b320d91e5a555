internal import Yams

/// A value in a YAML or JSON document, with its place: every wrong key, type or number is named
/// with line, path and what would be right.
struct Document {
    private let node: Node
    private let file: String
    /// Like `peers[2].address`; empty at the root.
    let path: String

    private init(node: Node, file: String, path: String) {
        self.node = node
        self.file = file
        self.path = path
    }

    /// Aliases in a document: each can stand for all that was written before it, so that some
    /// dozens make more values than can ever be looked at. Nothing here needs one.
    private static let aliasesMax = 16

    /// The root of a document's text.
    /// - Throws: `DocumentFault` for text that isn't YAML, a repeated key, an empty document, or
    ///   one with too many aliases.
    init(parsing text: String, file: String) throws(DocumentFault) {
        guard Document.aliases(in: text) <= Document.aliasesMax else {
            throw DocumentFault(
                file: file, line: nil, path: "",
                message: "more than \(Document.aliasesMax) aliases (*name): write them out")
        }
        do {
            guard let root = try compose(yaml: text) else {
                throw DocumentFault(file: file, line: nil, path: "", message: "is empty")
            }
            self.init(node: root, file: file, path: "")
        } catch let fault as DocumentFault {
            throw fault
        } catch {
            throw Document.syntaxFault(error, file)
        }
    }

    /// How often an alias may begin in `text`: an asterisk and a letter of a name. Those in strings
    /// and comments count too.
    private static func aliases(in text: String) -> Int {
        zip(text.utf8, text.utf8.dropFirst()).reduce(0) { count, pair in
            guard pair.0 == UInt8(ascii: "*") else { return count }
            switch pair.1 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                return count + 1
            default: return count
            }
        }
    }

    private static func syntaxFault(_ error: any Error, _ file: String) -> DocumentFault {
        func fault(_ line: Int?, _ message: String) -> DocumentFault {
            DocumentFault(file: file, line: line, path: "", message: message)
        }
        guard let error = error as? YamlError else { return fault(nil, "can't be read: \(error)") }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return fault(mark.line, "\(problem) (column \(mark.column))")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
            return fault(context.mark.line, "\(names) given twice in the mapping that starts here")
        default:
            return fault(nil, "can't be read as text: \(error)")
        }
    }

    /// A fault at this value's place.
    func fault(_ message: String) -> DocumentFault {
        DocumentFault(file: file, line: node.mark?.line, path: path, message: message)
    }

    /// A fault at a place below this value, such as `accounts[3].balance`; its line is that of the
    /// nearest value that is there.
    func fault(_ message: String, at path: String) -> DocumentFault {
        var nearest = node
        for step in path.split(whereSeparator: { ".[]".contains($0) }) {
            let next =
                switch nearest {
                case .mapping(let mapping): mapping[String(step)]
                case .sequence(let sequence): Int(step).flatMap { sequence.dropFirst($0).first }
                default: nil as Node?
                }
            guard let next else { break }
            nearest = next
        }
        return DocumentFault(file: file, line: nearest.mark?.line, path: path, message: message)
    }

    /// The values of a mapping by key.
    /// - Throws: `DocumentFault` for another type, and for a key that `known` doesn't hold.
    func fields(_ known: [String]) throws(DocumentFault) -> [String: Document] {
        guard case .mapping(let mapping) = node else {
            throw wrongType("a mapping with the keys \(known.joined(separator: ", "))")
        }
        var fields: [String: Document] = [:]
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            guard known.contains(name) else {
                throw DocumentFault(
                    file: file, line: key.mark?.line, path: path,
                    message: """
                        unknown key "\(name)"\(Suggestion.text(for: name, among: known)); known \
                        are: \(known.joined(separator: ", "))
                        """)
            }
            let place = path.isEmpty ? name : "\(path).\(name)"
            fields[name] = Document(node: value, file: file, path: place)
        }
        return fields
    }

    /// The elements of a list.
    func elements(maximum: Int) throws(DocumentFault) -> [Document] {
        guard case .sequence(let sequence) = node else { throw wrongType("a list") }
        guard sequence.count <= maximum else {
            throw fault("\(sequence.count) elements, at most \(maximum) are allowed")
        }
        var elements: [Document] = []
        for (index, element) in sequence.enumerated() {
            elements.append(Document(node: element, file: file, path: "\(path)[\(index)]"))
        }
        return elements
    }

    /// Whether the value is absent in all but name: `null` or nothing after the colon.
    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }

    /// Text, quoted or not.
    func text() throws(DocumentFault) -> String {
        guard case .scalar(let scalar) = node, !isNull else { throw wrongType("text") }
        return scalar.string
    }

    /// A whole number within `range`, in decimal digits, quoted or not; `_` may group them.
    func number(_ range: ClosedRange<UInt64>) throws(DocumentFault) -> UInt64 {
        let wanted = "a whole number \(range.lowerBound)...\(range.upperBound)"
        guard case .scalar(let scalar) = node else { throw wrongType(wanted) }
        let digits = scalar.string.filter { $0 != "_" }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw wrongType(wanted)
        }
        guard let value = UInt64(digits), range.contains(value) else {
            throw fault("\(digits) isn't \(wanted)")
        }
        return value
    }

    /// `true` or `false`.
    func boolean() throws(DocumentFault) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain,
            let value = Bool(scalar.string)
        else { throw wrongType("true or false") }
        return value
    }

    private func wrongType(_ wanted: String) -> DocumentFault {
        let found =
            switch node {
            case .scalar(let scalar) where isNull: scalar.string.isEmpty ? "nothing" : "null"
            case .scalar(let scalar): "\"\(scalar.string)\""
            case .mapping: "a mapping"
            case .sequence: "a list"
            case .alias: "an alias"
            }
        return fault("\(found) where \(wanted) is wanted")
    }
}
