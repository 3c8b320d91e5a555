internal import Primitives

/// What the two ends of a link say to each other, in control frames.
///
/// After the TLS handshake each end sends `hello`. The end with the lower peer id decides: it
/// answers with `welcome`, or closes the link when another one is in use. The link is open for it
/// when it sends `welcome`, for the other when that arrives: no frame is ever sent on a link that
/// loses. Wire: BCS; variant, then the fields.
enum LinkMessage: Hashable, BCSCodable {
    /// The protocol's version, and a number that the sender drew when it started: another number
    /// says that the sender lost all it knew of this link's predecessor.
    case hello(version: UInt16, start: UInt64)
    case welcome
    /// A number to send back.
    case ping(UInt64)
    case pong(UInt64)
    /// Why the sender closes the link, for the other's log; at most 200 bytes.
    case goodbye(String)

    static let version: UInt16 = 1
    private static let reasonBytesMax = 200

    func encode(to writer: inout BCSWriter) {
        switch self {
        case .hello(let version, let start):
            writer.appendVariant(0)
            writer.append(version)
            writer.append(start)
        case .welcome: writer.appendVariant(1)
        case .ping(let number):
            writer.appendVariant(2)
            writer.append(number)
        case .pong(let number):
            writer.appendVariant(3)
            writer.append(number)
        case .goodbye(let reason):
            writer.appendVariant(4)
            var bytes = Array(reason.utf8.prefix(LinkMessage.reasonBytesMax))
            while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
            writer.appendBytes(bytes)
        }
    }

    init(from reader: inout BCSReader) throws(BCSError) {
        switch try reader.readULEB128() {
        case 0: self = .hello(version: try reader.readUInt16(), start: try reader.readUInt64())
        case 1: self = .welcome
        case 2: self = .ping(try reader.readUInt64())
        case 3: self = .pong(try reader.readUInt64())
        case 4: self = .goodbye(try reader.readString(maximum: LinkMessage.reasonBytesMax))
        case let variant: throw reader.fault(.unknownVariant(variant))
        }
    }
}
