/// Binary Canonical Serialization: each value has exactly one encoding, and the decoder refuses
/// every other.
///
/// Fixed-width integers are little-endian; lengths and variant indexes are ULEB128 without padding,
/// at most 2^32 - 1; fixed arrays are raw; an optional is 0, or 1 and the value; maps are sorted by
/// encoded key. Source: the BCS specification of the Diem project.
public protocol BCSEncodable {
    func encode(to writer: inout BCSWriter)
}

/// A value that can be read from canonical bytes.
public protocol BCSDecodable {
    /// Reads one value and leaves the reader behind it.
    /// - Throws: `BCSError` for anything but the canonical encoding of a value within its limits.
    init(from reader: inout BCSReader) throws(BCSError)
}

public typealias BCSCodable = BCSEncodable & BCSDecodable

extension BCSEncodable {
    /// The canonical bytes.
    public var bcsBytes: [UInt8] {
        var writer = BCSWriter(capacity: BCSWriter.usualCapacity)
        encode(to: &writer)
        return writer.bytes
    }
}

extension BCSDecodable {
    /// The value that `bytes` are the whole canonical encoding of.
    /// - Throws: `BCSError`, also when bytes are left over.
    public init(bcs bytes: [UInt8]) throws(BCSError) {
        var reader = BCSReader(bytes)
        self = try Self(from: &reader)
        try reader.finish()
    }
}

/// Why bytes aren't the canonical encoding of a value; `offset` counts bytes from the start.
public struct BCSError: Error, Hashable, CustomStringConvertible {
    /// What was wrong.
    public enum Reason: Hashable, Sendable {
        /// `needed` bytes were wanted where `left` remain.
        case truncated(needed: Int, left: Int)
        /// A ULEB128 number with padding or above 2^32 - 1.
        case overlongInteger
        /// A list or byte string of `count` where `maximum` are allowed.
        case tooLong(count: Int, maximum: Int)
        /// A list of `count` where at least `minimum` are wanted.
        case tooShort(count: Int, minimum: Int)
        /// A variant index that the type doesn't have.
        case unknownVariant(UInt32)
        /// A boolean or optional marker other than 0 and 1.
        case invalidMarker(UInt8)
        /// Keys out of order or repeated.
        case unsorted
        /// Bytes after the value.
        case trailingBytes(Int)
        /// A value that its type excludes.
        case invalidValue(String)
    }

    public let reason: Reason
    public let offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        switch reason {
        case .truncated(let needed, let left):
            "byte \(offset): \(needed) bytes wanted, \(left) left"
        case .overlongInteger:
            "byte \(offset): a length or variant that isn't in its shortest form or above 2^32 - 1"
        case .tooLong(let count, let maximum):
            "byte \(offset): length \(count), at most \(maximum) allowed"
        case .tooShort(let count, let minimum):
            "byte \(offset): length \(count), at least \(minimum) wanted"
        case .unknownVariant(let index):
            "byte \(offset): unknown variant \(index)"
        case .invalidMarker(let byte):
            "byte \(offset): \(byte) where 0 or 1 is wanted"
        case .unsorted:
            "byte \(offset): keys unsorted or repeated"
        case .trailingBytes(let count):
            "byte \(offset): \(count) bytes after the value"
        case .invalidValue(let what):
            "byte \(offset): \(what)"
        }
    }
}
