package import Primitives

/// An error as a client gets it: a stable code, a sentence, and data that a program can act on.
package struct RPCFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The stable codes: JSON-RPC 2.0's own, then the project's.
    package enum Code: Int, CaseIterable, Sendable {
        /// The body isn't JSON.
        case parseError = -32700
        /// The JSON isn't a request, or is above a limit; `reason` in the data tells which.
        case invalidRequest = -32600
        /// No method has this name.
        case methodNotFound = -32601
        /// A parameter is missing, unknown or wrong; `parameter` in the data names it.
        case invalidParameters = -32602
        /// The node failed; its log says how.
        case internalError = -32603
        /// The transaction can't be accepted; `reason` in the data is a `SkipReason`'s name.
        case refused = -32001
        /// Nothing is known by this name; `kind` and `id` in the data repeat what was asked.
        case notFound = -32002
        /// The node can't serve this now; `reasons` in the data say why.
        case unavailable = -32003
        /// Too much at once; ask again after `retryAfterMilliseconds` in the data.
        case overloaded = -32004
    }

    package let code: Int
    /// A sentence for people.
    package let message: String
    /// An object, or nil.
    package let data: JSONValue?

    package init(code: Int, message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    package init(_ code: Code, _ message: String, data: [JSONMember] = []) {
        self.init(
            code: code.rawValue, message: message, data: data.isEmpty ? nil : .object(data))
    }

    package var description: String { message }
}

extension RPCFault {
    /// A transaction that could not execute.
    package static func refused(_ reason: SkipReason, _ sentence: String) -> RPCFault {
        RPCFault(
            .refused, sentence,
            data: [
                JSONMember("reason", .string(reason.name)),
                JSONMember("code", .number(String(reason.rawValue))),
                JSONMember("mayRetry", .bool(reason.mayRetry)),
            ])
    }

    /// Nothing of this kind ("block", "account", "escrow") with this name.
    package static func notFound(kind: String, id: String) -> RPCFault {
        RPCFault(
            .notFound, "no \(kind) \(id)",
            data: [JSONMember("kind", .string(kind)), JSONMember("id", .string(id))])
    }

    /// The node can't do this now, for these reasons.
    package static func unavailable(_ reasons: [String]) -> RPCFault {
        RPCFault(
            .unavailable, "the node can't serve this now: " + reasons.joined(separator: "; "),
            data: [JSONMember("reasons", .array(reasons.map { .string($0) }))])
    }

    /// Too much at once.
    package static func overloaded(retryAfterMilliseconds: UInt64) -> RPCFault {
        RPCFault(
            .overloaded, "too many requests: try again in \(retryAfterMilliseconds) ms",
            data: [
                JSONMember("retryAfterMilliseconds", .number(String(retryAfterMilliseconds)))
            ])
    }

    /// Something that the client can't help; details belong into the log, never here.
    package static let internalError = RPCFault(
        .internalError, "the node failed to answer; its log says why")

    /// A parameter that isn't what it should be.
    package static func invalidParameter(_ name: String, _ sentence: String) -> RPCFault {
        RPCFault(
            .invalidParameters, "parameter \"\(name)\": \(sentence)",
            data: [JSONMember("parameter", .string(name))])
    }

    /// A request that isn't one; `reason` is stable.
    package static func invalidRequest(_ reason: String, _ sentence: String) -> RPCFault {
        RPCFault(.invalidRequest, sentence, data: [JSONMember("reason", .string(reason))])
    }
}
