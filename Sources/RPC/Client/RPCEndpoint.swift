/// Where a node's RPC listens.
package struct RPCEndpoint: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: Int

    package init(host: String = "127.0.0.1", port: Int) {
        self.host = host
        self.port = port
    }

    /// Text that names no endpoint.
    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        package let text: String
        package var description: String {
            "\"\(text)\" isn't an RPC address: HOST:PORT is wanted, such as 127.0.0.1:8645"
        }
    }

    /// The endpoint of `HOST:PORT`, `[IPv6]:PORT`, or either with `http://` in front.
    package init(_ text: String) throws(Fault) {
        var rest = text[...]
        if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"),
            let port = UInt16(rest[rest.index(after: colon)...]), port > 0
        else { throw Fault(text: text) }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw Fault(text: text)
        }
        guard !host.isEmpty, !host.contains("/") else { throw Fault(text: text) }
        self.init(host: String(host), port: Int(port))
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
