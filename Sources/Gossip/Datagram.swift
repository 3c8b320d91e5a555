internal import Primitives

/// The bytes of a datagram around what is sealed in it. Numbers are little-endian.
///
/// ```
/// sealed     1, 0, sender (32), timestamp (8), counter (8), salt (8), cookie (8), box
/// challenge  1, 1, salt (8), peer id (32), cookie (8)
/// hello      1, 2, salt (8), chain id (32), 24 zero bytes
/// ```
///
/// The box holds the cookie that this end wants from the other (8; zero: none), then a message. Its
/// nonce is timestamp, counter and salt. Both directions of a pair share a key: the lowest bit of
/// the salt says which of the two sent, so that neither can be answered with its own datagrams.
enum Datagram: Hashable, Sendable {
    case sealed(Envelope)
    /// The cookie that the address must send back with what it sent, and who wants it.
    case challenge(Challenge)
    /// Asks who is at an address.
    case hello(salt: UInt64, chain: ChainID)

    struct Envelope: Hashable, Sendable {
        let sender: PeerID
        /// Milliseconds since 1970.
        let timestamp: Timestamp
        /// Rises by one with each datagram from the sender to the receiver.
        let counter: UInt64
        let salt: UInt64
        /// What the receiver wanted from this sender's address; zero before it said so.
        let cookie: UInt64
        let box: [UInt8]

        var nonce: BoxNonce { BoxNonce(timestamp.rawValue, counter, salt) }

        /// Whether the salt's lowest bit fits who sends to whom.
        func isDirected(to receiver: PeerID) -> Bool {
            salt & 1 == Datagram.direction(from: sender, to: receiver)
        }
    }

    struct Challenge: Hashable, Sendable {
        /// Of the datagram that is answered: only who received it can know it.
        let salt: UInt64
        let peerID: PeerID
        let cookie: UInt64
    }

    static let version: UInt8 = 1
    static let envelopeBytes = 66
    static let challengeBytes = 50
    static let helloBytes = 66
    /// Bytes of cookie and message in a box.
    static let plaintextBytesMax =
        GossipLimits.datagramBytesMax - envelopeBytes - SharedKey.overheadBytes

    /// 0 from the lower id to the higher, 1 back.
    static func direction(from sender: PeerID, to receiver: PeerID) -> UInt64 {
        sender < receiver ? 0 : 1
    }

    var bytes: [UInt8] {
        var writer = BCSWriter(capacity: GossipLimits.datagramBytesMax)
        writer.append(Datagram.version)
        switch self {
        case .sealed(let envelope):
            writer.append(UInt8(0))
            writer.append(envelope.sender)
            writer.append(envelope.timestamp)
            writer.append(envelope.counter)
            writer.append(envelope.salt)
            writer.append(envelope.cookie)
            writer.appendFixed(envelope.box)
        case .challenge(let challenge):
            writer.append(UInt8(1))
            writer.append(challenge.salt)
            writer.append(challenge.peerID)
            writer.append(challenge.cookie)
        case .hello(let salt, let chain):
            writer.append(UInt8(2))
            writer.append(salt)
            writer.append(chain)
            writer.appendFixed([UInt8](repeating: 0, count: 24))
        }
        return writer.bytes
    }

    /// The datagram in `bytes`, which may be anything.
    /// - Throws: `BCSError` for anything else than the forms above.
    init(_ bytes: [UInt8]) throws(BCSError) {
        var reader = BCSReader(bytes)
        guard bytes.count <= GossipLimits.datagramBytesMax else {
            throw reader.fault(
                .tooLong(count: bytes.count, maximum: GossipLimits.datagramBytesMax))
        }
        let version = try reader.readUInt8()
        guard version == Datagram.version else {
            throw reader.fault(.invalidValue("version \(version)"))
        }
        switch try reader.readUInt8() {
        case 0: self = .sealed(try Datagram.readEnvelope(&reader))
        case 1:
            self = .challenge(
                Challenge(
                    salt: try reader.readUInt64(), peerID: try reader.read(),
                    cookie: try reader.readUInt64()))
        case 2: self = try Datagram.readHello(&reader)
        case let kind: throw reader.fault(.unknownVariant(UInt32(kind)))
        }
        try reader.finish()
    }

    private static func readEnvelope(_ reader: inout BCSReader) throws(BCSError) -> Envelope {
        Envelope(
            sender: try reader.read(), timestamp: try reader.read(),
            counter: try reader.readUInt64(), salt: try reader.readUInt64(),
            cookie: try reader.readUInt64(), box: try reader.readFixed(reader.remaining))
    }

    /// A hello is padded: the challenge that answers it must not be larger.
    private static func readHello(_ reader: inout BCSReader) throws(BCSError) -> Datagram {
        let salt = try reader.readUInt64()
        let chain = try reader.read(ChainID.self)
        let start = reader.offset
        guard try reader.readFixed(24).allSatisfy({ $0 == 0 }) else {
            throw BCSError(.invalidValue("padding that isn't zero"), at: start)
        }
        return .hello(salt: salt, chain: chain)
    }
}
