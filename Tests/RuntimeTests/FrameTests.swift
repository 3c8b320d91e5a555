import NIOCore
import Primitives
import TestSupport
import Testing

@testable import Runtime

@Suite("Frames")
struct FrameTests {
    private let zstd = Zstd()

    /// The frames of a stream that arrives in pieces of `size` bytes.
    private func decode(_ bytes: [UInt8], piece size: Int = 7) throws(FrameFault) -> [Frame] {
        var decoder = FrameDecoder()
        var frames: [Frame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            decoder.receive(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + size)]))
            while let frame = try decoder.next(zstd) { frames.append(frame) }
        }
        return frames
    }

    private func encode(_ frames: [OutgoingFrame]) -> [UInt8] {
        let queue = Box(SendQueue())
        for frame in frames { #expect(queue.change { $0.add(PreparedFrame(frame, zstd)) }) }
        var bytes: [UInt8] = []
        while let record = queue.value.nextRecord() {
            #expect(record.readableBytes <= FrameFormat.recordBytesMax)
            bytes += Array(record.readableBytesView)
        }
        return bytes
    }

    private func fault(_ bytes: [UInt8]) -> FrameFault? {
        do throws(FrameFault) {
            _ = try decode(bytes)
            return nil
        } catch {
            return error
        }
    }

    private func chunk(
        _ kind: UInt8, _ flags: UInt8, _ count: UInt32, _ bytes: [UInt8] = []
    ) -> [UInt8] {
        [kind, flags] + withUnsafeBytes(of: count.littleEndian) { Array($0) } + bytes
    }

    @Test("Frames of every kind and size come back, in whatever pieces they arrive")
    func roundTrip() throws {
        let seed: UInt64 = 11
        var generator = SeededGenerator(seed: seed)
        // Noise stays as it is, zeros are packed.
        let noise = (0..<70_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var frames: [OutgoingFrame] = []
        for kind in FrameKind.allCases {
            for size in [0, 1, 1000, 1024, 1025, 16_378, 16_379, 70_000]
            where size <= kind.payloadBytesMax {
                frames.append(OutgoingFrame(kind, Array(noise[..<size])))
            }
            let zeros = [UInt8](repeating: 0, count: kind.payloadBytesMax)
            frames.append(OutgoingFrame(kind, zeros))
        }
        for size in [61, 4096, 1 << 20] {
            let found = try decode(encode(frames), piece: size)
            #expect(found.count == frames.count, "seed \(seed), pieces of \(size)")
            for kind in FrameKind.allCases {
                #expect(
                    found.filter { $0.kind == kind }.map(\.payload)
                        == frames.filter { $0.kind == kind }.map(\.payload))
            }
        }
    }

    @Test("What shrinks is packed, what doesn't isn't")
    func compression() {
        let zeros = OutgoingFrame(.batches, [UInt8](repeating: 0, count: 100_000))
        #expect(encode([zeros]).count < 1000)
        var generator = SeededGenerator(seed: 3)
        let noise = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(!PreparedFrame(OutgoingFrame(.batches, noise), zstd).isCompressed)
        let short = OutgoingFrame(.batches, [UInt8](repeating: 0, count: 1024))
        #expect(!PreparedFrame(short, zstd).isCompressed)
    }

    @Test("A stream that ends early gives no frame and no fault")
    func truncated() throws {
        let bytes = encode([OutgoingFrame(.consensus, [UInt8](0..<200))])
        for count in 0..<bytes.count {
            #expect(try decode(Array(bytes[..<count])).isEmpty)
        }
    }

    @Test("Wrong headers are refused before anything is held")
    func wrongHeaders() {
        #expect(fault(chunk(6, 0, 1, [1])) == .unknownKind(6))
        #expect(fault(chunk(255, 0, 1, [1])) == .unknownKind(255))
        #expect(fault(chunk(1, 4, 1, [1])) == .unknownFlags(4))
        #expect(fault(chunk(1, 0, .max)) == .chunkTooLong(.consensus, Int(UInt32.max)))
        #expect(fault(chunk(5, 0, 65_537)) == .chunkTooLong(.sync, 65_537))
        #expect(fault(chunk(0, 0, 4097)) == .payloadTooLong(.control, 4097))
        #expect(fault(chunk(1, 2, 0)) == .emptyChunk(.consensus))
        let first = chunk(1, 2, 1, [1])
        #expect(fault(first + chunk(1, 0, 0)) == .emptyChunk(.consensus))
        #expect(fault(first + chunk(1, 1, 1, [1])) == .mixedChunks(.consensus))
    }

    @Test("Chunks without end are refused at the kind's limit")
    func endless() {
        let piece = chunk(0, 2, 1024, [UInt8](repeating: 1, count: 1024))
        let bytes = piece + piece + piece + piece + piece
        #expect(fault(bytes) == .payloadTooLong(.control, 5120))
    }

    @Test("A bomb is refused by its declared length, a liar by what it unpacks to")
    func bombs() throws {
        let packed = try #require(zstd.pack([UInt8](repeating: 0, count: 64 << 20)))
        #expect(packed.count < 4 << 10 || packed.count < 64 << 10)
        func sent(_ kind: FrameKind, _ bytes: [UInt8]) -> FrameFault? {
            fault(chunk(kind.rawValue, 1, UInt32(bytes.count), bytes))
        }
        #expect(sent(.sync, packed) == .badCompression(.sync))
        // The same bytes with a harmless length.
        var liar = packed
        liar.replaceSubrange(0..<4, with: [0, 0, 1, 0])
        #expect(sent(.sync, liar) == .badCompression(.sync))
        #expect(sent(.sync, [1, 0, 0, 0]) == .badCompression(.sync))
        #expect(sent(.sync, [1, 0]) == .badCompression(.sync))
        #expect(sent(.sync, [4, 0, 0, 0, 1, 2, 3, 4]) == .badCompression(.sync))
    }

    @Test("A vote overtakes a large batch that is under way")
    func priority() throws {
        let queue = Box(SendQueue())
        var generator = SeededGenerator(seed: 5)
        let noise = (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(queue.change { $0.add(PreparedFrame(OutgoingFrame(.batches, noise), zstd)) })
        let first = queue.value.nextRecord()
        var bytes = Array(try #require(first).readableBytesView)
        #expect(queue.change { $0.add(PreparedFrame(OutgoingFrame(.consensus, [1, 2, 3]), zstd)) })
        let second = queue.value.nextRecord()
        let next = try #require(second)
        #expect(next.getInteger(at: 0, as: UInt8.self) == FrameKind.consensus.rawValue)
        bytes += Array(next.readableBytesView)
        while let record = queue.value.nextRecord() { bytes += Array(record.readableBytesView) }
        let frames = try decode(bytes, piece: 1 << 16)
        #expect(frames.map(\.kind) == [.consensus, .batches])
        #expect(frames.last?.payload == noise)
    }

    @Test("A kind's queue has a bound, and room again when it was written")
    func bounds() {
        let queue = Box(SendQueue())
        var generator = SeededGenerator(seed: 8)
        let noise = (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let frame = PreparedFrame(OutgoingFrame(.transactions, noise), zstd)
        var count = 0
        while queue.value.add(frame) { count += 1 }
        #expect(count == 3)
        #expect(queue.change { $0.add(PreparedFrame(OutgoingFrame(.consensus, [1]), zstd)) })
        while queue.value.nextRecord() != nil {}
        #expect(queue.value.isEmpty)
        #expect(FrameKind.allCases.allSatisfy { queue.value.byteCount(of: $0) == 0 })
        #expect(queue.change { $0.add(frame) })
    }

    @Test("Random bytes give frames or faults, never a trap")
    func random() {
        for seed in UInt64(0)..<2000 {
            var generator = SeededGenerator(seed: seed)
            var bytes = (0..<Int.random(in: 1...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            // Half of them with a header that is nearly right.
            if seed % 2 == 0, bytes.count > 6 {
                bytes[0] %= 6
                bytes[1] %= 4
                bytes[3] = 0
                bytes[4] = 0
                bytes[5] = 0
            }
            _ = fault(bytes)
        }
    }

    @Test("Control messages come back, and damaged ones are refused")
    func control() throws {
        let messages: [LinkMessage] = [
            .hello(version: 1, start: .max), .welcome, .ping(5), .pong(.max), .goodbye("why"),
        ]
        for message in messages {
            let bytes = message.bcsBytes
            #expect(try LinkMessage(bcs: bytes) == message)
            for count in 0..<bytes.count {
                #expect(throws: BCSError.self) { try LinkMessage(bcs: Array(bytes[..<count])) }
            }
            #expect(throws: BCSError.self) { try LinkMessage(bcs: bytes + [0]) }
        }
        let long = LinkMessage.goodbye(String(repeating: "ü", count: 150))
        #expect(try LinkMessage(bcs: long.bcsBytes) == .goodbye(String(repeating: "ü", count: 100)))
    }
}
