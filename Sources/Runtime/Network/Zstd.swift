internal import CZstd

/// zstd with its working memory, which is kept from call to call; for one thread at a time.
final class Zstd {
    private let packer: OpaquePointer?
    private let unpacker: OpaquePointer?

    /// Fast rather than small: links are seldom the narrowest place.
    private static let level: Int32 = 1

    init() {
        packer = ZSTD_createCCtx()
        unpacker = ZSTD_createDCtx()
    }

    deinit {
        ZSTD_freeCCtx(packer)
        ZSTD_freeDCtx(unpacker)
    }

    /// Length when unpacked (u32 LE) and the packed bytes, or nil if that saves less than one byte
    /// in sixteen.
    func pack(_ payload: [UInt8]) -> [UInt8]? {
        guard let count = UInt32(exactly: payload.count) else { return nil }
        let room = payload.count - payload.count / 16
        let packed = [UInt8](unsafeUninitializedCapacity: 4 + room) { buffer, used in
            withUnsafeBytes(of: count.littleEndian) { prefix in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: prefix)
            }
            let written = payload.withUnsafeBytes { source in
                ZSTD_compressCCtx(
                    packer, buffer.baseAddress.map { $0 + 4 }, room, source.baseAddress,
                    source.count, Zstd.level)
            }
            used = ZSTD_isError(written) == 0 ? 4 + written : 0
        }
        return packed.isEmpty ? nil : packed
    }

    /// What `packed` unpacks to, or nil if it isn't one zstd frame of exactly the length that it
    /// declares, or if that is above `maximum`.
    func unpack(_ packed: [UInt8], maximum: Int) -> [UInt8]? {
        guard packed.count > 4 else { return nil }
        var count = 0
        for byte in packed[0..<4].reversed() { count = count << 8 | Int(byte) }
        guard count <= maximum else { return nil }
        var isWhole = false
        let payload = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            let written = packed.withUnsafeBytes { source in
                ZSTD_decompressDCtx(
                    unpacker, buffer.baseAddress, count, source.baseAddress.map { $0 + 4 },
                    source.count - 4)
            }
            isWhole = ZSTD_isError(written) == 0 && written == count
            used = isWhole ? count : 0
        }
        return isWhole ? payload : nil
    }
}
