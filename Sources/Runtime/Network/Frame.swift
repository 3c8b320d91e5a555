/// What a frame is for: its limit, its priority and what happens when too many wait.
package enum FrameKind: UInt8, CaseIterable, Sendable {
    /// The link's own messages; not for others.
    case control = 0
    /// Proposals, votes, notarizations, nullifications, finalizations.
    case consensus = 1
    /// Acks and batch certificates.
    case certificates = 2
    /// Transactions on their way to a shard's owner.
    case transactions = 3
    /// Batch bodies.
    case batches = 4
    /// Requests for what was missed, and the answers.
    case sync = 5

    /// Bytes of a payload, unpacked, at most; what is larger is refused before it is held.
    package var payloadBytesMax: Int {
        switch self {
        case .control: 4 << 10
        // A proposal with its certificates.
        case .consensus: 2 << 20
        case .certificates: 256 << 10
        case .transactions: 1 << 20
        // A full batch of 1 MiB with its header.
        case .batches: 2 << 20
        case .sync: 4 << 20
        }
    }

    /// Bytes that may wait for one peer: some seconds of full load. The peer is far behind then,
    /// and asks for what it missed when it is back.
    package var waitingBytesMax: Int {
        switch self {
        case .control: 64 << 10
        case .consensus, .certificates: 8 << 20
        case .transactions: 4 << 20
        case .batches: 16 << 20
        case .sync: 8 << 20
        }
    }

    /// What happens when more would wait than `waitingBytesMax`.
    ///
    /// A lost vote, ack or batch would leave the peer waiting for it, so the link is closed: both
    /// sides then know, and start over. Transactions are handed over again by their sender's node,
    /// and a request without an answer is put to another peer: these are refused, newest first.
    package var closesLinkWhenFull: Bool {
        switch self {
        case .control, .consensus, .certificates, .batches: true
        case .transactions, .sync: false
        }
    }

    /// The stable name, for figures and status.
    package var name: String { String(describing: self) }
}

/// A frame that arrived whole.
package struct Frame: Hashable, Sendable {
    package let kind: FrameKind
    package let payload: [UInt8]

    package init(kind: FrameKind, payload: [UInt8]) {
        self.kind = kind
        self.payload = payload
    }
}

/// A frame to send; sent in order among frames of its kind.
package struct OutgoingFrame: Hashable, Sendable {
    package let kind: FrameKind
    /// At most `kind.payloadBytesMax` bytes.
    package let payload: [UInt8]

    package init(_ kind: FrameKind, _ payload: [UInt8]) {
        precondition(
            payload.count <= kind.payloadBytesMax, "\(payload.count) bytes of \(kind.name)")
        self.kind = kind
        self.payload = payload
    }
}

/// Why bytes aren't frames. The link that they came from is closed.
package enum FrameFault: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownKind(UInt8)
    case unknownFlags(UInt8)
    case emptyChunk(FrameKind)
    case chunkTooLong(FrameKind, Int)
    case payloadTooLong(FrameKind, Int)
    /// Chunks of one frame that disagree about its compression.
    case mixedChunks(FrameKind)
    /// Compressed bytes without a length, or that don't unpack to exactly their length.
    case badCompression(FrameKind)
    /// Another kind before the link is open, or a control message out of turn.
    case outOfTurn(FrameKind)
    case badControl(String)

    package var description: String {
        switch self {
        case .unknownKind(let kind): "a frame of the unknown kind \(kind)"
        case .unknownFlags(let flags): "a frame with unknown flags \(flags)"
        case .emptyChunk(let kind): "an empty chunk in a \(kind.name) frame"
        case .chunkTooLong(let kind, let count):
            "a chunk of \(count) bytes in a \(kind.name) frame, at most "
                + "\(FrameFormat.chunkBytesMax) are allowed"
        case .payloadTooLong(let kind, let count):
            "a \(kind.name) frame of \(count) bytes, at most \(kind.payloadBytesMax) are allowed"
        case .mixedChunks(let kind): "chunks of a \(kind.name) frame that don't belong together"
        case .badCompression(let kind): "a \(kind.name) frame that can't be unpacked"
        case .outOfTurn(let kind): "a \(kind.name) frame out of turn"
        case .badControl(let what): "a malformed control message: \(what)"
        }
    }
}

/// Bytes of frames on a link.
///
/// A frame travels as one or more chunks; chunks of different kinds may alternate, so that a vote
/// never waits for the rest of a batch. Chunk: kind (u8), flags (u8: bit 0 the payload is
/// compressed, bit 1 more chunks of this frame follow), length (u32 LE), bytes. A compressed
/// payload: length when unpacked (u32 LE), one zstd frame.
enum FrameFormat {
    static let headerBytes = 6
    static let compressed: UInt8 = 1
    static let more: UInt8 = 2
    /// Bytes of a chunk that are accepted.
    static let chunkBytesMax = 64 << 10
    /// Bytes that are written at once, headers included: one TLS record.
    static let recordBytesMax = 16 << 10
    /// Payloads above this are compressed where that makes them shorter.
    static let compressionBytesMin = 1 << 10
}
