internal import NIOCore

/// Makes frames of a link's bytes. It holds what arrived and nothing more: a declared length
/// allocates nothing.
struct FrameDecoder {
    private var buffer = ByteBuffer()
    /// The frames under way, by kind.
    private var partial = [Partial?](repeating: nil, count: FrameKind.allCases.count)

    /// Bytes of whole chunks that arrived so far, headers included, by kind.
    private(set) var byteCounts = [UInt64](repeating: 0, count: FrameKind.allCases.count)

    /// Bytes that arrived and aren't a whole frame yet.
    var heldBytes: Int { buffer.readableBytes + partial.reduce(0) { $0 + ($1?.bytes.count ?? 0) } }

    private struct Partial {
        var isCompressed: Bool
        var bytes: [UInt8]
    }

    private struct Header {
        let kind: FrameKind
        let isCompressed: Bool
        let isLast: Bool
        let count: Int
    }

    /// Takes bytes that arrived.
    mutating func receive(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            var bytes = bytes
            buffer.writeBuffer(&bytes)
        }
    }

    /// Drops what arrived and isn't a whole frame.
    mutating func forget() {
        buffer = ByteBuffer()
        partial = [Partial?](repeating: nil, count: FrameKind.allCases.count)
    }

    /// The next whole frame, or nil until more bytes arrive.
    mutating func next(_ zstd: Zstd) throws(FrameFault) -> Frame? {
        while let header = try readHeader() {
            guard let bytes = buffer.readBytes(length: header.count) else {
                // The header is read again when the chunk is whole.
                buffer.moveReaderIndex(to: buffer.readerIndex - FrameFormat.headerBytes)
                return nil
            }
            byteCounts[Int(header.kind.rawValue)] += UInt64(FrameFormat.headerBytes + bytes.count)
            if let frame = try add(bytes, header, zstd) { return frame }
        }
        return nil
    }

    private mutating func readHeader() throws(FrameFault) -> Header? {
        guard buffer.readableBytes >= FrameFormat.headerBytes,
            let kindByte: UInt8 = buffer.readInteger(), let flags: UInt8 = buffer.readInteger(),
            let count: UInt32 = buffer.readInteger(endianness: .little)
        else { return nil }
        guard let kind = FrameKind(rawValue: kindByte) else { throw .unknownKind(kindByte) }
        guard flags & ~(FrameFormat.compressed | FrameFormat.more) == 0 else {
            throw .unknownFlags(flags)
        }
        let header = Header(
            kind: kind, isCompressed: flags & FrameFormat.compressed != 0,
            isLast: flags & FrameFormat.more == 0, count: Int(count))
        try check(header)
        return header
    }

    private func check(_ header: Header) throws(FrameFault) {
        let kind = header.kind
        guard header.count <= FrameFormat.chunkBytesMax else {
            throw .chunkTooLong(kind, header.count)
        }
        let held = partial[Int(kind.rawValue)]
        // A packed payload is never longer than the plain one may be.
        let total = (held?.bytes.count ?? 0) + header.count
        guard total <= kind.payloadBytesMax else { throw .payloadTooLong(kind, total) }
        if let held, held.isCompressed != header.isCompressed { throw .mixedChunks(kind) }
        let mayBeEmpty = header.isLast && held == nil
        guard header.count > 0 || mayBeEmpty else { throw .emptyChunk(kind) }
    }

    private mutating func add(
        _ bytes: [UInt8], _ header: Header, _ zstd: Zstd
    ) throws(FrameFault) -> Frame? {
        let place = Int(header.kind.rawValue)
        var whole = bytes
        if var held = partial[place] {
            // Taken out while it grows, so that its bytes aren't copied.
            partial[place] = nil
            held.bytes += bytes
            whole = held.bytes
        }
        guard header.isLast else {
            partial[place] = Partial(isCompressed: header.isCompressed, bytes: whole)
            return nil
        }
        guard header.isCompressed else { return Frame(kind: header.kind, payload: whole) }
        let maximum = header.kind.payloadBytesMax
        guard let payload = zstd.unpack(whole, maximum: maximum) else {
            throw .badCompression(header.kind)
        }
        return Frame(kind: header.kind, payload: payload)
    }
}
