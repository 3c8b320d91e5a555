import NIOCore
import NodeCore
import Primitives
import TestSupport

@testable import Runtime

extension FuzzTarget {
    /// The bytes of a link: the first one says in how large pieces the others arrive.
    static let frame = FuzzTarget(name: "frame", bytesMax: 64 << 10) {
        frameSeeds
    } check: { bytes in
        let stream = Array(bytes.dropFirst())
        let whole = read(stream, piece: stream.count)
        let pieces = read(stream, piece: 1 + Int(bytes.first ?? 0))
        try expect(whole == pieces, "other frames when they arrive in pieces")
        for frame in whole.frames { try checkFrame(frame) }
        try expect(read(written(whole.frames), piece: 1000).frames == whole.frames, "other frames")
        return whole.fault == nil && !whole.frames.isEmpty
    }

    private struct Reading: Equatable {
        var frames: [Frame] = []
        var fault: FrameFault?
    }

    private static func read(_ stream: [UInt8], piece: Int) -> Reading {
        var decoder = FrameDecoder()
        var reading = Reading()
        let zstd = Zstd()
        do throws(FrameFault) {
            for start in stride(from: 0, to: stream.count, by: max(1, piece)) {
                decoder.receive(ByteBuffer(bytes: stream[start...].prefix(max(1, piece))))
                while let frame = try decoder.next(zstd) { reading.frames.append(frame) }
            }
        } catch {
            _ = error.description
            reading.fault = error
        }
        return reading
    }

    /// The frames as a node writes them.
    private static func written(_ frames: [Frame]) -> [UInt8] {
        let zstd = Zstd()
        var bytes: [UInt8] = []
        for frame in frames {
            var queue = SendQueue()
            _ = queue.add(PreparedFrame(OutgoingFrame(frame.kind, frame.payload), zstd))
            while let record = queue.nextRecord() { bytes += record.readableBytesView }
        }
        return bytes
    }

    private static func checkFrame(_ frame: Frame) throws(Violation) {
        try expect(
            frame.payload.count <= frame.kind.payloadBytesMax,
            "\(frame.payload.count) bytes of \(frame.kind)")
        if frame.kind == .control {
            _ = try canonical(LinkMessage.self, frame.payload)
        } else {
            _ = try canonical(NodeMessage.self, frame.payload)
        }
    }

    private static var frameSeeds: [FuzzSeed] {
        let hello = LinkMessage.hello(version: 1, start: 7).bcsBytes
        let control: [LinkMessage] = [.welcome, .ping(1), .pong(1), .goodbye("bye")]
        var frames = [Frame(kind: .control, payload: hello)]
        frames += control.map { Frame(kind: .control, payload: $0.bcsBytes) }
        let messages = FuzzWorld.shared.said.suffix(12).map(\.message)
        let others = messages.map {
            Frame(kind: FrameKind($0.channel), payload: $0.bcsBytes)
        }.filter { $0.payload.count < 8000 }
        let long = Frame(kind: .sync, payload: [UInt8](repeating: 7, count: 20_000))
        let mixed = [
            Frame(kind: .batches, payload: (0..<3000).map { UInt8(truncatingIfNeeded: $0) })
        ]
        // As long as its kind allows, and not to be packed; two, so that the first can be longer.
        var generator = SeededGenerator(seed: 1)
        let full = Frame(
            kind: .control, payload: generator.bytes(FrameKind.control.payloadBytesMax))
        return [
            FuzzSeed("full", [255] + written([full, full])),
            FuzzSeed("control", [3] + written(frames)), FuzzSeed("long", [255] + written([long])),
            FuzzSeed("messages", [200] + written(others)),
            FuzzSeed("packed", [100] + written(mixed + frames)),
        ]
    }
}
