/// A request of JSON-RPC 2.0.
struct RPCRequest: Sendable {
    let method: Method
    /// An array, an object, or nil.
    let parameters: JSONValue?
    /// A string, a number or null; nil for a notification, which gets no answer.
    let id: JSONValue?
}

/// What a request comes to before anything is carried out.
enum ReadRequest: Sendable {
    case request(RPCRequest)
    /// Not carried out; answered under this id, or not at all if it is a notification (nil).
    case fault(RPCFault, id: JSONValue?)

    /// Reads one element of a body.
    init(_ json: JSONValue) {
        guard case .object = json else {
            self = .fault(
                .invalidRequest("notAnObject", "\(json.kindName) where a request is wanted"),
                id: .null)
            return
        }
        let id = json["id"]
        do throws(RPCFault) {
            let (name, parameters) = try ReadRequest.envelope(json)
            do throws(RPCFault) {
                self = .request(
                    RPCRequest(
                        method: try MethodTable.method(name), parameters: parameters, id: id))
            } catch {
                self = .fault(error, id: id)
            }
        } catch {
            self = .fault(error, id: id.flatMap { $0.isRequestID ? $0 : nil } ?? .null)
        }
    }

    private static func envelope(
        _ json: JSONValue
    ) throws(RPCFault) -> (name: String, parameters: JSONValue?) {
        guard json["jsonrpc"] == .string("2.0") else {
            throw .invalidRequest("version", "the member \"jsonrpc\" must be \"2.0\"")
        }
        guard let name = json["method"]?.text else {
            throw .invalidRequest("method", "the member \"method\" must be a string")
        }
        if let id = json["id"], !id.isRequestID {
            throw .invalidRequest(
                "id",
                "an id is a string or number of at most \(RPCLimits.idBytesMax) bytes, or null")
        }
        switch json["params"] {
        case nil: return (name, nil)
        case .array(let elements)?: return (name, .array(elements))
        case .object(let members)?: return (name, .object(members))
        case let other?:
            throw .invalidRequest(
                "params", "\(other.kindName) where an array or object of parameters is wanted")
        }
    }
}

extension JSONValue {
    /// Whether a request may carry it as its id: no more than `idBytesMax` bytes.
    var isRequestID: Bool {
        switch self {
        case .null: true
        case .number(let text), .string(let text): text.utf8.count <= RPCLimits.idBytesMax
        case .bool, .array, .object: false
        }
    }
}

/// Answers of JSON-RPC 2.0 as text.
enum RPCAnswer {
    static func success(_ result: [UInt8], id: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.append(raw: "{\"jsonrpc\":\"2.0\",\"result\":")
        writer.append(raw: result)
        writer.append(raw: ",\"id\":")
        writer.append(id)
        writer.append(raw: "}")
        return writer.bytes
    }

    static func failure(_ fault: RPCFault, id: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.append(raw: "{\"jsonrpc\":\"2.0\",\"error\":")
        writer.append(fault.json)
        writer.append(raw: ",\"id\":")
        writer.append(id)
        writer.append(raw: "}")
        return writer.bytes
    }

    /// Several answers; nil if there are none.
    static func batch(_ answers: [[UInt8]]) -> [UInt8]? {
        guard !answers.isEmpty else { return nil }
        var writer = JSONWriter()
        writer.append(raw: "[")
        for (index, answer) in answers.enumerated() {
            if index > 0 { writer.append(raw: ",") }
            writer.append(raw: answer)
        }
        writer.append(raw: "]")
        return writer.bytes
    }
}

extension RPCFault {
    /// The error object.
    var json: JSONValue {
        var members = [
            JSONMember("code", .number(String(code))), JSONMember("message", .string(message)),
        ]
        if let data { members.append(JSONMember("data", data)) }
        return .object(members)
    }

    /// The fault of an error object; nil if it isn't one.
    init?(json: JSONValue) {
        guard case .number(let digits)? = json["code"], let code = Int(digits),
            let message = json["message"]?.text
        else { return nil }
        self.init(code: code, message: message, data: json["data"])
    }
}
