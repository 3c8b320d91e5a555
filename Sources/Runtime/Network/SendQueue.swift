internal import DequeModule
internal import NIOCore

/// A payload as it travels: packed where that saves room.
struct PreparedFrame {
    let kind: FrameKind
    let isCompressed: Bool
    let bytes: [UInt8]

    init(_ frame: OutgoingFrame, _ zstd: Zstd) {
        kind = frame.kind
        let packed =
            frame.payload.count > FrameFormat.compressionBytesMin ? zstd.pack(frame.payload) : nil
        isCompressed = packed != nil
        bytes = packed ?? frame.payload
    }
}

/// What waits to be written to one peer: in order within a kind, kinds by priority, in pieces small
/// enough that what is urgent never waits for long.
struct SendQueue {
    private var waiting = [Deque<PreparedFrame>](
        repeating: [], count: FrameKind.allCases.count)
    /// Bytes of each kind's first frame that were written already.
    private var written = [Int](repeating: 0, count: FrameKind.allCases.count)
    private var byteCounts = [Int](repeating: 0, count: FrameKind.allCases.count)

    var isEmpty: Bool { waiting.allSatisfy(\.isEmpty) }

    /// Bytes of `kind` that wait.
    func byteCount(of kind: FrameKind) -> Int { byteCounts[Int(kind.rawValue)] }

    /// Adds a frame; false if its kind has no room left.
    mutating func add(_ frame: PreparedFrame) -> Bool {
        let place = Int(frame.kind.rawValue)
        let count = frame.bytes.count + FrameFormat.headerBytes
        guard byteCounts[place] + count <= frame.kind.waitingBytesMax else { return false }
        byteCounts[place] += count
        waiting[place].append(frame)
        return true
    }

    /// The next bytes to write, at most `FrameFormat.recordBytesMax`: the most urgent first.
    mutating func nextRecord() -> ByteBuffer? {
        if isEmpty { return nil }
        var record = ByteBuffer()
        record.reserveCapacity(min(FrameFormat.recordBytesMax, totalBytes))
        for kind in FrameKind.allCases {
            while record.readableBytes + FrameFormat.headerBytes < FrameFormat.recordBytesMax,
                let frame = waiting[Int(kind.rawValue)].first
            {
                writeChunk(of: frame, to: &record)
            }
        }
        return record
    }

    private var totalBytes: Int { byteCounts.reduce(0, +) }

    private mutating func writeChunk(of frame: PreparedFrame, to record: inout ByteBuffer) {
        let place = Int(frame.kind.rawValue)
        let room =
            FrameFormat.recordBytesMax - record.readableBytes - FrameFormat.headerBytes
        let start = written[place]
        let count = min(room, frame.bytes.count - start)
        let isLast = start + count == frame.bytes.count
        var flags = isLast ? 0 : FrameFormat.more
        if frame.isCompressed { flags |= FrameFormat.compressed }
        record.writeInteger(frame.kind.rawValue)
        record.writeInteger(flags)
        record.writeInteger(UInt32(count), endianness: .little)
        record.writeBytes(frame.bytes[start..<start + count])
        if isLast {
            waiting[place].removeFirst()
            written[place] = 0
            byteCounts[place] -= frame.bytes.count + FrameFormat.headerBytes
        } else {
            written[place] = start + count
        }
    }
}
