package import Primitives

/// A host (numeric IPv4 or IPv6, or a name) with a port. Wire: text of 1...255 bytes, two bytes.
package struct Endpoint: Hashable, Comparable, Sendable, BCSCodable, CustomStringConvertible {
    package let host: String
    package let port: UInt16

    /// The endpoint, or nil for a host that can't be one or port 0.
    package init?(host: String, port: UInt16) {
        guard Endpoint.isHost(host), port > 0 else { return nil }
        self.host = host
        self.port = port
    }

    private static func isHost(_ text: String) -> Bool {
        let bytes = text.utf8
        guard 1...GossipLimits.hostBytesMax ~= bytes.count else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"):
                true
            default: false
            }
        }
    }

    package static func < (left: Endpoint, right: Endpoint) -> Bool {
        (left.host, left.port) < (right.host, right.port)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(host)
        writer.append(port)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let host = try reader.readString(maximum: GossipLimits.hostBytesMax)
        let port = try reader.readUInt16()
        guard let endpoint = Endpoint(host: host, port: port) else {
            throw BCSError(.invalidValue("a host or port that can't be"), at: start)
        }
        self = endpoint
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Where a node is reached, and by what. Wire: variant, endpoint.
package struct PeerAddress: Hashable, Sendable, BCSCodable {
    package enum Transport: UInt32, Hashable, Sendable {
        /// TCP with TLS: everything that must arrive.
        case links = 0
        /// UDP: membership.
        case gossip = 1
    }

    package let transport: Transport
    package let endpoint: Endpoint

    package init(_ transport: Transport, _ endpoint: Endpoint) {
        self.transport = transport
        self.endpoint = endpoint
    }

    package func encode(to writer: inout BCSWriter) {
        writer.appendVariant(transport.rawValue)
        writer.append(endpoint)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let variant = try reader.readULEB128()
        guard let transport = Transport(rawValue: variant) else {
            throw BCSError(.unknownVariant(variant), at: start)
        }
        self.init(transport, try reader.read())
    }
}
