/// The description of every method in the form of the OpenRPC specification 1.3.2.
package enum OpenRPC {
    /// The document as JSON text.
    package static func document(version: String) -> [UInt8] {
        JSONValue.object([
            JSONMember("openrpc", .string("1.3.2")),
            JSONMember(
                "info",
                .object([
                    JSONMember("title", .string("Offpeak")),
                    JSONMember("version", .string(version)),
                ])),
            JSONMember("methods", .array(MethodTable.methods.map(describe))),
        ]).encoded
    }

    private static func describe(_ method: Method) -> JSONValue {
        .object([
            JSONMember("name", .string(method.name)),
            JSONMember("summary", .string(method.summary)),
            JSONMember("paramStructure", .string("either")),
            JSONMember("params", .array(method.parameters.map(describe))),
            JSONMember(
                "result",
                .object([
                    JSONMember("name", .string(method.answer)),
                    JSONMember("schema", Schema.object(method.answer)),
                ])),
            JSONMember("errors", .array(RPCFault.Code.allCases.map(describe))),
        ])
    }

    private static func describe(_ parameter: Parameter) -> JSONValue {
        .object([
            JSONMember("name", .string(parameter.name)),
            JSONMember("summary", .string(parameter.summary)),
            JSONMember("required", .bool(parameter.isRequired)),
            JSONMember("schema", parameter.kind.schema),
        ])
    }

    private static func describe(_ code: RPCFault.Code) -> JSONValue {
        .object([
            JSONMember("code", .number(String(code.rawValue))),
            JSONMember("message", .string("\(code)")),
        ])
    }
}
