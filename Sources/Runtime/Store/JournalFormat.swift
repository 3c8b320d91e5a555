internal import Primitives

/// An opaque record of the consensus journal.
package struct JournalRecord: Hashable, Sendable {
    /// What the record is, for its writer.
    package let type: UInt8
    /// At most `JournalFormat.bodyBytesMax` bytes.
    package let body: [UInt8]

    package init(type: UInt8, body: [UInt8]) {
        self.type = type
        self.body = body
    }
}

/// The 16 random bytes that a journal and the store beside it share: two that don't belong
/// together are noticed.
package struct InstanceID: Hashable, Sendable, CustomStringConvertible {
    package static let count = 16
    package let bytes: [UInt8]

    /// The id of exactly 16 bytes, or nil for any other count.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == InstanceID.count else { return nil }
        self.bytes = bytes
    }

    private init(checked bytes: [UInt8]) { self.bytes = bytes }

    static func random() -> InstanceID { InstanceID(checked: Sodium.randomBytes(count)) }

    package var description: String { Hex.encode(bytes) }
}

/// The bytes of a journal segment.
///
/// Segment: header, then records without gaps. Header (48 bytes): magic `OPKJRNL1`, instance id
/// (16), segment number (u64 LE), checksum (16: the first bytes of BLAKE2b-256 over what stands
/// before it). Record: body length (u32 LE), type (u8), body, checksum (8: the first bytes of
/// BLAKE2b-256 over length, type, body, instance id, segment number and the record's offset in the
/// file): a record that was copied or moved is noticed as well as an altered one.
package struct JournalFormat: Sendable {
    /// Bytes of a record's body: a block with its certificates fits many times over.
    package static let bodyBytesMax = 8 << 20
    static let magic = Array("OPKJRNL1".utf8)
    static let headerBytes = 48
    static let recordOverhead = 4 + 1 + 8

    let instance: InstanceID
    let segment: UInt64

    var header: [UInt8] {
        var bytes = JournalFormat.magic + instance.bytes + littleEndian(segment)
        bytes += Digest.hash(.journal, bytes).bytes.prefix(16)
        return bytes
    }

    /// Adds a record that will stand at `offset`.
    func append(_ record: JournalRecord, at offset: Int, to bytes: inout [UInt8]) {
        precondition(
            record.body.count <= JournalFormat.bodyBytesMax, "body of \(record.body.count) bytes")
        let start = bytes.count
        bytes += littleEndian(UInt32(record.body.count))
        bytes.append(record.type)
        bytes += record.body
        bytes += checksum(bytes[start...], at: offset)
    }

    /// The format of the segment whose bytes start with `bytes`, or nil for a damaged header.
    init?(header bytes: [UInt8]) {
        guard bytes.count >= JournalFormat.headerBytes else { return nil }
        guard Array(bytes[0..<8]) == JournalFormat.magic,
            let instance = InstanceID(Array(bytes[8..<24]))
        else { return nil }
        var segment: UInt64 = 0
        for byte in bytes[24..<32].reversed() { segment = segment << 8 | UInt64(byte) }
        self.init(instance: instance, segment: segment)
        guard Array(bytes[0..<JournalFormat.headerBytes]) == header else { return nil }
    }

    init(instance: InstanceID, segment: UInt64) {
        self.instance = instance
        self.segment = segment
    }

    /// The record at `offset` and the offset behind it, or nil if none stands there whole.
    func record(in bytes: [UInt8], at offset: Int) -> (record: JournalRecord, end: Int)? {
        guard offset >= 0, bytes.count - offset >= JournalFormat.recordOverhead else { return nil }
        var count = 0
        for byte in bytes[offset..<offset + 4].reversed() { count = count << 8 | Int(byte) }
        guard count <= JournalFormat.bodyBytesMax,
            count <= bytes.count - offset - JournalFormat.recordOverhead
        else { return nil }
        let bodyEnd = offset + 5 + count
        let expected = checksum(bytes[offset..<bodyEnd], at: offset)
        guard expected.elementsEqual(bytes[bodyEnd..<bodyEnd + 8]) else { return nil }
        let record = JournalRecord(
            type: bytes[offset + 4], body: Array(bytes[offset + 5..<bodyEnd]))
        return (record, bodyEnd + 8)
    }

    private func checksum(_ content: ArraySlice<UInt8>, at offset: Int) -> ArraySlice<UInt8> {
        var hasher = Hasher256(.journal)
        hasher.update(content)
        hasher.update(instance.bytes)
        hasher.update(littleEndian(segment))
        hasher.update(littleEndian(UInt64(offset)))
        return hasher.finalize().bytes.prefix(8)
    }

    private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

/// What a segment's bytes hold.
struct JournalScan {
    /// The whole records in order.
    private(set) var records: [JournalRecord] = []
    /// The offset behind the last whole record.
    private(set) var end = JournalFormat.headerBytes
    /// Whether bytes follow that are no record.
    var isTorn: Bool { end < byteCount }
    let byteCount: Int

    /// Reads every record.
    /// - Throws: `Damage` if a whole record stands behind a damaged place: then that place isn't
    ///   the unfinished end of a write, and what it held may have been acted on.
    init(_ bytes: [UInt8], format: JournalFormat) throws(Damage) {
        byteCount = bytes.count
        while let (record, next) = format.record(in: bytes, at: end) {
            records.append(record)
            end = next
        }
        guard isTorn else { return }
        for offset in end + 1..<bytes.count where format.record(in: bytes, at: offset) != nil {
            throw Damage(offset: end, laterOffset: offset)
        }
    }

    /// A damaged place before a whole record.
    struct Damage: Error {
        let offset: Int
        let laterOffset: Int
    }
}
