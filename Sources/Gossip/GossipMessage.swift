internal import Primitives

/// What a sealed datagram says, with the news that it carries along. Wire: variant and fields of
/// the body, then a list of at most 32 news.
struct GossipMessage: Hashable, Sendable, BCSCodable {
    let body: Body
    var news: [News]

    enum Body: Hashable, Sendable {
        /// Are you there? `sequence` is that of the receiver's record as the sender has it; 0 for
        /// none.
        case ping(number: UInt64, sequence: UInt64)
        /// I am, or another is whom you asked me to ping.
        case ack(number: UInt64)
        /// He doesn't answer me either, up to now.
        case nack(number: UInt64)
        /// Ping him for me, under this number.
        case pingRequest(number: UInt64, target: PeerID)
        /// News only.
        case news
        /// What the sender has.
        case digest(RecordDigest)
        /// Records that the sender of a digest lacks; whether there were more.
        case records(hasMore: Bool)
        /// Records that the sender lacks, by the prefixes of their peers.
        case wanted([UInt64])
    }

    func encode(to writer: inout BCSWriter) {
        body.encode(to: &writer)
        writer.append(list: news)
    }

    init(_ body: Body, news: [News] = []) {
        self.body = body
        self.news = news
    }

    init(from reader: inout BCSReader) throws(BCSError) {
        body = try reader.read()
        news = try reader.readList(maximum: GossipLimits.newsMax, elementBytes: 73)
    }
}

extension GossipMessage.Body: BCSCodable {
    func encode(to writer: inout BCSWriter) {
        switch self {
        case .ping(let number, let sequence):
            writer.appendVariant(0)
            writer.append(number)
            writer.append(sequence)
        case .ack(let number):
            writer.appendVariant(1)
            writer.append(number)
        case .nack(let number):
            writer.appendVariant(2)
            writer.append(number)
        case .pingRequest(let number, let target):
            writer.appendVariant(3)
            writer.append(number)
            writer.append(target)
        case .news: writer.appendVariant(4)
        case .digest(let digest):
            writer.appendVariant(5)
            writer.append(digest)
        case .records(let hasMore):
            writer.appendVariant(6)
            writer.append(hasMore)
        case .wanted(let prefixes):
            writer.appendVariant(7)
            writer.appendLength(prefixes.count)
            for prefix in prefixes { writer.append(prefix) }
        }
    }

    init(from reader: inout BCSReader) throws(BCSError) {
        switch try reader.readULEB128() {
        case 0:
            self = .ping(number: try reader.readUInt64(), sequence: try reader.readUInt64())
        case 1: self = .ack(number: try reader.readUInt64())
        case 2: self = .nack(number: try reader.readUInt64())
        case 3:
            self = .pingRequest(number: try reader.readUInt64(), target: try reader.read())
        case 4: self = .news
        case 5: self = .digest(try reader.read())
        case 6: self = .records(hasMore: try reader.readBool())
        case 7: self = .wanted(try GossipMessage.Body.readPrefixes(&reader))
        case let variant: throw reader.fault(.unknownVariant(variant))
        }
    }

    private static func readPrefixes(_ reader: inout BCSReader) throws(BCSError) -> [UInt64] {
        let count = try reader.readLength(
            maximum: GossipLimits.digestEntriesMax, elementBytes: 8)
        var prefixes: [UInt64] = []
        for _ in 0..<count { prefixes.append(try reader.readUInt64()) }
        return prefixes
    }
}

/// What a node has in a range of prefixes: nothing else than what is listed. Wire: lowest and
/// highest prefix, list of entries by rising prefix.
struct RecordDigest: Hashable, Sendable, BCSCodable {
    let range: ClosedRange<UInt64>
    let entries: [Entry]

    /// Wire: prefix, sequence, whether the sender takes the node for dead.
    struct Entry: Hashable, Sendable, BCSCodable {
        let prefix: UInt64
        let sequence: UInt64
        let isDown: Bool

        init(prefix: UInt64, sequence: UInt64, isDown: Bool) {
            self.prefix = prefix
            self.sequence = sequence
            self.isDown = isDown
        }

        func encode(to writer: inout BCSWriter) {
            writer.append(prefix)
            writer.append(sequence)
            writer.append(isDown)
        }

        init(from reader: inout BCSReader) throws(BCSError) {
            prefix = try reader.readUInt64()
            sequence = try reader.readUInt64()
            isDown = try reader.readBool()
        }
    }

    init(range: ClosedRange<UInt64>, entries: [Entry]) {
        self.range = range
        self.entries = entries
    }

    func encode(to writer: inout BCSWriter) {
        writer.append(range.lowerBound)
        writer.append(range.upperBound)
        writer.append(list: entries)
    }

    init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let lowest = try reader.readUInt64()
        let highest = try reader.readUInt64()
        guard lowest <= highest else { throw BCSError(.unsorted, at: start) }
        range = lowest...highest
        entries = try reader.readSortedList(
            maximum: GossipLimits.digestEntriesMax, elementBytes: 17, by: \.prefix)
    }
}

/// Something that is passed on. Wire: variant, fields.
enum News: Hashable, Sendable, BCSCodable {
    case record(PeerRecord)
    /// `accuser` got no answer from the node whose record has this sequence.
    case suspicion(of: PeerID, sequence: UInt64, accuser: PeerID)

    /// Whom it is about.
    var subject: PeerID {
        switch self {
        case .record(let record): record.peerID
        case .suspicion(let peer, _, _): peer
        }
    }

    func encode(to writer: inout BCSWriter) {
        switch self {
        case .record(let record):
            writer.appendVariant(0)
            writer.append(record)
        case .suspicion(let peer, let sequence, let accuser):
            writer.appendVariant(1)
            writer.append(peer)
            writer.append(sequence)
            writer.append(accuser)
        }
    }

    init(from reader: inout BCSReader) throws(BCSError) {
        switch try reader.readULEB128() {
        case 0: self = .record(try reader.read())
        case 1:
            self = .suspicion(
                of: try reader.read(), sequence: try reader.readUInt64(),
                accuser: try reader.read())
        case let variant: throw reader.fault(.unknownVariant(variant))
        }
    }
}
