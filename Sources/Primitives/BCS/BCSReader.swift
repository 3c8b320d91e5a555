/// Reads canonical bytes without ever reading or allocating beyond them.
public struct BCSReader: Sendable {
    private let bytes: [UInt8]
    private let end: Int
    /// Bytes read so far, counted from the start of the array.
    public private(set) var offset: Int

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    /// Bytes not yet read.
    public var remaining: Int { end - offset }

    /// Ends the reading.
    /// - Throws: `BCSError.trailingBytes` when bytes are left.
    public func finish() throws(BCSError) {
        guard remaining == 0 else { throw fault(.trailingBytes(remaining)) }
    }

    /// An error at the place where the reader stands.
    public func fault(_ reason: BCSError.Reason) -> BCSError { BCSError(reason, at: offset) }

    public mutating func readUInt8() throws(BCSError) -> UInt8 {
        try require(1)
        defer { offset += 1 }
        return bytes[offset]
    }

    public mutating func readUInt16() throws(BCSError) -> UInt16 { try readLittleEndian() }
    public mutating func readUInt32() throws(BCSError) -> UInt32 { try readLittleEndian() }
    public mutating func readUInt64() throws(BCSError) -> UInt64 { try readLittleEndian() }

    public mutating func readBool() throws(BCSError) -> Bool {
        let start = offset
        switch try readUInt8() {
        case 0: return false
        case 1: return true
        case let byte: throw BCSError(.invalidMarker(byte), at: start)
        }
    }

    /// A ULEB128 number in its shortest form, at most 2^32 - 1.
    public mutating func readULEB128() throws(BCSError) -> UInt32 {
        let start = offset
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 28, by: 7) {
            let byte = try readUInt8()
            value |= UInt64(byte & 0x7F) << shift
            guard byte & 0x80 == 0 else { continue }
            let padded = shift > 0 && byte == 0
            guard !padded, let result = UInt32(exactly: value) else {
                throw BCSError(.overlongInteger, at: start)
            }
            return result
        }
        throw BCSError(.overlongInteger, at: start)
    }

    /// The length of a list that has `minimum...maximum` elements of at least `elementBytes` each.
    public mutating func readLength(
        minimum: Int = 0, maximum: Int, elementBytes: Int
    ) throws(BCSError) -> Int {
        let start = offset
        let count = Int(try readULEB128())
        guard count <= maximum else {
            throw BCSError(.tooLong(count: count, maximum: maximum), at: start)
        }
        guard count >= minimum else {
            throw BCSError(.tooShort(count: count, minimum: minimum), at: start)
        }
        let (needed, overflow) = count.multipliedReportingOverflow(by: elementBytes)
        guard !overflow, needed <= remaining else {
            throw BCSError(.truncated(needed: overflow ? .max : needed, left: remaining), at: start)
        }
        return count
    }

    /// Exactly `count` raw bytes.
    public mutating func readFixed(_ count: Int) throws(BCSError) -> [UInt8] {
        try require(count)
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// A byte string of at most `maximum` bytes.
    public mutating func readBytes(maximum: Int) throws(BCSError) -> [UInt8] {
        try readFixed(try readLength(maximum: maximum, elementBytes: 1))
    }

    /// Text of at most `maximum` bytes of valid UTF-8.
    public mutating func readString(maximum: Int) throws(BCSError) -> String {
        let start = offset
        let raw = try readBytes(maximum: maximum)
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw BCSError(.invalidValue("text that isn't UTF-8"), at: start)
        }
        return text
    }

    public mutating func readBytes32() throws(BCSError) -> Bytes32 {
        try require(Bytes32.count)
        defer { offset += Bytes32.count }
        let start = offset
        return bytes.withUnsafeBytes { buffer in
            Bytes32(loading: UnsafeRawBufferPointer(rebasing: buffer[start..<start + 32]))
        }
    }

    public mutating func read<Value: BCSDecodable>(
        _ type: Value.Type = Value.self
    ) throws(BCSError) -> Value {
        try Value(from: &self)
    }

    public mutating func readOptional<Value: BCSDecodable>(
        _ type: Value.Type = Value.self
    ) throws(BCSError) -> Value? {
        try readBool() ? try Value(from: &self) : nil
    }

    /// A list of `minimum...maximum` values, each of at least `elementBytes` (above zero) bytes.
    public mutating func readList<Value: BCSDecodable>(
        of type: Value.Type = Value.self, minimum: Int = 0, maximum: Int, elementBytes: Int
    ) throws(BCSError) -> [Value] {
        precondition(elementBytes > 0, "elements without bytes would not bound the list")
        let count = try readLength(minimum: minimum, maximum: maximum, elementBytes: elementBytes)
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try Value(from: &self)) }
        return values
    }

    /// A list as `readList`, whose keys must rise strictly.
    public mutating func readSortedList<Value: BCSDecodable, Key: Comparable>(
        of type: Value.Type = Value.self, minimum: Int = 0, maximum: Int, elementBytes: Int,
        by key: (Value) -> Key
    ) throws(BCSError) -> [Value] {
        let start = offset
        let values = try readList(
            of: type, minimum: minimum, maximum: maximum, elementBytes: elementBytes)
        for (left, right) in zip(values, values.dropFirst()) where key(left) >= key(right) {
            throw BCSError(.unsorted, at: start)
        }
        return values
    }

    /// The bytes between `start` and the place where the reader stands.
    public func slice(from start: Int) -> ArraySlice<UInt8> {
        precondition(start >= 0 && start <= offset, "slice from \(start) to \(offset)")
        return bytes[start..<offset]
    }

    private func require(_ count: Int) throws(BCSError) {
        guard count >= 0, count <= remaining else {
            throw fault(.truncated(needed: count, left: remaining))
        }
    }

    private mutating func readLittleEndian<Value: FixedWidthInteger>() throws(BCSError) -> Value {
        let size = MemoryLayout<Value>.size
        try require(size)
        defer { offset += size }
        let start = offset
        return bytes.withUnsafeBytes { buffer in
            Value(littleEndian: buffer.loadUnaligned(fromByteOffset: start, as: Value.self))
        }
    }
}
