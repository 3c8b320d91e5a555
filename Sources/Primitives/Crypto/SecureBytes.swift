internal import CSodium

/// Secret bytes in locked memory that is wiped when the last reference goes.
///
/// The bytes never appear in a description, and never in a `String`.
// SAFETY: the memory is written only in `init`, before the reference is shared.
public final class SecureBytes: @unchecked Sendable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    private let pointer: UnsafeMutableRawPointer
    /// The number of bytes.
    public let count: Int

    /// `count` bytes that `fill` writes.
    /// - Precondition: the system has memory left to lock or at least to give.
    public init(count: Int, filledBy fill: (UnsafeMutableRawBufferPointer) -> Void) {
        Sodium.start()
        guard let pointer = sodium_malloc(count) else {
            preconditionFailure("no memory for a secret of \(count) bytes")
        }
        self.pointer = pointer
        self.count = count
        fill(UnsafeMutableRawBufferPointer(start: pointer, count: count))
        sodium_mprotect_readonly(pointer)
    }

    /// A copy of `bytes`; the caller wipes his own.
    public convenience init(copying bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { buffer in
            buffer.copyBytes(from: bytes)
        }
    }

    /// `count` bytes from the system's generator.
    public static func random(count: Int) -> SecureBytes {
        SecureBytes(count: count) { randombytes_buf($0.octets, $0.count) }
    }

    deinit {
        sodium_mprotect_readwrite(pointer)
        sodium_free(pointer)
    }

    /// Calls `body` with the bytes, which must not be kept.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: pointer, count: count))
    }

    /// A copy of the bytes at `range`, in locked memory of its own.
    /// - Precondition: `range` lies within the bytes.
    public func slice(_ range: Range<Int>) -> SecureBytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count)")
        return SecureBytes(count: range.count) { part in
            withUnsafeBytes { part.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
        }
    }

    public var description: String { "[redacted]" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Overwrites bytes that held a secret.
    public static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { sodium_memzero(base, buffer.count) }
        }
    }
}
