internal import Primitives

/// A call's values, in the order of its method's parameters. Each read throws
/// `invalidParameters` with the name and what would be right.
struct Arguments: Sendable {
    private let parameters: [Parameter]
    /// As many as there are parameters; nil where none is given.
    private let values: [JSONValue?]
    private let prefix: NetworkPrefix

    /// Values by name or by position. A null counts as not given.
    /// - Throws: `invalidParameters` for unknown names, too many values and missing ones.
    init(
        _ given: JSONValue?, for parameters: [Parameter], in prefix: NetworkPrefix
    ) throws(RPCFault) {
        self.parameters = parameters
        self.prefix = prefix
        switch given {
        case .object(let members): values = try Arguments.byName(members, parameters)
        case .array(let elements): values = try Arguments.byPosition(elements, parameters)
        default: values = parameters.map { _ in nil }
        }
        for (parameter, value) in zip(parameters, values)
        where parameter.isRequired && value == nil {
            throw .invalidParameter(parameter.name, "missing; \(parameter.summary)")
        }
    }

    private static func byName(
        _ members: [JSONMember], _ parameters: [Parameter]
    ) throws(RPCFault) -> [JSONValue?] {
        for member in members where !parameters.contains(where: { $0.name == member.name }) {
            throw .invalidParameter(member.name, "unknown; " + names(parameters))
        }
        return parameters.map { parameter in
            let value = members.first { $0.name == parameter.name }?.value
            return value == .null ? nil : value
        }
    }

    private static func byPosition(
        _ elements: [JSONValue], _ parameters: [Parameter]
    ) throws(RPCFault) -> [JSONValue?] {
        guard elements.count <= parameters.count else {
            throw RPCFault(
                .invalidParameters, "\(elements.count) parameters; " + names(parameters))
        }
        return parameters.indices.map { index in
            let value = index < elements.count ? elements[index] : nil
            return value == .null ? nil : value
        }
    }

    private static func names(_ parameters: [Parameter]) -> String {
        if parameters.isEmpty { return "the method takes none" }
        return "the method takes " + parameters.map(\.name).joined(separator: ", ")
    }

    /// What the parameter `name` must be.
    func kind(of name: String) -> Parameter.Kind? {
        parameters.first { $0.name == name }?.kind
    }

    /// The value of the parameter `name`; nil if it isn't given.
    private func value(_ name: String) -> JSONValue? {
        guard let index = parameters.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("the method has no parameter \(name)")
        }
        return values[index]
    }
}

// Typed reads.
extension Arguments {
    func height(_ name: String) throws(RPCFault) -> Height? {
        guard let value = value(name) else { return nil }
        return Height(try number(value, name, in: 0...UInt64.max))
    }

    /// A count in `range`; nil if it isn't given.
    func count(_ name: String, in range: ClosedRange<UInt64>) throws(RPCFault) -> UInt64? {
        guard let value = value(name) else { return nil }
        return try number(value, name, in: range)
    }

    func blockDigest(_ name: String) throws(RPCFault) -> Digest? {
        guard let text = try text(name, "bech32m text of a block") else { return nil }
        do throws(HumanID.Fault) {
            return Digest(try HumanID.parse(text, as: .block, in: prefix))
        } catch {
            throw .invalidParameter(name, error.description)
        }
    }

    /// An id that is required.
    func id<ID: HumanIdentifier>(_ name: String) throws(RPCFault) -> ID {
        guard let id: ID = try optionalID(name) else {
            throw .invalidParameter(name, "missing")
        }
        return id
    }

    func optionalID<ID: HumanIdentifier>(_ name: String) throws(RPCFault) -> ID? {
        let wanted = "text that starts with \(ID.humanKind.start(in: prefix))"
        guard let text = try text(name, wanted) else { return nil }
        do throws(HumanID.Fault) {
            return try ID(text: text, in: prefix)
        } catch {
            throw .invalidParameter(name, error.description)
        }
    }

    func signedTransaction(_ name: String) throws(RPCFault) -> SignedTransaction {
        let wanted = "the bytes of a signed transaction in base64 or hexadecimal"
        guard let text = try text(name, wanted) else { throw .invalidParameter(name, "missing") }
        guard text.utf8.count <= 2 * TransactionLimits.bytesMax else {
            throw .invalidParameter(
                name, "too long: a transaction has at most \(TransactionLimits.bytesMax) bytes")
        }
        guard let bytes = Hex.decode(text) ?? Base64.decode(text) else {
            throw .invalidParameter(name, "neither base64 nor hexadecimal; wanted \(wanted)")
        }
        do throws(BCSError) {
            return try SignedTransaction(bcs: bytes)
        } catch {
            throw .invalidParameter(name, "not a signed transaction: \(error.description)")
        }
    }

    func text(_ name: String, _ wanted: String) throws(RPCFault) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.text else {
            throw .invalidParameter(name, "\(value.kindName) where \(wanted) is wanted")
        }
        return text
    }

    private func number(
        _ value: JSONValue, _ name: String, in range: ClosedRange<UInt64>
    ) throws(RPCFault) -> UInt64 {
        let wanted = "a whole number \(range.lowerBound)...\(range.upperBound) is wanted"
        guard case .number(let digits) = value else {
            throw .invalidParameter(name, "\(value.kindName) where \(wanted)")
        }
        let allowed = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard digits.utf8.allSatisfy(allowed.contains), let number = UInt64(digits),
            range.contains(number)
        else {
            throw .invalidParameter(name, "\(digits.prefix(40)) where \(wanted)")
        }
        return number
    }
}
