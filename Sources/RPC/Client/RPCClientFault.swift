/// Why a call had no result.
package enum RPCClientFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The node answered with an error.
    case fault(RPCFault)
    /// Nobody answers at this address.
    case unreachable(address: String, cause: String)
    /// The connection ended before the answer.
    case disconnected(address: String, cause: String)
    case timedOut(method: String, milliseconds: Int64)
    /// An answer of HTTP that isn't one of JSON-RPC.
    case unexpectedStatus(Int, address: String)
    /// An answer that isn't JSON-RPC of the expected shape.
    case malformed(String, address: String)

    package var description: String {
        switch self {
        case .fault(let fault): fault.message
        case .unreachable(let address, let cause):
            "no node answers at \(address) (\(cause)): start one with \"offpeak node\", or name "
                + "another's RPC address as HOST:PORT"
        case .disconnected(let address, let cause):
            "the node at \(address) ended the connection (\(cause)): see whether it still runs"
        case .timedOut(let method, let milliseconds):
            "\(method) had no answer within \(milliseconds) ms: the node is busy or stopped; try "
                + "again or with a longer time-out"
        case .unexpectedStatus(let status, let address):
            "\(address) answered HTTP status \(status) where JSON-RPC was expected: is it the "
                + "node's RPC port?"
        case .malformed(let what, let address):
            "\(address) answered something other than JSON-RPC (\(what)): is it the node's RPC "
                + "port, and of this version?"
        }
    }
}
