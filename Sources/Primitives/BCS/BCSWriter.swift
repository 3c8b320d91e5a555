/// Collects canonical bytes.
public struct BCSWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []

    /// Bytes that most values fit in, so that they are written without moving.
    static let usualCapacity = 128

    public init(capacity: Int = 0) {
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    /// A writer that goes on behind `bytes`.
    package init(appendingTo bytes: [UInt8]) { self.bytes = bytes }

    /// The number of bytes that were written so far.
    package var count: Int { bytes.count }

    public mutating func append(_ value: UInt8) { bytes.append(value) }
    public mutating func append(_ value: UInt16) { appendLittleEndian(value) }
    public mutating func append(_ value: UInt32) { appendLittleEndian(value) }
    public mutating func append(_ value: UInt64) { appendLittleEndian(value) }
    public mutating func append(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// A length or a variant index as ULEB128; `value` lies in 0...2^32 - 1.
    public mutating func appendLength(_ value: Int) {
        precondition(value >= 0 && value <= Int(UInt32.max), "length \(value)")
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// An enumeration's variant index.
    public mutating func appendVariant(_ index: UInt32) { appendLength(Int(index)) }

    /// Bytes without a length: a fixed array.
    public mutating func appendFixed(_ raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

    package mutating func appendRaw(_ raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

    /// A byte string: length, then the bytes.
    public mutating func appendBytes(_ value: some Collection<UInt8>) {
        appendLength(value.count)
        bytes.append(contentsOf: value)
    }

    /// Text: the byte string of its UTF-8.
    public mutating func append(_ value: String) { appendBytes(Array(value.utf8)) }

    public mutating func append(_ value: some BCSEncodable) { value.encode(to: &self) }

    /// An optional: 0, or 1 and the value.
    public mutating func append<Value: BCSEncodable>(optional value: Value?) {
        append(value != nil)
        if let value { append(value) }
    }

    /// A list: length, then each element.
    public mutating func append(list: some Collection<some BCSEncodable>) {
        appendLength(list.count)
        for element in list { append(element) }
    }

    /// For keys of the store, whose order is that of their numbers: the highest byte first.
    package mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
